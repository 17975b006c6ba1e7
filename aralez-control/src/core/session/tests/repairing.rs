//! Nodes whose content control does not know.

use super::*;
use aralez_proto::record::Change as Changed;

/// A view with many hosts, one of which has this content.
fn view(revision: u64, tag: u64) -> SharedSnapshot {
    let names: Vec<String> = (0..50).map(|number| format!("h{number}.example")).collect();
    let hosts: Vec<(&str, u64, &[u16])> = names
        .iter()
        .map(|name| {
            (
                name.as_str(),
                if name == "h7.example" { tag } else { 1 },
                &[1_u16][..],
            )
        })
        .collect();
    snapshot(revision, &spec(&hosts))
}

/// Returns the question among the actions.
#[track_caller]
fn asked(actions: &[Action]) -> u64 {
    match actions {
        [Action::AskDigest { question } | Action::AskDetail { question, .. }] => *question,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_node_with_a_content_of_before_the_restart_is_sent_only_what_differs() {
    let now = Instant::now();
    let (held, newest) = (view(1, 1), view(2, 2));
    let opened = open(hello(Some(held.version())), &recent(&newest), now);
    assert_eq!(opened.resume, Resume::Repair);
    assert_eq!(opened.expected, Some(newest.version()));
    let mut session = opened.session;
    let question = asked(&opened.actions);
    let actions = session.handle(digest(question, &held), now);
    let [Action::AskDetail { question, buckets }] = actions.as_slice() else {
        panic!("{actions:?}");
    };
    assert_eq!(buckets.len(), 1);
    let actions = session.handle(detail(*question, &held, buckets), now);
    let update = sent(&actions);
    let Base::Reported(from, delta) = &update.from else {
        panic!("{update:?}");
    };
    assert_eq!(*from, held.version());
    assert!(matches!(delta.as_slice(), [Changed::Put(host)] if host.key == host_key("h7.example")));
    assert!(session.handle(ack(update), now).is_empty());
    assert_eq!(session.state().running, Some(newest.version()));
}

#[test]
fn a_node_that_shares_little_gets_everything() {
    let now = Instant::now();
    let names: Vec<String> = (0..2_000)
        .map(|number| format!("n{number}.example"))
        .collect();
    let hosts: Vec<(&str, u64, &[u16])> = names
        .iter()
        .map(|name| (name.as_str(), 5, &[1_u16][..]))
        .collect();
    let newest = snapshot(2, &spec(&hosts));
    let held = view(1, 1);
    let OpenedSession {
        mut session,
        actions,
        ..
    } = open(hello(Some(held.version())), &recent(&newest), now);
    let actions = session.handle(digest(asked(&actions), &held), now);
    assert!(matches!(sent(&actions).from, Base::Nothing));
}

#[test]
fn a_node_that_tells_nonsense_gets_everything_and_is_not_asked_again() {
    let now = Instant::now();
    let (held, newest) = (view(1, 1), view(2, 2));
    let recent = recent(&newest);
    let asked_session = || {
        let opened = open(hello(Some(held.version())), &recent, now);
        (opened.session, asked(&opened.actions))
    };
    let (mut session, question) = asked_session();
    let marks = Event::Digest {
        question,
        marks: Vec::new(),
    };
    assert!(matches!(
        sent(&session.handle(marks, now)).from,
        Base::Nothing
    ));

    let (mut session, question) = asked_session();
    let question = asked(&session.handle(digest(question, &held), now));
    let nothing = Event::Detail {
        question,
        held: None,
    };
    assert!(matches!(
        sent(&session.handle(nothing, now)).from,
        Base::Nothing
    ));

    let (mut session, question) = asked_session();
    let question = asked(&session.handle(digest(question, &held), now));
    let wrong = Event::Detail {
        question,
        held: Some(Vec::new()),
    };
    let update = sent(&session.handle(wrong, now)).clone();
    let mismatch = Fault::whole(FaultCode::HashMismatch, "root", "another root");
    let nack = Event::Nack {
        update_id: update.id,
        kept: Some(held.version()),
        faults: vec![mismatch],
    };
    assert!(matches!(
        sent(&session.handle(nack, now)).from,
        Base::Nothing
    ));
}

#[test]
fn answers_to_other_questions_are_not_heard_and_no_answer_ends_the_stream() {
    let now = Instant::now();
    let (held, newest) = (view(1, 1), view(2, 2));
    let OpenedSession {
        mut session,
        actions,
        ..
    } = open(hello(Some(held.version())), &recent(&newest), now);
    let question = asked(&actions);
    assert!(session.handle(digest(question + 1, &held), now).is_empty());
    assert!(
        session
            .handle(detail(question, &held, &[1]), now)
            .is_empty()
    );
    let late = now + Pace::default().ack_deadline;
    let actions = session.handle(Event::Tick, late);
    assert!(
        matches!(actions.as_slice(), [Action::Close(Closing::Stuck)]),
        "{actions:?}"
    );
}

#[test]
fn a_proxy_that_cannot_be_asked_gets_everything() {
    let now = Instant::now();
    let older = Hello {
        repairs: false,
        ..hello(Some(view(1, 1).version()))
    };
    let opened = open(older, &recent(&view(2, 2)), now);
    assert_eq!(opened.resume, Resume::Full);
}
