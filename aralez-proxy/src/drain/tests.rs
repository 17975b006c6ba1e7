use std::future::{pending, ready};
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const PHASES: Phases = Phases {
    lame_duck: Duration::from_secs(5),
    grace_period: Duration::from_secs(25),
};

#[tokio::test(start_paused = true)]
async fn an_idle_node_leaves_right_after_the_lame_duck_phase() {
    let traffic = Arc::new(Traffic::default());
    let start = Instant::now();
    let end = drain(&traffic, PHASES, pending(), || ready(()), pending()).await;
    assert_eq!(end, DrainEnd::Idle);
    assert_eq!(start.elapsed(), PHASES.lame_duck + QUIET);
}

#[tokio::test(start_paused = true)]
async fn readiness_flips_before_the_listeners_close() {
    let traffic = Arc::new(Traffic::default());
    let closed = AtomicBool::new(false);
    let start = Instant::now();
    let close = || {
        assert!(traffic.is_draining());
        assert_eq!(start.elapsed(), PHASES.lame_duck);
        closed.store(true, Ordering::Relaxed);
        ready(())
    };
    drain(&traffic, PHASES, pending(), close, pending()).await;
    assert!(closed.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn a_request_in_flight_is_finished() {
    let traffic = Arc::new(Traffic::default());
    let request = traffic.tally().enter();
    tokio::spawn(async move {
        sleep(Duration::from_secs(12)).await;
        drop(request);
    });
    let start = Instant::now();
    assert_eq!(
        drain(&traffic, PHASES, pending(), || ready(()), pending()).await,
        DrainEnd::Idle
    );
    let took = start.elapsed();
    assert!(
        took >= Duration::from_secs(12) && took < Duration::from_secs(13),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_accepted_just_before_the_listeners_closed_is_finished() {
    let traffic = Arc::new(Traffic::default());
    let late = Arc::clone(&traffic);
    tokio::spawn(async move {
        sleep(PHASES.lame_duck + Duration::from_millis(50)).await;
        let _request = late.tally().enter();
        sleep(Duration::from_secs(3)).await;
    });
    let start = Instant::now();
    let end = drain(&traffic, PHASES, pending(), || ready(()), pending()).await;
    assert_eq!(end, DrainEnd::Idle);
    assert!(start.elapsed() >= PHASES.lame_duck + Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_ends_is_cut_off_after_the_grace_period() {
    let traffic = Arc::new(Traffic::default());
    let _request = traffic.tally().enter();
    let start = Instant::now();
    let end = drain(&traffic, PHASES, pending(), || ready(()), pending()).await;
    assert_eq!(end, DrainEnd::GraceOver(1));
    assert!(start.elapsed() >= PHASES.lame_duck + PHASES.grace_period);
}

#[tokio::test(start_paused = true)]
async fn a_second_signal_leaves_at_once() {
    let traffic = Arc::new(Traffic::default());
    let _request = traffic.tally().enter();
    let start = Instant::now();
    let hurry = sleep(Duration::from_secs(1));
    assert_eq!(
        drain(&traffic, PHASES, pending(), || ready(()), hurry).await,
        DrainEnd::Hurried
    );
    assert_eq!(start.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_does_not_close_cannot_keep_the_process() {
    let traffic = Arc::new(Traffic::default());
    assert_eq!(
        drain(&traffic, PHASES, pending(), pending, pending()).await,
        DrainEnd::Idle
    );
}
