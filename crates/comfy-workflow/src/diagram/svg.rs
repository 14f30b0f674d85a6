//! Writing a scene as SVG.

use std::fmt::Write as _;

use super::Theme;
use super::scene::{
    Area, LETTER, LINE, Look, NodeBox, PAD, Panel, Point, Row, SLOT, SMALL, Scene, Slot, TITLE, Wire,
};
use super::style::Style;
use super::text::{escape, fit, plain, width, wrap};
use crate::editor::Mode;

/// Room around the whole and between panels.
const MARGIN: f64 = 28.0;
/// Types of which the editor shows the picture on the node.
const PICTURES: [&str; 3] = ["IMAGE", "MASK", "VIDEO"];
/// Most types that the legend names.
const MOST_TYPES: usize = 30;

pub(super) fn write(scene: &Scene, theme: Theme) -> String {
    let style = Style::of(scene);
    let layout = Layout::of(scene);
    let (wide, high) = (number(layout.width), number(layout.height));
    let nodes: usize =
        scene.panels.iter().flat_map(|panel| &panel.boxes).filter(|node| node.look != Look::Ports).count();
    let caption = caption(scene, nodes);
    let mut svg = String::new();
    let title = escape(&scene.title).replace('\n', " ");
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"cw\" width=\"{wide}\" height=\"{high}\" viewBox=\"0 0 {wide} {high}\" \
         role=\"graphics-document\" aria-roledescription=\"workflow\" aria-label=\"{title}: {caption}\">\n\
         <title>{title}</title>\n<desc>{caption}</desc>\n<style>{}</style>\n<rect class=\"bg\" width=\"{wide}\" height=\"{high}\"/>\n",
        style.sheet(theme)
    );
    let mut writer = Writer { svg, style };
    writer.head(scene, &layout, &caption);
    for (panel, place) in scene.panels.iter().zip(&layout.places) {
        writer.panel(panel, place, layout.scale);
    }
    writer.svg.push_str("</svg>\n");
    writer.svg
}

/// How much there is of what.
fn caption(scene: &Scene, nodes: usize) -> String {
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let links = scene.panels.iter().map(|panel| panel.wires.len()).sum();
    let mut caption = format!("{}, {}", count(nodes, "node"), count(links, "link"));
    if scene.panels.len() > 1 {
        let _ = write!(caption, ", {}", count(scene.panels.len() - 1, "subgraph"));
    }
    if scene.left_out > 0 {
        let _ = write!(caption, "; {} not drawn", count(scene.left_out, "more node"));
    }
    caption
}

/// Where the head and the panels are.
struct Layout {
    width: f64,
    height: f64,
    /// How much larger than in boxes the letters of the head are: a large drawing is looked at from afar.
    scale: f64,
    /// The types of the legend, and the corners of their entries.
    legend: Vec<(String, Point)>,
    places: Vec<Place>,
}

/// Where a panel is: its frame, and how far what is in it is moved.
struct Place {
    frame: Area,
    shift: Point,
}

impl Layout {
    fn of(scene: &Scene) -> Self {
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
                Some(name) => Area {
                    width: frame.width.max(super::text::width(name, 16.0 * scale) + 180.0 * scale),
                    ..frame
                },
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
    let mut index: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
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
        let name = super::text::clipped(name, 40);
        let entry = width(&name, LETTER * scale) + 34.0 * scale;
        if x > MARGIN && x + entry > MARGIN + room {
            (x, y) = (MARGIN, y + 20.0 * scale);
        }
        legend.push((name, [x, y]));
        x += entry;
    }
    let last = legend.last().map_or(MARGIN + 44.0 * scale, |(_, [_, y])| *y);
    (legend, last + 8.0 * scale)
}

struct Writer {
    svg: String,
    style: Style,
}

impl Writer {
    /// A text whose first line has its middle at `y`.
    fn text(&mut self, class: &str, [x, y]: Point, size: f64, content: &str) {
        if content.is_empty() {
            return;
        }
        // The middle of small letters is about a third of their size above the line.
        let y = y + size * 0.35;
        let own = if [10.0, SMALL, LETTER].contains(&size) {
            String::new()
        } else {
            format!(" style=\"font-size:{}px\"", number(size))
        };
        let class = match size {
            SMALL => format!("{class} z"),
            10.0 => format!("{class} y"),
            _ => class.to_owned(),
        };
        let _ = write!(
            self.svg,
            "<text class=\"{class}\" x=\"{}\" y=\"{}\"{own}>{}</text>",
            number(x),
            number(y),
            escape(content)
        );
    }

    fn rect(&mut self, class: &str, area: Area, radius: f64) {
        let Area { x, y, width, height } = area;
        let _ = write!(
            self.svg,
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>",
            number(x),
            number(y),
            number(width.max(0.0)),
            number(height.max(0.0)),
            number(radius),
        );
    }

