use super::*;
use crate::core::loss::Loser;

const SECOND: Duration = Duration::from_secs(1);

fn content(number: u8) -> Digest {
    Digest::of_fields(&[&[number]])
}

fn lost(removed: usize) -> Vec<Loss> {
    vec![Loss {
        from: Loser::Hosts,
        before: 20,
        removed,
    }]
}

#[test]
fn files_wait_for_the_hold_and_are_taken_if_they_stay() {
    let (now, mut holds) = (Instant::now(), Holds::new(HOLD));
    let held = holds.files(now, content(1), lost(15)).unwrap();
    assert_eq!((held.since, held.until), (now, now + HOLD));
    let early = holds.files(now + HOLD - SECOND, content(1), lost(15));
    assert_eq!(early, Some(held), "the second look comes after the hold");
    assert_eq!(holds.files(now + HOLD, content(1), lost(15)), None);
    assert_eq!(holds.held_files(), None);
}

#[test]
fn other_files_or_another_loss_begin_a_hold_anew() {
    let (now, mut holds) = (Instant::now(), Holds::new(HOLD));
    holds.files(now, content(1), lost(15));
    let other = holds.files(now + SECOND, content(2), lost(15)).unwrap();
    assert_eq!(other.since, now + SECOND);
    let more = holds
        .files(now + HOLD + SECOND, content(2), lost(16))
        .unwrap();
    assert_eq!(
        more.since,
        now + HOLD + SECOND,
        "the head is another one by now"
    );
}

#[test]
fn files_that_went_back_are_held_from_the_beginning_when_they_come_again() {
    let (now, mut holds) = (Instant::now(), Holds::new(HOLD));
    holds.files(now, content(1), lost(15));
    holds.files_are(Some(content(1)));
    assert_eq!(holds.held_files(), Some(content(1)));
    holds.files_are(Some(content(9)));
    assert_eq!(holds.held_files(), None);
    let again = holds.files(now + HOLD, content(1), lost(15)).unwrap();
    assert_eq!(again.since, now + HOLD);
}

#[test]
fn a_push_is_refused_once_and_taken_when_it_comes_again_in_time() {
    let (now, mut holds) = (Instant::now(), Holds::new(HOLD));
    assert!(holds.push(now, content(1), lost(15)).is_some());
    assert_eq!(holds.push(now + SECOND, content(1), lost(15)), None);
    let third = holds.push(now + SECOND, content(1), lost(15));
    assert!(third.is_some(), "each pair of looks counts once");
    let late = holds.push(now + SECOND + REMEMBERED, content(1), lost(15));
    assert!(
        late.is_some(),
        "after ten minutes it is the first look again"
    );
}

#[test]
fn the_same_push_on_a_head_where_it_removes_more_is_a_first_look() {
    let (now, mut holds) = (Instant::now(), Holds::new(HOLD));
    assert!(holds.push(now, content(1), lost(11)).is_some());
    assert!(holds.push(now, content(1), lost(19)).is_some());
    assert_eq!(holds.push(now, content(1), lost(19)), None);
}

#[test]
fn nothing_lost_is_never_held() {
    let (now, mut holds) = (Instant::now(), Holds::new(HOLD));
    assert_eq!(holds.push(now, content(1), Vec::new()), None);
    assert_eq!(holds.files(now, content(1), Vec::new()), None);
}

#[test]
fn many_refused_pushes_are_remembered_in_bounded_number() {
    let (now, mut holds) = (Instant::now(), Holds::new(HOLD));
    for number in 0..100 {
        assert!(holds.push(now, content(number), lost(15)).is_some());
    }
    assert_eq!(holds.pushes.len(), PUSHES);
    assert_eq!(holds.push(now, content(99), lost(15)), None);
    assert!(holds.push(now, content(0), lost(15)).is_some());
}

#[test]
fn what_is_held_is_said_in_one_line_of_bounded_length() {
    let losses: Vec<Loss> = (11..18).flat_map(lost).collect();
    let now = Instant::now();
    let held = Held {
        losses,
        since: now,
        until: now,
    };
    let text = held.to_string();
    assert!(
        text.starts_with("removes 11 of 20 hosts, removes 12"),
        "{text}"
    );
    assert!(
        text.ends_with("removes 15 of 20 hosts and 2 more"),
        "{text}"
    );
}
