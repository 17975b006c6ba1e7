//! Waiting for a condition instead of for a time.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Asks `probe` until it says `Ok`, and returns that with the time it took.
///
/// # Errors
/// What was awaited and the last reason of the probe, when `limit` has passed.
pub async fn try_eventually<T, F, P>(
    limit: Duration,
    what: &str,
    mut probe: P,
) -> Result<(T, Duration), String>
where
    F: Future<Output = Result<T, String>>,
    P: FnMut() -> F,
{
    let start = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut last = "the probe never answered".to_owned();
    loop {
        match tokio::time::timeout_at(start + limit, probe()).await {
            Ok(Ok(value)) => return Ok((value, start.elapsed())),
            Ok(Err(reason)) => last = reason,
            Err(_) => {}
        }
        if start.elapsed() >= limit {
            return Err(format!("not within {limit:?}: {what}; last: {last}"));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// As [`try_eventually`], for a test: panics with the reason.
#[track_caller]
pub fn eventually<T, F, P>(limit: Duration, what: &str, probe: P) -> impl Future<Output = T>
where
    F: Future<Output = Result<T, String>>,
    P: FnMut() -> F,
{
    let at = std::panic::Location::caller();
    async move {
        match try_eventually(limit, what, probe).await {
            Ok((value, _)) => value,
            Err(reason) => panic!("{at}: {reason}"),
        }
    }
}

/// `Ok` where the two are equal: the usual end of a probe.
///
/// # Errors
/// Both values, where they differ.
pub fn same<A: PartialEq<B> + std::fmt::Debug, B: std::fmt::Debug>(
    got: &A,
    want: &B,
) -> Result<(), String> {
    if got == want {
        Ok(())
    } else {
        Err(format!("got {got:?}, want {want:?}"))
    }
}

/// Watches that `probe` stays `Ok` for `span`: for what must not happen.
///
/// # Panics
/// With the reason, when it does happen.
pub async fn stays<F, P>(span: Duration, what: &str, mut probe: P)
where
    F: Future<Output = Result<(), String>>,
    P: FnMut() -> F,
{
    let end = Instant::now() + span;
    while Instant::now() < end {
        if let Err(reason) = probe().await {
            panic!("did not stay so: {what}: {reason}");
        }
        tokio::time::sleep(FIRST_PAUSE * 10).await;
    }
}
