//! The screen, as a function of what is known.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph, Widget};
use unicode_width::UnicodeWidthStr;

use super::draw_panel::draw_panel;
use super::panel::Panel;
use crate::render::table::clipped;

/// The narrowest column of a server, and the lowest row, when several are shown.
const LEAST_WIDTH: u16 = 50;
const LEAST_HEIGHT: u16 = 8;

/// All that is on the screen.
#[derive(Debug, Default)]
pub(super) struct Scene {
    pub(super) panels: Vec<Panel>,
    /// The server that the keys are about, and the place among its jobs.
    pub(super) chosen: (usize, usize),
    pub(super) over: Over,
    /// What the last key came to.
    pub(super) note: Option<String>,
    pub(super) colored: bool,
}

/// What lies over the rest.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Over {
    #[default]
    Nothing,
    Help,
    /// Whether a job is to be cancelled, by its title.
    Question(String),
}

/// How things look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looks {
    pub(super) colored: bool,
}

impl Looks {
    pub(super) fn color(self, color: Color) -> Style {
        if self.colored { Style::new().fg(color) } else { Style::new() }
    }

    pub(super) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }
}

pub(super) fn draw(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let looks = Looks { colored: scene.colored };
    if area.height < 3 || area.width < 20 {
        return put(buffer, area, 0, &[("too small".to_owned(), Style::new())]);
    }
    let (screen, foot) =
        (Rect { height: area.height - 1, ..area }, Rect { y: area.bottom() - 1, height: 1, ..area });
    let (places, hidden) = places(scene, screen);
    for (server, place) in places {
        if let Some(panel) = scene.panels.get(server) {
            let cursor = (server == scene.chosen.0).then_some(scene.chosen.1);
            let is_alone = scene.panels.len() == 1;
            draw_panel(panel, cursor, is_alone, place, buffer, looks);
        }
    }
    draw_foot(scene, hidden, foot, buffer, looks);
    match &scene.over {
        Over::Nothing => {}
        Over::Help => draw_over(" keys ", &help(), screen, buffer),
        Over::Question(title) => {
            let title = clipped(title, usize::from(screen.width).saturating_sub(12).max(8));
            draw_over(" cancel ", &[format!("cancel {title}?"), "y yes · n no".to_owned()], screen, buffer);
        }
    }
}

/// Where each server goes, side by side or below each other, and how many have no place.
fn places(scene: &Scene, area: Rect) -> (Vec<(usize, Rect)>, usize) {
    let count = u16::try_from(scene.panels.len()).unwrap_or(u16::MAX).max(1);
    let columns = (area.width / LEAST_WIDTH).clamp(1, count);
    let rows = count.div_ceil(columns).min((area.height / LEAST_HEIGHT).max(1));
    let shown = usize::from(columns * rows).min(scene.panels.len());
    // The chosen one is among those that are shown.
    let first = (scene.chosen.0 + 1).saturating_sub(shown);
    let mut places = Vec::new();
    for place in 0..shown {
        let (column, row) = ((place as u16) % columns, (place as u16) / columns);
        // A last row that is not full is divided among those in it.
        let in_row = (shown as u16 - row * columns).min(columns);
        let (left, right) = (area.width * column / in_row, area.width * (column + 1) / in_row);
        let (top, bottom) = (area.height * row / rows, area.height * (row + 1) / rows);
        let place = Rect { x: area.x + left, y: area.y + top, width: right - left, height: bottom - top };
        places.push((first + places.len(), place));
    }
    let hidden = scene.panels.len() - shown;
    (places, hidden)
}

fn draw_foot(scene: &Scene, hidden: usize, area: Rect, buffer: &mut Buffer, looks: Looks) {
    let mut parts = Vec::new();
    match &scene.note {
        Some(note) => parts.push((format!(" {note}"), looks.bold())),
        None => {
            if hidden > 0 {
                parts.push((format!(" {hidden} more: tab ·"), looks.bold()));
            }
            let mut keys = vec!["q quit", "? help", "↑↓ choose", "c cancel"];
            if scene.panels.len() > 1 && hidden == 0 {
                keys.insert(3, "tab server");
            }
            parts.push((format!(" {}", keys.join(" · ")), looks.dim()));
        }
    }
    put(buffer, area, 0, &parts);
}

fn help() -> Vec<String> {
    [
        "q, Esc, Ctrl-C   leave",
        "↑ ↓              choose a job",
        "Tab ← →          choose a server",
        "c                cancel the job, after a question",
        "?                close this",
        "",
        "Servers tell of nodes only to whoever",
        "submitted a job; of others, steps of",
        "samplers come from the server's log.",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn draw_over(title: &str, lines: &[String], screen: Rect, buffer: &mut Buffer) {
    let widest = lines.iter().map(|line| line.width()).max().unwrap_or(0);
    let width = u16::try_from(widest + 4).unwrap_or(u16::MAX).min(screen.width);
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(screen.height);
    let area = Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    };
    Clear.render(area, buffer);
    let block = Block::bordered().border_type(BorderType::Double).title(title.to_owned());
    let text: Vec<Line> = lines.iter().map(|line| Line::raw(format!(" {line}"))).collect();
    Paragraph::new(text).block(block).render(area, buffer);
}

/// Writes parts of a line from the left, and clips what is too long.
pub(super) fn put(buffer: &mut Buffer, area: Rect, row: u16, parts: &[(String, Style)]) {
    if row >= area.height {
        return;
    }
    let mut used = 0;
    for (text, style) in parts {
        let room = usize::from(area.width).saturating_sub(used);
        if room == 0 {
            return;
        }
        let text = clipped(text, room);
        let width = text.width();
        let x = area.x + u16::try_from(used).unwrap_or(u16::MAX);
        buffer.set_span(
            x,
            area.y + row,
            &Span::styled(text, *style),
            u16::try_from(room).unwrap_or(u16::MAX),
        );
        used += width;
    }
}

/// Writes a line with something at its right end, which stays whole where there is room for it and for some of the rest.
pub(super) fn put_both(
    buffer: &mut Buffer,
    area: Rect,
    row: u16,
    left: &[(String, Style)],
    (right, style): (&str, Style),
) {
    let width = u16::try_from(right.width()).unwrap_or(u16::MAX);
    if width == 0 || width + 16 > area.width {
        return put(buffer, area, row, left);
    }
    put(buffer, Rect { width: area.width - width - 1, ..area }, row, left);
    let place = Rect { x: area.right() - width, width, ..area };
    put(buffer, place, row, &[(right.to_owned(), style)]);
}
