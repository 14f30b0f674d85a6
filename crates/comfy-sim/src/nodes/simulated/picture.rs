//! Pictures of simulated decoders: landscapes that follow from a key, such that every key has its own. They are measured in
//! parts of the picture, so that a small one looks like a large one of the same key.

use super::caption;
use super::random::Random;

/// A picture in bytes, three per pixel.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<[u8; 3]>,
}

type Color = [f32; 3];

/// Chains of hills, the nearest last.
const RIDGES: usize = 5;
/// Numbers that the outline of a chain of hills is made from, over the width of the picture.
const KNOTS: usize = 64;
/// How far the nearest hills move from the first frame of a second to the last, in widths.
const DRIFT: f32 = 0.25;

/// What a picture shows.
#[derive(Debug)]
pub(super) struct Scene {
    sky: [Color; 2],
    sun: Sun,
    ridges: [Ridge; RIDGES],
    grain: u64,
    caption: Vec<String>,
}

#[derive(Debug)]
struct Sun {
    x: f32,
    y: f32,
    radius: f32,
    color: Color,
}

#[derive(Debug)]
struct Ridge {
    knots: Vec<f32>,
    base: f32,
    height: f32,
    /// Outlines have steps where it is true, slopes where it is not.
    steps: bool,
    color: Color,
    mist: Color,
}

impl Scene {
    /// The scene of a key, with a text below it.
    pub(super) fn new(key: &[u8; 32], caption: Vec<String>) -> Self {
        let mut random = Random::new(key);
        let hue = random.unit();
        let night = random.unit() < 0.3;
        let (dark, light) = if night { (0.10, 0.38) } else { (0.42, 0.80) };
        let sky = [color(hue, 0.55, dark), color(hue + random.range(0.08, 0.22), 0.70, light)];
        let sun = Sun {
            x: random.range(0.15, 0.85),
            y: random.range(0.12, 0.45),
            radius: random.range(0.05, 0.12),
            color: color(hue + random.range(0.10, 0.20), 0.9, if night { 0.88 } else { 0.93 }),
        };
        let near = color(hue + random.range(0.40, 0.65), random.range(0.25, 0.55), random.range(0.08, 0.18));
        let steps = random.unit() < 0.25;
        let roughness = random.range(0.35, 0.62);
        let ridges = std::array::from_fn(|at| {
            let nearness = (at + 1) as f32 / RIDGES as f32;
            let color = mix(sky[1], near, 0.15 + 0.85 * nearness * nearness);
            Ridge {
                knots: outline(&mut random, roughness),
                base: 0.46 + 0.44 * nearness,
                height: random.range(0.10, 0.28),
                steps: steps && at > 1,
                color,
                mist: mix(color, sky[1], 0.55),
            }
        });
        Self { sky, sun, ridges, grain: random.next(), caption }
    }

    /// Draws it. `time` is 0 for pictures, and 0 to 1 along a video, in which the hills pass by.
    pub(super) fn draw(&self, width: usize, height: usize, time: f32) -> Canvas {
        let mut canvas = self.draw_land(width, height, time);
        caption::draw(&mut canvas, &self.caption);
        canvas
    }

    // Rows and columns are places in several lists at once.
    #[expect(clippy::needless_range_loop)]
    fn draw_land(&self, width: usize, height: usize, time: f32) -> Canvas {
        let crests: Vec<Vec<i64>> =
            self.ridges.iter().enumerate().map(|(at, ridge)| ridge.crests(at, width, height, time)).collect();
        let slopes: Vec<Vec<[i32; 3]>> =
            self.ridges.iter().zip(&crests).map(|(ridge, crests)| ridge.slope(height, crests)).collect();
        let sun = self.sun_rows(width, height, time);
        let mut grain = self.grain | 1;
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            let sky = bytes(mix(self.sky[0], self.sky[1], (y as f32 / (0.75 * height as f32)).min(1.0)));
            for x in 0..width {
                let ridge = (0..RIDGES).rev().find(|at| y as i64 >= crests[*at][x]);
                let mut pixel = match ridge {
                    Some(at) => slopes[at][y],
                    None => sky,
                };
                if ridge.is_none()
                    && let Some(weight) = sun.weight(x, y)
                {
                    for (channel, light) in pixel.iter_mut().zip(sun.color) {
                        *channel += (light - *channel) * weight / 256;
                    }
                }
                grain ^= grain << 13;
                grain ^= grain >> 7;
                grain ^= grain << 17;
                let noise = (grain >> 61) as i32 - 4;
                pixels.push(pixel.map(|channel| (channel + noise).clamp(0, 255) as u8));
            }
        }
        Canvas { width, height, pixels }
    }

    fn sun_rows(&self, width: usize, height: usize, time: f32) -> Glow {
        let unit = width.min(height) as f32;
        let radius = self.sun.radius * unit;
        Glow {
            x: self.sun.x * width as f32,
            y: (self.sun.y - 0.06 * time) * height as f32,
            radius,
            reach: radius * 3.5,
            color: bytes(self.sun.color),
        }
    }
}

