//! Whether the time of a refusal tells how much of a guess is right.
//!
//! Two kinds of wrong credentials are judged in random order: some that differ from the right ones in one of the last characters only, and some that
//! share nothing with them. Welch's t-test compares the times. It is a measurement, not a test: other load on the machine changes the result.

use std::hint::black_box;
use std::time::Instant;

use aralez_decision::additions::Additions;
use aralez_decision::decide::{Decision, decide};
use aralez_decision::pseudonym::Pseudonym;
use aralez_decision::state::Unused;
use aralez_decision::table::RouteTable;
use aralez_decision::trace::NewIds;
use aralez_decision::{Context, Pairs, Request};
use aralez_proto::document::{self, DocumentSet, Surroundings};
use aralez_proto::matcher::Scheme;
use aralez_proto::model::{HmacStates, TokenIssuer};
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;

use crate::running_fleet::lookup::Random;

#[cfg(test)]
mod tests;

/// The right key, and the secret of the tokens.
const KEY: &str = "9b1f0c2e7a5d4836b1c0e9f87a6d5c4b";
/// Header and claims of a token that does not expire soon.
const MESSAGE: &str =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjoidmFsb2QiLCJleHAiOjQxMDI0NDQ4MDB9";
/// The signature of the message with [`KEY`].
const SIGNATURE: &str = "Zd9RvlilqV2rDTU8lSG4OuwsKss3I5G4c0nKv7IefFo";

/// The value of |t| beyond which times differ with a confidence of 99 %.
pub const CRITICAL: f64 = 2.576;

/// The share of the longest times that is left out: interrupts and other threads.
const CROPPED: f64 = 0.1;

/// The comparison of two kinds of guesses.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What was guessed.
    pub name: &'static str,
    /// Mean times in nanoseconds: of guesses that are nearly right, and of others.
    pub means: [f64; 2],
    /// Welch's t.
    pub t: f64,
}

/// Measures each kind of credentials with so many guesses of both kinds.
pub fn measure(guesses: usize) -> Vec<Comparison> {
    let table = table();
    // The last character of a signature stands for fewer bits, so the one before it is changed.
    let flipped = |text: &str| {
        let (start, end) = text.split_at(text.len() - 2);
        let other = if end.starts_with('A') { "B" } else { "A" };
        format!("{start}{other}{}", &end[1..])
    };
    let token = |signature: &str| format!("Bearer {MESSAGE}.{signature}");
    let other_signature = "A".repeat(SIGNATURE.len());
    let (near, far) = (token(&flipped(SIGNATURE)), token(&other_signature));
    vec![
        compare(
            "apikey",
            [&flipped(KEY), &"z".repeat(KEY.len())],
            guesses,
            |guess| refused(&table, "key.test", ("x-api-key", guess)),
        ),
        compare(
            "jwt, secret of the document",
            [&near, &far],
            guesses,
            |guess| refused(&table, "jwt.test", ("authorization", guess)),
        ),
        compare("jwt, tokens of control", [&near, &far], guesses, |guess| {
            refused(&table, "issued.test", ("authorization", guess))
        }),
    ]
}

fn table() -> RouteTable {
    let route = "paths: {/: {servers: [\"127.0.0.1:1\"]}}";
    let document = format!(
        "key.test: {{authorization: {{type: apikey, creds: {KEY}}}, {route}}}\n\
         jwt.test: {{authorization: {{type: jwt, creds: {KEY}}}, {route}}}\n\
         issued.test: {{authorization: {{type: jwt, keys: aralez}}, {route}}}\n"
    );
    let surroundings = Surroundings {
        issuer: TokenIssuer::Hs256(HmacStates::of(KEY.as_bytes())),
        ..Surroundings::default()
    };
    let authored = document::read(&DocumentSet::of_main(document.into()), &surroundings);
    let records = document::records(&authored.expect("the document is right"), None);
    let snapshot = Snapshot::complete(Version::default(), records, &Limits::default());
    RouteTable::build(&snapshot.expect("the snapshot is right"))
}

/// Judges a guess, and reports whether it was refused.
fn refused(table: &RouteTable, host: &str, field: (&str, &str)) -> bool {
    let context = Context {
        node: &Pseudonym::new([0; 8]),
        ids: &NewIds::default(),
        tls_port: None,
    };
    let request = Request {
        method: "GET",
        scheme: Scheme::Http,
        host: Some(host),
        target: "/",
        client: [192, 0, 2, 1].into(),
        fields: Pairs(&[field]),
    };
    let mut additions = Additions::default();
    let decision = decide(table, &context, &request, &Unused::TIMELESS, &mut additions);
    matches!(decision, Decision::Reject { .. })
}

fn compare(
    name: &'static str,
    kinds: [&str; 2],
    guesses: usize,
    judge: impl Fn(&str) -> bool,
) -> Comparison {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut times: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..2 * guesses {
        let kind = random.below(2);
        let begun = Instant::now();
        assert!(
            black_box(judge(black_box(kinds[kind]))),
            "{name}: a guess was right"
        );
        times[kind].push(begun.elapsed().as_nanos() as f64);
    }
    let times = cropped(times);
    Comparison {
        name,
        means: [mean(&times[0]), mean(&times[1])],
        t: welch(&times[0], &times[1]),
    }
}

/// Leaves out the times beyond a bound that is the same for both kinds.
fn cropped(times: [Vec<f64>; 2]) -> [Vec<f64>; 2] {
    let mut all: Vec<f64> = times.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let kept = (all.len() as f64 * (1.0 - CROPPED)) as usize;
    let bound = all.get(kept).copied().unwrap_or(f64::MAX);
    times.map(|times| times.into_iter().filter(|time| *time <= bound).collect())
}

fn mean(times: &[f64]) -> f64 {
    times.iter().sum::<f64>() / times.len() as f64
}

/// Returns Welch's t of two samples: the difference of their means in units of its standard error.
pub fn welch(left: &[f64], right: &[f64]) -> f64 {
    let error = |times: &[f64]| {
        let mean = mean(times);
        let squares: f64 = times.iter().map(|time| (time - mean).powi(2)).sum();
        squares / (times.len() as f64 - 1.0) / times.len() as f64
    };
    (mean(left) - mean(right)) / (error(left) + error(right)).sqrt()
}
