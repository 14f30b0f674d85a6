//! How much two lists of texts have in common, counted as Python's `difflib` does, which the yardstick uses: the longest
//! common run first, then the same before and after it. An ordinary diff would find more in common at times.

use std::collections::HashMap;
use std::ops::Range;

/// The number of entries in common, and one line for each of the others, in their order: `-` what is missing in the second,
/// `+` what only it has.
pub(crate) fn compare(wanted: &[String], got: &[String]) -> (usize, Vec<String>) {
    let mut runs = Vec::new();
    matching(wanted, got, 0..wanted.len(), 0..got.len(), &mut runs);
    let same = runs.iter().map(|(_, _, length)| length).sum();
    runs.push((wanted.len(), got.len(), 0));
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    for (start, other, length) in runs {
        lines.extend(wanted[i..start].iter().map(|text| format!("-{text}")));
        lines.extend(got[j..other].iter().map(|text| format!("+{text}")));
        (i, j) = (start + length, other + length);
    }
    (same, lines)
}

fn matching(
    a: &[String],
    b: &[String],
    left: Range<usize>,
    right: Range<usize>,
    runs: &mut Vec<(usize, usize, usize)>,
) {
    let (i, j, length) = longest(a, b, &left, &right);
    if length == 0 {
        return;
    }
    matching(a, b, left.start..i, right.start..j, runs);
    runs.push((i, j, length));
    matching(a, b, i + length..left.end, j + length..right.end, runs);
}

/// The longest common run; of several the one that begins first in `a`, then in `b`.
fn longest(a: &[String], b: &[String], left: &Range<usize>, right: &Range<usize>) -> (usize, usize, usize) {
    let (mut best_i, mut best_j, mut best) = (left.start, right.start, 0);
    // Lengths of the runs that end at the entry before, by their end in `b`.
    let mut ending: HashMap<usize, usize> = HashMap::new();
    for i in left.clone() {
        let mut now = HashMap::new();
        for j in right.clone().filter(|&j| a[i] == b[j]) {
            let length = 1 + j.checked_sub(1).and_then(|before| ending.get(&before)).copied().unwrap_or(0);
            now.insert(j, length);
            if length > best {
                (best_i, best_j, best) = (i + 1 - length, j + 1 - length, length);
            }
        }
        ending = now;
    }
    (best_i, best_j, best)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(letters: &str) -> Vec<String> {
        letters.chars().map(String::from).collect()
    }

    #[test]
    fn the_longest_run_counts_first() {
        // An ordinary diff finds a, b, c, x in common.
        let (same, lines) = compare(&texts("abxyzc"), &texts("xyzab"));
        assert_eq!(same, 3);
        assert_eq!(lines, ["-a", "-b", "-c", "+a", "+b"]);
        assert_eq!(compare(&texts("abc"), &texts("abc")), (3, vec![]));
    }
}