    fn head(&mut self, scene: &Scene, layout: &Layout, caption: &str) {
        let scale = layout.scale;
        let room = layout.width - 2.0 * MARGIN;
        let title = fit(scene.title.trim(), 20.0 * scale, room).into_owned();
        self.text("h b", [MARGIN, MARGIN + 10.0 * scale], 20.0 * scale, &title);
        self.text("d", [MARGIN, MARGIN + 36.0 * scale], 13.0 * scale, caption);
        for (name, [x, y]) in &layout.legend {
            let class = self.style.type_class(name);
            let _ = write!(
                self.svg,
                "<circle class=\"q {class}\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>",
                number(x + 6.0 * scale),
                number(*y),
                number(5.0 * scale),
            );
            self.text("s", [x + 16.0 * scale, *y], LETTER * scale, name);
        }
        self.svg.push('\n');
    }

    fn panel(&mut self, panel: &Panel, place: &Place, scale: f64) {
        self.svg.push_str("<g role=\"graphics-object\"");
        if let Some(name) = &panel.name {
            let _ = write!(self.svg, " aria-label=\"subgraph {}\">", escape(name).replace('\n', " "));
            self.rect("pn", place.frame, 14.0);
            let at = [place.frame.x + MARGIN, place.frame.y + 12.0 + 12.0 * scale];
            let label = width("Subgraph", LETTER * scale) + 12.0 * scale;
            self.text("d", at, LETTER * scale, "Subgraph");
            let room = place.frame.width - 2.0 * MARGIN - label;
            let name = fit(name, 16.0 * scale, room).into_owned();
            self.text("h b", [at[0] + label, at[1]], 16.0 * scale, &name);
        } else {
            self.svg.push('>');
        }
        let [x, y] = place.shift;
        let _ = writeln!(self.svg, "<g transform=\"translate({} {})\">", number(x), number(y));
        for frame in &panel.frames {
            let class = self.style.frame_class(frame.color);
            let _ = write!(self.svg, "<g class=\"{class}\">");
            self.rect("fr", frame.area, 8.0);
            // Groups are titled in large letters in the editor, where there is room above the nodes.
            let size = 20.0_f64.min(frame.area.height / 2.0);
            let title = fit(frame.title.trim(), size, frame.area.width - 2.0 * PAD).into_owned();
            self.text("ft", [frame.area.x + PAD, frame.area.y + size * 0.8], size, &title);
            self.svg.push_str("</g>\n");
        }
        panel.wires.iter().for_each(|wire| self.wire(wire));
        panel.boxes.iter().for_each(|node| self.node(node));
        self.svg.push_str("</g></g>\n");
    }

    fn wire(&mut self, wire: &Wire) {
        let class = self.style.type_class(&wire.type_name);
        let faded = if wire.faded { " fa" } else { "" };
        let Some([x, y]) = wire.points.first().copied() else { return };
        let _ = write!(
            self.svg,
            "<g class=\"{class}{faded}\"><path class=\"w\" d=\"M{} {}",
            number(x),
            number(y)
        );
        for pair in wire.points.windows(2) {
            let ([from_x, from_y], [x, y]) = (pair[0], pair[1]);
            let (across, down) = (x - from_x, y - from_y);
            if down.abs() < 0.05 && across >= 0.0 {
                let _ = write!(self.svg, "H{}", number(x));
                continue;
            }
            let far = across.hypot(down);
            let bow = if across >= 0.0 {
                (across * 0.5).max((far * 0.25).min(40.0))
            } else {
                (far * 0.3).clamp(40.0, 250.0)
            };
            let (bow_x, bow_to) = (number(from_x + bow), number(x - bow));
            let _ = write!(
                self.svg,
                "C{bow_x} {} {bow_to} {} {} {}",
                number(from_y),
                number(y),
                number(x),
                number(y)
            );
        }
        let kind = if wire.type_name.is_empty() || wire.type_name == "*" {
            String::new()
        } else {
            format!(" ({})", wire.type_name)
        };
        let _ = write!(self.svg, "\"><title>{}</title></path>", escape(&format!("{}{kind}", wire.tooltip)));
        if wire.dots && wire.points.len() > 2 {
            for [x, y] in &wire.points[1..wire.points.len() - 1] {
                let _ = write!(
                    self.svg,
                    "<circle class=\"q\" cx=\"{}\" cy=\"{}\" r=\"6\"/>",
                    number(*x),
                    number(*y)
                );
            }
        }
        self.svg.push_str("</g>\n");
    }

    fn node(&mut self, node: &NodeBox) {
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
        let room = inner - super::text::width(&aside, SMALL) - 6.0;
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
        let (name_wide, value_wide) = (super::text::width(name, size), super::text::width(&value, size));
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

/// A coordinate with at most one decimal.
fn number(value: f64) -> String {
    let value = if value.is_finite() { (value * 10.0).round() / 10.0 } else { 0.0 };
    // Minus zero.
    format!("{}", value + 0.0)
}
