//! The files that documents name.

use aralez_proto::document::FoundFile;

use super::*;

const PAGE: &str = "pages/404.html";

/// A look at a main document that names one file.
fn with(file: Found) -> Scan {
    Scan {
        named: [(PAGE.parse().unwrap(), file)].into(),
        ..look(text("a"), &[])
    }
}

fn file_of(reading: &FilesReading) -> &FoundFile {
    let documents = reading.documents.as_ref().expect("a set");
    documents
        .files()
        .get(&PAGE.parse().unwrap())
        .expect("looked for")
}

fn trouble(reason: &str) -> Found {
    Found::Trouble(reason.to_owned())
}

#[test]
fn a_change_of_a_named_file_alone_is_another_set() {
    let mut bench = Bench::fresh();
    let (_, first) = bench.only(&with(text("1")), ms(1_000));
    let (after, second) = bench.only(&with(text("2")), ms(1_000));
    assert_eq!(file_of(&second), &Ok("2".into()));
    assert!(after < ms(100), "moved into place: {after:?}");
    let hash = |reading: &FilesReading| reading.documents.as_ref().unwrap().content_hash();
    assert_ne!(hash(&first), hash(&second));
}

#[test]
fn a_named_file_that_is_being_written_is_not_read_and_holds_the_set_up_no_longer_than_others() {
    let mut bench = Bench::fresh();
    bench.hold(&with(text("1")), ms(1_000));
    let writing = with(Found::Writing(id(7)));
    assert!(bench.hold(&writing, PATIENCE - ms(100)).is_empty());
    let (_, late) = bench.only(&writing, ms(1_000));
    assert_eq!((file_of(&late), late.writing), (&Ok("1".into()), 1));
    // Appended in place: only after a pause.
    let appended = with(seen("1 2", 7, Written::Closed));
    let (after, reading) = bench.only(&appended, ms(2_000));
    assert!(after >= ms(500), "{after:?}");
    assert_eq!(file_of(&reading), &Ok("1 2".into()));
}

#[test]
fn a_named_file_that_disappears_keeps_its_last_content_and_is_told() {
    let mut bench = Bench::fresh();
    bench.hold(&with(text("1")), ms(1_000));
    let (after, reading) = bench.only(&with(Found::Missing), ms(4_000));
    assert!(after >= GONE, "editors delete and create: {after:?}");
    assert_eq!(file_of(&reading), &Ok("1".into()));
    assert!(
        warned(&reading).starts_with("pages/404.html: was deleted, but documents name it"),
        "{}",
        warned(&reading)
    );
    // A restart does not change that.
    let known = KnownFiles {
        documents: reading.documents.clone().unwrap(),
        hash: None,
        has_head: true,
    };
    let mut restarted = Bench::new(known);
    let told = restarted.hold(&with(Found::Missing), ms(4_000));
    let (_, last) = told.last().expect("a reading");
    assert_eq!(
        (file_of(last), warned(last)),
        (&Ok("1".into()), warned(&reading))
    );
    let (_, back) = bench.only(&with(text("3")), ms(1_000));
    assert_eq!(
        (file_of(&back), warned(&back)),
        (&Ok("3".into()), String::new())
    );
}

#[test]
fn a_named_file_that_cannot_be_used_keeps_its_last_content_or_gives_the_reason() {
    let large = || with(trouble("is larger than 1024 KiB"));
    let (_, reading) = Bench::fresh().only(&large(), ms(1_000));
    assert_eq!(file_of(&reading), &Err("is larger than 1024 KiB".into()));
    assert_eq!(warned(&reading), "");
    let (_, reading) = Bench::fresh().only(&with(Found::Missing), ms(1_000));
    assert_eq!(
        file_of(&reading),
        &Err("does not exist below the configuration folder".into())
    );
    let mut bench = Bench::fresh();
    bench.hold(&with(text("1")), ms(1_000));
    let (_, reading) = bench.only(&large(), ms(1_000));
    assert_eq!(file_of(&reading), &Ok("1".into()));
    assert_eq!(
        warned(&reading),
        "pages/404.html: is larger than 1024 KiB; its previous content stays in use\n"
    );
}

#[test]
fn a_file_that_no_document_names_any_more_is_no_part_of_the_set() {
    let mut bench = Bench::fresh();
    bench.hold(&with(text("1")), ms(1_000));
    let (_, reading) = bench.only(&look(text("b"), &[]), ms(1_000));
    assert!(reading.documents.unwrap().files().is_empty());
}
