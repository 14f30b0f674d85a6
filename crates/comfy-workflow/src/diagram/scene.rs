//! What is drawn, before it is written: panels with boxes, links and frames, all in pixels.

use super::color::Rgb;
use super::text;
use crate::editor::Mode;

/// Height of a title bar.
pub(super) const TITLE: f64 = 30.0;
/// Height of a row of slots.
pub(super) const SLOT: f64 = 20.0;
/// Height of a row that shows a value, with the room around it.
pub(super) const ROW: f64 = 22.0;
/// Height of a line of a text.
pub(super) const LINE: f64 = 14.0;
/// Room between the outline of a box and what is in it.
pub(super) const PAD: f64 = 10.0;
/// Size of the letters in boxes.
pub(super) const LETTER: f64 = 12.0;
/// Size of the letters of texts of several lines.
pub(super) const SMALL: f64 = 11.0;
/// Most slots on one side, and most values, that a box shows.
pub(super) const MOST_ROWS: usize = 60;

pub(super) type Point = [f64; 2];

/// All that is drawn.
#[derive(Debug, Default)]
pub(super) struct Scene {
    /// What the drawing is of; the first line of its head.
    pub(super) title: String,
    /// The graph, then the definitions of its subgraphs.
    pub(super) panels: Vec<Panel>,
    /// How many nodes there are that are not drawn.
    pub(super) left_out: usize,
}

/// A graph.
#[derive(Debug, Default)]
pub(super) struct Panel {
    /// The name above it; none for the outermost graph.
    pub(super) name: Option<String>,
    pub(super) frames: Vec<Frame>,
    pub(super) boxes: Vec<NodeBox>,
    pub(super) wires: Vec<Wire>,
}

/// A frame around nodes.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) area: Area,
    pub(super) title: String,
    pub(super) color: Option<Rgb>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// What a box looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Look {
    /// A title bar and a body.
    #[default]
    Node,
    /// A node that stands for a subgraph.
    Subgraph,
    /// A title bar only.
    Collapsed,
    /// A point at which a link bends.
    Reroute,
    /// A text.
    Note,
    /// The inputs or outputs of a subgraph, inside it.
    Ports,
}

/// A node.
#[derive(Debug, Default)]
pub(super) struct NodeBox {
    pub(super) look: Look,
    /// With the title bar.
    pub(super) area: Area,
    pub(super) id: String,
    pub(super) title: String,
    /// All about it, for those who point at it.
    pub(super) tooltip: String,
    pub(super) mode: Mode,
    /// The colours of the title bar and the body, when the user chose some.
    pub(super) colors: [Option<Rgb>; 2],
    pub(super) inputs: Vec<Slot>,
    pub(super) outputs: Vec<Slot>,
    pub(super) values: Vec<Row>,
    /// How many slots and values there are that are not shown.
    pub(super) hidden: usize,
}

/// An input or output that a link can be tied to.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) label: String,
    pub(super) type_name: String,
    pub(super) linked: bool,
    /// Whether it belongs to a row of [`NodeBox::values`], which has the label.
    pub(super) in_row: bool,
    /// Its dot, measured from the corner of the box.
    pub(super) dot: Point,
}

/// A value.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// The name, where it is known.
    pub(super) name: Option<String>,
    /// The whole value; none when a link gives it.
    pub(super) value: Option<String>,
    /// Whether it is a text that wants several lines.
    pub(super) block: bool,
    /// The upper side measured from that of the box, and the height.
    pub(super) y: f64,
    pub(super) height: f64,
}

/// A link.
#[derive(Debug)]
pub(super) struct Wire {
    /// From its origin through its bends to its target.
    pub(super) points: Vec<Point>,
    pub(super) type_name: String,
    /// Whether the user put the bends there, so that they are drawn as dots.
    pub(super) dots: bool,
    /// Whether one of its ends takes no part.
    pub(super) faded: bool,
    pub(super) tooltip: String,
}

/// How far the handles of the curve between two points reach out.
pub(super) fn bow(from: Point, to: Point) -> f64 {
    let (across, down) = (to[0] - from[0], to[1] - from[1]);
    let far = across.hypot(down);
    if across >= 0.0 { (across * 0.5).max((far * 0.25).min(40.0)) } else { (far * 0.3).clamp(40.0, 250.0) }
}

impl Area {
    /// The smallest area with both.
    pub(super) fn with(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        Self {
            x,
            y,
            width: (self.x + self.width).max(other.x + other.width) - x,
            height: (self.y + self.height).max(other.y + other.height) - y,
        }
    }
}

impl Panel {
    /// The area of everything in it.
    pub(super) fn area(&self) -> Area {
        let points = self.wires.iter().flat_map(|wire| &wire.points);
        let bows = self.wires.iter().flat_map(|wire| wire.points.windows(2)).flat_map(|pair| {
            let bow = bow(pair[0], pair[1]);
            // A curve that leads back swings out on both sides, to three quarters of its handles.
            let reach = if pair[1][0] < pair[0][0] { bow * 0.75 } else { 0.0 };
            [[pair[0][0] + reach, pair[0][1]], [pair[1][0] - reach, pair[1][1]]]
        });
        let points = points.copied().chain(bows).map(|[x, y]| Area { x, y, width: 0.0, height: 0.0 });
        let frames = self.frames.iter().map(|frame| frame.area);
        let areas = self.boxes.iter().map(|node| node.area).chain(frames).chain(points);
        areas.reduce(Area::with).unwrap_or_default()
    }
}

