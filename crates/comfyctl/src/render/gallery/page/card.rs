//! One run on a page.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::axes::Axes;
use super::super::{Row, RowFile};
use super::escape::{Html, json};
use super::media::{Limits, Shown, address};

/// Writes one run after another.
#[derive(Debug)]
pub(super) struct Cards<'a> {
    pub(super) axes: &'a Axes,
    pub(super) limits: Limits,
    /// Of the page.
    pub(super) folder: &'a Path,
    /// What downloaded workflows are called.
    pub(super) stem: &'a str,
    /// The numbers of the workflows that are in the page, by what is in them: in the editor's format the rows of a
    /// batch share one.
    pub(super) workflows: HashMap<[u8; 32], usize>,
}

impl Cards<'_> {
    pub(super) fn write(&mut self, out: &mut dyn Write, place: usize, row: &Row) -> io::Result<()> {
        let number = place + 1;
        let state = if row.error.is_some() { "failed" } else { "done" };
        let places: Vec<String> = self.axes.places[place].iter().map(ToString::to_string).collect();
        let api = self.number_of(&row.workflow);
        writeln!(
            out,
            "<article class=\"run\" id=\"run-{number}\" data-state=\"{state}\" data-places=\"{}\" \
             data-workflow=\"workflow-{}\">",
            places.join(" "),
            api.0
        )?;
        self.write_files(out, row)?;
        out.write_all(b"<div class=\"about\">\n")?;
        self.write_title(out, row)?;
        if let Some(error) = &row.error {
            writeln!(out, "<p class=\"error\"><b>Failed</b>{}</p>", Html(error))?;
        }
        self.write_values(out, place)?;
        for text in &row.texts {
            writeln!(out, "<pre tabindex=\"0\">{}</pre>", Html(text))?;
        }
        self.write_meta(out, number, row)?;
        let editor = row.editor.as_ref().map(|editor| (editor, self.number_of(editor)));
        out.write_all(b"<p class=\"actions scripted\">")?;
        let stem = Html(self.stem);
        let name = if editor.is_some() { "Copy API" } else { "Copy workflow" };
        write_pair(out, name, "the workflow in API format", api.0, &format!("{stem}-{number}.api.json"))?;
        if let Some((_, editor)) = editor {
            let what = "the workflow in the editor's format";
            write_pair(out, "Copy UI", what, editor.0, &format!("{stem}-{number}.json"))?;
        }
        out.write_all(b"</p>\n</div>\n")?;
        for (workflow, number) in [(&row.workflow, api)].into_iter().chain(editor) {
            if let (number, true) = number {
                let text = json(workflow);
                writeln!(out, "<script type=\"application/json\" id=\"workflow-{number}\">{text}</script>")?;
            }
        }
        out.write_all(b"</article>\n")
    }

    /// The number of a workflow, and whether it is new.
    fn number_of(&mut self, workflow: &Value) -> (usize, bool) {
        let sum: [u8; 32] = Sha256::digest(workflow.to_string()).into();
        let next = self.workflows.len() + 1;
        let number = *self.workflows.entry(sum).or_insert(next);
        (number, number == next)
    }

    fn write_files(&self, out: &mut dyn Write, row: &Row) -> io::Result<()> {
        let many = if row.files.len() > 1 { " many" } else { "" };
        writeln!(out, "<div class=\"files{many}\">")?;
        for (place, file) in row.files.iter().enumerate() {
            self.write_file(out, row, place, file)?;
        }
        out.write_all(b"</div>\n")
    }

    fn write_file(&self, out: &mut dyn Write, row: &Row, place: usize, file: &RowFile) -> io::Result<()> {
        let label = label_of(file, row, place);
        let label = Html(&label);
        match Shown::of(file, self.limits) {
            Shown::Picture { kind, content, size, whole } => {
                let address = address(self.folder, &file.path).unwrap_or_default();
                let size = size
                    .map(|(width, height)| format!(" width=\"{width}\" height=\"{height}\""))
                    .unwrap_or_default();
                let reduced = if whole { "" } else { " (reduced; the file is beside this page)" };
                write!(
                    out,
                    "<button type=\"button\" class=\"picture\" data-file=\"{address}\" title=\"Enlarge{reduced}\">\
                     <img alt=\"{label}\"{size} loading=\"lazy\" decoding=\"async\" src=\"",
                )?;
                write_data(out, kind, &content)?;
                out.write_all(b"\"></button>\n")
            }
            Shown::Video { kind, content } => {
                write!(out, "<div><video controls loop preload=\"metadata\" aria-label=\"{label}\" src=\"")?;
                write_data(out, kind, &content)?;
                out.write_all(b"\"></video></div>\n")
            }
            Shown::Audio { kind, content } => {
                write!(out, "<div><audio controls preload=\"metadata\" aria-label=\"{label}\" src=\"")?;
                write_data(out, kind, &content)?;
                out.write_all(b"\"></audio></div>\n")
            }
            Shown::Name => {
                write!(out, "<p class=\"file\"><span class=\"kind\">{}</span> ", Html(file.kind))?;
                self.write_link(out, file)?;
                let size =
                    file.path.metadata().map_or_else(|_| "missing".to_owned(), |found| bytes(found.len()));
                writeln!(out, " {size}</p>")
            }
        }
    }

    fn write_title(&self, out: &mut dyn Write, row: &Row) -> io::Result<()> {
        // Where the values stand below, what they are called together is for those who hear the page.
        let class = if self.axes.axes.is_empty() { "" } else { " class=\"unseen\"" };
        writeln!(out, "<h2{class}>{}</h2>", Html(&row.label))
    }

    fn write_values(&self, out: &mut dyn Write, place: usize) -> io::Result<()> {
        if self.axes.axes.is_empty() {
            return Ok(());
        }
        out.write_all(b"<dl>")?;
        for (axis, value) in self.axes.of_row(place) {
            let (name, short) = (Html(&axis.name), Html(&axis.short));
            write!(out, "<dt title=\"{name}\">{short}</dt><dd>{}</dd>", Html(value))?;
        }
        out.write_all(b"</dl>\n")
    }

    fn write_meta(&self, out: &mut dyn Write, number: usize, row: &Row) -> io::Result<()> {
        write!(
            out,
            "<p class=\"meta\"><a href=\"#run-{number}\" aria-label=\"Run {number}\">#{number}</a> "
        )?;
        if let Some(elapsed) = row.elapsed {
            write!(out, "<span>{}</span> ", seconds(elapsed))?;
        }
        for file in &row.files {
            self.write_link(out, file)?;
            out.write_all(b" ")?;
        }
        if let Some(id) = &row.prompt_id {
            write!(out, "<code title=\"prompt id\">{}</code>", Html(id))?;
        }
        out.write_all(b"</p>\n")
    }

    fn write_link(&self, out: &mut dyn Write, file: &RowFile) -> io::Result<()> {
        let name = name_of(file);
        let name = Html(&name);
        match address(self.folder, &file.path) {
            Some(address) => {
                write!(out, "<a href=\"{address}\" target=\"_blank\" rel=\"noopener\">{name}</a>")
            }
            None => write!(out, "<span>{name}</span>"),
        }
    }
}

