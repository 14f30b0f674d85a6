//! Morphology and GrowMask: the least or the largest number around every pixel.

use std::collections::VecDeque;

use super::inputs::FirstUse;
use super::{Context, Inputs, NodeClass, NodeError, Ran};
use crate::value::{Image, Mask, Value};

pub(super) static CLASSES: [NodeClass; 2] =
    [NodeClass::new("Morphology", morphology), NodeClass::new("GrowMask", grow)];

/// Which of two numbers a window keeps.
type Better = fn(f32, f32) -> bool;

fn larger(a: f32, b: f32) -> bool {
    a > b
}

fn smaller(a: f32, b: f32) -> bool {
    a < b
}

/// Morphology, with a square window. What lies beyond the edges does not count.
fn morphology(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image_for("image", FirstUse::Attribute("movedim"))?;
    let size = inputs.size("kernel_size")?;
    // An even window reaches one further on one side.
    let (near, far) = (size.saturating_sub(1) - size.saturating_sub(1) / 2, size.saturating_sub(1) / 2);
    let dilate = |image: &Image| around(image, far, near, larger);
    let erode = |image: &Image| around(image, near, far, smaller);
    let result = match inputs.text("operation")? {
        "erode" => erode(image),
        "dilate" => dilate(image),
        "open" => dilate(&erode(image)),
        "close" => erode(&dilate(image)),
        "gradient" => minus(dilate(image), &erode(image)),
        "top_hat" => minus(Image::clone(image), &dilate(&erode(image))),
        "bottom_hat" => minus(erode(&dilate(image)), image),
        name => {
            return Err(NodeError::value_error(format!(
                "Invalid operation {name} for morphology. Must be one of 'erode', 'dilate', 'open', 'close', \
                 'gradient', 'tophat', 'bottomhat'"
            )));
        }
    };
    Ok(Ran::output(Value::image(result)))
}

fn minus(mut image: Image, other: &Image) -> Image {
    image.data.iter_mut().zip(&other.data).for_each(|(number, other)| *number -= other);
    image
}

/// The best number of the window around every pixel, that reaches so far back and ahead.
fn around(image: &Image, back: usize, ahead: usize, better: Better) -> Image {
    let mut result = image.clone();
    let (line, len) = (image.width * image.channels, image.picture_len());
    if len == 0 {
        return result;
    }
    let mut numbers = Vec::new();
    for picture in result.data.chunks_exact_mut(len) {
        for start in (0..len).step_by(line) {
            for channel in 0..image.channels {
                slide(
                    picture,
                    start + channel,
                    image.channels,
                    image.width,
                    (back, ahead),
                    better,
                    &mut numbers,
                );
            }
        }
        for column in 0..line {
            slide(picture, column, line, image.height, (back, ahead), better, &mut numbers);
        }
    }
    result
}

/// Slides a window over the numbers at `start`, `start + step` and so on.
fn slide(
    data: &mut [f32],
    start: usize,
    step: usize,
    count: usize,
    (back, ahead): (usize, usize),
    better: Better,
    numbers: &mut Vec<f32>,
) {
    numbers.clear();
    numbers.extend((0..count).map(|index| data[start + index * step]));
    // Positions of candidates, each worse than the one before it.
    let mut candidates: VecDeque<usize> = VecDeque::new();
    let mut next = 0;
    for index in 0..count {
        while next < count && next <= index + ahead {
            while candidates.back().is_some_and(|&last| !better(numbers[last], numbers[next])) {
                candidates.pop_back();
            }
            candidates.push_back(next);
            next += 1;
        }
        while candidates.front().is_some_and(|&first| first + back < index) {
            candidates.pop_front();
        }
        if let Some(&best) = candidates.front() {
            data[start + index * step] = numbers[best];
        }
    }
}

/// GrowMask: one pixel in every direction, as often as asked for; below 0 it shrinks.
fn grow(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mask = inputs.mask_for("mask", FirstUse::Attribute("reshape"))?;
    let expand = inputs.int("expand")?;
    let tapered = inputs.flag("tapered_corners")?;
    let better: Better = if expand < 0 { smaller } else { larger };
    let mut result = Mask::clone(mask);
    // When everything has reached everything, more steps change nothing.
    let steps = expand.unsigned_abs().min((mask.width + mask.height) as u64);
    for step in 0..steps {
        if step % 64 == 63 {
            context.stage.check_interrupt()?;
        }
        result = grown(&result, tapered, better);
    }
    Ok(Ran::output(Value::mask(result)))
}

/// One step: the best of a pixel and its neighbours; the diagonal ones count unless corners are tapered.
fn grown(mask: &Mask, tapered: bool, better: Better) -> Mask {
    let mut result = mask.clone();
    let (width, height) = (mask.width, mask.height);
    let len = (width * height).max(1);
    for (to, from) in result.data.chunks_exact_mut(len).zip(mask.data.chunks_exact(len)) {
        for row in 0..height {
            for column in 0..width {
                let mut best = from[row * width + column];
                for near_row in row.saturating_sub(1)..(row + 2).min(height) {
                    for near_column in column.saturating_sub(1)..(column + 2).min(width) {
                        let number = from[near_row * width + near_column];
                        let diagonal = near_row != row && near_column != column;
                        if !(tapered && diagonal) && better(number, best) {
                            best = number;
                        }
                    }
                }
                to[row * width + column] = best;
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides_over_rows_and_columns() {
        let mut data = vec![0.0; 25];
        data[12] = 1.0;
        let image = Image { batch: 1, height: 5, width: 5, channels: 1, data };
        let count = |image: &Image| image.data.iter().filter(|&&number| number == 1.0).count();
        assert_eq!(count(&around(&image, 1, 1, larger)), 9);
        assert_eq!(count(&around(&image, 1, 2, larger)), 16);
        assert_eq!(count(&around(&image, 499, 499, larger)), 25);
        assert_eq!(count(&around(&image, 1, 1, smaller)), 0);
    }
}
