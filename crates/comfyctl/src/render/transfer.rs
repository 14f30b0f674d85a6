//! Lines for files that travel.

use std::fmt::Write;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use crate::failure::one_line;

/// Columns of a terminal from which on there is room for a bar.
const WIDE: usize = 80;

/// Several files that travel.
#[derive(Debug)]
pub(crate) struct Transfers {
    lines: MultiProgress,
    /// Counts those that are through.
    count: Option<ProgressBar>,
}

/// How much of a file has travelled.
#[derive(Debug)]
pub(crate) struct TransferLine {
    bar: ProgressBar,
    count: Option<ProgressBar>,
}

impl Transfers {
    pub(super) fn new(lines: &MultiProgress, files: usize) -> Self {
        let count = (files > 1).then(|| {
            let bar = lines.add(ProgressBar::new(files as u64));
            style(&bar, "{spinner} {pos} of {len} files  {elapsed}");
            bar
        });
        Self { lines: lines.clone(), count }
    }

    /// A line for one of them, until it is dropped.
    pub(crate) fn transfer(&self, name: &str) -> TransferLine {
        let bar = ProgressBar::no_length();
        let bar = match &self.count {
            Some(count) => self.lines.insert_before(count, bar),
            None => self.lines.add(bar),
        };
        bar.set_message(one_line(name));
        style(&bar, "{spinner} {moved}  {rate}  {wide_msg}");
        TransferLine { bar, count: self.count.clone() }
    }
}

impl Drop for Transfers {
    fn drop(&mut self) {
        if let Some(count) = &self.count {
            count.finish_and_clear();
        }
    }
}

impl TransferLine {
    /// To be told of bytes that are through, and of how many there are if that is known.
    pub(crate) fn reporter(&self) -> impl FnMut(u64, Option<u64>) + Send + 'static {
        let bar = self.bar.clone();
        move |bytes, size| {
            if let Some(size) = size.filter(|size| bar.length() != Some(*size)) {
                bar.set_length(size);
                style(
                    &bar,
                    match columns() {
                        WIDE.. => "{spinner} {bar:16} {percent:>3} %  {moved}  {rate}  {left}{wide_msg}",
                        _ => "{spinner} {percent:>3} %  {moved}  {rate}  {left}{wide_msg}",
                    },
                );
            }
            bar.set_position(bytes);
        }
    }

    /// The file is through.
    pub(crate) fn done(&self) {
        if let Some(count) = &self.count {
            count.inc(1);
        }
    }
}

impl Drop for TransferLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(bar: &ProgressBar, template: &str) {
    if bar.is_hidden() {
        return;
    }
    if let Ok(style) = ProgressStyle::with_template(template) {
        let moved = |state: &ProgressState, to: &mut dyn Write| put(to, &moved(state.pos(), state.len()));
        let rate = |state: &ProgressState, to: &mut dyn Write| {
            put(to, &format!("{}/s", amount(state.per_sec() as u64, None)));
        };
        let left = |state: &ProgressState, to: &mut dyn Write| put(to, &left(state.eta()));
        bar.set_style(style.with_key("moved", moved).with_key("rate", rate).with_key("left", left));
    }
    bar.enable_steady_tick(Duration::from_millis(120));
}

fn put(to: &mut dyn Write, text: &str) {
    // The line is made in memory.
    let _ = to.write_str(text);
}

/// Columns of the terminal on which lines are drawn.
fn columns() -> usize {
    let size = terminal_size::terminal_size_of(std::io::stderr());
    size.map_or(WIDE, |(width, _)| usize::from(width.0))
}

/// How much has travelled of how much.
fn moved(bytes: u64, size: Option<u64>) -> String {
    match size {
        Some(size) => {
            let bytes = amount(bytes, Some(size));
            // The unit is that of the whole.
            format!("{}/{}", bytes.split(' ').next().unwrap_or_default(), amount(size, None))
        }
        None => amount(bytes, None),
    }
}

/// Bytes in a unit that fits them, or the one that fits others.
fn amount(bytes: u64, fitting: Option<u64>) -> String {
    let (unit, name) = match fitting.unwrap_or(bytes) {
        0..1024 => return format!("{bytes} B"),
        1024..1_048_576 => (1024.0, "KiB"),
        1_048_576..1_073_741_824 => (1_048_576.0, "MiB"),
        _ => (1_073_741_824.0, "GiB"),
    };
    format!("{:.1} {name}", bytes as f64 / unit)
}

/// Time left, with what separates it from what follows; nothing where it is not known.
fn left(eta: Duration) -> String {
    match eta.as_secs() {
        0 => String::new(),
        seconds @ 1..60 => format!("{seconds} s left  "),
        seconds @ 60..3600 => format!("{} min left  ", seconds.div_ceil(60)),
        // The rate is next to nothing.
        seconds if seconds >= 360_000 => String::new(),
        seconds => format!("{} h {} min left  ", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_unit_of_the_whole() {
        assert_eq!(moved(512, Some(1000)), "512/1000 B");
        assert_eq!(moved(512, Some(10 << 20)), "0.0/10.0 MiB");
        assert_eq!(moved(3 << 30, Some(7 << 30)), "3.0/7.0 GiB");
        assert_eq!(moved(1536, None), "1.5 KiB");
    }

    #[test]
    fn time_left_is_said_where_it_means_something() {
        assert_eq!(left(Duration::ZERO), "");
        assert_eq!(left(Duration::from_secs(61)), "2 min left  ");
        assert_eq!(left(Duration::from_secs(3700)), "1 h 1 min left  ");
        assert_eq!(left(Duration::MAX), "");
    }
}
