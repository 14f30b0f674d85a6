//! The table.

use std::io::Write as _;

use crate::Failure;

/// The rows so far, and whether a promise was broken.
#[derive(Default)]
pub(crate) struct Report {
    broken: Vec<String>,
}

impl Report {
    pub(crate) fn begin() -> Result<Self, Failure> {
        line("| what | client | to compare | ratio | bound |")?;
        line("|---|---|---|---|---|")?;
        Ok(Self::default())
    }

    /// A row about something that must not be above its bound.
    pub(crate) fn at_most(&mut self, what: &str, value: f64, unit: Unit, bound: f64) -> Result<(), Failure> {
        self.check(what, value <= bound);
        let (value, bound) = (unit.text(value), unit.text(bound));
        line(&format!("| {what} | {value} | | | at most {bound} |"))
    }

    /// A row about something that must not be above so many times something else.
    pub(crate) fn at_most_times(
        &mut self,
        what: &str,
        value: f64,
        other: f64,
        unit: Unit,
        bound: f64,
    ) -> Result<(), Failure> {
        self.compare(what, value, other, unit, value / other <= bound, &format!("at most {bound} ×"))
    }

    /// A row about something that must not be below so many times something else.
    pub(crate) fn at_least_times(
        &mut self,
        what: &str,
        value: f64,
        other: f64,
        unit: Unit,
        bound: f64,
    ) -> Result<(), Failure> {
        self.compare(what, value, other, unit, value / other >= bound, &format!("at least {bound} ×"))
    }

    fn compare(
        &mut self,
        what: &str,
        value: f64,
        other: f64,
        unit: Unit,
        holds: bool,
        bound: &str,
    ) -> Result<(), Failure> {
        self.check(what, holds);
        let ratio = value / other;
        let (value, other) = (unit.text(value), unit.text(other));
        line(&format!("| {what} | {value} | {other} | {ratio:.2} | {bound} |"))
    }

    /// A row for information.
    pub(crate) fn tell(&self, what: &str, value: f64, other: Option<f64>, unit: Unit) -> Result<(), Failure> {
        let ratio = other.map_or_else(String::new, |other| format!("{:.2}", value / other));
        let (value, other) = (unit.text(value), other.map_or_else(String::new, |other| unit.text(other)));
        line(&format!("| {what} | {value} | {other} | {ratio} | |"))
    }

    fn check(&mut self, what: &str, holds: bool) {
        if !holds {
            self.broken.push(what.to_owned());
        }
    }

    pub(crate) fn end(self) -> Result<(), Failure> {
        if self.broken.is_empty() {
            return line("\nAll bounds hold.");
        }
        Err(format!("broken: {}", self.broken.join("; ")).into())
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// From seconds.
    Milliseconds,
    /// From bytes.
    Megabytes,
    /// From bytes per second.
    Rate,
}

impl Unit {
    fn text(self, value: f64) -> String {
        match self {
            Self::Milliseconds => format!("{:.0} ms", value * 1e3),
            Self::Megabytes => format!("{:.1} MB", value / 1e6),
            Self::Rate => format!("{:.0} MB/s", value / 1e6),
        }
    }
}

pub(crate) fn line(text: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}
