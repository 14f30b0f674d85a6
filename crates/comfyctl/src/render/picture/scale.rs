//! Sizes of pictures, and pictures in another size.

use image::imageops::{self, FilterType};
use image::{Rgba, RgbaImage};

/// The size within a limit, keeping the shape; never larger than it is.
pub(super) fn within((width, height): (u32, u32), most: (u32, u32)) -> (u32, u32) {
    let factor = (f64::from(most.0) / f64::from(width)).min(f64::from(most.1) / f64::from(height)).min(1.0);
    let side = |length: u32| ((f64::from(length) * factor).round() as u32).max(1);
    (side(width), side(height))
}

/// The cells that a picture fills within a limit, keeping its shape as well as whole cells allow.
pub(super) fn cells(size: (u32, u32), most: (u16, u16), cell: (u16, u16)) -> (u16, u16) {
    let in_cells = |length: u32, cell: u16| f64::from(length.max(1)) / f64::from(cell.max(1));
    let (width, height) = (in_cells(size.0, cell.0), in_cells(size.1, cell.1));
    let (columns, rows) = (f64::from(most.0.max(1)), f64::from(most.1.max(1)));
    let factor = (columns / width).min(rows / height);
    // A hair's breadth does not take another row.
    let side = |length: f64, most: f64| (length * factor - 0.05).ceil().clamp(1.0, most) as u16;
    (side(width, columns), side(height, rows))
}

/// The picture in exactly that size.
pub(super) fn scaled(image: &RgbaImage, (width, height): (u32, u32)) -> RgbaImage {
    let own = image.dimensions();
    if own == (width, height) {
        return image.clone();
    }
    // Far smaller: averages first, which are much quicker, then the smooth filter on what is left.
    if own.0 / 4 > width && own.1 / 4 > height {
        return scaled(&clear(imageops::thumbnail(&*solid(image), width * 2, height * 2)), (width, height));
    }
    clear(imageops::resize(&*solid(image), width, height, FilterType::Triangle))
}

/// Colours weighted with how much of them there is: what is transparent must not bleed into its neighbours.
fn solid(image: &RgbaImage) -> std::borrow::Cow<'_, RgbaImage> {
    if image.pixels().all(|pixel| pixel.0[3] == 255) {
        return std::borrow::Cow::Borrowed(image);
    }
    let mut image = image.clone();
    for Rgba([red, green, blue, alpha]) in image.pixels_mut() {
        for color in [red, green, blue] {
            *color = (u32::from(*color) * u32::from(*alpha) / 255) as u8;
        }
    }
    std::borrow::Cow::Owned(image)
}

fn clear(mut image: RgbaImage) -> RgbaImage {
    for Rgba([red, green, blue, alpha]) in image.pixels_mut() {
        if (1..255).contains(alpha) {
            for color in [red, green, blue] {
                *color = (u32::from(*color) * 255 / u32::from(*alpha)).min(255) as u8;
            }
        }
    }
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_keeps_its_shape_in_cells() {
        assert_eq!(cells((512, 512), (80, 24), (8, 16)), (48, 24));
        assert_eq!(cells((512, 512), (40, 24), (8, 16)), (40, 20));
        assert_eq!(cells((1600, 100), (80, 24), (8, 16)), (80, 3));
        assert_eq!(cells((1, 10_000), (80, 24), (8, 16)), (1, 24));
        assert_eq!(cells((0, 0), (0, 0), (0, 0)), (1, 1));
    }

    #[test]
    fn a_limit_only_makes_smaller() {
        assert_eq!(within((400, 200), (100, 100)), (100, 50));
        assert_eq!(within((40, 20), (100, 100)), (40, 20));
        assert_eq!(within((10_000, 1), (100, 100)), (100, 1));
    }

    #[test]
    fn what_is_transparent_does_not_bleed_into_its_neighbours() {
        // White below full transparency, beside black.
        let image = RgbaImage::from_fn(64, 64, |x, _| {
            if x % 2 == 0 { Rgba([255, 255, 255, 0]) } else { Rgba([0, 0, 0, 255]) }
        });
        for size in [(8, 8), (32, 32)] {
            let scaled = scaled(&image, size);
            assert_eq!(scaled.dimensions(), size);
            assert!(scaled.pixels().all(|pixel| pixel.0[..3] == [0, 0, 0]), "{:?}", scaled.get_pixel(1, 1));
        }
    }
}
