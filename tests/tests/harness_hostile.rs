//! The harness of slow and hostile peers detects failures: a test that cannot fail proves nothing.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use aralez_tests::origin::{AnswerEnding, Origin, ScriptedAnswer};
use aralez_tests::raw::{Connection, Request};
use aralez_tests::slow::far::FarEndpoint as Far;
use aralez_tests::slow::kind::{Kind, Want};
use aralez_tests::slow::{clients, endpoints, round};
use aralez_tests::tricks::endpoint::{Manners, TrickEndpoint};
use aralez_tests::tricks::victims::{Harm, Victims};
use aralez_tests::tricks::{HOST, list};

async fn harm(origin: &Origin) -> Harm {
    let victims = Victims {
        address: origin.address(),
        requests: 20,
        tries: (Arc::new(AtomicU64::new(0)), 0),
        pause: Duration::ZERO,
        calm: Arc::default(),
    };
    victims.run().await
}

#[tokio::test]
async fn victims_see_answers_of_others_and_answers_that_fail() {
    let origin = Origin::start("victim-3").await;
    origin.answer_with(ScriptedAnswer::ok("victim-3").header("X-Id", "3"));
    let seen = harm(&origin).await;
    assert_eq!((seen.requests, seen.foreign, seen.failed), (20, 19, 19));
    origin.answer_with(ScriptedAnswer::status(502, ""));
    let seen = harm(&origin).await;
    assert_eq!((seen.requests, seen.foreign, seen.failed), (20, 0, 20));
    origin.answer_with(ScriptedAnswer::ok("victim-3").cut(50, AnswerEnding::Close));
    assert_eq!(harm(&origin).await.failed, 20);
}

#[tokio::test]
async fn the_endpoint_of_tricks_sees_a_byte_too_many() {
    let endpoint = TrickEndpoint::start().await;
    let post = Request::new("POST", HOST, "/a/ok").body("hello");
    let mut extra = post.head();
    extra.extend(b"hello0\r\n\r\n");
    let smuggled = Request::get(HOST, "/a/foreign").head();
    let early = Request::new("POST", HOST, "/a/early").body("hello world");
    let mut unfinished = early.head();
    unfinished.extend(b"hello");
    unfinished.extend(Request::get(HOST, "/v/1").head());
    for bytes in [extra, smuggled, unfinished, b"0\r\n\r\n\r\n".to_vec()] {
        endpoint.behave(Manners::default());
        let mut connection = Connection::open(endpoint.address()).await.unwrap();
        connection.write(&bytes).await.unwrap();
        let odd = || async {
            let odd = endpoint.seen().odd;
            odd.first().cloned().ok_or_else(|| "nothing odd".to_owned())
        };
        let limit = Duration::from_secs(5);
        aralez_tests::eventually::eventually(limit, "the endpoint finds it odd", odd).await;
    }
    endpoint.behave(Manners::default());
    let victim = Request::get(HOST, "/v/7").header("X-Id", "7");
    let answer = aralez_tests::raw::send(endpoint.address(), &victim).await;
    assert_eq!(answer.unwrap().text(), "victim-7");
    assert!(endpoint.seen().odd.is_empty(), "{:?}", endpoint.seen());
}

async fn problems(origin: &Origin, kind: Kind) -> Vec<String> {
    let far = Arc::new(Far::start(&kind).await);
    let row = round::play(origin.address(), Arc::new(kind), far, 3).await;
    row.problems
}

fn half_head(want: Want) -> Kind {
    Kind::client("a head stops half way", "client_header_timeout")
        .opens("GET {path} HTTP/1.1\r\n\r\n")
        .within(Duration::from_millis(200))
        .wants(want)
}

#[tokio::test]
async fn a_peer_that_is_forgotten_or_cut_too_early_is_seen() {
    let origin = Origin::start("late").await;
    let late = ScriptedAnswer::status(408, "").closing();
    origin.answer_with(late.clone().after(Duration::from_millis(200)));
    let want = Want::Closed(&[408]);
    assert_eq!(problems(&origin, half_head(want)).await, [""; 0]);
    let wrong = problems(&origin, half_head(Want::Closed(&[400]))).await;
    assert_eq!(wrong, ["408, not Closed([400])"]);
    origin.answer_with(late.clone());
    let early = problems(&origin, half_head(want)).await;
    assert!(early[0].starts_with("too early"), "{early:?}");
    origin.answer_with(late.after(Duration::from_millis(1_500)));
    let late = problems(&origin, half_head(want)).await;
    assert!(late[0].starts_with("too late"), "{late:?}");
    origin.answer_with(ScriptedAnswer::status(408, "").cut(30, AnswerEnding::Stall));
    let forgotten = problems(&origin, half_head(want)).await;
    assert!(
        forgotten.iter().any(|line| line.contains("not closed")),
        "{forgotten:?}"
    );
    origin.answer_with(ScriptedAnswer::ok("whole"));
    let whole = problems(&origin, half_head(Want::Truncated).wants(Want::Truncated)).await;
    assert!(whole[0].contains("not Truncated"), "{whole:?}");
}

#[test]
fn there_are_more_than_nineteen_kinds_and_each_has_a_name_of_its_own() {
    let kinds = [clients::kinds(), endpoints::kinds()].concat();
    let paths: std::collections::BTreeSet<_> = kinds.iter().map(Kind::path).collect();
    assert_eq!(paths.len(), kinds.len());
    assert!(kinds.len() > 19, "{}", kinds.len());
    assert!(list::all().len() >= 5);
}
