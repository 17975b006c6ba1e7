//! Files that are being written, or are written in parts.

use super::*;

#[test]
fn a_file_that_is_open_for_writing_is_not_taken_however_often_it_rests() {
    let mut bench = Bench::fresh();
    bench.only(&look(text("before"), &[]), ms(100));
    assert_eq!(
        bench.hold(&look(Found::Writing(id(7)), &[]), ms(59_000)),
        []
    );
    let (after, reading) = bench.only(&look(closed("before and after"), &[]), ms(5_000));
    assert_eq!(
        reading.documents,
        Some(set(&[("upstreams.yaml", "before and after")]))
    );
    assert!(after <= ms(510), "{after:?}");
}

#[test]
fn a_file_that_was_written_over_in_one_go_is_taken_soon_after_its_close() {
    let mut bench = Bench::fresh();
    bench.only(&look(text("before"), &[]), ms(100));
    let (after, _) = bench.only(&look(closed("beyond"), &[]), ms(5_000));
    assert!(after <= ms(60), "{after:?}");
}

#[test]
fn a_file_that_is_appended_to_by_many_short_opens_is_taken_after_half_a_second_of_quiet() {
    let mut bench = Bench::fresh();
    bench.only(&look(text("a b c"), &[]), ms(100));
    let mut whole = String::new();
    for _ in 0..8 {
        whole.push_str("x y ");
        assert_eq!(bench.hold(&look(closed(&whole), &[]), ms(450)), []);
    }
    let (after, reading) = bench.only(&look(closed(&whole), &[]), ms(5_000));
    assert_eq!(reading.documents, Some(set(&[("upstreams.yaml", &whole)])));
    assert!(after <= ms(100), "{after:?}");
}

#[test]
fn where_nothing_is_heard_of_a_file_it_must_be_quiet_and_one_that_was_moved_over_it_is_taken_at_once()
 {
    let mut bench = Bench::fresh();
    bench.only(&look(seen("a", 7, Written::LongAgo), &[]), ms(100));
    let (after, _) = bench.only(&look(seen("b", 7, Written::Unknown), &[]), ms(5_000));
    assert!(after >= ms(500), "{after:?}");
    let (after, _) = bench.only(&look(seen("c", 7, Written::LongAgo), &[]), ms(5_000));
    assert!(after >= ms(500), "{after:?}");
    let (after, _) = bench.only(&look(seen("d", 8, Written::Unknown), &[]), ms(5_000));
    assert!(after <= ms(60), "{after:?}");
}

#[test]
fn at_the_start_a_file_that_a_process_writes_is_not_taken() {
    let before = KnownFiles {
        documents: set(&[("upstreams.yaml", "a b")]),
        hash: Some(set(&[("upstreams.yaml", "a b")]).content_hash()),
        has_head: true,
    };
    let mut bench = Bench::new(before);
    bench.open.push(id(7));
    let part = look(seen("a", 7, Written::LongAgo), &[]);
    assert_eq!(bench.hold(&part, ms(30_000)), []);
    bench.open.clear();
    let (_, reading) = bench.only(&look(seen("a b c", 7, Written::Closed), &[]), ms(5_000));
    assert_eq!(reading.documents, Some(set(&[("upstreams.yaml", "a b c")])));
}

#[test]
fn after_a_minute_a_file_that_is_open_for_writing_is_warned_of_left_out_and_still_not_taken() {
    let mut bench = Bench::fresh();
    bench.only(&look(text("a"), &[(A, text("x"))]), ms(100));
    let writing = look(text("b"), &[(A, Found::Writing(id(9)))]);
    bench.open.push(id(9));
    let (after, reading) = bench.only(&writing, ms(120_000));
    assert!(after >= ms(60_000), "{after:?}");
    assert_eq!(
        reading.documents,
        Some(set(&[("upstreams.yaml", "b"), (A, "x")]))
    );
    assert_eq!(reading.writing, 1);
    assert!(
        warned(&reading).starts_with("conf.d/a.yaml: is not read: pid 12 (rsync) has it open"),
        "{}",
        warned(&reading)
    );
    bench.open.clear();
    let done = look(text("b"), &[(A, seen("x y", 9, Written::Closed))]);
    // Left out until it has settled.
    let (_, reading) = bench.hold(&done, ms(2_000)).pop().unwrap();
    assert_eq!((reading.writing, warned(&reading).as_str()), (0, ""));
    assert_eq!(
        reading.documents,
        Some(set(&[("upstreams.yaml", "b"), (A, "x y")]))
    );
}

#[test]
fn a_new_file_that_is_written_for_a_minute_holds_the_set_back() {
    let mut bench = Bench::fresh();
    bench.only(&look(text("a"), &[]), ms(100));
    let (_, reading) = bench.only(&look(text("b"), &[(A, Found::Writing(id(9)))]), ms(70_000));
    assert_eq!(reading.documents, None);
    assert!(reading.faults[0].reason.starts_with("is not read"));
}
