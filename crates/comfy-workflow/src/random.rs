//! Numbers that look drawn by chance, and follow from where they start.

/// `SplitMix64` (Steele, Lea and Flood 2014): well spread numbers, the same for ever for the same start.
#[derive(Debug, Clone)]
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(start: u64) -> Self {
        Self(start)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `span`, which is at most 2^64.
    pub(crate) fn below(&mut self, span: u128) -> i128 {
        let drawn = (u128::from(self.next()) * span) >> 64;
        i128::try_from(drawn).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        assert_eq!(Numbers::new(1_234_567).next(), 6_457_827_717_110_365_317);
    }
}
