//! Writing a scene as SVG.

mod node;
mod page;

use std::fmt::Write as _;

use self::page::{Layout, Place};
use super::Theme;
use super::scene::{Area, LETTER, Look, PAD, Panel, Point, SMALL, Scene, Wire, bow};
use super::style::Style;
use super::text::{escape, fit, width};

/// Room around the whole and between panels.
const MARGIN: f64 = 28.0;

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
            let bow = bow(pair[0], pair[1]);
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
}

/// A coordinate with at most one decimal.
fn number(value: f64) -> String {
    let value = if value.is_finite() { (value * 10.0).round() / 10.0 } else { 0.0 };
    // Minus zero.
    format!("{}", value + 0.0)
}
