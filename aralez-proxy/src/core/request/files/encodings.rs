//! Precompressed files: which encodings a client accepts.

use aralez_decision::{Fields, octets};

/// The encoding of a file that was compressed in advance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// `br`: the smallest, where it is accepted.
    Brotli,
    /// `zstd`
    Zstandard,
    /// `gzip`
    Gzip,
}

impl Encoding {
    /// All encodings; of those that a client likes equally, the first is sent.
    const ALL: [Self; 3] = [Self::Brotli, Self::Zstandard, Self::Gzip];

    /// Returns the name in `Content-Encoding` and `Accept-Encoding`.
    pub const fn token(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstandard => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// Returns the end of the names of such files.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Zstandard => ".zst",
            Self::Gzip => ".gz",
        }
    }
}

/// The weights of an `Accept-Encoding`, in thousandths. `None`: not named.
#[derive(Default)]
struct Weights {
    encodings: [Option<u16>; 3],
    identity: Option<u16>,
    others: Option<u16>,
}

/// Returns the encodings that a client accepts, the one that it likes best first.
pub fn accepted(fields: &impl Fields) -> impl Iterator<Item = Encoding> {
    let weights = weights(fields);
    // RFC 9110 section 12.5.3: `*` stands for every coding that is not named, and a weight of 0 means "not acceptable".
    let of = |index: usize| weights.encodings[index].or(weights.others).unwrap_or(0);
    let least = weights.identity.unwrap_or(0).max(1);
    let mut accepted: Vec<(u16, Encoding)> = Vec::new();
    for (index, encoding) in Encoding::ALL.into_iter().enumerate() {
        if of(index) >= least {
            accepted.push((of(index), encoding));
        }
    }
    // Stable: equal weights stay in our order.
    accepted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    accepted.into_iter().map(|(_, encoding)| encoding)
}

fn weights(fields: &impl Fields) -> Weights {
    let mut weights = Weights::default();
    for value in fields.named("accept-encoding") {
        for member in octets::list(value) {
            let mut parts = member.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            let name = parts.next().unwrap_or_default();
            let slot = match name {
                b"*" => &mut weights.others,
                name if name.eq_ignore_ascii_case(b"identity") => &mut weights.identity,
                // RFC 9110 section 8.4.1.3: `x-gzip` means the same as `gzip`.
                name if name.eq_ignore_ascii_case(b"x-gzip") => &mut weights.encodings[2],
                name => {
                    let is = |known: &Encoding| name.eq_ignore_ascii_case(known.token().as_bytes());
                    match Encoding::ALL.iter().position(is) {
                        Some(index) => &mut weights.encodings[index],
                        None => continue,
                    }
                }
            };
            *slot = Some(parts.find_map(weight).unwrap_or(1_000));
        }
    }
    weights
}

/// Reads a parameter `q=0.5`, in thousandths. A malformed weight is 0. `None` for another parameter.
fn weight(parameter: &[u8]) -> Option<u16> {
    let (name, value) = parameter.split_first_chunk::<2>()?;
    if !name.eq_ignore_ascii_case(b"q=") {
        return None;
    }
    let weight = std::str::from_utf8(value).ok()?.parse::<f32>().ok();
    let weight = weight.filter(|weight| (0.0..=1.0).contains(weight));
    Some(weight.map_or(0, |weight| (weight * 1_000.0) as u16))
}

#[cfg(test)]
mod tests {
    use aralez_decision::Pairs;

    use super::*;

    #[test]
    fn the_encoding_that_a_client_likes_best_comes_first() {
        for (value, expected) in [
            ("", ""),
            ("gzip", "gzip"),
            ("gzip, deflate, br, zstd", "br zstd gzip"),
            ("gzip;q=1.0, br;q=0.5", "gzip br"),
            ("GZIP ; Q=0.8,\tbr;q=0", "gzip"),
            ("x-gzip", "gzip"),
            ("*", "br zstd gzip"),
            ("*;q=0.1, br;q=0", "zstd gzip"),
            ("*;q=0", ""),
            ("identity", ""),
            ("identity;q=0.5, gzip", "gzip"),
            ("identity, gzip;q=0.5", ""),
            ("gzip;q=nan, br;q=2, zstd;q=x", ""),
            ("gzip;level=9", "gzip"),
            ("brr, ;;, ,", ""),
        ] {
            let fields = [("Accept-Encoding", value)];
            let found: Vec<_> = accepted(&Pairs(&fields)).map(Encoding::token).collect();
            assert_eq!(found.join(" "), expected, "{value}");
        }
        assert_eq!(accepted(&Pairs::default()).count(), 0);
    }
}
