//! Pictures on a terminal.

mod blocks;
mod detect;
mod iterm2;
mod kitty;
mod scale;
mod sixel;

use std::io::Cursor;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::metadata::Orientation;
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageReader, Limits, Rgba, RgbaImage,
};

pub(crate) use blocks::{Cell, Color};
pub(crate) use detect::Graphics;
use detect::{Depth, cell_size};

/// Pixels of the longer side beyond which a picture is no picture of a user.
const LARGEST_SIDE: u32 = 16_384;
/// Bytes that a picture takes at most while it is decoded.
const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// Pixels of the longer side that are kept: more than a terminal or a thumbnail shows.
const KEPT_SIDE: u32 = 2048;

/// A decoded picture.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pixels: RgbaImage,
    /// Before it was made smaller.
    original: (u32, u32),
}

impl Picture {
    /// A PNG, JPEG or WebP, or nothing if it is broken, of another kind or too large.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut limits = Limits::default();
        limits.max_image_width = Some(LARGEST_SIDE);
        limits.max_image_height = Some(LARGEST_SIDE);
        limits.max_alloc = Some(MOST_BYTES);
        let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
        reader.limits(limits);
        let mut decoder = reader.into_decoder().ok()?;
        let (width, height) = decoder.dimensions();
        let taken = u64::from(width) * u64::from(height) * 4;
        if taken == 0 || taken.max(decoder.total_bytes()) > MOST_BYTES {
            return None;
        }
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut image = DynamicImage::from_decoder(decoder).ok()?;
        image.apply_orientation(orientation);
        let pixels = image.into_rgba8();
        let original = pixels.dimensions();
        let pixels = match scale::within(original, (KEPT_SIDE, KEPT_SIDE)) {
            smaller if smaller.0 < original.0 => scale::scaled(&pixels, smaller),
            _ => pixels,
        };
        Some(Self { pixels, original })
    }

    /// Its width and height in pixels, as in the file.
    pub(crate) fn size(&self) -> (u32, u32) {
        self.original
    }

    /// The picture as large as fits into so many pixels, keeping its shape; never larger than it is.
    pub(crate) fn fit(&self, width: u32, height: u32) -> RgbaImage {
        scale::scaled(&self.pixels, scale::within(self.pixels.dimensions(), (width, height)))
    }

    /// The cells that it takes, at most within so many, keeping its shape.
    pub(crate) fn fitted(&self, columns: u16, rows: u16) -> (u16, u16) {
        scale::cells(self.original, (columns, rows), cell_size())
    }

    /// One line of text for each row, made of half blocks in colours. What is transparent has no colour.
    pub(crate) fn lines(&self, columns: u16, rows: u16) -> Vec<String> {
        blocks::lines(&self.blocks(columns, rows), Depth::detect())
    }

    /// The cells of each row, as of `lines`: for a screen that is drawn as a whole.
    pub(crate) fn cells(&self, columns: u16, rows: u16) -> Vec<Vec<Cell>> {
        blocks::cells(&self.blocks(columns, rows), Depth::detect())
    }

    /// The picture in pixels of half blocks.
    fn blocks(&self, columns: u16, rows: u16) -> RgbaImage {
        let (columns, rows) = (columns.max(1), rows.max(1));
        let (width, height) = cell_size();
        self.canvas((columns.into(), u32::from(rows) * 2), (f64::from(width), f64::from(height) / 2.0))
    }

    /// The same in so many pixels at most of either side, for those who keep many.
    pub(crate) fn reduced(&self, side: u32) -> Self {
        Self { pixels: self.fit(side, side), original: self.original }
    }

    /// All that draws it at the cursor in so many cells, and leaves the cursor where it was. Below the cursor there
    /// must be that many rows: at the end of the screen the terminal would scroll.
    pub(crate) fn escape(&self, graphics: Graphics, columns: u16, rows: u16) -> String {
        self.drawn(graphics, None, columns, rows)
    }

    /// Like `escape`, in place of the picture that was drawn with this number before, as for previews. What is left
    /// on the screen in the end is drawn by `escape`, or taken away by [`Graphics::erase`].
    pub(crate) fn escape_over(&self, graphics: Graphics, id: u32, columns: u16, rows: u16) -> String {
        self.drawn(graphics, Some(id), columns, rows)
    }

    fn drawn(&self, graphics: Graphics, id: Option<u32>, columns: u16, rows: u16) -> String {
        let (columns, rows) = (columns.max(1), rows.max(1));
        if graphics == Graphics::Blocks {
            return blocks::at_cursor(&self.lines(columns, rows));
        }
        let (width, height) = cell_size();
        let pixels = (u32::from(columns) * u32::from(width), u32::from(rows) * u32::from(height));
        let canvas = self.canvas(pixels, (1.0, 1.0));
        let drawn = match graphics {
            Graphics::Kitty => png(&canvas).map(|png| kitty::draw(&png, id, columns, rows)),
            Graphics::Iterm2 => png(&canvas).map(|png| iterm2::draw(&png, columns, rows)),
            _ => sixel::draw(canvas),
        };
        drawn.unwrap_or_default()
    }

    /// The picture in the upper left of so many pixels, which are of the given size. The rest is transparent.
    fn canvas(&self, pixels: (u32, u32), pixel: (f64, f64)) -> RgbaImage {
        let room = (f64::from(pixels.0) * pixel.0, f64::from(pixels.1) * pixel.1);
        let (width, height) = (f64::from(self.original.0), f64::from(self.original.1));
        let factor = (room.0 / width).min(room.1 / height);
        let side =
            |length: f64, pixel: f64, most: u32| ((length * factor / pixel).round() as u32).clamp(1, most);
        let size = (side(width, pixel.0, pixels.0), side(height, pixel.1, pixels.1));
        let drawn = scale::scaled(&self.pixels, size);
        if size == pixels {
            return drawn;
        }
        let mut canvas = RgbaImage::from_pixel(pixels.0, pixels.1, Rgba([0; 4]));
        image::imageops::replace(&mut canvas, &drawn, 0, 0);
        canvas
    }
}

