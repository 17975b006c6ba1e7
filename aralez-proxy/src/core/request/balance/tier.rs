//! The ready endpoints of one tier, and the order in which one request goes through them.

use aralez_proto::model::Endpoint;

use crate::core::request::balance::{is_ready, order};

/// Places of a round that are looked at before the rest of a tier is gone through by address, so that a weighted endpoint which cannot be
/// used is replaced by the others according to their weights.
const LOOKS: usize = 16;
/// How far apart those places are, and by how many they move with each round. A prime, so that they come to all places.
const STRIDE: u64 = 7_919;

/// The ready endpoints of one tier as a round: each stands in it as often as its weight says, evenly spread.
#[derive(Debug)]
pub(super) enum Tier {
    /// All are ready and of one weight: those from `first` on, `count` of them, which is not 0.
    Even { first: usize, count: usize },
    /// Among those from `first` on, `count` of them, the ready ones in a round by their places, which is never empty.
    Weighted {
        first: usize,
        count: usize,
        round: Box<[u32]>,
    },
}

impl Tier {
    /// The round of the endpoints of one tier, of which the first stands at `first`. `None`: none is ready.
    fn new(first: usize, endpoints: &[Endpoint]) -> Option<Self> {
        let weight = endpoints.first()?.weight;
        let count = endpoints.len();
        let even = |endpoint: &Endpoint| is_ready(endpoint.state) && endpoint.weight == weight;
        if endpoints.iter().all(even) {
            return Some(Self::Even { first, count });
        }
        // Fewer than 2^32: every one of them is a record of a snapshot of bounded size.
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

    /// The place of the endpoint that the request with this turn looks at in this step, the first step being 0. Every ready endpoint comes in
    /// some step; in a weighted tier one may come more than once, and one that is not ready may come. `None`: that was all.
    ///
    /// The endpoint that follows the first one changes from round to round, so that the requests of an endpoint that cannot be used are
    /// spread over all others.
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

    /// How many places its round has.
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

/// The tiers that have a ready endpoint. The endpoints are ascending by tier.
pub(super) fn tiers(endpoints: &[Endpoint]) -> impl Iterator<Item = Tier> {
    let mut first = 0;
    let tiers = endpoints.chunk_by(|left, right| left.tier == right.tier);
    tiers.filter_map(move |tier| {
        let at = first;
        first += tier.len();
        Tier::new(at, tier)
    })
}
