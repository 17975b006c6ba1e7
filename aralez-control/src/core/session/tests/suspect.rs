//! The second try of a suspect content.

use aralez_proto::content::Content;

use super::*;

fn refused(version: Version, code: FaultCode) -> RefusedContent {
    refusing_for(
        version,
        vec![Fault::whole(code, "", "crashed this proxy several times")],
    )
}

/// A session of a node that runs version 1 and refuses version 2, the newest, with this fault code. Both have the same endpoints.
fn session(code: FaultCode, now: Instant) -> (Session, SharedSnapshot) {
    let runs = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let newest = snapshot(2, &spec(&[("a.example", 2, &[1])]));
    let recent = Arc::new(recent(&runs).followed_by(&newest).unwrap());
    let hello = Hello {
        refused: vec![refused(newest.version(), code)],
        ..hello(Some(runs.version()))
    };
    let OpenedSession {
        mut session,
        actions,
        ..
    } = open(hello, &recent, now);
    if let [Action::Derive(needed)] = &actions[..] {
        assert!(session.handle(derived(needed), now).is_empty());
    }
    (session, newest)
}

/// Returns the content that the session asks to try at a tick, with a node that has just sent its status.
fn asks(session: &mut Session, now: Instant) -> Option<Digest> {
    session.handle(Event::Status(NodeStatus::default()), now);
    let actions = session.handle(Event::Tick, now);
    actions.into_iter().find_map(|action| match action {
        Action::AskToTry(root) => Some(root),
        _ => None,
    })
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_node_that_served_well_for_a_while_asks_to_try_its_suspect_and_asks_again() {
    let now = Instant::now();
    let wait = Pace::default().retry_suspects;
    let (mut session, newest) = session(FaultCode::Suspect, now);
    assert_eq!(asks(&mut session, now + wait - SECOND), None);
    assert!(session.deadline() <= now + wait);
    let root = Some(newest.version().authored_root);
    assert_eq!(asks(&mut session, now + wait), root);
    assert_eq!(asks(&mut session, now + wait + SECOND), None);
    assert_eq!(asks(&mut session, now + wait + SECOND * 30), root);
}

#[test]
fn a_node_that_may_try_is_sent_the_suspect_content_once() {
    let now = Instant::now() + Pace::default().retry_suspects;
    let (mut session, newest) = session(FaultCode::Suspect, now);
    let root = newest.version().authored_root;
    let actions = session.handle(Event::Granted(root), now);
    assert_eq!(sent(&actions).to.version(), newest.version());
    assert!(session.handle(Event::Granted(root), now).is_empty());
    assert_eq!(asks(&mut session, now + SECOND), None);
}

#[test]
fn endpoints_that_come_and_go_neither_reset_nor_escape_the_verdict_on_a_suspect() {
    let now = Instant::now();
    let wait = Pace::default().retry_suspects;
    let (mut session, newest) = session(FaultCode::Suspect, now);
    let root = newest.version().authored_root;
    let mut recent = recent(&newest);
    for port in 2..40_u16 {
        let churned = snapshot(2, &spec(&[("a.example", 2, &[1, port])]));
        recent = Arc::new(recent.followed_by(&churned).unwrap());
        let later = now + SECOND * u32::from(port);
        let actions = session.handle(Event::View(Arc::clone(&recent)), later);
        // Only endpoints reach it, as a delta from what it runs.
        let [Action::Derive(needed)] = &actions[..] else {
            panic!("{actions:?}");
        };
        let actions = session.handle(derived(needed), later);
        let update = sent(&actions).clone();
        assert_eq!(update.to.version().revision, 1);
        assert_ne!(update.to.version().authored_root, root);
        session.handle(ack(&update), later);
        let refused = session.state().refused.unwrap();
        assert_eq!(refused.content, Content::Authored(root));
    }
    assert_eq!(asks(&mut session, now + wait), Some(root));
}

#[test]
fn a_content_that_was_fatal_or_refused_for_a_fault_of_its_own_is_never_tried_by_itself() {
    for code in [FaultCode::Fatal, FaultCode::Invalid, FaultCode::Limit] {
        let now = Instant::now();
        let (mut session, newest) = session(code, now);
        let late = now + Duration::from_secs(24 * 3600);
        assert_eq!(asks(&mut session, late), None, "{}", code.name());
        let granted = session.handle(Event::Granted(newest.version().authored_root), late);
        assert!(granted.is_empty(), "{}", code.name());
        let actions = session.handle(Event::Retry, late);
        assert_eq!(sent(&actions).to.version(), newest.version());
    }
}

#[test]
fn an_answer_that_comes_when_another_content_is_newest_sends_nothing_old() {
    let now = Instant::now();
    let (mut session, suspect) = session(FaultCode::Suspect, now);
    let next = snapshot(3, &spec(&[("a.example", 3, &[1])]));
    let next = Arc::new(recent(&suspect).followed_by(&next).unwrap());
    let actions = session.handle(Event::View(Arc::clone(&next)), now);
    assert_eq!(sent(&actions).to.version(), next.newest().version());
    let granted = Event::Granted(suspect.version().authored_root);
    assert!(session.handle(granted, now).is_empty());
}