impl NodeBox {
    /// The height of the title bar.
    pub(super) fn bar(&self) -> f64 {
        if self.look == Look::Reroute { 0.0 } else { TITLE }
    }

    /// What the title bar says on its right side.
    pub(super) fn aside(&self) -> String {
        let mode = match self.mode {
            Mode::Muted => "muted  ",
            Mode::Bypassed => "bypassed  ",
            Mode::Active => "",
        };
        if self.id.is_empty() { mode.trim_end().to_owned() } else { format!("{mode}#{}", self.id) }
    }

    fn slot_rows(&self) -> usize {
        let rows = |slots: &[Slot]| slots.iter().filter(|slot| !slot.in_row).count();
        rows(&self.inputs).max(rows(&self.outputs))
    }

    /// The size at which everything is seen, for boxes that have none.
    pub(super) fn natural_size(&self) -> [f64; 2] {
        let wide = |text: &str| text::width(text, LETTER);
        let free = |slots: &[Slot]| -> Vec<f64> {
            slots.iter().filter(|slot| !slot.in_row).map(|slot| wide(&slot.label)).collect()
        };
        let (inputs, outputs) = (free(&self.inputs), free(&self.outputs));
        let slots = (0..self.slot_rows())
            .map(|row| inputs.get(row).unwrap_or(&0.0) + outputs.get(row).unwrap_or(&0.0) + 4.0 * PAD);
        let rows = self.values.iter().map(|row| {
            let value = row.value.as_deref().map_or(0.0, |value| wide(value).min(170.0));
            wide(row.name.as_deref().unwrap_or_default()) + value + 5.0 * PAD
        });
        let title = wide(&self.title) * 1.1 + wide(&self.aside()) + 4.0 * PAD;
        let width = slots.chain(rows).chain([title]).fold(170.0, f64::max).min(340.0).ceil();
        if matches!(self.look, Look::Collapsed) {
            return [title.clamp(80.0, 340.0).ceil(), TITLE];
        }
        let rows = self.values.iter().map(|row| self.wanted(row, width, 6)).sum::<f64>();
        let slots = self.slot_rows() as f64 * SLOT;
        let inner = slots + rows;
        [width, self.bar() + if inner > 0.0 { inner + PAD } else { 0.0 }]
    }

    /// The height that a value would like to have.
    fn wanted(&self, row: &Row, width: f64, most: usize) -> f64 {
        match &row.value {
            Some(value) if row.block => {
                let room = width - 4.0 * PAD;
                let lines = text::wrap(&text::clipped(value, 2_000), SMALL, room, most).len().max(1);
                let name = if row.name.is_some() { LINE } else { 0.0 };
                lines as f64 * LINE + name + 12.0
            }
            _ => ROW,
        }
    }

    /// Puts slots and values into the box, whose size stands: what does not fit is made smaller, then left out.
    pub(super) fn furnish(&mut self) {
        let Area { width, height, .. } = self.area;
        let middle = match self.look {
            Look::Collapsed => Some(TITLE / 2.0),
            Look::Reroute => Some(height / 2.0),
            _ => None,
        };
        if let Some(y) = middle {
            self.values.clear();
            self.inputs.iter_mut().for_each(|slot| slot.dot = [0.0, y]);
            self.outputs.iter_mut().for_each(|slot| slot.dot = [width, y]);
            return;
        }
        let bar = self.bar();
        let step = SLOT.min((height - bar - 4.0).max(0.0) / self.slot_rows().max(1) as f64);
        let place = |slots: &mut [Slot], x: f64| {
            let free = slots.iter_mut().filter(|slot| !slot.in_row);
            free.enumerate().for_each(|(row, slot)| slot.dot = [x, bar + 4.0 + (row as f64 + 0.5) * step]);
        };
        place(&mut self.inputs, 0.0);
        place(&mut self.outputs, width);
        let top = bar + 4.0 + self.slot_rows() as f64 * step;
        self.place_values(top, (height - top - 4.0).max(0.0));
        for slot in self.inputs.iter_mut().filter(|slot| slot.in_row) {
            let row = self.values.iter().find(|row| row.name.as_deref() == Some(slot.label.as_str()));
            // The dot of a row that is left out is where the row would be.
            let y = row.map_or(height - 6.0, |row| row.y + row.height.min(ROW) / 2.0);
            slot.dot = [0.0, y.max(bar + 4.0).min(height.max(bar + 4.0))];
        }
    }

    fn place_values(&mut self, top: f64, room: f64) {
        let least = 14.0;
        let fit = ((room / least) as usize).min(self.values.len());
        if fit < self.values.len() {
            // The last place says how many are missing.
            let kept = fit.saturating_sub(1);
            self.hidden += self.values.len() - kept;
            self.values.truncate(kept);
            if fit > 0 {
                let more = format!("… {} more", self.hidden);
                self.values.push(Row { value: Some(more), ..Row::default() });
            }
        }
        let count = self.values.len().max(1) as f64;
        let step = ROW.min(room / count);
        let spare = (room - step * self.values.len() as f64).max(0.0);
        let width = self.area.width;
        let wants: Vec<f64> =
            self.values.iter().map(|row| (self.wanted(row, width, 200) - step).max(0.0)).collect();
        let all: f64 = wants.iter().sum();
        let share = if all > spare { spare / all } else { 1.0 };
        let mut y = top;
        for (row, want) in self.values.iter_mut().zip(wants) {
            row.y = y;
            row.height = step + want * share;
            y += row.height;
        }
    }
}
