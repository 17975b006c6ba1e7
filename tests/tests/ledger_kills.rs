//! Every revision that control acknowledged is committed, whenever control is killed.

use std::time::Duration;

use aralez_control::core::store::Store;
use aralez_control::ledger::Ledger;
use aralez_tests::document::versioned;
use aralez_tests::fleet::{Fleet, MASTER_KEY, Plan};
use aralez_tests::ports::random;
use aralez_tests::proof::{Kept, amount};
use aralez_tests::raw::{self, Request};

/// Longest lifetime of control before it is killed, in microseconds.
const LIFE: u64 = 150_000;

/// Pushes until control is gone. Returns each acknowledged text with its revision, and the text that was not acknowledged.
async fn push_until_killed(
    api: std::net::SocketAddr,
    first: u64,
    most: u64,
) -> (Vec<(u64, String)>, Option<String>) {
    let mut answered = Vec::new();
    for number in first..first + most {
        let text = versioned("a.test", &format!("v{number}"), ([127, 0, 0, 1], 9).into());
        let request = Request::new("POST", "control", "/v1/config")
            .header("Authorization", &format!("Bearer {MASTER_KEY}"))
            .body(text.as_str());
        match raw::send(api, &request).await {
            Ok(answer) if answer.status == 200 => {
                let revision = answer.json()["revision"].as_u64();
                answered.push((revision.expect("a commit has a revision"), text));
            }
            Ok(answer) => panic!("{}: {}", answer.status, answer.text()),
            Err(_) => return (answered, Some(text)),
        }
    }
    (answered, None)
}

fn text_of(ledger: &Ledger, revision: u64) -> Option<String> {
    let revision = ledger.read(revision).expect("a revision opens")?;
    let text = revision.documents.documents().values().next().cloned();
    Some(String::from_utf8(text.unwrap_or_default().to_vec()).expect("a document is text"))
}

fn open(fleet: &Fleet) -> Ledger {
    Ledger::open(&fleet.state().join("control")).expect("the ledger of a killed control opens")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_commit_that_was_answered_is_there_after_control_is_killed() {
    let total = amount(60, 500);
    // The initial set of files is a revision before all others.
    let document = versioned("a.test", "file", ([127, 0, 0, 1], 9).into());
    let mut fleet = Plan::new(0).document(&document).start().await;
    let base = fleet.follows(0).await;
    fleet.kill_control();
    let (mut all, mut kills, mut unanswered) = (Vec::new(), 0, 0);
    while (all.len() as u64) < total {
        fleet.start_control().await;
        let left = total - all.len() as u64;
        let pushing = tokio::spawn(push_until_killed(fleet.api(), all.len() as u64, left));
        tokio::time::sleep(Duration::from_micros(random() % LIFE)).await;
        fleet.kill_control();
        kills += 1;
        let (answered, open_text) = pushing.await.unwrap();
        let ledger = open(&fleet);
        for (revision, text) in &answered {
            assert_eq!(
                text_of(&ledger, *revision).as_ref(),
                Some(text),
                "revision {revision}"
            );
        }
        all.extend(answered);
        let last = all.last().map_or(base, |(revision, _)| *revision);
        let head = ledger.head().unwrap().expect("there is a head").revision;
        if head > last {
            // It was committed, but control was killed before it answered.
            assert_eq!((head, text_of(&ledger, head)), (last + 1, open_text));
            all.push((head, text_of(&ledger, head).unwrap()));
            unanswered += 1;
        }
        assert_eq!(all.last().map_or(base, |(revision, _)| *revision), head);
    }
    let ledger = open(&fleet);
    for (index, (revision, text)) in all.iter().enumerate() {
        assert_eq!(*revision, base + 1 + index as u64, "numbers go on by one");
        assert_eq!(text_of(&ledger, *revision).as_ref(), Some(text));
    }
    let measured = format!(
        "{} commits, {kills} kills: opened each time, 0 acknowledged commits missing, {unanswered} written but not acknowledged",
        all.len()
    );
    let row = Kept {
        what: "ledger: SIGKILL of control at random times while it commits",
        goal: "opens, and contains every acknowledged commit",
        measured: &measured,
        met: true,
        test: "ledger_kills",
    };
    row.keep("ledger-kills");
}
