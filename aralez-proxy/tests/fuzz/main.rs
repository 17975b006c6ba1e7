//! Fuzzing of everything that reads bytes of a peer or of an operator, with repeated mutations of the messages in `corpus/`.
//!
//! Nothing panics. Of messages: the result does not depend on how reads are split, and no other reader understands the forwarded bytes
//! differently (`tests/differential`). Of credentials, tokens, paths, ranges and documents: what each module of a target says. A message with
//! a new kind of result is mutated further, instead of coverage feedback, which requires a nightly compiler. `ARALEZ_FUZZ_SECONDS` sets the time
//! for each function; a message that fails is added to `corpus/`, and to every later run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by a panic, in its helpers too"
)]

mod corpus;
mod credentials;
mod documents;
#[path = "../differential/fit.rs"]
mod fit;
#[path = "../differential/hyper_reader.rs"]
mod hyper_reader;
mod lines;
#[path = "../differential/message.rs"]
mod message;
#[path = "../differential/mutate.rs"]
mod mutate;
#[path = "../differential/naive.rs"]
mod naive;
#[path = "../differential/oracle.rs"]
mod oracle;
#[path = "../differential/ours.rs"]
mod ours;
#[path = "../differential/passing.rs"]
mod passing;
mod paths;
#[path = "../differential/pipe.rs"]
mod pipe;
mod ranges;
#[path = "../differential/rng.rs"]
mod rng;
mod scene;
mod splits;
mod tokens;
mod users_files;

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use corpus::hash;
use oracle::Tally;
use ours::Exchange;
use passing::Steps;
use rng::Rng;

/// Default time for each target: a minute for all nine together.
const EACH: Duration = Duration::from_millis(6_600);
/// Size of the largest message, in bytes. Size limits have separate tests.
const LARGEST: usize = 8 * 1_024;
/// Number of attempts to shrink a failed message.
const SHRINKS: usize = 400;

/// What is under test.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// A reader of HTTP/1.
    Message(Reader),
    /// Credentials in the head of a request.
    Credentials,
    /// A signed token.
    Token,
    /// The target of a request.
    Path,
    /// Conditions and ranges in the head of a request for a file.
    Ranges,
    /// `upstreams.yaml`.
    Document,
    /// The file of `users_file`.
    UsersFile,
}

/// A function that parses the bytes of a peer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reader {
    /// `RequestHead::read`, and the bodies after the heads.
    Request,
    /// `ResponseHead::read`, and the body after the head.
    Response,
    /// `Body::take` with chunked framing.
    Body,
}

impl Target {
    /// Checks a message. Returns the kind of its result, as a hash, or the failure.
    fn check(self, bytes: &[u8]) -> Result<u64, String> {
        let tried = catch_unwind(AssertUnwindSafe(|| {
            self.look(bytes, &mut Rng::new(hash(bytes)))
        }));
        tried.unwrap_or_else(|_| Err("panic".to_owned()))
    }

    /// Checks a message without catching panics. `rng` is seeded by the message itself, so that a failure is reproducible.
    fn look(self, bytes: &[u8], rng: &mut Rng) -> Result<u64, String> {
        match self {
            Self::Message(reader) => reader.look(bytes, rng),
            Self::Credentials => credentials::check(bytes),
            Self::Token => tokens::check(bytes),
            Self::Path => paths::check(bytes),
            Self::Ranges => ranges::check(bytes),
            Self::Document => documents::check(bytes),
            Self::UsersFile => users_files::check(bytes),
        }
    }

    /// Returns texts that are inserted anywhere, besides those of HTTP/1.
    const fn words(self) -> &'static [&'static [u8]] {
        match self {
            Self::Message(_) => &[],
            Self::Credentials | Self::Token => tokens::WORDS,
            Self::Path => paths::WORDS,
            Self::Ranges => ranges::WORDS,
            Self::Document => documents::WORDS,
            Self::UsersFile => users_files::WORDS,
        }
    }
}

impl Reader {
    fn look(self, bytes: &[u8], rng: &mut Rng) -> Result<u64, String> {
        let read = splits::differ(self, bytes, &[1, 1 + rng.below(40)])?;
        let least = bytes.len() / 100;
        let steps = Steps {
            read: least.max(rng.pick(&[1, 7, 100, usize::MAX])),
            write: least.max(rng.pick(&[1, 50, usize::MAX])),
            keeps: rng.pick(&[0, 64 * 1_024]),
        };
        let tally = match self {
            Self::Request => oracle::requests(bytes, steps)?,
            Self::Response => {
                let exchange = Exchange {
                    head: rng.once_in(6),
                    old: rng.once_in(5),
                    closed: rng.once_in(2),
                };
                oracle::response(bytes, exchange, steps)?
            }
            Self::Body => chunked(bytes, steps)?,
        };
        Ok(kind(&read, tally))
    }
}

fn chunked(bytes: &[u8], steps: Steps) -> Result<Tally, String> {
    let request = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let tally = oracle::requests(&[request, bytes].concat(), steps)?;
    let response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    oracle::response(&[response, bytes].concat(), Exchange::default(), steps)?;
    Ok(tally)
}

