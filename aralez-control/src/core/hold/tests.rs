use super::*;
use crate::core::loss::LossScope;

const SECOND: Duration = Duration::from_secs(1);

fn content(number: u8) -> Digest {
    Digest::of_fields(&[&[number]])
}

fn lost(removed: usize) -> Vec<Loss> {
    vec![Loss {
        from: LossScope::Hosts,
        before: 20,
        removed,
    }]
}

fn files(number: u8, losses: Vec<Loss>, by_time: bool) -> Files {
    Files {
        content: content(number),
        losses,
        by_time,
    }
}

fn edited(number: u8, removed: usize) -> Files {
    files(number, lost(removed), true)
}

#[test]
fn files_wait_for_the_hold_and_are_taken_if_they_stay() {
    let (now, mut holds) = (Instant::now(), Holds::new(HOLD, [7; 16]));
    let held = holds.files(now, edited(1, 15)).unwrap();
    assert_eq!((held.since, held.until), (now, Some(now + HOLD)));
    let early = holds.files(now + HOLD - SECOND, edited(1, 15));
    assert_eq!(early, Some(held), "the second look comes after the hold");
    assert_eq!(holds.files(now + HOLD, edited(1, 15)), None);
    assert_eq!(holds.held_files(), None);
}

#[test]
fn other_files_or_another_loss_begin_a_hold_anew() {
    let (now, mut holds) = (Instant::now(), Holds::new(HOLD, [7; 16]));
    holds.files(now, edited(1, 15));
    let other = holds.files(now + SECOND, edited(2, 15)).unwrap();
    assert_eq!(other.since, now + SECOND);
    let more = holds.files(now + HOLD + SECOND, edited(2, 16)).unwrap();
    assert_eq!(
        more.since,
        now + HOLD + SECOND,
        "the head is another one by now"
    );
}

#[test]
fn files_that_went_back_are_held_from_the_beginning_when_they_come_again() {
    let (now, mut holds) = (Instant::now(), Holds::new(HOLD, [7; 16]));
    holds.files(now, edited(1, 15));
    holds.files_are(Some(content(1)));
    assert_eq!(holds.held_files(), Some(content(1)));
    holds.files_are(Some(content(9)));
    assert_eq!(holds.held_files(), None);
    let again = holds.files(now + HOLD, edited(1, 15)).unwrap();
    assert_eq!(again.since, now + HOLD);
}

#[test]
fn a_deleted_or_emptied_set_is_never_taken_by_time() {
    let (now, mut holds) = (Instant::now(), Holds::new(HOLD, [7; 16]));
    let held = holds.files(now, files(1, lost(15), false)).unwrap();
    assert_eq!(held.until, None);
    let late = holds.files(now + HOLD * 1000, files(1, lost(15), false));
    assert_eq!(late, Some(held));
}

#[test]
fn a_push_that_comes_again_is_refused_again_however_late() {
    let (now, mut holds) = (Instant::now(), Holds::new(HOLD, [7; 16]));
    let first = holds.push(now, content(1), lost(15), None).unwrap();
    for seconds in [0, 1, 30, 599] {
        let again = holds.push(now + SECOND * seconds, content(1), lost(15), None);
        assert_eq!(again.unwrap().id, first.id, "after {seconds} s");
    }
    let late = holds.push(now + REMEMBERED, content(1), lost(15), None);
    assert_ne!(
        late.unwrap().id,
        first.id,
        "the id is valid for ten minutes"
    );
}

#[test]
fn the_id_of_a_refusal_confirms_that_push_once_and_in_time() {
    let (now, mut holds) = (Instant::now(), Holds::new(HOLD, [7; 16]));
    let id = holds.push(now, content(1), lost(15), None).map(|it| it.id);
    assert_eq!(holds.push(now + SECOND, content(1), lost(15), id), None);
    let again = holds.push(now + SECOND, content(1), lost(15), id);
    assert_ne!(
        again.as_ref().map(|it| it.id),
        id,
        "an id confirms one push"
    );
    let id = again.map(|it| it.id);
    let late = holds.push(now + SECOND + REMEMBERED, content(1), lost(15), id);
    assert!(late.is_some(), "it is too late");
}

#[test]
fn an_id_confirms_neither_another_content_nor_another_loss() {
    let (now, mut holds) = (Instant::now(), Holds::new(HOLD, [7; 16]));
    let id = holds.push(now, content(1), lost(11), None).map(|it| it.id);
    assert!(holds.push(now, content(2), lost(11), id).is_some());
    assert!(
        holds.push(now, content(1), lost(19), id).is_some(),
        "the head moved"
    );
    assert!(
        holds.push(now, content(1), lost(11), id).is_some(),
        "that look is over"
    );
}

#[test]
fn ids_are_read_as_they_are_written() {
    let id = Holds::new(HOLD, [7; 16]).next_id();
    assert_eq!(id.to_string().parse(), Ok(id));
    for wrong in [
        "",
        "1",
        "00000000000g",
        "0000000000000",
        "+12345678901",
        "ééé",
    ] {
        assert_eq!(wrong.parse::<HoldId>(), Err(NotAHoldId), "{wrong}");
    }
}

#[test]
fn nothing_lost_is_never_held() {
    let (now, mut holds) = (Instant::now(), Holds::new(HOLD, [7; 16]));
    assert_eq!(holds.push(now, content(1), Vec::new(), None), None);
    assert_eq!(holds.files(now, files(1, Vec::new(), true)), None);
}

#[test]
fn many_refused_pushes_are_remembered_in_bounded_number() {
    let (now, mut holds) = (Instant::now(), Holds::new(HOLD, [7; 16]));
    for number in 0..100 {
        assert!(holds.push(now, content(number), lost(15), None).is_some());
    }
    assert_eq!(holds.pushes.len(), PUSHES);
    assert_eq!(holds.pushes[0].content, content(84));
}

#[test]
fn what_is_held_is_said_in_one_line_of_bounded_length() {
    let losses: Vec<Loss> = (11..18).flat_map(lost).collect();
    let now = Instant::now();
    let mut held = Held {
        id: Holds::new(HOLD, [7; 16]).next_id(),
        losses,
        gone: vec!["conf.d/a.yaml".to_owned()],
        dropped: Vec::new(),
        since: now,
        until: Some(now),
    };
    let text = held.to_string();
    assert!(
        text.starts_with("removes 11 of 20 hosts, removes 12"),
        "{text}"
    );
    assert!(
        text.ends_with("removes 15 of 20 hosts and 3 more"),
        "{text}"
    );
    held.losses.truncate(1);
    assert_eq!(
        held.to_string(),
        "removes 11 of 20 hosts, lacks conf.d/a.yaml"
    );
}
