//! Nodes that take their time and talk meanwhile.

use std::time::Duration;

use ::image::codecs::jpeg::JpegEncoder;
use ::image::imageops::FilterType;
use ::image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use bytes::Bytes;
use comfy_protocol::json::exact;
use serde_json::{Map, Number, Value as Json, json};

use crate::nodes::{Audience, Context, Inputs, NodeError, Preview, PreviewFormat, Ran, Sleep};
use crate::value::{Image, Value};

/// Side of the pictures that nodes give when they are given none.
const SIDE: usize = 16;

fn seconds(inputs: &Inputs, name: &str) -> Result<Duration, NodeError> {
    Ok(Duration::try_from_secs_f64(inputs.float(name)?.max(0.0)).unwrap_or(Duration::MAX))
}

/// The picture that went in, or a black one.
fn image_or_black(inputs: &Inputs) -> Result<Ran, NodeError> {
    match inputs.0.get("image") {
        Some(value) if !matches!(value, Value::Json(Json::Null)) => Ok(Ran::output(value.clone())),
        _ => Ok(Ran::output(Value::image(Image::zeros(1, SIDE, SIDE, 3)?))),
    }
}

fn int_or(inputs: &Inputs, name: &str, default: i64) -> Result<i64, NodeError> {
    if inputs.0.contains_key(name) { inputs.int(name) } else { Ok(default) }
}

/// ProbeProgress: steps, each with a picture if wanted.
pub(super) fn progress(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let steps = inputs.int("steps")?;
    let delay = seconds(inputs, "delay")?;
    let format = match inputs.text("preview")? {
        "JPEG" => Some(PreviewFormat::Jpeg),
        "PNG" => Some(PreviewFormat::Png),
        _ => None,
    };
    let side = u32::try_from(int_or(inputs, "size", 32)?).unwrap_or(0).clamp(1, 4096);
    let bound = u32::try_from(int_or(inputs, "max_size", 0)?).unwrap_or(0);
    for step in 0..steps {
        let preview = format.map(|format| picture(step, side, bound, format)).transpose()?;
        context.stage.progress((step + 1).into(), steps.into(), preview.as_ref())?;
        context.stage.sleep(delay, Sleep::Deep)?;
    }
    image_or_black(inputs)
}

/// A picture that changes from step to step, no larger than `bound` unless that is 0.
fn picture(step: i64, side: u32, bound: u32, format: PreviewFormat) -> Result<Preview, NodeError> {
    let red = step.wrapping_mul(40) as u8;
    let slope = 255 / side.min(255);
    let picture = RgbImage::from_fn(side, side, |_, y| Rgb([red, (y * slope) as u8, 0]));
    let mut picture = DynamicImage::ImageRgb8(picture);
    if bound > 0 && bound < side {
        picture = picture.resize(bound, bound, FilterType::Lanczos3);
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    let written = match format {
        PreviewFormat::Jpeg => picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 95)),
        PreviewFormat::Png => picture.write_to(&mut bytes, ImageFormat::Png),
    };
    written.map_err(|error| NodeError::runtime_error(error.to_string()))?;
    Ok(Preview { format, bytes: Bytes::from(bytes.into_inner()) })
}

/// ProbeSleep: looks for an interrupt or not.
pub(super) fn sleep(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let interruptible =
        inputs.0.get("interruptible").is_none_or(|value| !matches!(value, Value::Json(Json::Bool(false))));
    let sleep = if interruptible { Sleep::Light } else { Sleep::Deep };
    context.stage.sleep(seconds(inputs, "seconds")?, sleep)?;
    image_or_black(inputs)
}

/// ProbeText: shows its text, what any value is, and its id.
pub(super) fn text(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let text = Json::from(inputs.text("text")?);
    let any = inputs.0.get("any").filter(|any| !matches!(any, Value::Json(Json::Null)));
    let any = any.map(|any| any.python_repr(context.version)).unwrap_or_default();
    let shown = vec![text.clone(), any.into(), format!("node={}", context.node).into()];
    Ok(Ran::shown(Value::Json(text), "text", shown))
}

