//! Where on the page the head and the panels are.

use std::collections::HashMap;

use super::MARGIN;
use crate::diagram::scene::{Area, LETTER, Panel, Point, Scene};
use crate::diagram::text;

/// Most types that the legend names.
const MOST_TYPES: usize = 30;

/// Where the head and the panels are.
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// How much larger than in boxes the letters of the head are: a large drawing is looked at from afar.
    pub(super) scale: f64,
    /// The types of the legend, and the corners of their entries.
    pub(super) legend: Vec<(String, Point)>,
    pub(super) places: Vec<Place>,
}

/// Where a panel is: its frame, and how far what is in it is moved.
pub(super) struct Place {
    pub(super) frame: Area,
    pub(super) shift: Point,
}

impl Layout {
    pub(super) fn of(scene: &Scene) -> Self {
        let areas: Vec<Area> = scene.panels.iter().map(Panel::area).collect();
        let widest = areas.iter().map(|area| area.width).fold(0.0, f64::max);
        let scale = (widest / 1_600.0).clamp(1.0, 4.0);
        let width = widest.max(480.0) + 2.0 * MARGIN;
        let (legend, head) = legend(scene, scale, width - 2.0 * MARGIN);
        let mut places = Vec::new();
        let (mut x, mut y, mut row) = (MARGIN, head + MARGIN, 0.0_f64);
        for (panel, area) in scene.panels.iter().zip(&areas) {
            let bar = if panel.name.is_some() { 16.0 + 20.0 * scale } else { 0.0 };
            let pad = if panel.name.is_some() { MARGIN } else { 0.0 };
            let frame = Area { x, y, width: area.width + 2.0 * pad, height: area.height + 2.0 * pad + bar };
            let frame = match &panel.name {
                Some(name) => {
                    Area { width: frame.width.max(text::width(name, 16.0 * scale) + 180.0 * scale), ..frame }
                }
                None => frame,
            };
            // Panels stand beside each other where there is room; the outermost graph has a row of its own.
            let (frame, fits) = if x > MARGIN && x + frame.width > width - MARGIN {
                (Area { x: MARGIN, y: y + row + MARGIN, ..frame }, false)
            } else {
                (frame, true)
            };
            if !fits {
                row = 0.0;
            }
            y = frame.y;
            row = row.max(frame.height);
            x = if panel.name.is_some() { frame.x + frame.width + MARGIN } else { width };
            places.push(Place { frame, shift: [frame.x + pad - area.x, frame.y + pad + bar - area.y] });
        }
        let right =
            places.iter().map(|place| place.frame.x + place.frame.width).fold(width - MARGIN, f64::max);
        Self { width: right + MARGIN, height: y + row + MARGIN, scale, legend, places }
    }
}

/// The entries of the legend in rows, and the height of the whole head.
fn legend(scene: &Scene, scale: f64, room: f64) -> (Vec<(String, Point)>, f64) {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    let mut index: HashMap<&str, usize> = HashMap::new();
    for wire in scene.panels.iter().flat_map(|panel| &panel.wires) {
        let name = wire.type_name.as_str();
        if name.is_empty() || name == "*" {
            continue;
        }
        let at = *index.entry(name).or_insert_with(|| {
            counts.push((name, 0));
            counts.len() - 1
        });
        counts[at].1 += 1;
    }
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts.truncate(MOST_TYPES);
    let mut legend = Vec::new();
    let (mut x, mut y) = (MARGIN, MARGIN + 62.0 * scale);
    for (name, _) in counts {
        let name = text::clipped(name, 40);
        let entry = text::width(&name, LETTER * scale) + 34.0 * scale;
        if x > MARGIN && x + entry > MARGIN + room {
            (x, y) = (MARGIN, y + 20.0 * scale);
        }
        legend.push((name, [x, y]));
        x += entry;
    }
    let last = legend.last().map_or(MARGIN + 44.0 * scale, |(_, [_, y])| *y);
    (legend, last + 8.0 * scale)
}
