//! The strictness corpus against a real proxy: ambiguous messages are refused, served messages arrive byte for byte, and no part of one
//! message is ever taken for part of another.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aralez_tests::corpus::{self, Failure, Lane, Report};
use aralez_tests::document::{servers, site};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::lenient::lenient_proxy;
use aralez_tests::ports;
use aralez_tests::recorder::Recorder;

/// Host names, all of the same length.
const HOSTS: [&str; 8] = [
    "a.test", "b.test", "c.test", "d.test", "e.test", "f.test", "g.test", "h.test",
];

/// Starts a proxy with one host per lane. It has one thread, so that every request may reuse any kept endpoint connection.
async fn lanes() -> (Fleet, Vec<Arc<Lane>>) {
    let mut recorders = Vec::new();
    let mut document = String::new();
    for host in HOSTS {
        let recorder = Recorder::start().await;
        document.push_str(&site(host, &[recorder.address()]));
        // A second route, to the same endpoint: some spellings of a path lead to it in some parsers and not in others.
        document.push_str("    \"/secret\":\n");
        document.push_str(&servers(&[recorder.address()]));
        recorders.push(recorder);
    }
    let mut fleet = Plan::new(1).threads(0, 1).document(&document).lay_out();
    keep_pseudonym(&fleet);
    fleet.start_control().await;
    fleet.start_proxy(0).await;
    fleet.until_current(LIVE).await;
    let lanes = HOSTS.iter().zip(recorders).map(|(host, recorder)| {
        Arc::new(Lane {
            proxy: fleet.http(0),
            host: (*host).to_owned(),
            recorder,
        })
    });
    let lanes = lanes.collect();
    (fleet, lanes)
}

/// Writes the pseudonym that the corpus assumes into the proxy's state, where the proxy finds it at its start.
fn keep_pseudonym(fleet: &Fleet) {
    let state = fleet.state().join("proxy-proxy-0");
    std::fs::create_dir_all(&state).expect("a folder can be made");
    std::fs::write(state.join("pseudonym"), corpus::PSEUDONYM).expect("a file can be written");
}

/// Runs all cases on all lanes concurrently, and reports every failure.
async fn run<C, F>(cases: Vec<C>, run: fn(Arc<Lane>, Arc<C>, u64) -> F)
where
    C: Send + Sync + 'static,
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let seed = std::env::var("CORPUS_SEED").ok();
    let seed = seed.map_or_else(ports::random, |seed| {
        seed.parse().expect("CORPUS_SEED is a number")
    });
    let (_fleet, lanes) = lanes().await;
    let cases: Arc<Vec<_>> = Arc::new(cases.into_iter().map(Arc::new).collect());
    let next = Arc::new(AtomicUsize::new(0));
    let mut running = Vec::new();
    for lane in lanes {
        let (cases, next) = (Arc::clone(&cases), Arc::clone(&next));
        running.push(tokio::spawn(async move {
            let mut failures = Vec::new();
            while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                failures.extend(run(Arc::clone(&lane), Arc::clone(case), seed).await.err());
            }
            failures
        }));
    }
    let mut report = Report {
        cases: cases.len(),
        ..Report::default()
    };
    for lane in running {
        report
            .failures
            .extend(lane.await.expect("a lane does not panic"));
    }
    report.failures.sort_by(|a, b| a.place.cmp(&b.place));
    assert!(report.failures.is_empty(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_raw_request_is_served_or_refused_as_the_corpus_says() {
    let cases = corpus::requests().unwrap_or_else(|error| panic!("the corpus: {error}"));
    assert!(cases.len() >= 120, "{} requests", cases.len());
    run(cases, |lane, case, seed| async move {
        corpus::run_request(&lane, &case, seed).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_raw_response_is_relayed_or_refused_as_the_corpus_says() {
    let cases = corpus::responses().unwrap_or_else(|error| panic!("the corpus: {error}"));
    assert!(cases.len() >= 60, "{} responses", cases.len());
    run(cases, |lane, case, seed| async move {
        corpus::run_response(&lane, &case, seed).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_lets_everything_pass_fails_the_corpus_and_is_told_why() {
    let recorder = Recorder::start().await;
    let proxy = lenient_proxy(recorder.address()).await;
    let lane = Lane {
        proxy: proxy.address(),
        host: HOSTS[0].to_owned(),
        recorder,
    };
    let cases = corpus::requests().unwrap();
    for (id, told) in [
        ("line-plain", "instead of"),
        ("lengths-equal", "the endpoint cannot frame what it got"),
        (
            "method-lower",
            "got \"HTTP/1.1 200 OK\" \"get /\", want 400",
        ),
        ("nominated-host", "the endpoint must not get"),
        ("host-unknown", "want 404"),
        ("connection-close", "the answer lacks Connection: close"),
    ] {
        let case = cases.iter().find(|case| case.id == id).unwrap();
        let failure = corpus::run_request(&lane, case, 1).await.unwrap_err();
        let text = failure.to_string();
        assert!(text.contains(told) && text.contains(&case.place), "{text}");
    }
    let cases = corpus::responses().unwrap();
    for (id, told) in [
        ("version-two", "not a status line"),
        ("lengths-equal", "is framed by"),
        ("nominated", "instead of"),
        ("cut-length", "no answer: the connection is closed"),
        ("extra-response", "poison!"),
    ] {
        let case = cases.iter().find(|case| case.id == id).unwrap();
        let failure = corpus::run_response(&lane, case, 1).await.unwrap_err();
        let text = failure.to_string();
        assert!(text.contains(told) && text.contains(&case.place), "{text}");
    }
}
