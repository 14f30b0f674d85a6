//! What came out of comparing one thing.

/// How much of a line is shown.
const LONGEST_LINE: usize = 320;

/// How much is shown of two texts that part, and how much of that is before the place.
const SHOWN: usize = 120;
const BEFORE: usize = 30;

/// Equal and compared steps, and a line for each difference.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) equal: usize,
    pub(crate) total: usize,
    pub(crate) differences: Vec<String>,
    /// Why it was not compared.
    pub(crate) skipped: Option<String>,
}

impl Outcome {
    pub(crate) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Counts a step; `difference` is told when it is not equal.
    pub(crate) fn count(&mut self, equal: bool, difference: impl FnOnce() -> String) {
        self.total += 1;
        if equal {
            self.equal += 1;
        } else {
            self.differ(&difference());
        }
    }

    /// Tells of a difference in one line.
    pub(crate) fn differ(&mut self, difference: &str) {
        self.differences.push(clip(difference, LONGEST_LINE));
    }

    /// Whether there is nothing that differs.
    pub(crate) fn is_equal(&self) -> bool {
        self.skipped.is_none() && self.equal == self.total
    }
}

/// Where two texts part, with what is around; `None` when they are the same.
pub(crate) fn apart(wanted: &str, got: &str) -> Option<String> {
    if wanted == got {
        return None;
    }
    let at = wanted.chars().zip(got.chars()).take_while(|(a, b)| a == b).count();
    let part = |text: &str| text.chars().skip(at.saturating_sub(BEFORE)).take(SHOWN).collect::<String>();
    Some(format!("…{} instead of …{}", part(got), part(wanted)))
}

/// A text in one line of at most so many characters.
pub(crate) fn clip(text: &str, most: usize) -> String {
    let mut line: String = text.chars().take(most).collect();
    if line.len() < text.len() {
        line.push('…');
    }
    line.replace('\r', "\\r").replace('\n', "\\n")
}