/// Quick rather than small.
fn png(image: &RgbaImage) -> Option<Vec<u8>> {
    let mut png = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive);
    let (width, height) = image.dimensions();
    encoder.write_image(image.as_raw(), width, height, ExtendedColorType::Rgba8).ok()?;
    Some(png)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture whose left half is red and whose right half is blue.
    pub(super) fn red_and_blue(width: u32, height: u32) -> RgbaImage {
        RgbaImage::from_fn(width, height, |x, _| {
            if x < width / 2 { Rgba([255, 0, 0, 255]) } else { Rgba([0, 0, 255, 255]) }
        })
    }

    fn encoded(image: &RgbaImage) -> Vec<u8> {
        png(image).unwrap()
    }

    #[test]
    fn what_is_no_picture_is_not_decoded() {
        let png = encoded(&red_and_blue(8, 8));
        assert!(Picture::decode(&png).is_some());
        assert!(Picture::decode(&png[..png.len() / 2]).is_none());
        assert!(Picture::decode(b"GIF89a").is_none());
        assert!(Picture::decode(b"").is_none());
    }

    #[test]
    fn a_file_that_claims_to_be_huge_takes_no_memory() {
        let png = encoded(&red_and_blue(8, 8));
        for (width, height) in [(20_000_u32, 8_u32), (8, 20_000), (12_000, 12_000), (0, 8)] {
            let mut claimed = png.clone();
            claimed[16..20].copy_from_slice(&width.to_be_bytes());
            claimed[20..24].copy_from_slice(&height.to_be_bytes());
            let mut sum = flate2::Crc::new();
            sum.update(&claimed[12..29]);
            claimed[29..33].copy_from_slice(&sum.sum().to_be_bytes());
            assert!(Picture::decode(&claimed).is_none(), "{width} x {height}");
        }
    }

    #[test]
    fn a_large_picture_is_kept_smaller_and_knows_its_size() {
        let picture = Picture::decode(&encoded(&red_and_blue(3000, 30))).unwrap();
        assert_eq!(picture.size(), (3000, 30));
        assert_eq!(picture.pixels.dimensions(), (2048, 20));
        assert_eq!(picture.fit(100, 100).dimensions(), (100, 1));
        let small = Picture::decode(&encoded(&red_and_blue(10, 10))).unwrap();
        assert_eq!(small.fit(100, 100).dimensions(), (10, 10));
    }

    #[test]
    fn a_picture_keeps_its_shape_on_the_canvas() {
        let picture = Picture { pixels: red_and_blue(40, 20), original: (40, 20) };
        let canvas = picture.canvas((80, 60), (1.0, 1.0));
        assert_eq!(canvas.dimensions(), (80, 60));
        assert_eq!(canvas.get_pixel(79, 39).0, [0, 0, 255, 255]);
        assert_eq!(canvas.get_pixel(0, 40).0[3], 0);
        // Pixels that are twice as high as wide.
        let canvas = picture.canvas((40, 20), (1.0, 2.0));
        assert_eq!((canvas.get_pixel(0, 9).0[3], canvas.get_pixel(0, 10).0[3]), (255, 0));
    }

    #[test]
    fn each_kind_of_graphics_draws_and_leaves_the_cursor() {
        let picture = Picture::decode(&encoded(&red_and_blue(16, 16))).unwrap();
        assert_eq!(picture.lines(4, 2).len(), 2);
        let kitty = picture.escape_over(Graphics::Kitty, 7, 4, 2);
        assert!(kitty.starts_with("\u{1b}_Ga=T,f=100,q=2,C=1,c=4,r=2,i=7,p=1,m=0;"), "{kitty}");
        assert!(picture.escape(Graphics::Iterm2, 4, 2).starts_with("\u{1b}7\u{1b}]1337;File=inline=1;"));
        assert!(picture.escape(Graphics::Sixel, 4, 2).starts_with("\u{1b}7\u{1b}P"));
        assert!(picture.escape(Graphics::Blocks, 4, 2).ends_with("\u{1b}[2A"));
    }
}
