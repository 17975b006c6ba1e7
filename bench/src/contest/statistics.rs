//! Medians, percentiles, and ratios of pairs.

/// Returns the median; the mean of the two middle values if their number is even, 0 if there are none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        length if length.is_multiple_of(2) => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    }
}

/// Returns a percentile (nearest rank); 0 if there are no values. Reorders the values.
pub fn percentile(values: &mut [u32], percent: f64) -> u32 {
    if values.is_empty() {
        return 0;
    }
    let rank = (values.len() as f64 * percent / 100.0).ceil() as usize;
    let index = rank.clamp(1, values.len()) - 1;
    *values.select_nth_unstable(index).1
}

/// Ratio of two series measured in alternation, pair by pair.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ratio {
    /// The median of the pairs' ratios.
    pub median: f64,
    /// The smallest ratio of a pair.
    pub least: f64,
    /// The largest ratio of a pair.
    pub most: f64,
}

impl Ratio {
    /// Divides `ours` by `others`, pair by pair; `None` if there is no pair with a positive divisor.
    pub fn of(ours: &[f64], others: &[f64]) -> Option<Self> {
        let pairs = ours.iter().zip(others);
        let ratios: Vec<f64> = pairs
            .filter(|(_, other)| **other > 0.0)
            .map(|(our, other)| our / other)
            .collect();
        if ratios.is_empty() {
            return None;
        }
        Some(Self {
            median: median(&ratios),
            least: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            most: ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_does_not_follow_one_bad_round() {
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[3.0, 1.0, 900.0]), 3.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 900.0]), 3.0);
    }

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let mut values: Vec<u32> = (1..=100).rev().collect();
        assert_eq!(percentile(&mut values, 50.0), 50);
        assert_eq!(percentile(&mut values, 99.0), 99);
        assert_eq!(percentile(&mut values, 100.0), 100);
        assert_eq!(percentile(&mut [7], 50.0), 7);
        assert_eq!(percentile(&mut [], 99.0), 0);
    }

    #[test]
    fn a_ratio_compares_each_pair_and_not_the_medians() {
        // The machine was twice as slow during the second pair; the ratio of the pair is unaffected.
        let ratio = Ratio::of(&[8.0, 16.0, 9.0], &[10.0, 20.0, 10.0]).unwrap();
        assert_eq!((ratio.median, ratio.least, ratio.most), (0.8, 0.8, 0.9));
        assert_eq!(Ratio::of(&[1.0], &[0.0]), None);
        assert_eq!(Ratio::of(&[], &[]), None);
    }
}
