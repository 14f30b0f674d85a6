//! ImageQuantize: few colours, found by median cut, and three ways to spread the error.
//!
//! The server leaves this to Pillow, whose results this gives: boxes of colours are split along the side that
//! looks longest until there are enough of them; each gives its mean colour.

use std::collections::HashMap;

use super::{Context, Inputs, NodeClass, NodeError, Ran};
use crate::value::{Image, Value};

mod palette;

use palette::{Color, Palette};

pub(super) static CLASSES: [NodeClass; 1] = [NodeClass::new("ImageQuantize", quantize)];

/// ImageQuantize.
fn quantize(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image("image")?;
    let colors = inputs.size("colors")?;
    let dither = inputs.text("dither")?;
    if image.channels != 3 {
        return Err(NodeError::value_error(format!(
            "only RGB or L mode images can be quantized to a palette; these have {} channels",
            image.channels
        )));
    }
    let mut result = Image::zeros(image.batch, image.height, image.width, 3)?;
    let len = image.picture_len().max(1);
    for (index, target) in result.data.chunks_exact_mut(len).enumerate() {
        context.stage.check_interrupt()?;
        let mut pixels: Vec<Color> =
            image.to_bytes(index).chunks_exact(3).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        let mut palette = Palette::median_cut(&pixels, colors);
        match dither.strip_prefix("bayer-") {
            Some(order) => {
                let order =
                    order.parse().map_err(|_| NodeError::value_error(format!("bad order {order}")))?;
                spread_in_order(&mut pixels, image.width, order, palette.len());
                pixels.iter_mut().for_each(|pixel| *pixel = palette.nearest(*pixel));
            }
            None if dither == "floyd-steinberg" => diffuse(&mut pixels, image.width, &mut palette),
            None => pixels.iter_mut().for_each(|pixel| *pixel = palette.nearest(*pixel)),
        }
        for (to, from) in target.iter_mut().zip(pixels.iter().flatten()) {
            *to = f32::from(*from) / 255.0;
        }
    }
    Ok(Ran::output(Value::image(result)))
}

/// Adds a pattern of thresholds with sides of `order`, the stronger the fewer colours there are.
fn spread_in_order(pixels: &mut [Color], width: usize, order: usize, colors: usize) {
    let thresholds = bayer(order.clamp(1, 64));
    let side = order.clamp(1, 64);
    let spread = 2.0 * 256.0 / colors as f32;
    for (index, pixel) in pixels.iter_mut().enumerate() {
        let (row, column) = (index / width, index % width);
        let shift = spread * thresholds[(row % side) * side + column % side] + 0.5;
        for channel in pixel {
            *channel = (f32::from(*channel) + shift).clamp(0.0, 255.0) as u8;
        }
    }
}

/// The thresholds of ordered dithering, between -0.5 and 0.5.
fn bayer(order: usize) -> Vec<f32> {
    let mut ranks = vec![0_usize];
    let mut side = 1;
    while side < order {
        let mut larger = vec![0; 4 * side * side];
        for (index, rank) in ranks.iter().enumerate() {
            let (row, column) = (index / side, index % side);
            for (quarter, offset) in [0, 2, 3, 1].into_iter().enumerate() {
                let (down, right) = (quarter / 2, quarter % 2);
                larger[(row + down * side) * 2 * side + column + right * side] = 4 * rank + offset;
            }
        }
        ranks = larger;
        side *= 2;
    }
    let count = ranks.len() as f32;
    ranks.iter().map(|&rank| (rank as f32 + 0.5) / count - 0.5).collect()
}

/// Floyd-Steinberg: the error of a pixel goes to the next one and to three in the row below, in whole numbers.
fn diffuse(pixels: &mut [Color], width: usize, palette: &mut Palette) {
    // What the row above left, shifted by one pixel.
    let mut below = vec![[0_i32; 3]; width + 1];
    for row in pixels.chunks_exact_mut(width.max(1)) {
        let mut carried = [0_i32; 3];
        let mut left = [0_i32; 3];
        let mut middle = [0_i32; 3];
        for (column, pixel) in row.iter_mut().enumerate() {
            let mut wanted = [0_u8; 3];
            for channel in 0..3 {
                let error = (carried[channel] + below[column + 1][channel]) / 16;
                wanted[channel] = (i32::from(pixel[channel]) + error).clamp(0, 255) as u8;
            }
            *pixel = palette.nearest(wanted);
            for channel in 0..3 {
                let error = i32::from(wanted[channel]) - i32::from(pixel[channel]);
                below[column][channel] = 3 * error + left[channel];
                left[channel] = 5 * error + middle[channel];
                middle[channel] = error;
                carried[channel] = 7 * error;
            }
        }
        // Below the last pixel, Pillow leaves errors of blue in all channels.
        below[width] = [left[2], middle[2], middle[2]];
    }
}

/// How often each colour occurs.
fn frequencies(pixels: &[Color]) -> Vec<(Color, usize)> {
    let mut counts: HashMap<Color, usize> = HashMap::new();
    for pixel in pixels {
        *counts.entry(*pixel).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable();
    counts
}
