//! What is drawn of one server.

use std::time::Duration;

use indicatif::BinaryBytes;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Widget};
use unicode_width::UnicodeWidthStr;

use super::draw::{Looks, put, put_both};
use super::panel::{Ended, Job, Meter, Node, Panel, Place, Progress, State};
use crate::commands::prompt_id;
use crate::commands::watch::names::counted;
use crate::render::picture;
use crate::render::table::clipped;
use crate::render::text::wrapped;
use crate::render::time::clock;

/// Rows of pictures, with their titles, while others want room and while none do.
const PICTURE_ROWS: u16 = 12;
const MOST_PICTURE_ROWS: u16 = 24;
/// Fewest rows in which a picture can be made out.
const LEAST_PICTURE_ROWS: u16 = 6;
/// Nodes that are shown while others want room.
const SOME_NODES: u16 = 6;
/// Jobs of a list that are shown in any case.
const SOME_JOBS: u16 = 3;
/// Height from which parts are set apart.
const AIRY: u16 = 24;

/// Draws a server; with the place of the chosen job if the keys are about this one.
pub(super) fn draw_panel(
    panel: &Panel,
    cursor: Option<usize>,
    is_alone: bool,
    area: Rect,
    buffer: &mut Buffer,
    looks: Looks,
) {
    let is_chosen = cursor.is_some() && !is_alone;
    let border = if is_chosen { BorderType::Thick } else { BorderType::Rounded };
    let style = if is_chosen { looks.color(Color::Cyan) } else { looks.dim() };
    let block =
        Block::bordered().border_type(border).border_style(style).title(heading(panel, area.width, looks));
    let inner = block.inner(area);
    block.render(area, buffer);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    if inner.width < 10 || inner.height == 0 {
        return;
    }
    let mut page = Page { buffer, area: inner, row: 0, looks };
    match &panel.state {
        State::Connecting => page.line("connecting…", looks.dim()),
        State::Down { reason, seconds } => {
            page.line(
                &format!("✗ down for {}; it is tried again", clock(Duration::from_secs(*seconds))),
                looks.color(Color::Red),
            );
            page.wrapped(reason, 3);
            page.gap();
            page.list_ended(&panel.ended, page.left());
        }
        State::Live | State::Asking => page.panel(panel, cursor),
    }
}

fn heading(panel: &Panel, width: u16, looks: Looks) -> Line<'static> {
    let (mark, word, color) = match panel.state {
        State::Connecting => ("…", "connecting", Color::Yellow),
        State::Live => ("●", "live", Color::Green),
        State::Asking => ("○", "asking", Color::Yellow),
        State::Down { .. } => ("✗", "down", Color::Red),
    };
    let mut rest = String::new();
    if !panel.url.is_empty() && panel.url != panel.name && !panel.url.ends_with(&format!("//{}", panel.name))
    {
        rest.push_str(&format!(" · {}", panel.url));
    }
    if !panel.version.is_empty() {
        rest.push_str(&format!(" · ComfyUI {}", panel.version));
    }
    let state = format!(" {mark} {word} ");
    let room = usize::from(width).saturating_sub(state.width() + 3);
    let name = clipped(&panel.name, room.min(40));
    let rest = clipped(&rest, room.saturating_sub(name.width()).max(1));
    Line::from(vec![
        ratatui::text::Span::styled(format!(" {name}"), looks.bold()),
        ratatui::text::Span::raw(if rest == "…" { String::new() } else { rest }),
        ratatui::text::Span::styled(state, looks.color(color)),
    ])
}

/// A place that is written on from the top.
struct Page<'a> {
    buffer: &'a mut Buffer,
    area: Rect,
    row: u16,
    looks: Looks,
}

