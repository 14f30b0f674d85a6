//! Resampling of pictures: the five methods of the server.
//!
//! Every method is separable, so that it is a list of weighted source positions for each target column and row.
//! Four of them work on floats without smoothing before a reduction; lanczos works on bytes, widens its window
//! for a reduction, and rounds to bytes between the two passes.

use super::NodeError;
use crate::value::{Image, room_for, to_byte};

/// How pictures are resampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    NearestExact,
    Bilinear,
    Area,
    Bicubic,
    Lanczos,
}

impl Method {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "nearest-exact" => Self::NearestExact,
            "bilinear" => Self::Bilinear,
            "area" => Self::Area,
            "bicubic" => Self::Bicubic,
            "lanczos" => Self::Lanczos,
            _ => return None,
        })
    }
}

/// Weights of lanczos are whole numbers of one part in this many.
const BYTE_UNIT: f64 = (1 << 22) as f64;

/// Source positions and their weights, for each target position.
struct Taps {
    ends: Vec<usize>,
    taps: Vec<(usize, f64)>,
}

impl Taps {
    fn with_capacity(target: usize) -> Self {
        Self { ends: Vec::with_capacity(target), taps: Vec::new() }
    }

    fn close(&mut self) {
        self.ends.push(self.taps.len());
    }

    fn of(&self, position: usize) -> &[(usize, f64)] {
        let start = if position == 0 { 0 } else { self.ends[position - 1] };
        &self.taps[start..self.ends[position]]
    }

    /// The taps of a method on floats.
    fn new(method: Method, source: usize, target: usize) -> Self {
        let mut taps = Self::with_capacity(target);
        // The server counts positions in single precision.
        let ratio = source as f32 / target as f32;
        let last = source.saturating_sub(1);
        for position in 0..target {
            match method {
                Method::NearestExact => {
                    taps.taps.push((((position as f32 + 0.5) * ratio) as usize, 1.0));
                }
                Method::Bilinear => {
                    let at = ((position as f32 + 0.5) * ratio - 0.5).max(0.0);
                    let first = (at as usize).min(last);
                    let part = f64::from((at - first as f32).clamp(0.0, 1.0));
                    taps.taps.push((first, 1.0 - part));
                    taps.taps.push((first + 1, part));
                }
                Method::Area => {
                    let start = position * source / target;
                    let end = ((position + 1) * source).div_ceil(target);
                    let weight = 1.0 / (end - start) as f64;
                    taps.taps.extend((start..end).map(|from| (from, weight)));
                }
                Method::Bicubic | Method::Lanczos => {
                    let at = (position as f32 + 0.5) * ratio - 0.5;
                    let first = at.floor();
                    let part = f64::from(at - first);
                    for (offset, weight) in (-1..).zip(cubic(part)) {
                        let from = (first as i64 + offset).max(0);
                        taps.taps.push((usize::try_from(from).unwrap_or(0), weight));
                    }
                }
            }
            taps.close();
        }
        for (from, _) in &mut taps.taps {
            *from = (*from).min(last);
        }
        taps
    }

    /// The taps of lanczos with three lobes. A reduction widens the window. Weights are whole numbers of 1 /
    /// `BYTE_UNIT`, so that ties between two bytes fall as they do on the server.
    fn lanczos(source: usize, target: usize) -> Self {
        const LOBES: f64 = 3.0;
        let mut taps = Self::with_capacity(target);
        let ratio = source as f64 / target as f64;
        let stretch = ratio.max(1.0);
        let reach = LOBES * stretch;
        for position in 0..target {
            let center = (position as f64 + 0.5) * ratio;
            let start = (center - reach + 0.5).max(0.0) as usize;
            let end = ((center + reach + 0.5) as usize).min(source);
            let weights: Vec<f64> = (start..end)
                .map(|from| windowed_sinc((from as f64 - center + 0.5) / stretch, LOBES))
                .collect();
            let sum: f64 = weights.iter().sum();
            let sum = if sum == 0.0 { 1.0 } else { sum };
            let whole = |weight: f64| (weight / sum * BYTE_UNIT).round();
            taps.taps.extend((start..end).zip(weights).map(|(from, weight)| (from, whole(weight))));
            taps.close();
        }
        taps
    }
}

/// Weights of the four neighbours in cubic convolution with a = -0.75.
fn cubic(part: f64) -> [f64; 4] {
    const A: f64 = -0.75;
    let near = |x: f64| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f64| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    [far(part + 1.0), near(part), near(1.0 - part), far(2.0 - part)]
}

