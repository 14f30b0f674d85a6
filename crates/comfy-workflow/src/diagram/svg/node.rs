//! Writing a node.

use std::fmt::Write as _;

use super::{Writer, number};
use crate::diagram::scene::{Area, LETTER, LINE, Look, NodeBox, PAD, Row, SLOT, SMALL, Slot, TITLE};
use crate::diagram::text::{self, escape, fit, plain, wrap};
use crate::editor::Mode;

/// Types of which the editor shows the picture on the node.
const PICTURES: [&str; 3] = ["IMAGE", "MASK", "VIDEO"];

impl Writer {
    pub(super) fn node(&mut self, node: &NodeBox) {
        let mut class = match node.look {
            Look::Subgraph => "sg",
            Look::Note => "nt",
            _ => "nd",
        }
        .to_owned();
        match node.mode {
            Mode::Muted => class.push_str(" mu"),
            Mode::Bypassed => class.push_str(" by"),
            _ => class.push_str(&self.style.node_class(node.colors)),
        }
        let Area { x, y, width, height } = node.area;
        let label = escape(&format!("{}, node {}", node.title, node.id)).replace('\n', " ");
        let _ = write!(
            self.svg,
            "<g class=\"{class}\" role=\"graphics-symbol\" aria-label=\"{label}\" transform=\"translate({} {})\"><title>{}</title>",
            number(x),
            number(y),
            escape(&node.tooltip),
        );
        let whole = Area { x: 0.0, y: 0.0, width, height };
        let radius = if node.look == Look::Reroute { 13.0 } else { 8.0 };
        self.rect("nb", whole, radius);
        if node.look != Look::Reroute {
            self.title_bar(node);
        }
        let dash = if node.mode == Mode::Active { "" } else { " dash" };
        self.rect(&format!("o{dash}"), whole, radius);
        if node.look == Look::Subgraph {
            self.rect("o", Area { x: -3.0, y: -3.0, width: width + 6.0, height: height + 6.0 }, 10.0);
        }
        if node.look == Look::Note {
            self.note(node);
        } else {
            for row in &node.values {
                self.row(row, width);
            }
            self.picture(node);
            self.slots(node);
        }
        self.svg.push_str("</g>\n");
    }

    fn title_bar(&mut self, node: &NodeBox) {
        let Area { width, height, .. } = node.area;
        if height <= TITLE + 0.5 {
            self.rect("nh", Area { x: 0.0, y: 0.0, width, height: TITLE.min(height) }, 8.0);
        } else {
            let _ = write!(
                self.svg,
                "<path class=\"nh\" d=\"M0 {TITLE}V8Q0 0 8 0H{}Q{w} 0 {w} 8V{TITLE}Z\"/>",
                number(width - 8.0),
                w = number(width),
            );
        }
        let inner = width - 2.0 * PAD;
        let aside = fit(&node.aside(), SMALL, inner - 24.0).into_owned();
        let room = inner - text::width(&aside, SMALL) - 6.0;
        // Semibold letters are wider.
        let title = fit(&node.title, LETTER * 1.09, room).into_owned();
        let middle = TITLE.min(height) / 2.0;
        self.text("t", [PAD, middle], LETTER, &title);
        self.text("d e", [width - PAD, middle], SMALL, &aside);
    }

    fn slots(&mut self, node: &NodeBox) {
        let width = node.area.width;
        let labelled = matches!(node.look, Look::Node | Look::Subgraph | Look::Ports);
        for (slots, left) in [(&node.inputs, true), (&node.outputs, false)] {
            for (place, slot) in slots.iter().enumerate().filter(|(_, slot)| slot.linked || !slot.in_row) {
                // All slots of a collapsed node are at one place.
                if !labelled && place > 0 {
                    continue;
                }
                let [x, y] = slot.dot;
                let class = self.style.type_class(&slot.type_name);
                let _ = write!(
                    self.svg,
                    "<circle class=\"q {class}\" cx=\"{}\" cy=\"{}\" r=\"5\"/>",
                    number(x),
                    number(y),
                );
                if labelled && !slot.in_row {
                    let both = opposite(node, slot, left);
                    let room = if both { width / 2.0 - 1.5 * PAD } else { width - 3.0 * PAD };
                    let label = fit(&slot.label, LETTER, room).into_owned();
                    let (class, x) = if left { ("s", 1.3 * PAD) } else { ("s e", width - 1.3 * PAD) };
                    self.text(class, [x, y], LETTER, &label);
                }
            }
        }
    }