impl Page<'_> {
    fn left(&self) -> u16 {
        self.area.height.saturating_sub(self.row)
    }

    fn put(&mut self, parts: &[(String, Style)]) {
        put(self.buffer, self.area, self.row, parts);
        self.row += 1;
    }

    fn line(&mut self, text: &str, style: Style) {
        self.put(&[(text.to_owned(), style)]);
    }

    /// An empty line where there is room for air.
    fn gap(&mut self) {
        if self.area.height >= AIRY {
            self.row += 1;
        }
    }

    fn wrapped(&mut self, text: &str, most: usize) {
        for line in wrapped(text, 0, usize::from(self.area.width)).iter().take(most) {
            self.line(line, Style::new());
        }
    }

    fn panel(&mut self, panel: &Panel, cursor: Option<usize>) {
        self.meters(&panel.meters);
        self.gap();
        let (running, waiting): (Vec<_>, Vec<_>) =
            panel.jobs.iter().partition(|job| matches!(job.place, Place::Running { .. }));
        let shares = Shares::new(panel, running.len(), waiting.len(), self.left(), self.looks.colored);
        if panel.jobs.is_empty() {
            self.line("nothing runs, nothing waits", self.looks.dim());
        }
        for (place, job) in running.iter().enumerate() {
            self.running(job, cursor == Some(place), (place == 0).then_some(&panel.progress), shares.nodes);
        }
        if shares.waiting > 0 {
            self.gap();
            let cursor = cursor.and_then(|cursor| cursor.checked_sub(running.len()));
            self.list_waiting(&waiting, cursor, shares.waiting);
        }
        if shares.ended > 0 {
            self.gap();
            self.list_ended(&panel.ended, shares.ended);
        }
        if shares.pictures > 0 {
            self.gap();
            self.pictures(&panel.ended, shares.pictures.min(self.left()));
        }
    }

    fn meters(&mut self, meters: &[Meter]) {
        // On a low screen the processor's memory alone is of little use.
        let rows = if self.area.height < 10 { 1 } else { 4 };
        let in_row = usize::from(self.area.width / 56).clamp(1, 3);
        let labels = meters.iter().map(|meter| meter.label.width()).max().unwrap_or(0);
        for meters in meters.chunks(in_row).take(rows) {
            let width = usize::from(self.area.width) / meters.len();
            let mut parts = Vec::new();
            for meter in meters {
                let share = meter.used as f64 / meter.total as f64;
                let numbers = format!("{} of {}", BinaryBytes(meter.used), BinaryBytes(meter.total));
                let taken = labels + numbers.width() + 5;
                let color = if share > 0.9 { Color::Red } else { Color::Blue };
                parts.push((format!("{:labels$} ", meter.label), self.looks.bold()));
                parts.push((bar(share, width.saturating_sub(taken).clamp(4, 40)), self.looks.color(color)));
                parts.push((format!(" {numbers}   "), Style::new()));
            }
            self.put(&parts);
        }
    }

    /// The line of a job, marked if it is the chosen one.
    fn job(&mut self, job: &Job, is_chosen: bool, place: &str, color: Color) {
        let nodes = counted(job.nodes, "node");
        let id = prompt_id::short(&job.id);
        let mark = if is_chosen { "› " } else { "  " };
        let style = if is_chosen { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
        let left = [
            (mark.to_owned(), style),
            (place.to_owned(), self.looks.color(color)),
            (format!("  {}", job.title), style),
        ];
        put_both(self.buffer, self.area, self.row, &left, (&format!("{nodes}  {id}"), self.looks.dim()));
        self.row += 1;
    }

    fn running(&mut self, job: &Job, is_chosen: bool, progress: Option<&Progress>, nodes: u16) {
        let time = match job.place {
            Place::Running { seconds, at_least: true } => {
                format!("▶ over {}", clock(Duration::from_secs(seconds)))
            }
            Place::Running { seconds, .. } => format!("▶ {}", clock(Duration::from_secs(seconds))),
            Place::Waiting(_) => String::new(),
        };
        self.job(job, is_chosen, &time, Color::Green);
        let Some(progress) = progress else { return };
        let green = self.looks.color(Color::Green);
        let width = usize::from(self.area.width / 3).clamp(8, 40);
        match (progress.overall, &progress.steps) {
            (Some(overall), _) => self.put(&[
                (format!("  {}", bar(overall, width)), green),
                (format!(" {:.0} %", 100.0 * overall), Style::new()),
                (format!("  {} of {} nodes", progress.nodes_done, job.nodes), self.looks.dim()),
            ]),
            (None, Some((value, max, more))) => self.put(&[
                (format!("  {}", bar(*value as f64 / *max as f64, width)), green),
                (format!(" step {value}/{max}"), Style::new()),
                (format!("  {more}"), self.looks.dim()),
            ]),
            (None, None) => self.line("  its nodes are told only to whoever submitted it", self.looks.dim()),
        }
        if let Some(text) = &progress.text {
            self.line(&format!("  {text}"), self.looks.dim());
        }
        // Those that came last are the ones that run.
        let rows = usize::from(nodes.min(self.left()));
        let shown = progress.nodes.len().saturating_sub(rows);
        for node in &progress.nodes[shown..] {
            self.node(node);
        }
    }

    fn node(&mut self, node: &Node) {
        let mark = if node.runs { "▸" } else { "✓" };
        let style = if node.runs { Style::new() } else { self.looks.dim() };
        let steps = if node.runs && !node.steps.is_empty() {
            format!("{} {}", bar(node.share, 12), node.steps)
        } else {
            node.steps.clone()
        };
        let left = [(format!("    {mark} {}", node.title), style)];
        put_both(self.buffer, self.area, self.row, &left, (&steps, style));
        self.row += 1;
    }

    fn list_waiting(&mut self, waiting: &[&Job], cursor: Option<usize>, rows: u16) {
        let rows = usize::from(rows.min(self.left()));
        self.rule(&format!("waiting {}", waiting.len()));
        let shown = rows.saturating_sub(1);
        // The chosen one is among those that are shown.
        let first = cursor.map_or(0, |cursor| (cursor + 1).saturating_sub(shown));
        let digits = waiting.len().to_string().len();
        for (place, job) in waiting.iter().enumerate().skip(first).take(shown) {
            let Place::Waiting(position) = job.place else { continue };
            self.job(job, cursor == Some(place), &format!("{position:>digits$}"), Color::Yellow);
        }
    }

    fn list_ended(&mut self, ended: &[Ended], rows: u16) {
        if ended.is_empty() || rows < 2 {
            return;
        }
        self.rule("ended");
        let shown = usize::from(rows) - 1;
        let words = ended.iter().take(shown).map(|job| job.word.len()).max().unwrap_or(0);
        for job in ended.iter().take(shown) {
            let (mark, color) = match job.word {
                "done" => ("✓", Color::Green),
                "interrupted" => ("■", Color::Yellow),
                _ => ("✗", Color::Red),
            };
            let left = [
                (format!("  {mark} {:words$}", job.word), self.looks.color(color)),
                (format!("  {}", job.title), Style::new()),
                (format!("  {}", job.detail), self.looks.dim()),
            ];
            put_both(self.buffer, self.area, self.row, &left, (&job.took, self.looks.dim()));
            self.row += 1;
        }
    }

    fn rule(&mut self, text: &str) {
        let rest = usize::from(self.area.width).saturating_sub(text.width() + 4);
        self.line(&format!("── {text} {}", "─".repeat(rest)), self.looks.dim());
    }

    /// The last pictures side by side, each above its title.
    fn pictures(&mut self, ended: &[Ended], rows: u16) {
        let rows = rows.saturating_sub(1);
        if rows < LEAST_PICTURE_ROWS - 1 {
            return;
        }
        let mut x = self.area.x;
        for (job, picture) in ended.iter().filter_map(|job| Some((job, job.picture.as_ref()?))) {
            let (columns, used) = picture.fitted(rows * 3, rows);
            if x + columns > self.area.right() {
                break;
            }
            for (cells, y) in picture.cells(columns, used).iter().zip(self.area.y + self.row..) {
                for (cell, x) in cells.iter().zip(x..) {
                    if let Some(place) = self.buffer.cell_mut((x, y)) {
                        place.set_char(cell.block);
                        place.set_style(Style {
                            fg: cell.text.map(color),
                            bg: cell.behind.map(color),
                            ..Style::new()
                        });
                    }
                }
            }
            let label = Rect { x, y: self.area.y + self.row + used, width: columns, height: 1 };
            put(self.buffer, label, 0, &[(job.title.clone(), self.looks.dim())]);
            x += columns + 2;
        }
        self.row += rows + 1;
    }
}

