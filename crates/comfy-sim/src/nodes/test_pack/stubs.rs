//! Values to begin with.

use crate::nodes::{Context, Inputs, NodeError, Ran};
use crate::value::{Image, Mask, Value};

/// StubImage: white, black, or something in between that is nowhere the same.
pub(super) fn image(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (batch, height, width) = (inputs.size("batch_size")?, inputs.size("height")?, inputs.size("width")?);
    let mut image =
        Image::filled(batch, height, width, &[f32::from(u8::from(inputs.text("content")? == "WHITE")); 3])?;
    if inputs.text("content")? == "NOISE" {
        // The server draws it anew every time; here it is the same every time.
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        for number in &mut image.data {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *number = (state >> 40) as f32 / (1 << 24) as f32;
        }
    }
    Ok(Ran::output(Value::image(image)))
}

/// StubConstantImage.
pub(super) fn constant_image(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (batch, height, width) = (inputs.size("batch_size")?, inputs.size("height")?, inputs.size("width")?);
    let image = Image::filled(batch, height, width, &[inputs.float("value")? as f32; 3])?;
    Ok(Ran::output(Value::image(image)))
}

/// StubMask.
pub(super) fn mask(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (batch, height, width) = (inputs.size("batch_size")?, inputs.size("height")?, inputs.size("width")?);
    Ok(Ran::output(Value::mask(Mask::filled(batch, height, width, inputs.float("value")? as f32)?)))
}

/// StubInt and StubFloat.
pub(super) fn value(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    Ok(Ran::output(inputs.value("value")?.clone()))
}
