//! The requests of a route, shared by several pools.

use crate::model::PoolName;

/// Maximum number of pools in one split.
const MOST_POOLS: usize = 64;

/// Pools that share the requests of a route in proportion to their weights: at least one weight is above 0, and no pool occurs twice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Split {
    pools: Box<[WeightedPool]>,
    /// The order of the turns while every pool can take requests.
    rounds: Rounds,
}

/// A pool with its share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WeightedPool {
    /// Its share, relative to the sum of all weights; 0 for none.
    pub weight: u16,
    /// Its name.
    pub pool: PoolName,
}

/// The reason why pools cannot share requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidSplit {
    /// There are none.
    #[error("is empty; expected at least one pool")]
    Empty,
    /// More than 64.
    #[error("has more than {MOST_POOLS} pools")]
    Many,
    /// Every weight is 0.
    #[error("has no weight above 0, so no pool would get a request")]
    NoWeight,
    /// A pool occurs twice.
    #[error("names a pool twice")]
    Twice,
}

impl Split {
    /// Returns a split over these pools.
    ///
    /// # Errors
    /// [`InvalidSplit`], the first that applies.
    pub fn new(pools: Vec<WeightedPool>) -> Result<Self, InvalidSplit> {
        Self::check(pools.iter().map(|pool| pool.weight))?;
        for (at, one) in pools.iter().enumerate() {
            if pools[..at].iter().any(|other| other.pool == one.pool) {
                return Err(InvalidSplit::Twice);
            }
        }
        let weights = || pools.iter().map(|pool| u32::from(pool.weight));
        Ok(Self {
            rounds: Rounds::of(weights),
            pools: pools.into(),
        })
    }

    /// Checks the weights of a split.
    ///
    /// # Errors
    /// [`InvalidSplit`], the first that applies.
    pub(crate) fn check(weights: impl ExactSizeIterator<Item = u16>) -> Result<(), InvalidSplit> {
        match weights.len() {
            0 => return Err(InvalidSplit::Empty),
            1..=MOST_POOLS => {}
            _ => return Err(InvalidSplit::Many),
        }
        let mut above = weights.filter(|weight| *weight > 0);
        above.next().map(|_| ()).ok_or(InvalidSplit::NoWeight)
    }

    /// Returns the pools, in the order written.
    pub fn pools(&self) -> &[WeightedPool] {
        &self.pools
    }

    /// Returns the pool of a turn, as `usable` returns it; `None` if no pool with a weight is usable.
    ///
    /// The turns of a round, as many as the sum of the weights divided by their greatest common divisor, are shared exactly, and each
    /// pool's turns are spread over the round. Pools that are not usable get no turn, and the others share them by weight.
    pub fn choose<T>(&self, turn: u64, usable: impl Fn(&PoolName) -> Option<T>) -> Option<T> {
        let weight = |one: &WeightedPool| match one.weight {
            0 => 0,
            weight => usable(&one.pool).map_or(0, |_| u32::from(weight)),
        };
        let all = self.pools.iter();
        let all = all.clone().all(|one| one.weight == 0 || weight(one) > 0);
        let rounds = match all {
            true => self.rounds,
            false => Rounds::of(|| self.pools.iter().map(weight)),
        };
        let mut slot = rounds.slot(turn)?;
        let chosen = self.pools.iter().find(|one| {
            let share = weight(one) / rounds.divisor;
            let here = slot < share;
            slot = slot.wrapping_sub(share);
            here
        });
        usable(&chosen?.pool)
    }
}

/// The order in which turns get slots. Each slot of a round belongs to one pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Rounds {
    /// The greatest common divisor of the weights.
    divisor: u32,
    /// Number of slots; 0 if nobody has a weight.
    slots: u32,
    /// The distance from one slot to the next, coprime to their number, so that a round visits each of them once. Near the golden ratio, so
    /// that neighbouring slots, which belong to one pool, are visited far apart.
    stride: u32,
}

