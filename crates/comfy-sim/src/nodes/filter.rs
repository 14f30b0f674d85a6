//! Filters: pixels that are mixed with their neighbours, or changed one by one.

use super::{Context, Inputs, NodeClass, NodeError, Ran};
use crate::value::{Image, Value};

pub(super) static CLASSES: [NodeClass; 5] = [
    NodeClass::new("ImageBlur", blur),
    NodeClass::new("ImageSharpen", sharpen),
    NodeClass::new("AdjustBrightness", brightness),
    NodeClass::new("AdjustContrast", contrast),
    NodeClass::new("NormalizeImages", normalize),
];

/// ImageBlur: the mean of the neighbours, weighted by a Gaussian curve.
fn blur(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image("image")?;
    let radius = inputs.size("blur_radius")?;
    if radius == 0 {
        return Ok(Ran::output(Value::Image(image.clone())));
    }
    let blurred = gaussian(image, radius, inputs.float("sigma")?)?;
    Ok(Ran::output(Value::image(blurred)))
}

/// ImageSharpen: away from the blurred picture.
fn sharpen(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image("image")?;
    let radius = inputs.size("sharpen_radius")?;
    if radius == 0 {
        return Ok(Ran::output(Value::Image(image.clone())));
    }
    let mut result = gaussian(image, radius, inputs.float("sigma")?)?;
    // The schema's 1.0 is ten times the difference.
    let strength = 10.0 * inputs.float("alpha")?;
    for (number, &own) in result.data.iter_mut().zip(&image.data) {
        let own = f64::from(own);
        *number = ((own + strength * (own - f64::from(*number))) as f32).clamp(0.0, 1.0);
    }
    Ok(Ran::output(Value::image(result)))
}

/// Weights of a window from -1 to 1 in `2 * radius + 1` steps; they sum to 1.
fn window(radius: usize, sigma: f64) -> Vec<f64> {
    let last = (2 * radius) as f64;
    let weight = |step: usize| {
        let at = 2.0 * step as f64 / last - 1.0;
        (-at * at / (2.0 * sigma * sigma)).exp()
    };
    let weights: Vec<f64> = (0..=2 * radius).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

/// A picture beyond whose edges its own pixels lie mirrored, the edge itself not doubled.
fn gaussian(image: &Image, radius: usize, sigma: f64) -> Result<Image, NodeError> {
    for (dimension, side) in [(3, image.width), (2, image.height)] {
        if radius >= side {
            return Err(NodeError::runtime_error(format!(
                "Argument #4: Padding size should be less than the corresponding input dimension, but got: \
                 padding ({radius}, {radius}) at dimension {dimension} of input [{}, {}, {}, {}]",
                image.batch, image.channels, image.height, image.width
            )));
        }
    }
    let weights = window(radius, sigma);
    let mirror = |position: usize, side: usize| {
        let from = position.abs_diff(radius);
        if from < side { from } else { 2 * (side - 1) - from }
    };
    let channels = image.channels;
    let line = image.width * channels;
    let mut between = vec![0.0_f64; image.data.len()];
    for (to, from) in between.chunks_exact_mut(line.max(1)).zip(image.data.chunks_exact(line.max(1))) {
        for (column, pixel) in to.chunks_exact_mut(channels).enumerate() {
            for (step, weight) in weights.iter().enumerate() {
                let at = mirror(column + step, image.width) * channels;
                for (sum, number) in pixel.iter_mut().zip(&from[at..at + channels]) {
                    *sum += weight * f64::from(*number);
                }
            }
        }
    }
    let mut result = Image::zeros(image.batch, image.height, image.width, channels)?;
    let mut sums = vec![0.0_f64; line];
    let len = image.picture_len().max(1);
    for (to, from) in result.data.chunks_exact_mut(len).zip(between.chunks_exact(len)) {
        for (row, numbers) in to.chunks_exact_mut(line).enumerate() {
            sums.fill(0.0);
            for (step, weight) in weights.iter().enumerate() {
                let at = mirror(row + step, image.height) * line;
                for (sum, number) in sums.iter_mut().zip(&from[at..at + line]) {
                    *sum += weight * number;
                }
            }
            numbers.iter_mut().zip(&sums).for_each(|(number, sum)| *number = *sum as f32);
        }
    }
    Ok(result)
}

/// AdjustBrightness.
fn brightness(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let factor = inputs.float("factor")? as f32;
    each_number(inputs, |number| (number * factor).clamp(0.0, 1.0))
}

/// AdjustContrast: away from the middle grey, or towards it.
fn contrast(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let factor = inputs.float("factor")? as f32;
    each_number(inputs, |number| ((number - 0.5) * factor + 0.5).clamp(0.0, 1.0))
}

/// NormalizeImages.
fn normalize(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (mean, deviation) = (inputs.float("mean")? as f32, inputs.float("std")? as f32);
    each_number(inputs, |number| (number - mean) / deviation)
}

fn each_number(inputs: &Inputs, change: impl Fn(f32) -> f32) -> Result<Ran, NodeError> {
    let mut image = Image::clone(inputs.image("images")?);
    image.data.iter_mut().for_each(|number| *number = change(*number));
    Ok(Ran::output(Value::image(image)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_even_and_sum_to_one() {
        for (radius, sigma) in [(1, 0.1), (3, 1.0), (31, 10.0)] {
            let weights = window(radius, sigma);
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!((weights[0] - weights[2 * radius]).abs() < 1e-12);
        }
    }

    #[test]
    fn one_colour_stays_one_colour() {
        let image = Image::filled(2, 4, 5, &[0.25, 0.5]).expect("small");
        let blurred = gaussian(&image, 3, 1.0).expect("small");
        assert!(blurred.data.iter().zip(&image.data).all(|(a, b)| (a - b).abs() < 1e-6));
        assert!(gaussian(&image, 4, 1.0).is_err());
    }
}
