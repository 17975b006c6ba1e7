//! Waits for conditions instead of fixed times.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Polls `probe` until it returns `Ok`. Returns its value and the time that it took.
///
/// # Errors
/// After `limit`: the awaited condition and the last reason of the probe.
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

/// Returns `Ok` if the two are equal: the usual last line of a probe.
///
/// # Errors
/// Both values, if they differ.
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

/// Asserts that `probe` stays `Ok` for `span`: for events that must not happen.
///
/// # Panics
/// With the reason, if `probe` fails.
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
