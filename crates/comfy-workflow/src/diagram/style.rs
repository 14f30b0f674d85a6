//! The style sheet of a drawing: its colours, light and dark.

use std::collections::HashMap;

use super::Theme;
use super::color::{Rgb, of_type};
use super::scene::{Scene, Slot};

/// Most types, pairs of node colours and colours of frames that have a rule of their own; others look like any.
const MOST: usize = 200;

/// What needs no colour of its own.
const COMMON: &str = "\
.cw text{font-family:Inter,'Segoe UI','Helvetica Neue',Arial,sans-serif;font-size:12px}\
.cw .t{font-weight:600}.cw .b{font-weight:700}.cw .e{text-anchor:end}.cw .z{font-size:11px}.cw .y{font-size:10px}\
.cw .w{fill:none;stroke:currentColor;stroke-width:2.2;stroke-opacity:.8}\
.cw .q{fill:currentColor}.cw .o{fill:none;stroke-width:1}.cw .dash{stroke-dasharray:5 4}\
.cw .fr{fill:currentColor;fill-opacity:.1;stroke:currentColor;stroke-opacity:.45}.cw .ft{fill:currentColor;font-weight:600}\
.cw .ic{fill-opacity:.1}.cw .mu{opacity:.42}.cw .fa{opacity:.3}.cw .by{opacity:.72}";

/// Rules that name a colour: what they select, the property, and the colours on light and on dark.
const THEMED: [(&str, &str, &str, &str); 19] = [
    (".cw .bg", "fill", "#f3f4f7", "#16171b"),
    (".cw .pn", "fill", "#fafbfc", "#1d1e23"),
    (".cw .pn", "stroke", "#d3d7df", "#33353d"),
    (".cw .nb", "fill", "#ffffff", "#2a2c32"),
    (".cw .nh", "fill", "#e8eaf0", "#373a43"),
    (".cw .o", "stroke", "#bfc4cf", "#4a4e59"),
    (".cw .vb,.cw .im", "fill", "#102040", "#000000"),
    (".cw .vb", "fill-opacity", ".06", ".28"),
    (".cw .im", "fill-opacity", ".035", ".15"),
    (".cw .ic", "fill", "#102040", "#ffffff"),
    (".cw .t,.cw .v,.cw .h", "fill", "#1d2129", "#eceef2"),
    (".cw .s", "fill", "#3d4350", "#c6cad3"),
    (".cw .n,.cw .d", "fill", "#6a7180", "#989eab"),
    (".cw .q", "stroke", "#ffffff", "#1d1e23"),
    (".cw .by .nb", "fill", "#f4e6fb", "#43284f"),
    (".cw .by .nh", "fill", "#e7cdf5", "#5a3469"),
    (".cw .nt .nb", "fill", "#fdf8e4", "#33312a"),
    (".cw .nt .nh", "fill", "#f6ecc4", "#45412f"),
    (".cw .sg .nh", "fill", "#dbe6fb", "#31435f"),
];

/// The names of the classes that a scene needs, and their rules.
#[derive(Debug, Default)]
pub(super) struct Style {
    types: HashMap<String, usize>,
    nodes: HashMap<[Option<Rgb>; 2], usize>,
    frames: HashMap<Option<Rgb>, usize>,
    /// What is selected, the property, and the colours on light and on dark.
    rules: Vec<(String, &'static str, String, String)>,
}

impl Style {
    pub(super) fn of(scene: &Scene) -> Self {
        let mut style = Self::default();
        for panel in &scene.panels {
            panel.wires.iter().for_each(|wire| style.add_type(&wire.type_name));
            for node in &panel.boxes {
                style.add_node(node.colors);
                let drawn = |slot: &&Slot| slot.linked || !slot.in_row;
                let slots = node.inputs.iter().chain(&node.outputs).filter(drawn);
                slots.for_each(|slot| style.add_type(&slot.type_name));
            }
            panel.frames.iter().for_each(|frame| style.add_frame(frame.color));
        }
        style
    }

    fn add_type(&mut self, name: &str) {
        let next = self.types.len();
        if next < MOST && !self.types.contains_key(name) {
            self.types.insert(name.to_owned(), next);
            let (light, dark) = of_type(name);
            self.rules.push((format!(".cw .k{next}"), "color", light.css(), dark.css()));
        }
    }

    fn add_node(&mut self, colors: [Option<Rgb>; 2]) {
        let next = self.nodes.len();
        if next >= MOST || colors == [None; 2] || self.nodes.contains_key(&colors) {
            return;
        }
        self.nodes.insert(colors, next);
        // The parts of a node, their lightness on a light ground, and the texts on them with how dim these are.
        let bar: (&str, f64, &[(&str, f64)]) = ("nh", 0.80, &[("t", 0.0), ("d", 0.3)]);
        let body: (&str, f64, &[(&str, f64)]) = ("nb", 0.93, &[("v", 0.0), ("s", 0.1), ("n", 0.3)]);
        for (color, (part, lightness, texts)) in colors.into_iter().zip([bar, body]) {
            let Some(color) = color else { continue };
            let light = color.on_light(lightness);
            self.rules.push((format!(".cw .u{next} .{part}"), "fill", light.css(), color.css()));
            for (class, dim) in texts {
                let of = |ground: Rgb| {
                    let grey = if ground.brightness() > 0.55 { 0.12 + dim } else { 0.95 - dim };
                    let part = (grey * 255.0) as u8;
                    Rgb(part, part, part).css()
                };
                self.rules.push((format!(".cw .u{next} .{class}"), "fill", of(light), of(color)));
            }
        }
    }

    fn add_frame(&mut self, color: Option<Rgb>) {
        let next = self.frames.len();
        if next < MOST && !self.frames.contains_key(&color) {
            self.frames.insert(color, next);
            let color = color.unwrap_or(Rgb(0x3f, 0x78, 0x9e));
            let (light, dark) = (color.with_lightness(0.42), color.with_lightness(0.66));
            self.rules.push((format!(".cw .f{next}"), "color", light.css(), dark.css()));
        }
    }

    /// The class for the colour of a type.
    pub(super) fn type_class(&self, name: &str) -> String {
        self.types.get(name).map(|index| format!("k{index}")).unwrap_or_default()
    }

    /// The class for the colours that the user gave to a node, with a space before it.
    pub(super) fn node_class(&self, colors: [Option<Rgb>; 2]) -> String {
        self.nodes.get(&colors).map(|index| format!(" u{index}")).unwrap_or_default()
    }

    /// The class for the colour of a frame.
    pub(super) fn frame_class(&self, color: Option<Rgb>) -> String {
        self.frames.get(&color).map(|index| format!("f{index}")).unwrap_or_default()
    }

    /// The style sheet.
    pub(super) fn sheet(&self, theme: Theme) -> String {
        let rules = |dark: bool| {
            let fixed = THEMED.iter().map(|(selector, property, on_light, on_dark)| {
                format!("{selector}{{{property}:{}}}", if dark { on_dark } else { on_light })
            });
            let own = self.rules.iter().map(|(selector, property, on_light, on_dark)| {
                format!("{selector}{{{property}:{}}}", if dark { on_dark } else { on_light })
            });
            fixed.chain(own).collect::<String>()
        };
        match theme {
            Theme::Light => format!("{COMMON}{}", rules(false)),
            Theme::Dark => format!("{COMMON}{}", rules(true)),
            Theme::Auto => {
                format!("{COMMON}{}@media (prefers-color-scheme:dark){{{}}}", rules(false), rules(true))
            }
        }
    }
}
