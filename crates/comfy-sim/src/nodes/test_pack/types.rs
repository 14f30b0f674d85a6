//! Nodes that show what they were given, or anything that they are told to.

use std::f64::consts::TAU;
use std::fs;

use comfy_protocol::json::exact;
use serde_json::{Map, Value as Json, json};

use crate::files::{Files, Folder};
use crate::nodes::{Context, Inputs, NodeError, Ran};
use crate::python;
use crate::value::{Image, Value};
use crate::wire::to_json;

/// Characters of a value that ProbeTypes shows.
const SHOWN: usize = 80;

fn ui(key: &str, items: Json) -> Option<Map<String, Json>> {
    Some(Map::from_iter([(key.to_owned(), items)]))
}

fn black() -> Result<Value, NodeError> {
    Ok(Value::image(Image::zeros(1, 16, 16, 3)?))
}

/// ProbeUi: shows what its JSON says, of whatever shape.
pub(super) fn probe_ui(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let json: Json = exact::from_slice(inputs.text("ui")?.as_bytes()).map_err(|_| {
        NodeError::new("json.decoder.JSONDecodeError", "Expecting value: line 1 column 1 (char 0)")
    })?;
    match json {
        Json::Object(ui) => Ok(Ran { ui: Some(ui), ..Ran::default() }),
        other => {
            let kind = python::type_name(&other);
            Err(NodeError::attribute_error(format!("'{kind}' object has no attribute 'keys'")))
        }
    }
}

/// ProbeFile: a file of any name in `output`, shown under any key.
pub(super) fn file(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let name = inputs.text("name")?;
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let path = context.files.resolve_in(Folder::Output, folder, file);
    let path = path.map_err(|error| NodeError::value_error(error.to_string()))?;
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| NodeError::io(&error, parent))?;
    }
    fs::write(&path, inputs.text("content")?).map_err(|error| NodeError::io(&error, &path))?;
    let mut item = json!({"filename": file, "subfolder": folder, "type": "output"});
    if !inputs.text("format")?.is_empty() {
        item["format"] = inputs.text("format")?.into();
    }
    Ok(Ran { ui: ui(inputs.text("key")?, json!([item])), ..Ran::default() })
}

/// ProbeAudio: a tenth of a second of a tone, as a WAV file.
pub(super) fn audio(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let kind = inputs.text("type")?;
    let folder = if kind == "output" { Folder::Output } else { Folder::Temp };
    let target = context.files.save_target(folder, inputs.text("filename_prefix")?, 0, 0);
    let mut target = target.map_err(|error| NodeError::new("Exception", error.to_string()))?;
    let name = target.next_name(0).replace(".png", ".wav");
    let path = target.directory.join(&name);
    fs::write(&path, tone()).map_err(|error| NodeError::io(&error, &path))?;
    let item = json!({"filename": name, "subfolder": target.subfolder, "type": kind});
    Ok(Ran { ui: ui("audio", json!([item])), ..Ran::default() })
}

/// 800 samples of 16 bits at 8000 a second.
fn tone() -> Vec<u8> {
    let samples = (0..800).flat_map(|at| {
        let angle = (f64::from(at) / 8.0) % TAU;
        ((angle.sin() * 9000.0) as i16).to_le_bytes()
    });
    let samples: Vec<u8> = samples.collect();
    let length = samples.len() as u32;
    let mut wav = Vec::with_capacity(44 + samples.len());
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(36 + length).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt ");
    for (number, bytes) in [(16, 4), (1, 2), (1, 2), (8000, 4), (16000, 4), (2, 2), (16, 2)] {
        wav.extend_from_slice(&u32::to_le_bytes(number)[..bytes]);
    }
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&length.to_le_bytes());
    wav.extend_from_slice(&samples);
    wav
}

/// The change check of ProbeNever gives NaN, which is never the same.
pub(super) fn always(_: &Map<String, Json>, _: &Files) -> Json {
    Json::Null
}

/// ProbeNever.
pub(super) fn never(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let value = inputs.json("v")?.clone();
    Ok(Ran::shown(Value::Json(value.clone()), "v", vec![value]))
}

/// ProbeTypes: what reached it, of every kind of input.
pub(super) fn types(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let shown = |value: &Value| {
        Json::from(value.python_repr(context.version).chars().take(SHOWN).collect::<String>())
    };
    let mut got: Vec<_> = inputs.0.iter().map(|(name, value)| (name.clone(), shown(value))).collect();
    got.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let got = to_json(&got.into_iter().collect::<Map<_, _>>());
    let constants = [json!(1), json!(0.5), json!("x"), json!(true)].map(Value::Json);
    let mut outputs = Vec::from(constants);
    outputs.push(black()?);
    outputs.extend([json!(1), json!("a"), json!(1.0)].map(Value::Json));
    Ok(Ran { outputs, ui: ui("got", json!([got])), ..Ran::default() })
}

/// ProbeRequired.
pub(super) fn nothing(_: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    Ok(Ran::default())
}

/// ProbeValidate.
pub(super) fn validated(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    Ok(Ran { outputs: vec![black()?], ui: ui("x", json!([inputs.json("x")?])), ..Ran::default() })
}

/// ProbeV3: shows its inputs as Python prints them.
pub(super) fn v3(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let version = context.version;
    let printed = |name: &str, default: &str| {
        inputs.0.get(name).map_or(default.to_owned(), |value| value.python_repr(version))
    };
    let text = format!(
        "{} {} {} {} {} {} {} id={}",
        inputs.value("i")?.python_repr(version),
        inputs.value("f")?.python_repr(version),
        inputs.value("c")?.python_repr(version),
        printed("s", "'x'"),
        printed("b", "True"),
        printed("m", "None"),
        printed("mc", "None"),
        context.node,
    );
    let second = Json::from(inputs.value("f")?.python_text(version));
    let outputs = vec![inputs.value("i")?.clone(), Value::Json(second)];
    Ok(Ran { outputs, ui: ui("text", json!([text])), ..Ran::default() })
}

/// ProbeV3Validate.
pub(super) fn v3_validated(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    Ok(Ran::output(inputs.value("i")?.clone()))
}
