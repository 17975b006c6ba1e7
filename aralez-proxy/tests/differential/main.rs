//! Differential tests: no other reader understands a forwarded message differently from the proxy. The other readers are hyper, httparse,
//! and naive ones that validate nothing.
//!
//! Every run tries the same messages. `ARALEZ_PROVE=1` tries many more of them; `ARALEZ_SEED=n` starts with another seed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by a panic, in its helpers too"
)]

mod fit;
mod generate;
mod hyper_reader;
mod message;
mod mutate;
mod naive;
mod oracle;
mod ours;
mod passing;
mod pipe;
mod rng;

use oracle::Tally;
use ours::Exchange;
use passing::Steps;
use rng::Rng;

/// Number of cases per test, without and with `ARALEZ_PROVE`.
const CASES: (u64, u64) = (1_000, 50_000);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Chooses the sizes of reads and writes. At most about 100 of each per message: thousands take long and find nothing new.
fn steps(rng: &mut Rng, bytes: &[u8]) -> Steps {
    let least = bytes.len() / 100;
    Steps {
        read: least.max(rng.pick(&[1, 3, 64, 1_000, usize::MAX])),
        write: least.max(rng.pick(&[1, 50, 5_000, usize::MAX])),
        keeps: rng.pick(&[0, 64 * 1_024]),
    }
}

/// Runs the cases of a test, fails at the first difference, and prints a summary.
fn prove(what: &str, mut one: impl FnMut(&mut Rng) -> (Vec<u8>, Result<Tally, String>)) {
    let proving = std::env::var_os("ARALEZ_PROVE").is_some();
    let cases = if proving { CASES.1 } else { CASES.0 };
    let first = number("ARALEZ_SEED").unwrap_or(1);
    let (mut whole, mut cut, mut nothing) = (0, 0, 0);
    for seed in first..first + cases {
        let (bytes, result) = one(&mut Rng::new(seed));
        match result {
            Ok(tally) if tally.whole > 0 => whole += 1,
            Ok(tally) if tally.cut > 0 => cut += 1,
            Ok(_) => nothing += 1,
            Err(difference) => panic!(
                "{what}, seed {seed}: {difference}\nmessage: {}",
                bytes.escape_ascii()
            ),
        }
    }
    eprintln!("{what}: {whole} forwarded, {cut} in part, {nothing} not at all");
    assert!(
        whole > cases / 5 && cut + nothing > cases / 20,
        "{what}: too one-sided to prove anything"
    );
}

#[test]
fn a_request_that_we_pass_on_is_read_by_nobody_in_another_way() {
    prove("good requests", |rng| {
        let bytes = generate::requests(rng);
        let result = oracle::requests(&bytes, steps(rng, &bytes));
        (bytes, result)
    });
}

#[test]
fn a_request_that_somebody_tampered_with_is_read_by_nobody_in_another_way() {
    prove("requests with changes", |rng| {
        let mut bytes = generate::requests(rng);
        let other = generate::requests(rng);
        mutate::mutate(rng, &mut bytes, &other);
        let result = oracle::requests(&bytes, steps(rng, &bytes));
        (bytes, result)
    });
}

fn exchange(rng: &mut Rng) -> Exchange {
    Exchange {
        head: rng.once_in(6),
        old: rng.once_in(5),
        closed: rng.once_in(2),
    }
}

#[test]
fn a_response_that_we_pass_on_is_read_by_nobody_in_another_way() {
    prove("responses", |rng| {
        let mut bytes = generate::response(rng);
        let other = generate::response(rng);
        if rng.once_in(2) {
            mutate::mutate(rng, &mut bytes, &other);
        }
        let result = oracle::response(&bytes, exchange(rng), steps(rng, &bytes));
        (bytes, result)
    });
}

#[test]
fn a_chunked_body_that_somebody_tampered_with_is_read_by_nobody_in_another_way() {
    prove("chunked bodies", |rng| {
        let mut bytes = generate::chunked(rng);
        let other = generate::chunked(rng);
        if !rng.once_in(4) {
            mutate::mutate(rng, &mut bytes, &other);
        }
        let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let result = oracle::requests(&[head, bytes.as_slice()].concat(), steps(rng, &bytes));
        (bytes, result)
    });
}

/// The tests above only prove something if the other readers disagree about ambiguous messages, which the proxy refuses.
#[test]
fn the_readers_beside_us_differ_about_what_we_refuse() {
    for fields in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 0\r\nContent-Length: 3\r\n",
        "X: y\rContent-Length: 3\r\n",
        "Content-Length: 3\r\nX: y\r\n Content-Length: 0\rTransfer-Encoding: chunked\r\n",
    ] {
        let bytes = format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n0\r\n\r\n0\r\n\r\n");
        let mut readings: Vec<_> = naive::all()
            .map(|naive| naive.request(bytes.as_bytes()))
            .collect();
        readings.dedup();
        assert!(readings.len() > 1, "{fields:?}");
        let tally = oracle::requests(bytes.as_bytes(), Steps::WHOLE).unwrap();
        assert_eq!((tally.whole, tally.cut), (0, 0), "{fields:?}");
    }
}
