/// Most digits of a bound of a range.
const DIGITS: usize = 30;

/// Numbers with equal steps between them. They are kept as whole numbers of the smallest decimal, so that no step drifts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    from: i128,
    /// With its sign.
    step: i128,
    /// How many steps there are to the last number.
    steps: u128,
    /// How many digits stand behind the point.
    decimals: usize,
}

/// A decimal number: its digits, and how many of them stand behind the point.
type Decimal = (i128, usize);

impl Range {
    /// Reads `FROM..TO` or `FROM..TO..STEP`; nothing if it is not numbers that stand around the dots.
    pub(super) fn parse(text: &str) -> Option<Result<Self, String>> {
        let mut parts = text.split("..").map(|part| decimal(part.trim()));
        let (from, to) = (parts.next()??, parts.next()??);
        let step = match parts.next() {
            None => None,
            Some(step) => Some(step?),
        };
        if parts.next().is_some() {
            return None;
        }
        Some(Self::new(from, to, step, text))
    }

    fn new(from: Decimal, to: Decimal, step: Option<Decimal>, text: &str) -> Result<Self, String> {
        let decimals = from.1.max(to.1).max(step.map_or(0, |step| step.1));
        if step.is_none() && decimals > 0 {
            return Err(format!("the range `{text}` of decimals needs a step, such as `{text}..0.1`"));
        }
        let scaled = |(digits, behind): Decimal| {
            let power = u32::try_from(decimals - behind).ok().and_then(|power| 10_i128.checked_pow(power));
            // A quarter of the range leaves room for the difference of two.
            let scaled = power.and_then(|power| digits.checked_mul(power));
            scaled.filter(|scaled| scaled.unsigned_abs() < u128::MAX / 4)
        };
        let large = || format!("the range `{text}` has too many digits");
        let (from, to) = (scaled(from).ok_or_else(large)?, scaled(to).ok_or_else(large)?);
        let step = step.map_or(Some(1), scaled).ok_or_else(large)?;
        if step == 0 {
            return Err(format!("the range `{text}` has a step of 0"));
        }
        if step < 0 && to > from {
            return Err(format!("the range `{text}` goes up, but its step down"));
        }
        let size = step.unsigned_abs();
        let steps = to.abs_diff(from) / size;
        Ok(Self { from, step: if to < from { -step.abs() } else { step.abs() }, steps, decimals })
    }

    /// How many numbers there are, at least one.
    pub(super) fn count(&self) -> u128 {
        self.steps + 1
    }

    /// The number at `index`, from 0, as it is written. `index` is less than the count.
    pub(super) fn at(&self, index: u128) -> String {
        // No overflow: the last number lies between the bounds.
        let away = i128::try_from(index.min(self.steps)).unwrap_or(0).saturating_mul(self.step);
        let number = self.from.saturating_add(away);
        if self.decimals == 0 {
            return number.to_string();
        }
        let digits = format!("{:0>width$}", number.unsigned_abs(), width = self.decimals + 1);
        let (whole, behind) = digits.split_at(digits.len() - self.decimals);
        let behind = behind.trim_end_matches('0');
        let sign = if number < 0 { "-" } else { "" };
        // A decimal stays one: 1.0 and not 1.
        format!("{sign}{whole}.{}", if behind.is_empty() { "0" } else { behind })
    }
}

fn decimal(text: &str) -> Option<Decimal> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, behind) = match unsigned.split_once('.') {
        Some((whole, behind)) if !whole.is_empty() && !behind.is_empty() => (whole, behind),
        Some(_) => return None,
        None => (unsigned, ""),
    };
    let digits = format!("{whole}{behind}");
    if digits.is_empty() || digits.len() > DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i128 = digits.parse().ok()?;
    Some((if text.starts_with('-') { -number } else { number }, behind.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(text: &str) -> Vec<String> {
        let range = Range::parse(text).unwrap().unwrap();
        (0..range.count()).map(|index| range.at(index)).collect()
    }

    #[test]
    fn both_ends_are_included() {
        assert_eq!(numbers("1..4"), ["1", "2", "3", "4"]);
        assert_eq!(numbers("3..1"), ["3", "2", "1"]);
        assert_eq!(numbers("-1..1"), ["-1", "0", "1"]);
        assert_eq!(numbers("5..5"), ["5"]);
        assert_eq!(numbers("1..8..3"), ["1", "4", "7"]);
        assert_eq!(numbers("8..1..-3"), ["8", "5", "2"]);
    }

    #[test]
    fn decimals_do_not_drift() {
        assert_eq!(numbers("0.1..0.5..0.1"), ["0.1", "0.2", "0.3", "0.4", "0.5"]);
        assert_eq!(numbers("-0.5..0.5..0.25"), ["-0.5", "-0.25", "0.0", "0.25", "0.5"]);
        assert_eq!(numbers("1..2..0.50"), ["1.0", "1.5", "2.0"]);
        assert_eq!(numbers("0..1..0.001").len(), 1001);
    }

    #[test]
    fn a_range_of_all_seeds_is_counted() {
        let range = Range::parse("0..18446744073709551615").unwrap().unwrap();
        assert_eq!(range.count(), 1 << 64);
        assert_eq!(range.at((1 << 64) - 1), u64::MAX.to_string());
    }

    #[test]
    fn what_is_no_range_is_a_text() {
        for text in
            ["", "..", "1..", "..2", "a..b", "../file", "1...2", "1..2..3..4", "1e3..2e3", "1.2.3", "5"]
        {
            assert_eq!(Range::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_range_without_an_end_is_refused() {
        for text in ["0..1..0", "1..8..-1", "0.5..1.5", "0..999999999999999999999999999999..0.0000000000001"]
        {
            assert!(Range::parse(text).unwrap().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_range_panic(text in "[-+0-9.]{0,40}") {
            if let Some(Ok(range)) = Range::parse(&text) {
                range.at(0);
                range.at(range.count() - 1);
            }
        }

        #[test]
        fn ranges_are_as_counted_with_numbers(from in -500i64..500, to in -500i64..500, step in 1i64..20) {
            let mut expected = Vec::new();
            let mut number = from;
            while if from <= to { number <= to } else { number >= to } {
                expected.push(number.to_string());
                number += if from <= to { step } else { -step };
            }
            prop_assert_eq!(numbers(&format!("{from}..{to}..{step}")), expected);
        }
    }
}
