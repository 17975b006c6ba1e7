//! Files that are gone: which losses are intended, and which look like an accident.

use super::*;

const B: &str = "conf.d/b.yaml";

/// Returns the last reading for a folder with two files after ten seconds of the same look.
fn after_losing(gone: &Scan) -> (Bench, FilesReading) {
    let mut bench = Bench::fresh();
    bench.only(&look(text("a"), &[(A, text("x")), (B, text("y"))]), ms(100));
    let (_, reading) = bench.hold(gone, ms(10_000)).pop().unwrap();
    (bench, reading)
}

#[test]
fn a_folder_that_is_gone_empty_or_another_one_takes_nothing_away_however_long_that_lasts() {
    let all = Some(set(&[("upstreams.yaml", "a"), (A, "x"), (B, "y")]));
    let missing = Scan {
        folder: None,
        ..look(text("a"), &[])
    };
    let emptied = look(text("a"), &[]);
    let another = Scan {
        folder: folder(2),
        ..look(text("a"), &[(A, text("x"))])
    };
    for (lost, gone) in [(missing, &[A, B][..]), (emptied, &[A, B]), (another, &[B])] {
        let (mut bench, reading) = after_losing(&lost);
        assert_eq!(reading.documents, all);
        assert_eq!(reading.gone, gone);
        assert_eq!(bench.hold(&lost, ms(600_000)), [], "{lost:?}");
        // Once the files are back, everything is as before.
        let back = look(text("a"), &[(A, text("x")), (B, text("y"))]);
        let (_, reading) = bench.only(&back, ms(5_000));
        assert_eq!(reading.documents, all);
        assert!(reading.gone.is_empty());
    }
}

#[test]
fn a_file_that_is_gone_with_its_folder_stays_when_another_one_comes_back() {
    let (mut bench, _) = after_losing(&look(text("a"), &[]));
    let one = look(text("b"), &[(A, text("z"))]);
    let (_, reading) = bench.hold(&one, ms(10_000)).pop().unwrap();
    assert_eq!(
        reading.documents,
        Some(set(&[("upstreams.yaml", "b"), (A, "z"), (B, "y")]))
    );
    assert_eq!(reading.gone, [B]);
}

#[test]
fn one_deleted_file_of_several_and_a_link_that_points_elsewhere_are_decisions() {
    let (_, reading) = after_losing(&look(text("a"), &[(A, text("x"))]));
    let left = Some(set(&[("upstreams.yaml", "a"), (A, "x")]));
    assert_eq!(reading.documents, left);
    assert!(reading.gone.is_empty());
    let swapped = Scan {
        folder: Some(Folder {
            id: id(2),
            real: "/releases/2".into(),
        }),
        ..look(text("a"), &[(A, text("x"))])
    };
    let (_, reading) = after_losing(&swapped);
    assert_eq!(reading.documents, left);
    assert!(reading.gone.is_empty());
}

#[test]
fn a_folder_that_vanished_while_control_was_down_takes_nothing_away() {
    let documents = set(&[("upstreams.yaml", "a"), (A, "x")]);
    for folder in [None, folder(1)] {
        let mut bench = Bench::new(KnownFiles {
            hash: Some(documents.content_hash()),
            has_head: true,
            documents: documents.clone(),
        });
        let gone = Scan {
            folder,
            ..look(text("a"), &[])
        };
        let (_, reading) = bench.hold(&gone, ms(60_000)).pop().unwrap();
        assert_eq!(reading.documents, Some(documents.clone()));
        assert_eq!(reading.gone, [A]);
    }
}

#[test]
fn a_folder_that_is_gone_together_with_the_main_document_takes_nothing_away() {
    let mut bench = Bench::fresh();
    bench.only(&look(text("a"), &[(A, text("x"))]), ms(100));
    let all = Some(set(&[("upstreams.yaml", "a"), (A, "x")]));
    for (_, reading) in bench.hold(&look(Found::Missing, &[]), ms(10_000)) {
        assert_eq!(reading.documents, all);
    }
}