impl Rounds {
    fn of<I: Iterator<Item = u32>>(weights: impl Fn() -> I) -> Self {
        let divisor = weights().fold(0, common_divisor).max(1);
        let slots: u32 = weights().map(|weight| weight / divisor).sum();
        let golden = (f64::from(slots) * 0.618_033_988_749_894_9) as u32;
        let coprime = |stride: &u32| common_divisor(*stride, slots) == 1;
        let stride = (golden.max(1)..=slots).find(coprime).unwrap_or(1);
        Self {
            divisor,
            slots,
            stride,
        }
    }

    fn slot(self, turn: u64) -> Option<u32> {
        let slots = u64::from(self.slots);
        let turn = turn.checked_rem(slots)?;
        // Both factors are below 2^32.
        u32::try_from(turn * u64::from(self.stride) % slots).ok()
    }
}

/// Returns the greatest common divisor; the other number if one is 0.
const fn common_divisor(mut left: u32, mut right: u32) -> u32 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(weights: &[u16]) -> Result<Split, InvalidSplit> {
        let pool = |(at, weight): (usize, &u16)| WeightedPool {
            weight: *weight,
            pool: format!("p{at}").parse().unwrap(),
        };
        Split::new(weights.iter().enumerate().map(pool).collect())
    }

    /// Returns the numbers of the pools that get these turns; pools in `down` are not usable.
    fn turns(split: &Split, turns: std::ops::Range<u64>, down: &[usize]) -> Vec<Option<usize>> {
        let usable = |name: &PoolName| {
            let at: usize = name.as_str()[1..].parse().unwrap();
            (!down.contains(&at)).then_some(at)
        };
        turns.map(|turn| split.choose(turn, usable)).collect()
    }

    #[test]
    fn a_split_needs_a_weight() {
        assert_eq!(split(&[]), Err(InvalidSplit::Empty));
        assert_eq!(split(&[0, 0]), Err(InvalidSplit::NoWeight));
        assert_eq!(split(&[1; 65]), Err(InvalidSplit::Many));
        let one = || WeightedPool {
            weight: 1,
            pool: "p".parse().unwrap(),
        };
        assert_eq!(Split::new(vec![one(), one()]), Err(InvalidSplit::Twice));
    }

    #[test]
    fn the_turns_of_a_pool_are_spread_over_the_round() {
        let split = split(&[20, 80]).unwrap();
        let own = |turn: &Option<usize>| *turn == Some(0);
        let at: Vec<u64> = (0..20)
            .filter(|turn| own(&turns(&split, *turn..turn + 1, &[])[0]))
            .collect();
        assert_eq!(at, [0, 5, 10, 15]);
        let even = super::tests::split(&[50, 50]).unwrap();
        let even: Vec<usize> = turns(&even, 0..6, &[]).into_iter().flatten().collect();
        assert_eq!(even, [0, 1, 0, 1, 0, 1]);
    }

    #[test]
    fn where_no_pool_with_a_weight_is_usable_there_is_none() {
        let split = split(&[1, 0, 2]).unwrap();
        assert_eq!(turns(&split, 0..3, &[0, 2]), [None; 3]);
        assert_eq!(turns(&split, 0..3, &[2]), [Some(0); 3]);
    }

    proptest! {
        #[test]
        fn every_round_is_shared_exactly_by_weight_among_the_usable_pools(
            weights in prop::collection::vec(0..50_u16, 1..6),
            down in prop::collection::vec(0..6_usize, 0..3),
            start in 0..1_000_u64,
        ) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let split = split(&weights).unwrap();
            let effective: Vec<usize> = weights.iter().enumerate()
                .map(|(at, weight)| if down.contains(&at) { 0 } else { usize::from(*weight) })
                .collect();
            let sum: usize = effective.iter().sum();
            let taken = turns(&split, start..start + sum as u64, &down);
            for (at, weight) in effective.iter().enumerate() {
                let count = taken.iter().filter(|turn| **turn == Some(at)).count();
                prop_assert_eq!(count, *weight, "{:?}", taken);
            }
        }
    }
}
