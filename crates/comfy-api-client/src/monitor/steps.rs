use crate::text::one_line;

/// A bar of progress in a server's log, as samplers draw them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogSteps {
    /// What is counted, where the bar says so.
    pub label: Option<String>,
    /// Steps done.
    pub value: u64,
    /// Steps in all.
    pub max: u64,
    /// How fast, as the bar says it: `3.31it/s`.
    pub rate: Option<String>,
}

impl LogSteps {
    /// Reads a piece of the log: `\r 35%|███▌      | 7/20 [00:02<00:03,  3.31it/s]`, perhaps with a label in front. `None`
    /// when it is no such bar, or one without an end.
    #[must_use]
    pub fn read(piece: &str) -> Option<Self> {
        // Several states of the bar may have been collected in one piece.
        let last = piece.rsplit(['\r', '\n']).find(|part| !part.trim().is_empty())?;
        let (head, rest) = last.split_once("%|")?;
        let (_, counts) = rest.split_once('|')?;
        let (counts, times) = counts.split_once('[')?;
        let (value, max) = counts.trim().split_once('/')?;
        let (value, max): (u64, u64) = (value.parse().ok()?, max.parse().ok()?);
        let label = head.trim_end_matches(|c: char| c.is_ascii_digit()).trim().trim_end_matches(':');
        let rate = times.trim_end().trim_end_matches(']').split(',').nth(1).map(str::trim);
        let known = |text: &&str| !text.is_empty() && !text.starts_with('?');
        (max > 0 && value <= max).then(|| Self {
            label: Some(label).filter(known).map(|label| one_line(label, 60)),
            value,
            max,
            rate: rate.filter(known).map(|rate| one_line(rate, 20)),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bars_of_samplers_are_read() {
        let steps = LogSteps::read("\r 35%|███▌      | 7/20 [00:02<00:03,  3.31it/s]").unwrap();
        assert_eq!((steps.value, steps.max, steps.rate.as_deref()), (7, 20, Some("3.31it/s")));
        assert_eq!(steps.label, None);
        let first = LogSteps::read("\r  0%|          | 0/8 [00:00<?, ?it/s]").unwrap();
        assert_eq!((first.value, first.max, first.rate), (0, 8, None));
        let labelled = LogSteps::read("\rLoading shards: 100%|██| 2/2 [00:01<00:00,  1.5s/it]\n").unwrap();
        assert_eq!(
            (labelled.label.as_deref(), labelled.rate.as_deref()),
            (Some("Loading shards"), Some("1.5s/it"))
        );
        let last =
            LogSteps::read("\r 12%|█| 1/8 [00:00<00:02,  3.33it/s]\r 25%|██| 2/8 [00:00<00:01,  3.3it/s]");
        assert_eq!(last.unwrap().value, 2);
    }

    #[test]
    fn other_lines_are_no_bars() {
        for other in
            ["", "\r", "got prompt\n", "50%|x", "10%|a| b/c [", "7it [00:02,  3.31it/s]", "9%|x| 9/8 [1"]
        {
            assert_eq!(LogSteps::read(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_line_is_too_much(line in "[\r\n]?.{0,10}[0-9]{0,3}%?\\|?.{0,4}\\|? ?[0-9]{0,25}/?[0-9]{0,25} ?\\[?.{0,9},?.{0,9}\\]?") {
            let _ = LogSteps::read(&line);
        }
    }
}
