//! The report as Markdown: a table of numbers first, then every difference in a line of its own, in an order that stays.

use std::fmt::Write as _;

use anyhow::Result;

use super::known::{KNOWN, Known};
use super::outcome::Outcome;

/// What was compared of one version: a title and the outcomes.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) outcomes: Vec<Outcome>,
}

impl Section {
    /// Equal and compared.
    pub(crate) fn sum(&self) -> (usize, usize) {
        self.outcomes
            .iter()
            .fold((0, 0), |(equal, total), outcome| (equal + outcome.equal, total + outcome.total))
    }
}

/// The table of numbers.
///
/// # Errors
/// None, except those of formatting.
pub(crate) fn numbers(versions: &[(String, Vec<Section>)]) -> Result<String> {
    let mut table = String::from("| |");
    for (version, _) in versions {
        write!(table, " {version} |")?;
    }
    write!(table, "\n|---|{}", "---|".repeat(versions.len()))?;
    let titles = versions.first().map(|(_, sections)| sections.iter().map(|section| section.title));
    for (row, title) in titles.into_iter().flatten().enumerate() {
        write!(table, "\n| {title} |")?;
        for (equal, total) in versions.iter().filter_map(|(_, sections)| sections.get(row)).map(Section::sum)
        {
            let percent = 100.0 * equal as f64 / total.max(1) as f64;
            write!(table, " {equal} / {total} = {percent:.2} % |")?;
        }
    }
    Ok(table + "\n")
}

/// Everything that differs, by version and kind.
///
/// # Errors
/// None, except those of formatting.
pub(crate) fn differences(versions: &[(String, Vec<Section>)], all: bool) -> Result<String> {
    let mut text = String::new();
    for (version, sections) in versions {
        for Section { title, outcomes } in sections.iter().filter(|section| !section.outcomes.is_empty()) {
            let equal = outcomes.iter().filter(|outcome| outcome.is_equal()).count();
            writeln!(text, "\n## {version}: {title}\n\n{equal} of {} are equal throughout.", outcomes.len())?;
            let mut shown = outcomes.iter().filter(|outcome| all || !outcome.is_equal()).peekable();
            if shown.peek().is_some() {
                writeln!(text, "\n```text")?;
                shown.try_for_each(|outcome| one(&mut text, outcome))?;
                writeln!(text, "```")?;
            }
        }
    }
    Ok(text)
}

fn one(text: &mut String, outcome: &Outcome) -> Result<()> {
    match &outcome.skipped {
        Some(reason) => writeln!(text, "{}: not compared: {reason}", outcome.name)?,
        None => writeln!(text, "{}: {} / {}", outcome.name, outcome.equal, outcome.total)?,
    }
    for difference in &outcome.differences {
        let mark = if Known::of(outcome, difference).is_some() { "known" } else { "   " };
        writeln!(text, "  {mark} {difference}")?;
    }
    Ok(())
}

/// The differences that have a reason.
///
/// # Errors
/// None, except those of formatting.
pub(crate) fn known() -> Result<String> {
    let mut text = String::from("| where | reason |\n|---|---|\n");
    for known in &KNOWN {
        writeln!(text, "| `{}` | {} |", known.name, known.reason)?;
    }
    Ok(text)
}