/// Hashes a result without its digits, so that the kind depends on the number of fields and on flags, but not on sizes.
fn kind(read: &str, tally: Tally) -> u64 {
    let shape: String = read
        .chars()
        .filter(|letter| !letter.is_ascii_digit())
        .take(1_500)
        .collect();
    hash((shape, tally))
}

/// A fuzzing run.
struct Search {
    target: Target,
    rng: Rng,
    pool: Vec<Vec<u8>>,
    kinds: HashSet<u64>,
    tried: usize,
}

impl Search {
    /// Starts with the corpus, of which no message may fail.
    fn begin(target: Target, seed: u64) -> Self {
        let mut search = Self {
            target,
            rng: Rng::new(seed),
            pool: Vec::new(),
            kinds: HashSet::new(),
            tried: 0,
        };
        for (name, bytes) in target.kept() {
            if let Err(wrong) = search.take(bytes.clone()) {
                panic!(
                    "message {name} of the corpus fails: {wrong}\nmessage: {}",
                    bytes.escape_ascii()
                );
            }
        }
        search
    }

    /// Checks a message, and adds it to the pool if the kind of its result is new.
    fn take(&mut self, bytes: Vec<u8>) -> Result<(), String> {
        self.tried += 1;
        let kind = self.target.check(&bytes)?;
        if self.kinds.insert(kind) || self.pool.is_empty() {
            self.pool.push(bytes);
        }
        Ok(())
    }

    fn next(&mut self) -> Vec<u8> {
        // Half of the time one of the newest 30, which were hardly mutated yet.
        let newest = self.pool.len().min(30);
        let at = if self.rng.once_in(2) {
            self.pool.len() - 1 - self.rng.below(newest)
        } else {
            self.rng.below(self.pool.len())
        };
        let mut bytes = self.pool[at].clone();
        let other = self.rng.below(self.pool.len());
        if self.rng.once_in(2)
            && let words @ [_, ..] = self.target.words()
        {
            let (at, word) = (self.rng.below(bytes.len() + 1), self.rng.pick(words));
            bytes.splice(at..at, word.iter().copied());
            return bytes;
        }
        mutate::mutate(&mut self.rng, &mut bytes, &self.pool[other]);
        bytes.truncate(LARGEST);
        bytes
    }

    fn run(&mut self, until: Instant) {
        while Instant::now() < until {
            let bytes = self.next();
            if let Err(wrong) = self.take(bytes.clone()) {
                self.fail(bytes, wrong);
            }
        }
        let Self {
            target,
            tried,
            kinds,
            ..
        } = self;
        eprintln!(
            "{target:?}: {tried} messages with {} kinds of results",
            kinds.len()
        );
    }

    /// Shrinks a failed message, adds it to the corpus, and panics.
    fn fail(&mut self, mut bytes: Vec<u8>, mut wrong: String) -> ! {
        for _ in 0..SHRINKS {
            let start = self.rng.below(bytes.len().max(1));
            let end = (start + 1 + self.rng.below(1 + bytes.len() / 4)).min(bytes.len());
            let mut smaller = bytes.clone();
            smaller.drain(start.min(end)..end);
            if let (Err(still), true) = (self.target.check(&smaller), smaller.len() < bytes.len()) {
                bytes = smaller;
                wrong = still;
            }
        }
        let path = self.target.keep(&bytes);
        panic!(
            "{:?}: a message fails; saved as {}: {wrong}\nmessage: {}",
            self.target,
            path.display(),
            bytes.escape_ascii()
        );
    }
}

fn fuzz(target: Target) {
    let seconds = std::env::var("ARALEZ_FUZZ_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let until = Instant::now() + seconds.map_or(EACH, Duration::from_secs);
    // A new seed for each run: failed messages are saved, so no run has to be repeated.
    let seed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as u64);
    Search::begin(target, seed).run(until);
}

#[test]
fn no_request_is_read_in_two_ways() {
    fuzz(Target::Message(Reader::Request));
}

#[test]
fn no_response_is_read_in_two_ways() {
    fuzz(Target::Message(Reader::Response));
}

#[test]
fn no_chunked_body_is_read_in_two_ways() {
    fuzz(Target::Message(Reader::Body));
}

// Row X3: no panic on what clients send.
#[test]
fn only_the_right_credentials_open_a_route() {
    fuzz(Target::Credentials);
}

// Row A-03: broken tokens.
#[test]
fn no_change_of_a_token_is_accepted() {
    fuzz(Target::Token);
}

// Row X9: spellings of a path.
#[test]
fn no_reading_of_a_forwarded_path_leads_to_a_guarded_one() {
    fuzz(Target::Path);
}

#[test]
fn a_client_gets_the_ranges_of_a_file_that_it_asks_for() {
    fuzz(Target::Ranges);
}

#[test]
fn every_document_is_refused_with_its_place_or_can_be_served() {
    fuzz(Target::Document);
}

#[test]
fn every_file_of_users_is_read_or_refused_without_its_secrets() {
    fuzz(Target::UsersFile);
}
