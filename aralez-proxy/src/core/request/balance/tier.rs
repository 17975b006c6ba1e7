//! The ready endpoints of one tier, and the order in which a request tries them.

use aralez_proto::model::Endpoint;

use crate::core::request::balance::{is_ready, order};

/// Places of a weighted round that are tried before the tier is scanned by address. Through them the other endpoints replace an unusable
/// one in proportion to their weights.
const LOOKS: usize = 16;
/// Distance between those places, and their shift per round. A prime, so that over many rounds they reach every place of a round whose
/// length is not a multiple of it.
const STRIDE: u64 = 7_919;

/// The ready endpoints of one tier as a round, in which each occurs in proportion to its weight, evenly spread.
#[derive(Debug)]
pub(super) enum Tier {
    /// All endpoints are ready and have the same weight: `count` of them, starting at index `first`. `count` is not 0.
    Even { first: usize, count: usize },
    /// The tier has `count` endpoints, starting at index `first`. `round` holds the indices of the ready ones; it is never empty.
    Weighted {
        first: usize,
        count: usize,
        round: Box<[u32]>,
    },
}

impl Tier {
    /// Compiles the endpoints of one tier, the first of which has the index `first`. `None` if none is ready.
    fn new(first: usize, endpoints: &[Endpoint]) -> Option<Self> {
        let weight = endpoints.first()?.weight;
        let count = endpoints.len();
        let even = |endpoint: &Endpoint| is_ready(endpoint.state) && endpoint.weight == weight;
        if endpoints.iter().all(even) {
            return Some(Self::Even { first, count });
        }
        // There are fewer than 2^32: each is a record of a snapshot of bounded size.
        let weighted = (first as u32..).zip(endpoints);
        let weighted = weighted.filter(|(_, endpoint)| is_ready(endpoint.state));
        let weighted: Vec<_> = weighted
            .map(|(at, endpoint)| (at, endpoint.weight))
            .collect();
        (!weighted.is_empty()).then(|| Self::Weighted {
            first,
            count,
            round: order::round(&weighted),
        })
    }

    /// Returns the index of the endpoint for this turn and step; the first step is 0. Every ready endpoint occurs in some step. In a
    /// weighted tier an endpoint may occur more than once, and an endpoint that is not ready may occur. `None` after the last step.
    ///
    /// The endpoint after the first one changes from round to round, so that the requests of an unusable endpoint are spread over all
    /// others.
    pub(super) fn place(&self, turn: u64, step: usize) -> Option<usize> {
        match self {
            Self::Even { first, count } => {
                let start = remainder(turn, *count);
                let others = match (step, *count - 1) {
                    (0, _) => return Some(first + start),
                    (_, 0) => return None,
                    (_, others) => others,
                };
                let shift = remainder(turn / *count as u64, others) + step - 1;
                (step < *count).then(|| first + (start + 1 + shift % others) % count)
            }
            Self::Weighted {
                first,
                count,
                round,
            } => {
                let start = remainder(turn, round.len());
                let looks = round.len().min(LOOKS);
                if step < looks {
                    let rounds = if step == 0 {
                        0
                    } else {
                        turn / round.len() as u64
                    };
                    let further = rounds.wrapping_add(step as u64).wrapping_mul(STRIDE);
                    let further = remainder(further, round.len());
                    return Some(round[(start + further) % round.len()] as usize);
                }
                let step = step - looks;
                (step < *count).then(|| first + (start + step) % count)
            }
        }
    }

    /// Number of places in the round.
    #[cfg(test)]
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Even { count, .. } => *count,
            Self::Weighted { round, .. } => round.len(),
        }
    }
}

const fn remainder(turn: u64, places: usize) -> usize {
    (turn % places as u64) as usize
}

/// Returns the tiers that have a ready endpoint. `endpoints` must be sorted by tier.
pub(super) fn tiers(endpoints: &[Endpoint]) -> impl Iterator<Item = Tier> {
    let mut first = 0;
    let tiers = endpoints.chunk_by(|left, right| left.tier == right.tier);
    tiers.filter_map(move |tier| {
        let at = first;
        first += tier.len();
        Tier::new(at, tier)
    })
}