    fn row(&mut self, row: &Row, width: f64) {
        let inner = Area { x: PAD, y: row.y + 1.5, width: width - 2.0 * PAD, height: row.height - 3.0 };
        let room = inner.width - 1.6 * PAD;
        let left = inner.x + 0.8 * PAD;
        let (size, middle) = (if row.height < 18.0 { 10.0 } else { SMALL }, row.y + row.height / 2.0);
        let Some(value) = &row.value else {
            let name = fit(row.name.as_deref().unwrap_or_default(), size, room).into_owned();
            self.text("s", [1.3 * PAD, middle], size, &name);
            return;
        };
        self.rect("vb", inner, 6.0);
        let name = row.name.as_deref().unwrap_or_default();
        if row.block && row.height > 1.8 * LINE {
            let mut y = row.y + 5.0 + LINE / 2.0;
            if !name.is_empty() {
                let name = fit(name, 10.0, room).into_owned();
                self.text("n", [left, y], 10.0, &name);
                y += LINE;
            }
            let most = ((row.y + row.height - 4.0 - (y - LINE / 2.0)) / LINE).floor().max(1.0) as usize;
            for line in wrap(value, SMALL, room, most) {
                self.text("v", [left, y], SMALL, line.trim_end());
                y += LINE;
            }
            return;
        }
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() {
            let value = fit(&value, size, room).into_owned();
            self.text("v", [left, middle], size, &value);
            return;
        }
        let (name_wide, value_wide) = (text::width(name, size), text::width(&value, size));
        let for_name = name_wide.min((room * 0.45).max(room - value_wide - PAD));
        let shown = fit(name, size, for_name + 0.5).into_owned();
        self.text("n", [left, middle], size, &shown);
        let value = fit(&value, size, room - for_name - PAD).into_owned();
        self.text("v e", [left + room, middle], size, &value);
    }

    /// Where the editor shows a picture, a sign for one.
    fn picture(&mut self, node: &NodeBox) {
        let has_picture =
            node.inputs.iter().chain(&node.outputs).any(|slot| PICTURES.contains(&slot.type_name.as_str()));
        let slots = node.inputs.iter().chain(&node.outputs).map(|slot| slot.dot[1] + SLOT / 2.0);
        let rows = node.values.iter().map(|row| row.y + row.height);
        let top = slots.chain(rows).fold(TITLE, f64::max) + PAD;
        let Area { width, height, .. } = node.area;
        let room = height - top - PAD;
        if !has_picture || node.look != Look::Node || room < 90.0 || width < 90.0 {
            return;
        }
        self.rect("im", Area { x: PAD, y: top, width: width - 2.0 * PAD, height: room }, 6.0);
        let size = (room.min(width) / 3.0).min(140.0);
        let (x, y) = ((width - size) / 2.0, top + (room - size * 0.7) / 2.0);
        let _ = write!(
            self.svg,
            "<g class=\"ic\" transform=\"translate({} {}) scale({})\" aria-hidden=\"true\"><circle cx=\"74\" cy=\"16\" r=\"9\"/>\
             <path d=\"M2 70L34 22L56 54L68 38L98 70Z\"/></g>",
            number(x),
            number(y),
            (size / 100.0 * 1_000.0).round() / 1_000.0,
        );
    }

    fn note(&mut self, node: &NodeBox) {
        let room = node.area.width - 2.0 * PAD;
        let bottom = node.area.height - 4.0;
        let mut y = TITLE + PAD + LINE / 2.0;
        let text = node.values.iter().filter_map(|row| row.value.as_deref()).collect::<Vec<_>>().join("\n");
        for line in text.lines() {
            let (line, heading) = plain(line);
            let (class, wide) = if heading { ("v b", SMALL * 1.12) } else { ("v", SMALL) };
            let most = ((bottom - y + LINE / 2.0) / LINE).floor().max(0.0) as usize;
            if most == 0 {
                break;
            }
            let lines = wrap(&line, wide, room, most);
            for line in &lines {
                self.text(class, [PAD, y], SMALL, line.trim_end());
                y += LINE;
            }
            if lines.is_empty() {
                y += LINE * 0.6;
            }
        }
    }
}

/// Whether a slot has another on the other side of its box at the same height.
fn opposite(node: &NodeBox, slot: &Slot, left: bool) -> bool {
    let others = if left { &node.outputs } else { &node.inputs };
    others
        .iter()
        .any(|other| !other.in_row && !other.label.is_empty() && (other.dot[1] - slot.dot[1]).abs() < 1.0)
}