fn color(color: picture::Color) -> Color {
    match color {
        picture::Color::Exact([red, green, blue]) => Color::Rgb(red, green, blue),
        picture::Color::Palette(number) => Color::Indexed(number),
    }
}

fn bar(share: f64, width: usize) -> String {
    let full = ((share.clamp(0.0, 1.0) * width as f64).round() as usize).min(width);
    format!("{}{}", "█".repeat(full), "░".repeat(width - full))
}

/// How many rows each part gets.
struct Shares {
    nodes: u16,
    waiting: u16,
    ended: u16,
    pictures: u16,
}

impl Shares {
    fn new(panel: &Panel, running: usize, waiting: usize, height: u16, colored: bool) -> Self {
        let rows = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        let gap = u16::from(height + 2 >= AIRY);
        // A list has a head.
        let list = |count: u16| if count == 0 { 0 } else { count.saturating_add(1 + gap) };
        let text = u16::from(panel.progress.text.is_some());
        let fixed =
            if running > 0 { rows(running).saturating_add(1 + text) } else { u16::from(waiting == 0) };
        let mut room = height.saturating_sub(fixed);
        let mut take = |wanted: u16| {
            let taken = wanted.min(room);
            room -= taken;
            taken
        };
        let (all_waiting, all_ended) = (rows(waiting), rows(panel.ended.len()));
        let mut waits = take(list(all_waiting.min(SOME_JOBS)));
        let mut ended = take(list(all_ended.min(SOME_JOBS)));
        let mut nodes = take(rows(panel.progress.nodes.len()).min(SOME_NODES));
        let has_pictures = colored && panel.ended.iter().any(|job| job.picture.is_some());
        // On a low screen lists come first.
        let mut pictures = if has_pictures && gap > 0 { take(PICTURE_ROWS + gap) } else { 0 };
        let mut take = |have: &mut u16, wanted: u16| {
            let more = wanted.saturating_sub(*have).min(room);
            *have += more;
            room -= more;
        };
        take(&mut waits, list(all_waiting));
        take(&mut nodes, rows(panel.progress.nodes.len()));
        take(&mut ended, list(all_ended));
        if has_pictures {
            take(&mut pictures, MOST_PICTURE_ROWS + gap);
        }
        let without_gap = |rows: u16| rows.saturating_sub(gap);
        Self {
            nodes,
            waiting: without_gap(waits),
            ended: without_gap(ended),
            pictures: without_gap(pictures),
        }
    }
}
