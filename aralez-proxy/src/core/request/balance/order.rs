//! The order of the endpoints within a round.

/// Longest round of a tier with unequal weights. Weights that need a longer round are scaled down to it; each endpoint gets its part
/// rounded down, and at least one place.
const LONGEST: u64 = 16_384;

/// Returns a round in which each endpoint occurs in proportion to its weight, as evenly spread as possible. Weights are at least 1.
pub(super) fn round(weighted: &[(u32, u16)]) -> Box<[u32]> {
    let divisor = weighted
        .iter()
        .fold(0, |divisor, (_, weight)| gcd(divisor, u64::from(*weight)))
        .max(1);
    let total: u64 = weighted
        .iter()
        .map(|(_, weight)| u64::from(*weight) / divisor)
        .sum();
    let times = |weight: u16| {
        let weight = u64::from(weight) / divisor;
        if total <= LONGEST {
            weight
        } else {
            (weight * LONGEST / total).max(1)
        }
    };
    if total == weighted.len() as u64 {
        return weighted.iter().map(|(at, _)| *at).collect();
    }
    // The j-th of n places of an endpoint is due at (2j + 1) / 2n of the round.
    let mut places: Vec<(u64, u32)> = weighted
        .iter()
        .flat_map(|(at, weight)| {
            let times = times(*weight);
            (0..times).map(move |turn| (((2 * turn + 1) << 32) / (2 * times), *at))
        })
        .collect();
    places.sort_unstable();
    places.into_iter().map(|(_, at)| at).collect()
}

const fn gcd(mut left: u64, mut right: u64) -> u64 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}
