//! A page with every output of a batch, in one file.

mod card;
mod escape;
mod media;

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use self::card::Cards;
use self::escape::{Html, filled};
use self::media::{Limits, as_folder};
use super::Row;
use super::axes::Axes;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes the page that will have this path. One file of a run at a time is in memory.
pub(super) fn write(out: &mut dyn Write, path: &Path, title: &str, rows: &[Row]) -> io::Result<()> {
    let axes = Axes::of(rows);
    let folder = path.parent().map(as_folder).unwrap_or_default();
    // Lines end in the same way wherever this was built: browsers compare sums of what they read.
    let (style, script) = (STYLE.replace('\r', ""), SCRIPT.replace('\r', ""));
    let named: Vec<Value> =
        axes.axes.iter().map(|axis| json!({"name": axis.short, "values": axis.values})).collect();
    let content = [
        ("policy", policy(&style, &script)),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("title", Html(title).to_string()),
        ("style", style),
        ("summary", summary(rows)),
        ("same", same(&axes)),
        ("axes", escape::json(&named)),
        ("script", script),
    ];
    let content: Vec<(&str, &str)> =
        content.iter().map(|(name, content)| (*name, content.as_str())).collect();
    let (before, after) = PAGE.split_once("{{runs}}").unwrap_or((PAGE, ""));
    out.write_all(filled(before, &content).as_bytes())?;
    let mut cards = Cards {
        axes: &axes,
        limits: Limits::of(rows),
        folder: &folder,
        stem: &stem(title),
        workflows: HashMap::new(),
    };
    for (place, row) in rows.iter().enumerate() {
        cards.write(out, place, row)?;
    }
    out.write_all(filled(after, &content).as_bytes())
}

/// What the page may do: show what is in it, and run this very script. Nothing is loaded from anywhere.
fn policy(style: &str, script: &str) -> String {
    let sum = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; img-src data:; media-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'; \
         base-uri 'none'; form-action 'none'",
        sum(style),
        sum(script)
    )
}

fn summary(rows: &[Row]) -> String {
    let failed = rows.iter().filter(|row| row.error.is_some()).count();
    let runs = if rows.len() == 1 { "1 run".to_owned() } else { format!("{} runs", rows.len()) };
    if failed > 0 { format!("{runs}, {failed} failed") } else { runs }
}

/// The values that all runs share.
fn same(axes: &Axes) -> String {
    if axes.same.is_empty() {
        return String::new();
    }
    let mut same = "<details class=\"same\"><summary>The same for all runs</summary><dl>".to_owned();
    for (name, value) in &axes.same {
        same.push_str(&format!("<dt>{}</dt><dd>{}</dd>", Html(name), Html(value)));
    }
    same.push_str("</dl></details>");
    same
}

/// A name for files made of a title.
fn stem(title: &str) -> String {
    let plain: String =
        title.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect();
    let plain: Vec<&str> = plain.split('-').filter(|part| !part.is_empty()).collect();
    if plain.is_empty() { "workflow".to_owned() } else { plain.join("-") }
}

#[cfg(test)]
mod tests;
