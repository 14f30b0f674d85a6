//! A line that says as much as has room.

use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use super::table::clipped;
use super::time::clock;

/// Columns that the text has at least before more is said than the share that is done, and before that.
const TEXT: [usize; 2] = [24, 14];
/// Columns that stay free, so that the line does not wrap when the terminal writes `^C` behind it.
const FREE: usize = 3;
const BARS: [usize; 2] = [16, 8];
const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/// Time for which one picture of the spinner is shown.
const FRAME: u128 = 120;

/// What there is to say.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    /// How long the line has been there.
    pub(super) age: Duration,
    pub(super) label: &'a str,
    /// The share that is done.
    pub(super) share: Option<f64>,
    pub(super) elapsed: Option<Duration>,
    pub(super) left: Option<Duration>,
    pub(super) text: &'a str,
    /// What follows the text, and is not cut.
    pub(super) steps: &'a str,
}

impl Parts<'_> {
    /// The line for a terminal of that many columns.
    pub(super) fn line(&self, columns: usize) -> String {
        let columns = columns.saturating_sub(FREE);
        let frame = SPINNER[(self.age.as_millis() / FRAME) as usize % SPINNER.len()];
        let mut spinner = format!("{frame} ");
        let mut label = spaced(&clipped(self.label, columns / 3));
        let [wide, narrow] = BARS.map(|width| self.share.map(|share| bar(share, width)).unwrap_or_default());
        let mut bar = wide;
        let mut percent =
            self.share.map(|share| format!("{:>3.0} %  ", (share * 100.0).floor())).unwrap_or_default();
        let mut elapsed = self.elapsed.map(|time| spaced(&clock(time))).unwrap_or_default();
        let mut left = self.left.map(|time| format!("{} left  ", clock(time))).unwrap_or_default();
        // The least important first. A bar becomes narrow before it goes.
        for turn in 0..7 {
            let parts = [&spinner, &label, &bar, &percent, &elapsed, &left];
            let text = TEXT[usize::from(turn >= 4)];
            if parts.iter().map(|part| part.width()).sum::<usize>() + text <= columns {
                break;
            }
            match turn {
                0 => bar.clone_from(&narrow),
                1 => elapsed.clear(),
                2 => bar.clear(),
                3 => left.clear(),
                4 => spinner.clear(),
                5 => percent.clear(),
                _ => label.clear(),
            }
        }
        let mut line = [spinner, label, bar, percent, elapsed, left].concat();
        let room = columns.saturating_sub(line.width());
        let steps = if self.steps.is_empty() { String::new() } else { format!(" {}", self.steps) };
        if steps.width() + 4 <= room {
            line.push_str(&clipped(self.text, room - steps.width()));
            line.push_str(&steps);
        } else {
            line.push_str(&clipped(self.text, room));
        }
        line.truncate(line.trim_end().len());
        line
    }
}

fn spaced(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{text}  ") }
}

fn bar(share: f64, width: usize) -> String {
    let full = (share * width as f64) as usize;
    let mut bar = "█".repeat(full.min(width));
    bar.extend(std::iter::repeat_n('░', width.saturating_sub(full)));
    bar.push(' ');
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(label: &'static str) -> Parts<'static> {
        Parts {
            label,
            share: Some(0.54),
            elapsed: Some(Duration::from_secs(83)),
            left: Some(Duration::from_secs(3665)),
            text: "KSampler (second pass)",
            steps: "12/20",
            ..Parts::default()
        }
    }

    #[test]
    fn parts_give_way_from_the_least_important() {
        let lines: Vec<String> =
            [102, 74, 62, 50, 38, 32, 22, 12].map(|columns| parts("").line(columns)).to_vec();
        insta::assert_snapshot!(lines.join("\n"), @"
        ⠋ ████████░░░░░░░░  54 %  1:23  1:01:05 left  KSampler (second pass) 12/20
        ⠋ ████████░░░░░░░░  54 %  1:23  1:01:05 left  KSampler (second p… 12/20
        ⠋ ████░░░░  54 %  1:01:05 left  KSampler (second pas… 12/20
        ⠋  54 %  1:01:05 left  KSampler (second … 12/20
        ⠋  54 %  KSampler (second pa… 12/20
        ⠋  54 %  KSampler (sec… 12/20
        KSampler (se… 12/20
        KSampler…
        ");
    }

    #[test]
    fn a_label_stays_as_long_as_it_can() {
        let lines: Vec<String> =
            [102, 62, 42, 22].map(|columns| parts("seed=3,cfg=6").line(columns)).to_vec();
        insta::assert_snapshot!(lines.join("\n"), @"
        ⠋ seed=3,cfg=6  ████████░░░░░░░░  54 %  1:23  1:01:05 left  KSampler (second pass) 12/20
        ⠋ seed=3,cfg=6   54 %  KSampler (second pass) 12/20
        ⠋ seed=3,cfg=6   54 %  KSampler … 12/20
        KSampler (se… 12/20
        ");
    }

    #[test]
    fn no_line_is_wider_than_its_terminal() {
        for columns in 0..200 {
            for label in ["", "seed=123456789012345678,prompt=漢字漢字漢字漢字漢字漢字漢字漢字"]
            {
                let line = Parts {
                    text: "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字", ..parts(label)
                }
                .line(columns);
                assert!(line.width() <= columns.saturating_sub(FREE).max(1), "{columns}: {line}");
            }
        }
    }
}
