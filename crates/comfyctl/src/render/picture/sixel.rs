//! Sixel, the graphics of foot, mlterm, Konsole and others.

use icy_sixel::SixelImage;
use image::RgbaImage;

/// Draws a picture pixel by pixel.
pub(super) fn draw(image: RgbaImage) -> Option<String> {
    let (width, height) = image.dimensions();
    let image = SixelImage::try_from_rgba(image.into_raw(), width as usize, height as usize).ok()?;
    Some(format!("\u{1b}7{}\u{1b}8", image.encode().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::tests::red_and_blue;
    use super::*;

    #[test]
    fn a_picture_comes_out_as_it_went_in() {
        let mut image = red_and_blue(32, 18);
        for x in 0..32 {
            image.put_pixel(x, 17, image::Rgba([0; 4]));
        }
        let drawn = draw(image).unwrap();
        let sixel = drawn.strip_prefix("\u{1b}7").unwrap().strip_suffix("\u{1b}8").unwrap();
        let decoded = SixelImage::decode(sixel.as_bytes()).unwrap();
        assert_eq!(decoded.dimensions(), (32, 18));
        let pixel = |x: usize, y: usize| &decoded.pixels[(y * 32 + x) * 4..][..4];
        assert_eq!(pixel(3, 3), [255, 0, 0, 255]);
        assert_eq!(pixel(30, 16), [0, 0, 255, 255]);
        assert_eq!(pixel(30, 17)[3], 0);
    }
}