/// A button that copies, and one that downloads.
fn write_pair(out: &mut dyn Write, name: &str, what: &str, number: usize, file: &str) -> io::Result<()> {
    write!(
        out,
        "<span class=\"pair\"><button type=\"button\" data-copy=\"workflow-{number}\" title=\"Copy {what}\">{name}\
         </button><button type=\"button\" data-save=\"workflow-{number}\" data-name=\"{file}\" \
         aria-label=\"Download {what}\" title=\"Download {what}\">↓</button></span>"
    )
}

/// An address that is the content.
fn write_data(out: &mut dyn Write, kind: &str, content: &[u8]) -> io::Result<()> {
    write!(out, "data:{kind};base64,")?;
    let mut encoder = EncoderWriter::new(out, &STANDARD);
    encoder.write_all(content)?;
    encoder.finish().map(drop)
}

/// What a file is, for those who do not see it.
fn label_of(file: &RowFile, row: &Row, place: usize) -> String {
    let of = file.title.clone().unwrap_or_else(|| format!("node {}", file.node));
    let several =
        if row.files.len() > 1 { format!(", {} of {}", place + 1, row.files.len()) } else { String::new() };
    format!("{}: {of}{several}", row.label)
}

fn name_of(file: &RowFile) -> String {
    file.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn bytes(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}

fn seconds(elapsed: Duration) -> String {
    match elapsed.as_secs() {
        0..60 => format!("{:.1} s", elapsed.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