struct Glow {
    x: f32,
    y: f32,
    radius: f32,
    reach: f32,
    color: [i32; 3],
}

impl Glow {
    /// How much of the sun there is in a pixel, of 256.
    fn weight(&self, x: usize, y: usize) -> Option<i32> {
        let (across, down) = (x as f32 - self.x, y as f32 - self.y);
        if across.abs() > self.reach || down.abs() > self.reach {
            return None;
        }
        let distance = across.hypot(down);
        if distance <= self.radius {
            return Some(248);
        }
        let fade = 1.0 - (distance - self.radius) / (self.reach - self.radius).max(1.0);
        (fade > 0.0).then_some((130.0 * fade * fade) as i32)
    }
}

impl Ridge {
    /// The row in which the hills begin, by column.
    fn crests(&self, at: usize, width: usize, height: usize, time: f32) -> Vec<i64> {
        let shift = time * DRIFT * (at + 1) as f32 / RIDGES as f32;
        (0..width)
            .map(|x| {
                let place = (x as f32 / width as f32 + shift).fract() * KNOTS as f32;
                let (left, part) = (place as usize % KNOTS, place.fract());
                let (from, to) = (self.knots[left], self.knots[(left + 1) % KNOTS]);
                let rise = if self.steps { from } else { from + (to - from) * part };
                ((self.base - self.height * rise) * height as f32) as i64
            })
            .collect()
    }

    /// The colours of all rows: deeper is mistier.
    fn slope(&self, height: usize, crests: &[i64]) -> Vec<[i32; 3]> {
        let top = crests.iter().min().copied().unwrap_or_default();
        let depth = (0.35 * height as f32).max(1.0);
        (0..height)
            .map(|y| bytes(mix(self.color, self.mist, ((y as i64 - top) as f32 / depth).clamp(0.0, 1.0))))
            .collect()
    }
}

/// An outline between 0 and 1 that joins itself at the ends: halves of halves, each moved by chance.
fn outline(random: &mut Random, roughness: f32) -> Vec<f32> {
    let mut knots = vec![0.5; KNOTS];
    let mut swing = 0.5;
    let mut step = KNOTS;
    while step > 1 {
        for middle in (step / 2..KNOTS).step_by(step) {
            let ends = knots[middle - step / 2] + knots[(middle + step / 2) % KNOTS];
            knots[middle] = (0.5 * ends + random.range(-swing, swing)).clamp(0.0, 1.0);
        }
        swing *= roughness;
        step /= 2;
    }
    knots
}

fn mix(from: Color, to: Color, part: f32) -> Color {
    std::array::from_fn(|at| from[at] + (to[at] - from[at]) * part)
}

fn bytes(color: Color) -> [i32; 3] {
    color.map(|channel| (channel * 255.0) as i32)
}

/// A colour by hue (in turns), saturation and lightness.
fn color(hue: f32, saturation: f32, lightness: f32) -> Color {
    let reach = saturation * lightness.min(1.0 - lightness);
    [0.0, 8.0, 4.0].map(|offset: f32| {
        let place = (offset + hue.rem_euclid(1.0) * 12.0) % 12.0;
        lightness - reach * (place - 3.0).min(9.0 - place).clamp(-1.0, 1.0)
    })
}
