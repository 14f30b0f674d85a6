//! Names that are like one another.

use std::cell::Cell;

/// How alike two names have to be, by Jaro-Winkler.
const ALIKE: f64 = 0.8;

/// Longest name that is compared, in bytes. A comparison takes the product of the lengths.
const LONGEST: usize = 300;

/// Most names that are compared for one document: it may have thousands of wrong names, and the server thousands of right ones.
const MOST: usize = 500_000;

/// How many names may still be compared for the sake of suggestions. When it is used up, there are no more suggestions.
#[derive(Debug)]
pub(crate) struct Comparisons(Cell<usize>);

impl Default for Comparisons {
    fn default() -> Self {
        Self(Cell::new(MOST))
    }
}

impl Comparisons {
    /// The candidates, counted; none when the bound was reached before. A list that was begun is given to its end.
    pub(crate) fn of<'c, T>(
        &'c self,
        candidates: impl Iterator<Item = T> + 'c,
    ) -> impl Iterator<Item = T> + 'c {
        let go_on = self.0.get() > 0;
        candidates.take_while(move |_| go_on).inspect(|_| self.0.set(self.0.get().saturating_sub(1)))
    }
}

/// A name to which others are compared.
pub(crate) struct Wanted {
    lower: String,
    /// How often each byte occurs.
    letters: [u32; 256],
}

impl Wanted {
    pub(crate) fn new(name: &str) -> Self {
        let lower = if name.len() <= LONGEST { name.to_lowercase() } else { String::new() };
        let mut letters = [0; 256];
        for byte in lower.bytes() {
            letters[usize::from(byte)] += 1;
        }
        Self { lower, letters }
    }

    /// How alike the names are but for case, by Jaro-Winkler; `None` below 0.8, and for names of more than 300 bytes.
    pub(crate) fn likeness(&self, candidate: &str) -> Option<f64> {
        if !self.may_be_like(candidate) {
            return None;
        }
        let likeness = strsim::jaro_winkler(&self.lower, &candidate.to_lowercase());
        (likeness >= ALIKE).then_some(likeness)
    }

    /// Judges by the letters that two names have in common, as the whole comparison takes long.
    fn may_be_like(&self, candidate: &str) -> bool {
        let wanted = self.lower.as_str();
        if wanted.is_empty() || candidate.is_empty() || candidate.len() > LONGEST {
            return false;
        }
        if !wanted.is_ascii() || !candidate.is_ascii() {
            return true;
        }
        let mut left = self.letters;
        let is_common = |byte: u8| {
            let left = &mut left[usize::from(byte.to_ascii_lowercase())];
            let is_common = *left > 0;
            *left = left.saturating_sub(1);
            is_common
        };
        let common = candidate.bytes().map(is_common).filter(|is_common| *is_common).count() as f64;
        let alike = |(a, b): &(u8, u8)| *a == b.to_ascii_lowercase();
        let prefix = wanted.bytes().zip(candidate.bytes()).take(4).take_while(alike).count() as f64;
        let jaro = (common / wanted.len() as f64 + common / candidate.len() as f64 + 1.0) / 3.0;
        // A little less for the rounding.
        jaro + 0.1 * prefix * (1.0 - jaro) >= ALIKE - 0.001
    }
}

/// The candidate most like `wanted`, for a suggestion: the same but for case, or at least 0.8 alike by Jaro-Winkler. `None`
/// where none is, and for names of more than 300 bytes.
#[must_use]
pub fn most_similar<'a>(wanted: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = Wanted::new(wanted);
    candidates
        .filter_map(|candidate| Some((wanted.likeness(candidate)?, candidate)))
        // `max_by` takes the last of equals; the first in the server's order is the better guess.
        .fold(None, |best: Option<(f64, &str)>, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        })
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_end_with_the_bound_but_not_within_a_list() {
        let comparisons = Comparisons(Cell::new(2));
        let names = ["a", "b", "c"];
        assert_eq!(comparisons.of(names.iter()).count(), 3);
        assert_eq!(comparisons.of(names.iter()).count(), 0);
    }

    #[test]
    fn names_without_end_are_like_none() {
        let long = "a".repeat(LONGEST + 1);
        assert_eq!(most_similar(&long, [long.as_str()].into_iter()), None);
        assert_eq!(most_similar(&long[1..], [&long[1..]].into_iter()), Some(&long[1..]));
    }
}
