//! Sizes and lengths: what a simulated node knows of them, from its inputs and from what is linked to it.

use serde_json::{Map, Value as Json};

use super::given::Given;
use crate::value::Thing;

/// Sides of pictures that nothing is known of.
const DEFAULT_SIDE: usize = 512;
const MAX_SIDE: usize = 16384;
const MAX_BATCH: usize = 4096;
const MAX_FRAMES: usize = 1 << 20;
const MAX_SECONDS: f64 = 86400.0;
/// Frames per second where nobody says it.
const DEFAULT_RATE: f64 = 24.0;
/// Enlargement by a model whose name does not say it.
const MODEL_SCALE: f64 = 4.0;

const WIDTH: [&str; 4] = ["width", "target_width", "image_width", "custom_width"];
const HEIGHT: [&str; 4] = ["height", "target_height", "image_height", "custom_height"];
const SCALE: [&str; 6] =
    ["scale_by", "upscale_by", "scale_factor", "upscale_factor", "rescale_factor", "scale"];
const BATCH: [&str; 5] = ["batch_size", "n", "num_images", "number_of_images", "images_count"];
const FRAMES: [&str; 6] = ["length", "num_frames", "frames", "video_frames", "frame_count", "max_frames"];
const SECONDS: [&str; 5] = ["seconds", "duration", "duration_seconds", "seconds_total", "video_length"];
const RATE: [&str; 4] = ["fps", "frame_rate", "framerate", "video_fps"];
const RATIO: [&str; 5] = ["size", "resolution", "aspect_ratio", "ratio", "dimensions"];

/// The measures of latents, pictures, videos and sounds. Sides are in pixels, also those of latents.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) batch: usize,
    pub(super) channels: usize,
    /// Frames of each item of the batch; 1 for pictures.
    pub(super) frames: usize,
    pub(super) rate: f64,
    /// Of sounds; of videos where it was asked for.
    pub(super) seconds: Option<f64>,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            width: DEFAULT_SIDE,
            height: DEFAULT_SIDE,
            batch: 1,
            channels: 4,
            frames: 1,
            rate: DEFAULT_RATE,
            seconds: None,
        }
    }
}

impl Shape {
    /// The shape of a node's results; `unknown` is that of one without any measures.
    pub(super) fn of(given: &Given<'_>, gives_video: bool, unknown: &Self) -> Self {
        let mut shape = unknown.before(given);
        shape.resize(given, unknown.width);
        shape.regroup(given);
        shape.lengthen(given, gives_video);
        shape.width = shape.width.clamp(1, MAX_SIDE);
        shape.height = shape.height.clamp(1, MAX_SIDE);
        shape.batch = shape.batch.clamp(1, MAX_BATCH);
        shape.frames = shape.frames.clamp(1, MAX_FRAMES);
        shape
    }

    /// The shape of what goes in: that of a latent or video before that of a picture.
    fn before(&self, given: &Given<'_>) -> Self {
        let mut shape = self.clone();
        let things: Vec<_> = given.things("LATENT").chain(given.things("VIDEO")).collect();
        if let Some(sized) = things.iter().find(|thing| thing.facts.contains_key("width")).or(things.first())
        {
            shape.read(sized);
        } else if let Some(image) = given.images().next() {
            (shape.width, shape.height) = (image.width, image.height);
            if given.has("fps") {
                shape.frames = image.batch;
            } else {
                shape.batch = image.batch;
            }
        } else if let Some(mask) = given.masks().next() {
            (shape.width, shape.height, shape.batch) = (mask.width, mask.height, mask.batch);
        }
        if let Some(seconds) = things.iter().find_map(|thing| thing.facts.get("seconds")?.as_f64()) {
            shape.seconds = Some(seconds);
        } else if let Some(audio) = given.audios().next() {
            shape.seconds = Some(audio.samples() as f64 / f64::from(audio.rate.max(1)));
        }
        shape
    }

    fn read(&mut self, thing: &Thing) {
        let count = |key: &str| usize::try_from(thing.facts.get(key)?.as_u64()?).ok();
        self.width = count("width").unwrap_or(self.width);
        self.height = count("height").unwrap_or(self.height);
        self.batch = count("batch").unwrap_or(self.batch);
        self.channels = count("channels").unwrap_or(self.channels);
        self.frames = count("length").unwrap_or(self.frames);
        self.rate = thing.facts.get("rate").and_then(Json::as_f64).unwrap_or(self.rate);
    }

    /// The shape as the facts of a thing.
    pub(super) fn facts(&self, kind: &str) -> Map<String, Json> {
        let mut facts = Map::new();
        if matches!(kind, "LATENT" | "VIDEO") {
            facts.insert("width".into(), self.width.into());
            facts.insert("height".into(), self.height.into());
            facts.insert("batch".into(), self.batch.into());
            facts.insert("channels".into(), self.channels.into());
            facts.insert("length".into(), self.frames.into());
            facts.insert("rate".into(), self.rate.into());
            if let Some(seconds) = self.seconds {
                facts.insert("seconds".into(), seconds.into());
            }
        }
        facts
    }