/// ProbeProgressText: texts while it runs.
pub(super) fn progress_text(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let text = inputs.text("text")?;
    let to_all = matches!(inputs.0.get("to_all"), Some(Value::Json(Json::Bool(true))));
    let audience = if to_all { Audience::Everyone } else { Audience::Owner };
    for text in [text, "ünïcode 画像 🚀", ""] {
        context.stage.send_text(text, audience);
    }
    Ok(Ran { ui: Some(Map::from_iter([("text".to_owned(), json!([text]))])), ..Ran::default() })
}

/// ProbeEvent: messages of a type that nobody knows.
pub(super) fn event(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let name = inputs.text("name")?;
    let stage = context.stage;
    stage.send_message(name, json!({"hello": "owner", "n": 1}), Audience::Owner);
    stage.send_message(name, json!({"hello": "everyone", "n": 2}), Audience::Everyone);
    stage.send_message(name, json!(["a", "list"]), Audience::Owner);
    stage.send_message(name, Json::Null, Audience::Owner);
    stage.send_message(
        name,
        json!({"nan": exact::float(f64::NAN), "inf": exact::float(f64::INFINITY)}),
        Audience::Owner,
    );
    stage.send_frame(77, b"\x00\x01unknown binary event", Audience::Owner);
    Ok(Ran::default())
}

/// ProbeLog: a line in the server's log.
pub(super) fn log(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    context.stage.log(&["demo_probe:", inputs.text("text")?]);
    Ok(Ran::default())
}

/// ProbeAsync: three steps beside others, and a failure if wanted.
pub(super) fn asynchronous(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let time = seconds(inputs, "seconds")? / 3;
    for step in 1..=3 {
        context.stage.sleep(time, Sleep::Deep)?;
        context.stage.progress(step.into(), 3.into(), None)?;
    }
    if matches!(inputs.0.get("fail"), Some(Value::Json(Json::Bool(true)))) {
        return Err(NodeError::runtime_error("async failure"));
    }
    image_or_black(inputs)
}

/// How often a node that waits says so.
const REPORT: Duration = Duration::from_millis(100);

/// TestSleep: says every tenth of a second how long it has waited; gives what went in.
pub(super) fn test_sleep(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let time = seconds(inputs, "seconds")?;
    let whole = float(time.as_secs_f64());
    let mut waited = Duration::ZERO;
    while waited < time {
        context.stage.progress(float(waited.as_secs_f64()), whole.clone(), None)?;
        let rest = REPORT.min(time - waited);
        context.stage.sleep(rest, Sleep::Deep)?;
        waited += rest;
    }
    context.stage.progress(whole.clone(), whole, None)?;
    Ok(Ran::output(inputs.value("value")?.clone()))
}

fn float(number: f64) -> Number {
    Number::from_f64(number).unwrap_or_else(|| 0.into())
}

/// TestAsyncProgressUpdate and TestSyncProgressUpdate: twenty shares of the time.
pub(super) fn progress_update(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let time = seconds(inputs, "sleep_seconds")?;
    for step in 0..20 {
        context.stage.progress_state(float(f64::from(step) / 20.0), float(1.0))?;
        context.stage.sleep(time / 20, Sleep::Deep)?;
    }
    context.stage.progress_state(float(1.0), float(1.0))?;
    Ok(Ran::output(inputs.value("value")?.clone()))
}

/// TestAsyncResourceUser: holds something for a while.
pub(super) fn resource_user(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    context.stage.sleep(seconds(inputs, "duration")?, Sleep::Deep)?;
    Ok(Ran::output(inputs.value("value")?.clone()))
}

/// TestAsyncConcurrentLimit: the same, a few at a time.
pub(super) fn concurrent_limit(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    resource_user(inputs, context)
}

/// TestAsyncBatchProcessing: a step per picture, each turned round.
pub(super) fn batch_processing(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let images = inputs.image("images")?;
    let time = seconds(inputs, "process_time_per_item")?;
    let count = i64::try_from(images.batch).unwrap_or(i64::MAX);
    for step in 1..=count {
        context.stage.sleep(time, Sleep::Deep)?;
        context.stage.progress(step.into(), count.into(), None)?;
    }
    let mut turned = Image::clone(images);
    turned.data.iter_mut().for_each(|number| *number = 1.0 - *number);
    Ok(Ran::output(Value::image(turned)))
}
