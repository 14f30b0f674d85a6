//! Pictures, masks and sounds of simulated nodes.

use std::f64::consts::TAU;

use super::given::Given;
use super::origin::Origin;
use super::picture::Scene;
use super::random::Random;
use super::shape::Shape;
use crate::nodes::NodeError;
use crate::value::{Audio, Image, Mask, Value, room_for};

/// A video holds at most this many numbers, which are 64 MiB: longer ones are cut. A single picture may be larger.
const MOST_NUMBERS: usize = 1 << 24;
const SOUND_RATE: u32 = 44_100;
/// Longer sounds are cut.
const LONGEST_SOUND: f64 = 60.0;
/// The notes of simulated sounds, in Hz.
const NOTES: [f64; 8] = [220.0, 261.63, 293.66, 329.63, 392.0, 440.0, 523.25, 587.33];

/// What the picture at this place of a batch shows.
pub(super) fn scene(origin: &Origin, shape: &Shape, position: usize) -> Scene {
    let mut key = origin.key();
    for (byte, change) in key.iter_mut().zip((position as u64).to_le_bytes()) {
        *byte ^= change;
    }
    let seeds: Vec<_> = origin.seeds.iter().map(u64::to_string).collect();
    let seeds = if seeds.is_empty() { String::new() } else { format!(" seed {}", seeds.join(" ")) };
    let mut caption = vec![format!("SIMULATED{seeds} {}x{}", shape.width, shape.height)];
    caption.extend(
        origin.texts.iter().find(|text| !text.trim().is_empty()).map(|text| text.chars().take(400).collect()),
    );
    Scene::new(&key, caption)
}

/// Pictures of a decoder.
pub(super) fn pictures(origin: &Origin, shape: &Shape) -> Result<Image, NodeError> {
    let (width, height) = (shape.width, shape.height);
    let one = room_for([1, height, width, 3])?;
    let most = (MOST_NUMBERS / one.max(1)).max(1);
    let frames = shape.frames.min(most);
    let batch = if shape.frames > 1 { shape.batch.min((most / frames).max(1)) } else { shape.batch };
    let mut data = Vec::with_capacity(room_for([batch * frames, height, width, 3])?);
    for position in 0..batch {
        let scene = scene(origin, shape, position);
        for frame in 0..frames {
            let canvas = scene.draw(width, height, frame as f32 / frames as f32);
            data.extend(canvas.pixels.as_flattened().iter().map(|byte| f32::from(*byte) / 255.0));
        }
    }
    Ok(Image { batch: batch * frames, height, width, channels: 3, data })
}

/// What a node makes of pictures: the same, in another size where it has one.
pub(super) fn resized(image: &Image, shape: &Shape) -> Result<Image, NodeError> {
    let (width, height) = (shape.width, shape.height);
    let mut data = Vec::with_capacity(room_for([image.batch, height, width, image.channels])?);
    for position in 0..image.batch {
        let picture = image.picture(position);
        for y in 0..height {
            let row = y * image.height / height * image.width;
            for x in 0..width {
                let start = (row + x * image.width / width) * image.channels;
                data.extend_from_slice(picture.get(start..start + image.channels).unwrap_or_default());
            }
        }
    }
    Ok(Image { batch: image.batch, height, width, channels: image.channels, data })
}

/// An ellipse with soft edges.
pub(super) fn mask(origin: &Origin, shape: &Shape) -> Result<Mask, NodeError> {
    let mut random = Random::new(&origin.key());
    let mut mask = Mask::filled(1, shape.height, shape.width, 0.0)?;
    let (width, height) = (shape.width as f32, shape.height as f32);
    let center = (width * random.range(0.35, 0.65), height * random.range(0.35, 0.65));
    let radius = (width * random.range(0.15, 0.35), height * random.range(0.15, 0.35));
    for (y, row) in mask.data.chunks_exact_mut(shape.width.max(1)).enumerate() {
        for (x, number) in row.iter_mut().enumerate() {
            let (across, down) = ((x as f32 - center.0) / radius.0, (y as f32 - center.1) / radius.1);
            *number = (5.0 * (1.1 - across.hypot(down))).clamp(0.0, 1.0);
        }
    }
    Ok(mask)
}

/// A tone, with an end that fades.
pub(super) fn sound(given: &Given<'_>, origin: &Origin, shape: &Shape) -> Audio {
    if let (Some(audio), false) = (given.audios().next(), given.is_source()) {
        return Audio::clone(audio);
    }
    let note = Random::new(&origin.key()).next() as usize % NOTES.len();
    let seconds = shape.seconds.unwrap_or(1.0).clamp(0.01, LONGEST_SOUND);
    let samples = (seconds * f64::from(SOUND_RATE)) as usize;
    let step = TAU * NOTES[note] / f64::from(SOUND_RATE);
    let tone = (0..samples).map(|sample| {
        let left = (samples - sample) as f64 / f64::from(SOUND_RATE);
        (0.4 * (step * sample as f64).sin() * (20.0 * left).min(1.0)) as f32
    });
    let mut data: Vec<f32> = tone.collect();
    data.extend_from_within(..);
    Audio { batch: 1, channels: 2, rate: SOUND_RATE, data }
}

/// The pictures of a batch, each by itself.
pub(super) fn one_by_one(image: &Image) -> Vec<Value> {
    (0..image.batch)
        .map(|position| {
            let data = image.picture(position).to_vec();
            Value::image(Image {
                batch: 1,
                height: image.height,
                width: image.width,
                channels: image.channels,
                data,
            })
        })
        .collect()
}