    fn resize(&mut self, given: &Given<'_>, usual: usize) {
        let side = |names: &[&str]| given.number(names).filter(|side| *side >= 1.0).map(|side| side as usize);
        let (before_width, before_height) = (self.width.max(1) as f64, self.height.max(1) as f64);
        match (side(&WIDTH), side(&HEIGHT)) {
            (Some(width), Some(height)) => (self.width, self.height) = (width, height),
            (Some(width), None) => self.scale(width as f64 / before_width),
            (None, Some(height)) => self.scale(height as f64 / before_height),
            (None, None) => {
                if let Some((width, height)) = RATIO.iter().find_map(|name| size(given.text(&[name])?, usual))
                {
                    (self.width, self.height) = (width, height);
                }
            }
        }
        if let Some(factor) = given.number(&SCALE).filter(|factor| (0.01..=16.0).contains(factor)) {
            self.scale(factor);
        }
        if let Some(pixels) = given.number(&["megapixels"]).filter(|pixels| (0.01..=256.0).contains(pixels)) {
            self.scale((pixels * 1_048_576.0 / (before_width * before_height)).sqrt());
        }
        for (model, factor) in [("UPSCALE_MODEL", MODEL_SCALE), ("LATENT_UPSCALE_MODEL", 2.0)] {
            if let Some(model) = given.things(model).next() {
                self.scale(model.facts.get("scale").and_then(Json::as_f64).unwrap_or(factor));
            }
        }
        if given.text(&["rotation"]).is_some_and(|turn| turn.starts_with("90") || turn.starts_with("270")) {
            std::mem::swap(&mut self.width, &mut self.height);
        }
    }

    fn scale(&mut self, factor: f64) {
        let scaled = |side: usize| ((side as f64 * factor).round() as usize).clamp(1, MAX_SIDE);
        (self.width, self.height) = (scaled(self.width), scaled(self.height));
    }

    fn regroup(&mut self, given: &Given<'_>) {
        let count =
            |names: &[&str]| given.number(names).filter(|count| *count >= 1.0).map(|count| count as usize);
        if given.has("samples1") && given.has("samples2") && !given.has("x") && !given.has("ratio") {
            let all = given.things("LATENT").filter_map(|thing| thing.facts.get("batch")?.as_u64());
            self.batch = usize::try_from(all.sum::<u64>()).unwrap_or(MAX_BATCH);
        }
        if let Some(batch) = count(&BATCH) {
            self.batch = batch;
        }
        if let Some(amount) = count(&["amount"]) {
            self.batch = self.batch.saturating_mul(amount);
        }
    }

    fn lengthen(&mut self, given: &Given<'_>, gives_video: bool) {
        let count = |names: &[&str]| given.number(names).filter(|count| *count >= 1.0);
        if let Some(rate) = count(&RATE) {
            self.rate = rate.min(1000.0);
        }
        if let Some(seconds) = given.number(&SECONDS).filter(|seconds| *seconds > 0.0) {
            self.seconds = Some(seconds.min(MAX_SECONDS));
            if gives_video {
                self.frames = (seconds * self.rate).round() as usize;
            }
        }
        if given.has("batch_index") {
            // A part of a batch: its length counts items.
            if let Some(length) = count(&["length"]) {
                self.batch = self.batch.min(length as usize);
            }
        } else if let Some(frames) = count(&FRAMES) {
            self.frames = frames as usize;
        } else if gives_video
            && self.frames == 1
            && given.images().next().is_none_or(|image| image.batch == 1)
        {
            self.frames = (self.seconds.unwrap_or(1.0).min(MAX_SECONDS) * self.rate).round() as usize;
        }
    }
}

/// A size in words: `1024x768`, `16:9`, `1280*720 (16:9)`, `720p`.
fn size(text: &str, usual: usize) -> Option<(usize, usize)> {
    let numbers = |separators: &[char]| {
        let (left, right) = text.split_once(separators)?;
        let left = left.trim().rsplit(|letter: char| !letter.is_ascii_digit()).next()?;
        let right = right.trim().split(|letter: char| !letter.is_ascii_digit()).next()?;
        let sides: (usize, usize) = (left.parse().ok()?, right.parse().ok()?);
        (sides.0 > 0 && sides.1 > 0).then_some(sides)
    };
    if let Some(sides) = numbers(&['x', 'X', '×', '*']).filter(|sides| sides.0 >= 64 && sides.1 >= 64) {
        return Some(sides);
    }
    if let Some((width, height)) = numbers(&[':']).filter(|sides| sides.0 <= 64 && sides.1 <= 64) {
        // About as many pixels as a usual picture has.
        let scale = usual as f64 / ((width * height) as f64).sqrt();
        let side = |part: usize| ((part as f64 * scale / 8.0).round() as usize * 8).max(8);
        return Some((side(width), side(height)));
    }
    let height: usize = text.trim().strip_suffix(['p', 'P'])?.parse().ok()?;
    (64..=MAX_SIDE).contains(&height).then_some((height * 16 / 9 / 2 * 2, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_the_words_of_partner_services() {
        let size = |text| size(text, DEFAULT_SIDE);
        assert_eq!(size("1024x768"), Some((1024, 768)));
        assert_eq!(size("1280*720 (16:9)"), Some((1280, 720)));
        assert_eq!(size("16:9"), Some((680, 384)));
        assert_eq!(size("720p"), Some((1280, 720)));
        for other in ["auto", "1K", "0x0", "x", "0:0", "99999999999999999999x5"] {
            assert_eq!(size(other), None, "{other}");
        }
    }
}