fn windowed_sinc(x: f64, lobes: f64) -> f64 {
    let sinc = |x: f64| {
        if x == 0.0 {
            return 1.0;
        }
        let angle = x * std::f64::consts::PI;
        angle.sin() / angle
    };
    if (-lobes..lobes).contains(&x) { sinc(x) * sinc(x / lobes) } else { 0.0 }
}

/// A new batch of this size. Only area can make nothing.
pub(crate) fn resample(
    image: &Image,
    width: usize,
    height: usize,
    method: Method,
) -> Result<Image, NodeError> {
    if (width == 0 || height == 0) && method == Method::Lanczos {
        return Err(NodeError::value_error("height and width must be > 0"));
    }
    if method == Method::Area && (width == 0 || height == 0) {
        return Image::zeros(image.batch, height, width, image.channels);
    }
    if width == 0 || height == 0 || image.width == 0 || image.height == 0 {
        return Err(NodeError::runtime_error(format!(
            "Input and output sizes should be greater than 0, but got input (H: {}, W: {}) output (H: {height}, W: {width})",
            image.height, image.width
        )));
    }
    // Both ends of the way have to fit in memory before the first number is computed.
    room_for([image.batch, height, width, image.channels])?;
    if method == Method::Lanczos {
        return resample_bytes(image, width, height);
    }
    let columns = Taps::new(method, image.width, width);
    let rows = Taps::new(method, image.height, height);
    // The order with the smaller picture in between: it is never larger than both ends.
    if image.height.saturating_mul(width) <= height.saturating_mul(image.width) {
        resample_rows(&resample_columns(image, width, &columns, float)?, height, &rows, float)
    } else {
        resample_columns(&resample_rows(image, height, &rows, float)?, width, &columns, float)
    }
}

fn float(sum: f64) -> f32 {
    sum as f32
}

fn resample_bytes(image: &Image, width: usize, height: usize) -> Result<Image, NodeError> {
    let mut result = image.clone();
    result.data.iter_mut().for_each(|number| *number = f32::from(to_byte(*number)));
    // Colours of transparent pixels count less.
    let has_alpha = matches!(image.channels, 2 | 4) && (image.width, image.height) != (width, height);
    if has_alpha {
        multiply_alpha(&mut result);
    }
    // A side that keeps its length is not touched.
    let columns = |image: Image| match image.width == width {
        true => Ok(image),
        false => resample_columns(&image, width, &Taps::lanczos(image.width, width), byte),
    };
    let rows = |image: Image| match image.height == height {
        true => Ok(image),
        false => resample_rows(&image, height, &Taps::lanczos(image.height, height), byte),
    };
    result = if rows_first((image.width, image.height), (width, height)) {
        columns(rows(result)?)?
    } else {
        rows(columns(result)?)?
    };
    if has_alpha {
        divide_alpha(&mut result);
    }
    result.data.iter_mut().for_each(|number| *number /= 255.0);
    Ok(result)
}

/// Multiplies bytes of colours by their opacity, with rounding.
fn multiply_alpha(image: &mut Image) {
    for pixel in image.data.chunks_exact_mut(image.channels) {
        if let [colors @ .., alpha] = pixel {
            colors.iter_mut().for_each(|color| *color = (*color * *alpha / 255.0 + 0.5).floor());
        }
    }
}

/// Divides bytes of colours by their opacity; the fraction is cut off.
fn divide_alpha(image: &mut Image) {
    for pixel in image.data.chunks_exact_mut(image.channels) {
        match pixel {
            [colors @ .., alpha] if *alpha > 0.0 && *alpha < 255.0 => {
                colors.iter_mut().for_each(|color| *color = (255.0 * *color / *alpha).floor().min(255.0));
            }
            _ => {}
        }
    }
}

/// Whether lanczos shortens the columns before the rows. It matters, since bytes are cut off in between. The rule is
/// what recorded pictures show: the height loses more than twice as many pixels as the width.
fn rows_first(source: (usize, usize), target: (usize, usize)) -> bool {
    source.1 > target.1 && source.1 - target.1 > 2 * source.0.saturating_sub(target.0)
}

fn byte(sum: f64) -> f32 {
    // Sums of whole numbers: exact.
    ((sum + BYTE_UNIT / 2.0) / BYTE_UNIT).floor().clamp(0.0, 255.0) as f32
}

