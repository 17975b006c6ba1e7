//! Writing bytes in one piece, byte by byte, or cut at random places: the reader must behave the same for each.

use std::ops::Range;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Pause between two pieces, usually long enough for the reader to consume the previous one.
const BREATH: Duration = Duration::from_millis(1);

/// Maximum number of cuts of [`Pace::Cut`].
const MOST_PIECES: u64 = 7;

/// Division of bytes into writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Pace {
    /// One write.
    #[default]
    Whole,
    /// One write per byte.
    Bytes,
    /// Cuts at random places, derived from this seed.
    Cut(u64),
}

impl Pace {
    /// Returns the pieces of `length` bytes.
    pub fn pieces(self, length: usize) -> Vec<Range<usize>> {
        let mut cuts = match self {
            Self::Whole => Vec::new(),
            Self::Bytes => (1..length).collect(),
            Self::Cut(seed) => random_cuts(seed, length),
        };
        cuts.push(length);
        let mut start = 0;
        let mut pieces = Vec::with_capacity(cuts.len());
        for cut in cuts {
            if cut > start {
                pieces.push(start..cut);
                start = cut;
            }
        }
        pieces
    }

    /// Writes the bytes piece by piece.
    ///
    /// # Errors
    /// If the other side accepts no more.
    pub async fn write(
        self,
        to: &mut (impl AsyncWrite + Unpin),
        bytes: &[u8],
    ) -> std::io::Result<()> {
        for (at, piece) in self.pieces(bytes.len()).into_iter().enumerate() {
            if at > 0 {
                tokio::time::sleep(BREATH).await;
            }
            to.write_all(&bytes[piece]).await?;
        }
        to.flush().await
    }
}

fn random_cuts(seed: u64, length: usize) -> Vec<usize> {
    let mut random = Random(seed | 1);
    let count = 1 + random.next() % MOST_PIECES;
    let mut cuts: Vec<_> = (0..count)
        .map(|_| (random.next() % length.max(1) as u64) as usize)
        .collect();
    cuts.sort_unstable();
    cuts
}

/// Random numbers reproducible from a seed (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_whole_without_gaps_and_a_seed_gives_the_same_ones() {
        for length in [0, 1, 2, 50, 10_000] {
            for pace in [
                Pace::Whole,
                Pace::Bytes,
                Pace::Cut(0),
                Pace::Cut(7),
                Pace::Cut(u64::MAX),
            ] {
                let pieces = pace.pieces(length);
                let joined: Vec<_> = pieces.iter().cloned().flatten().collect();
                assert_eq!(joined, (0..length).collect::<Vec<_>>(), "{pace:?}");
                assert!(pieces.iter().all(|piece| !piece.is_empty()), "{pace:?}");
                assert_eq!(pieces, pace.pieces(length));
            }
        }
        assert!((0..20).any(|seed| Pace::Cut(seed).pieces(100) != Pace::Cut(99).pieces(100)));
    }
}
