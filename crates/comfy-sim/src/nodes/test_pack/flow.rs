//! Nodes that mix, choose and block.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::files::Files;
use crate::nodes::inputs::FirstUse;
use crate::nodes::{Context, Inputs, NodeError, Ran};
use crate::value::{Image, Mask, Value};

/// Side of the pictures that show a number.
const SIDE: usize = 512;

fn grey(number: f64) -> Result<Ran, NodeError> {
    Ok(Ran::output(Value::image(Image::filled(1, SIDE, SIDE, &[number as f32; 3])?)))
}

fn is_missing(inputs: &Inputs, name: &str) -> bool {
    matches!(inputs.0.get(name), None | Some(Value::Json(Json::Null)))
}

fn bounds(mask: &Mask) -> (f32, f32) {
    mask.data.iter().fold((f32::MAX, f32::MIN), |(low, high), &number| (low.min(number), high.max(number)))
}

/// Which pictures the mask needs: none of a picture that it covers.
pub(super) fn lazy_mix(inputs: &Inputs) -> Vec<String> {
    let Some(Value::Mask(mask)) = inputs.0.get("mask") else { return Vec::new() };
    let (low, high) = bounds(mask);
    let needs = [("image1", low < 1.0), ("image2", high > 0.0)];
    let wanted = needs.into_iter().filter(|(name, needed)| *needed && is_missing(inputs, name));
    wanted.map(|(name, _)| name.to_owned()).collect()
}

/// TestLazyMixImages: the second picture where the mask is 1.
pub(super) fn mix_images(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mask = inputs.mask_for("mask", FirstUse::Attribute("shape"))?;
    let (low, high) = bounds(mask);
    if high <= 0.0 || is_missing(inputs, "image2") {
        return Ok(Ran::output(inputs.value("image1")?.clone()));
    }
    if low >= 1.0 || is_missing(inputs, "image1") {
        return Ok(Ran::output(inputs.value("image2")?.clone()));
    }
    let (first, second) = (inputs.image("image1")?, inputs.image("image2")?);
    if first.data.len() != second.data.len() || first.data.len() != mask.data.len() * first.channels {
        return Err(NodeError::runtime_error("the pictures and the mask differ in size"));
    }
    let mut mixed = Image::clone(first);
    for (at, number) in mixed.data.iter_mut().enumerate() {
        let share = mask.data[at / first.channels.max(1)];
        *number = *number * (1.0 - share) + second.data[at] * share;
    }
    Ok(Ran::output(Value::image(mixed)))
}

/// TestVariadicAverage: the mean of the pictures `input1`, `input2` and so on up to the first that is not there.
pub(super) fn average(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let names = (1..).map(|number| format!("input{number}"));
    let names: Vec<_> = names.take_while(|name| inputs.0.contains_key(name)).collect();
    let mut sum: Option<Image> = None;
    for name in &names {
        let image = inputs.image(name)?;
        match &mut sum {
            None => sum = Some(Image::clone(image)),
            Some(sum) if sum.data.len() == image.data.len() => {
                sum.data.iter_mut().zip(&image.data).for_each(|(sum, number)| *sum += number);
            }
            Some(_) => return Err(NodeError::runtime_error("the pictures differ in size")),
        }
    }
    let mut sum = sum.ok_or_else(|| NodeError::runtime_error("stack expects a non-empty TensorList"))?;
    sum.data.iter_mut().for_each(|number| *number /= names.len() as f32);
    Ok(Ran::output(Value::image(sum)))
}

/// The change check of TestCustomIsChanged: never the same when it is told to change.
pub(super) fn should_change(inputs: &Map<String, Json>, _: &Files) -> Json {
    if inputs.get("should_change") == Some(&Json::Bool(true)) { Json::Null } else { false.into() }
}

/// The change check of TestIsChangedWithConstants.
pub(super) fn value(inputs: &Map<String, Json>, _: &Files) -> Json {
    inputs.get("value").cloned().unwrap_or(Json::Null)
}

/// TestCustomIsChanged.
pub(super) fn first_image(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    Ok(Ran::output(inputs.value("image")?.clone()))
}

/// TestIsChangedWithConstants and TestOutputNodeWithSocketOutput: the picture times the value.
pub(super) fn scaled(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let factor = inputs.float("value")? as f32;
    let mut image = Image::clone(inputs.image("image")?);
    image.data.iter_mut().for_each(|number| *number *= factor);
    Ok(Ran::output(Value::image(image)))
}

/// TestCustomValidation1 to 5: the product of the two, as a picture when both are numbers.
pub(super) fn product(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut factor = 1.0;
    let mut product: Option<Image> = None;
    for name in ["input1", "input2"] {
        match (inputs.value(name)?, &mut product) {
            (Value::Image(image), None) => product = Some(Image::clone(image)),
            (Value::Image(image), Some(product)) => {
                product.data.iter_mut().zip(&image.data).for_each(|(number, other)| *number *= other);
            }
            _ => factor *= inputs.float(name)?,
        }
    }
    let Some(mut product) = product else { return grey(factor) };
    product.data.iter_mut().for_each(|number| *number *= factor as f32);
    Ok(Ran::output(Value::image(product)))
}

/// TestAsyncValidation: how far the value is from its bound.
pub(super) fn share_of_threshold(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    grey(inputs.float("value")? / inputs.float("threshold")?)
}

/// TestAsyncValidationError.
pub(super) fn share_of_most(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    grey(inputs.float("value")? / inputs.float("max_value")?)
}

/// TestExecutionBlocker: what went in, or a blocker.
pub(super) fn blocker(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    if inputs.json("block")? != &Json::Bool(true) {
        return Ok(Ran::output(inputs.value("input")?.clone()));
    }
    let verbose = matches!(inputs.0.get("verbose"), Some(Value::Json(Json::Bool(true))));
    Ok(Ran::output(Value::Blocker(verbose.then(|| Arc::from("Blocked Execution")))))
}

/// Which of its inputs TestAsyncLazyCheck wants: the one that its condition names.
pub(super) fn lazy_choice(inputs: &Inputs) -> Vec<String> {
    let first = matches!(inputs.0.get("condition"), Some(Value::Json(Json::Bool(true))));
    let wanted = if first { "input1" } else { "input2" };
    if is_missing(inputs, wanted) { vec![wanted.to_owned()] } else { Vec::new() }
}

/// TestAsyncLazyCheck: a white picture, whatever was chosen.
pub(super) fn async_choice(_: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    grey(1.0)
}