fn resample_columns(
    image: &Image,
    width: usize,
    columns: &Taps,
    finish: fn(f64) -> f32,
) -> Result<Image, NodeError> {
    let channels = image.channels;
    let mut result = Image::zeros(image.batch, image.height, width, channels)?;
    let lines = image.data.chunks_exact(image.width * channels);
    for (from, to) in lines.zip(result.data.chunks_exact_mut(width * channels)) {
        for (column, pixel) in to.chunks_exact_mut(channels).enumerate() {
            let taps = columns.of(column);
            for (channel, number) in pixel.iter_mut().enumerate() {
                let sum = taps.iter().map(|&(at, weight)| f64::from(from[at * channels + channel]) * weight);
                *number = finish(sum.sum());
            }
        }
    }
    Ok(result)
}

fn resample_rows(
    image: &Image,
    height: usize,
    rows: &Taps,
    finish: fn(f64) -> f32,
) -> Result<Image, NodeError> {
    let line = image.width * image.channels;
    let mut result = Image::zeros(image.batch, height, image.width, image.channels)?;
    let mut sums = vec![0.0_f64; line];
    let pictures = image.data.chunks_exact(image.height * line);
    for (from, to) in pictures.zip(result.data.chunks_exact_mut(height * line)) {
        for (row, numbers) in to.chunks_exact_mut(line).enumerate() {
            sums.fill(0.0);
            for &(at, weight) in rows.of(row) {
                let source = &from[at * line..(at + 1) * line];
                for (sum, number) in sums.iter_mut().zip(source) {
                    *sum += f64::from(*number) * weight;
                }
            }
            for (number, sum) in numbers.iter_mut().zip(&sums) {
                *number = finish(*sum);
            }
        }
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Method; 5] =
        [Method::NearestExact, Method::Bilinear, Method::Area, Method::Bicubic, Method::Lanczos];

    #[test]
    fn one_colour_stays_one_colour() {
        let image = Image::filled(2, 7, 5, &[0.25, 0.5, 1.0]).expect("small");
        for method in ALL {
            let result = resample(&image, 13, 3, method).expect("small");
            assert_eq!((result.batch, result.height, result.width), (2, 3, 13));
            for index in 0..2 {
                assert!(result.to_bytes(index).chunks(3).all(|pixel| pixel == [63, 127, 255]), "{method:?}");
            }
        }
    }

    #[test]
    fn the_same_size_is_the_same_picture() {
        let data = (0..30).map(|number| number as f32 / 29.0).collect();
        let image = Image { batch: 1, height: 5, width: 2, channels: 3, data };
        for method in ALL {
            let result = resample(&image, 2, 5, method).expect("small");
            assert_eq!(result.to_bytes(0), image.to_bytes(0), "{method:?}");
        }
    }

    #[test]
    fn weights_sum_to_one() {
        for (source, target) in [(1, 1), (1, 9), (9, 1), (48, 13), (13, 48), (16384, 3)] {
            let floats = ALL[..4].iter().map(|&method| (Taps::new(method, source, target), 1.0, 1e-6));
            for (taps, unit, off) in floats.chain([(Taps::lanczos(source, target), BYTE_UNIT, 1e-4)]) {
                for position in 0..target {
                    let sum: f64 = taps.of(position).iter().map(|(_, weight)| weight).sum();
                    assert!((sum / unit - 1.0).abs() < off, "{source} to {target}: {sum}");
                    assert!(taps.of(position).iter().all(|&(from, _)| from < source));
                }
            }
        }
    }

    #[test]
    fn lanczos_shortens_columns_first_when_the_height_loses_far_more() {
        for (source, target) in
            [((17, 50), (8, 25)), ((24, 18), (30, 17)), ((24, 18), (20, 4)), ((20, 60), (19, 40))]
        {
            assert!(rows_first(source, target), "{source:?} to {target:?}");
        }
        for (source, target) in
            [((24, 18), (12, 2)), ((24, 18), (100, 20)), ((20, 60), (10, 40)), ((48, 32), (30, 20))]
        {
            assert!(!rows_first(source, target), "{source:?} to {target:?}");
        }
    }

    #[test]
    fn nothing_is_resampled_to_or_from_nothing() {
        let image = Image::filled(1, 2, 2, &[0.0; 3]).expect("small");
        assert!(resample(&image, 0, 5, Method::Bicubic).is_err());
        assert!(resample(&image, 0, 5, Method::Area).expect("nothing").data.is_empty());
        let empty = Image { batch: 1, height: 0, width: 2, channels: 3, data: Vec::new() };
        assert!(resample(&empty, 4, 4, Method::Lanczos).is_err());
    }

    #[test]
    fn thin_pictures_do_not_need_a_huge_one_in_between() {
        let tall = Image::filled(1, 16384, 1, &[0.5]).expect("small");
        let wide = resample(&tall, 16384, 1, Method::Bilinear).expect("the picture in between has one pixel");
        assert_eq!((wide.width, wide.height), (16384, 1));
    }
}
