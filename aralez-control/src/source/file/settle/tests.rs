use aralez_proto::document::MAX_BYTES;
use proptest::prelude::*;

use super::*;

mod named;
mod vanished;
mod writing;

const A: &str = "conf.d/a.yaml";

const PATIENCE: Duration = Duration::from_secs(60);

const fn id(inode: u64) -> FileId {
    FileId { device: 1, inode }
}

fn seen(text: &str, inode: u64, written: Written) -> Found {
    Found::Text(SeenFile {
        text: Bytes::copy_from_slice(text.as_bytes()),
        file: id(inode),
        written,
    })
}

/// A text moved into place: it is complete.
fn text(content: &str) -> Found {
    seen(content, 7, Written::Moved)
}

/// A text written in place and closed.
fn closed(content: &str) -> Found {
    seen(content, 7, Written::Closed)
}

fn folder(inode: u64) -> Option<Folder> {
    Some(Folder {
        id: id(inode),
        real: "/conf.d".into(),
    })
}

fn look(main: Found, conf_d: &[(&str, Found)]) -> Scan {
    Scan {
        main,
        conf_d: conf_d
            .iter()
            .map(|(name, found)| ((*name).to_owned(), found.clone()))
            .collect(),
        named: BTreeMap::new(),
        folder: folder(1),
        conf_d_trouble: None,
    }
}

fn set(texts: &[(&str, &str)]) -> DocumentSet {
    let owned =
        |(name, text): &(&str, &str)| ((*name).to_owned(), Bytes::copy_from_slice(text.as_bytes()));
    texts.iter().map(owned).collect()
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A decider with its reports, looking every 10 ms.
struct Bench {
    decider: Decider,
    now: Duration,
    /// Files that a process visibly has open for writing.
    open: Vec<FileId>,
}

impl Bench {
    fn new(before: KnownFiles) -> Self {
        Self {
            decider: Decider::new(before, PATIENCE),
            now: Duration::ZERO,
            open: Vec::new(),
        }
    }

    fn fresh() -> Self {
        Self::new(KnownFiles::default())
    }

    /// Repeats the same look for this long. Returns the readings with the time since the first look.
    fn hold(&mut self, look: &Scan, time: Duration) -> Vec<(Duration, FilesReading)> {
        let begun = self.now;
        let mut told = Vec::new();
        while self.now <= begun + time {
            let open = &self.open;
            let next = self.decider.examine(self.now, look, &mut |asked| {
                let open = open.iter().filter(|file| asked.contains(file));
                open.map(|file| (*file, "pid 12 (rsync)".to_owned()))
                    .collect()
            });
            told.extend(next.reading.map(|reading| (self.now - begun, reading)));
            self.now += ms(10);
        }
        told
    }

    fn only(&mut self, look: &Scan, time: Duration) -> (Duration, FilesReading) {
        let mut told = self.hold(look, time);
        assert_eq!(told.len(), 1, "{told:?}");
        told.remove(0)
    }
}

fn warned(reading: &FilesReading) -> String {
    let warnings = reading.warnings.iter();
    warnings.map(|warning| format!("{warning}\n")).collect()
}

#[test]
fn a_saved_file_is_taken_once_and_soon() {
    let mut bench = Bench::fresh();
    let (after, reading) = bench.only(&look(text("a"), &[]), ms(5_000));
    assert_eq!(reading.documents, Some(set(&[("upstreams.yaml", "a")])));
    assert!(after <= ms(60), "{after:?}");
    let (after, reading) = bench.only(&look(text("b"), &[(A, text("x"))]), ms(5_000));
    assert_eq!(
        reading.documents,
        Some(set(&[("upstreams.yaml", "b"), (A, "x")]))
    );
    assert!(after <= ms(60), "{after:?}");
    assert!(reading.warnings.is_empty() && reading.faults.is_empty());
}

#[test]
fn a_file_written_in_parts_is_taken_whole() {
    let mut bench = Bench::fresh();
    bench.only(&look(text("before"), &[]), ms(100));
    let parts = ["", "n", "ne", "new"];
    for part in &parts[..3] {
        assert_eq!(bench.hold(&look(text(part), &[]), ms(30)), []);
    }
    let (_, reading) = bench.only(&look(text("new"), &[]), ms(100));
    assert_eq!(reading.documents, Some(set(&[("upstreams.yaml", "new")])));
}

#[test]
fn whole_files_that_change_all_the_time_are_taken_after_a_while() {
    let mut bench = Bench::fresh();
    let told = (0..300).flat_map(|count| bench.hold(&look(text(&format!("{count}")), &[]), ms(1)));
    assert!(told.count() >= 1);
}

#[test]
fn a_truncated_main_document_gets_a_second_before_it_counts() {
    let mut bench = Bench::fresh();
    bench.only(&look(text("a"), &[]), ms(100));
    assert_eq!(bench.hold(&look(text(""), &[]), ms(900)), []);
    let (_, reading) = bench.only(&look(text(""), &[]), ms(200));
    assert_eq!(reading.documents, Some(set(&[("upstreams.yaml", "")])));
}

#[test]
fn a_deleted_main_document_stays_and_is_warned_of() {
    let mut bench = Bench::fresh();
    bench.only(&look(text("a"), &[(A, text("x"))]), ms(100));
    let gone = look(Found::Missing, &[(A, text("x"))]);
    let (after, reading) = bench.only(&gone, ms(10_000));
    assert!(after >= GONE);
    assert_eq!(
        reading.documents,
        Some(set(&[("upstreams.yaml", "a"), (A, "x")]))
    );
    assert!(warned(&reading).contains("upstreams.yaml: was deleted"));
    // Other changes in the set still count.
    let (_, reading) = bench.only(&look(Found::Missing, &[(A, text("y"))]), ms(100));
    assert_eq!(
        reading.documents,
        Some(set(&[("upstreams.yaml", "a"), (A, "y")]))
    );
    let (_, reading) = bench.only(&look(text("a"), &[(A, text("y"))]), ms(100));
    assert!(reading.warnings.is_empty());
}

#[test]
fn a_deleted_file_of_conf_d_goes_after_two_seconds_and_not_before() {
    let mut bench = Bench::fresh();
    let both = look(text("a"), &[(A, text("x"))]);
    bench.only(&both, ms(100));
    let one = look(text("a"), &[]);
    assert_eq!(bench.hold(&one, ms(1_900)), []);
    let (_, reading) = bench.only(&one, ms(1_000));
    assert_eq!(reading.documents, Some(set(&[("upstreams.yaml", "a")])));
}

#[test]
fn an_editor_that_deletes_and_makes_anew_is_not_noticed() {
    let mut bench = Bench::fresh();
    let both = look(text("a"), &[(A, text("x"))]);
    bench.only(&both, ms(100));
    assert_eq!(bench.hold(&look(Found::Missing, &[]), ms(1_500)), []);
    assert_eq!(bench.hold(&both, ms(5_000)), []);
    // The two seconds start again with the next deletion.
    assert_eq!(bench.hold(&look(text("a"), &[]), ms(1_900)), []);
}

#[test]
fn a_file_that_cannot_be_read_keeps_its_text_where_there_is_one() {
    let mut bench = Bench::fresh();
    bench.only(&look(text("a"), &[(A, text("x"))]), ms(100));
    let denied = Found::Trouble("permission denied".to_owned());
    let (_, reading) = bench.only(&look(text("a"), &[(A, denied.clone())]), ms(5_000));
    assert_eq!(
        reading.documents,
        Some(set(&[("upstreams.yaml", "a"), (A, "x")]))
    );
    assert!(
        warned(&reading)
            .contains("conf.d/a.yaml: cannot be read: permission denied; its previous content")
    );
    // Another file, whose text is unknown, holds the whole set back.
    let unknown = look(text("b"), &[(A, text("x")), ("conf.d/b.yaml", denied)]);
    let (_, reading) = bench.only(&unknown, ms(5_000));
    assert_eq!(reading.documents, None);
    assert_eq!(
        reading.faults[0].to_string(),
        "conf.d/b.yaml: cannot be read: permission denied"
    );
    let (_, reading) = bench.only(&look(text("b"), &[(A, text("x"))]), ms(100));
    assert_eq!(
        reading.documents,
        Some(set(&[("upstreams.yaml", "b"), (A, "x")]))
    );
}

#[test]
fn a_folder_that_cannot_be_read_keeps_all_its_files() {
    let mut bench = Bench::fresh();
    bench.only(&look(text("a"), &[(A, text("x"))]), ms(100));
    let closed = Scan {
        conf_d_trouble: Some("permission denied".to_owned()),
        ..look(text("a"), &[])
    };
    let (_, reading) = bench.only(&closed, ms(10_000));
    assert_eq!(
        reading.documents,
        Some(set(&[("upstreams.yaml", "a"), (A, "x")]))
    );
    assert!(warned(&reading).starts_with("conf.d: cannot be read"));
}

#[test]
fn a_folder_that_cannot_be_read_takes_nothing_away_where_its_files_are_not_known() {
    let mut bench = Bench::new(KnownFiles {
        hash: Some(set(&[("upstreams.yaml", "a"), (A, "x")]).content_hash()),
        has_head: true,
        ..KnownFiles::default()
    });
    let closed = Scan {
        conf_d_trouble: Some("permission denied".to_owned()),
        ..look(text("a"), &[])
    };
    let (_, reading) = bench.only(&closed, ms(10_000));
    assert_eq!(reading.documents, None);
    assert_eq!(
        reading.faults[0].to_string(),
        "conf.d: cannot be read: permission denied"
    );
}

#[test]
fn without_files_and_without_history_the_set_is_empty_and_warned_of() {
    let mut bench = Bench::fresh();
    let (_, reading) = bench.only(&look(Found::Missing, &[]), ms(5_000));
    assert_eq!(reading.documents, Some(set(&[])));
    assert!(warned(&reading).contains("upstreams.yaml: is missing"));
    let (_, reading) = bench.only(&look(text("a"), &[]), ms(100));
    assert_eq!(reading.documents, Some(set(&[("upstreams.yaml", "a")])));
}

#[test]
fn files_that_vanished_while_control_was_down_take_nothing_that_was_pushed() {
    let pushed = KnownFiles {
        has_head: true,
        hash: Some(set(&[("upstreams.yaml", "a")]).content_hash()),
        documents: DocumentSet::default(),
    };
    let (_, reading) = Bench::new(pushed).only(&look(Found::Missing, &[]), ms(5_000));
    assert_eq!(reading.documents, None);
    assert!(
        reading.faults[0]
            .to_string()
            .contains("upstreams.yaml: is missing")
    );
}

#[test]
fn files_that_vanished_while_control_was_down_keep_what_they_said() {
    let documents = set(&[("upstreams.yaml", "a"), (A, "x")]);
    let before = KnownFiles {
        has_head: true,
        hash: Some(documents.content_hash()),
        documents: documents.clone(),
    };
    let mut bench = Bench::new(before);
    let told = bench.hold(&look(Found::Missing, &[]), ms(5_000));
    assert_eq!(told[0].1.documents, Some(documents.clone()));
    let last = &told.last().unwrap().1;
    assert_eq!(last.documents, Some(documents));
    let warnings: Vec<String> = last.warnings.iter().map(ToString::to_string).collect();
    assert!(warnings[0].contains("upstreams.yaml: was deleted"));
    assert!(warnings[1].contains("conf.d/a.yaml: is missing together with"));
}

#[test]
fn a_set_that_is_too_large_is_held_back() {
    let mut bench = Bench::fresh();
    let half = text(&" ".repeat(MAX_BYTES / 2 + 1));
    let (_, reading) = bench.only(&look(half.clone(), &[(A, half)]), ms(50));
    assert_eq!(reading.documents, None);
    assert!(reading.faults[0].reason.contains("67108866 bytes together"));
}

fn any_written() -> impl Strategy<Value = Written> {
    prop_oneof![
        Just(Written::Moved),
        Just(Written::Closed),
        Just(Written::Made),
        Just(Written::LongAgo),
        Just(Written::Unknown),
    ]
}

fn any_found() -> impl Strategy<Value = Found> {
    prop_oneof![
        3 => ("[a-c]{0,2}", 5_u64..8, any_written())
            .prop_map(|(content, file, written)| seen(&content, file, written)),
        1 => Just(Found::Writing(id(7))),
        1 => Just(Found::Missing),
        1 => Just(Found::Trouble("it is a folder".to_owned())),
    ]
}

proptest! {
    #[test]
    fn whatever_happened_before_the_last_write_wins(
        looks in prop::collection::vec((any_found(), any_found(), 0_u64..3_000), 0..12),
        main in "[a-z]{1,3}",
        other in "[a-z]{1,3}",
    ) {
        let mut bench = Bench::fresh();
        let mut documents = None;
        for (main, other, time) in looks {
            let told = bench.hold(&look(main, &[(A, other)]), ms(time));
            documents = told.into_iter().next_back().map(|(_, reading)| reading.documents).or(documents);
        }
        let last = look(seen(&main, 7, Written::Closed), &[(A, seen(&other, 9, Written::Unknown))]);
        let told = bench.hold(&last, ms(600));
        let last = told.into_iter().next_back().map(|(_, reading)| reading.documents).or(documents);
        prop_assert_eq!(last, Some(Some(set(&[("upstreams.yaml", &main), (A, &other)]))));
    }

    #[test]
    fn a_main_document_never_vanishes_from_what_is_told(
        looks in prop::collection::vec((any_found(), any_found(), 0_u64..4_000), 0..12),
    ) {
        let mut bench = Bench::fresh();
        bench.hold(&look(text("a"), &[]), ms(100));
        for (main, other, time) in looks {
            for (_, reading) in bench.hold(&look(main, &[(A, other)]), ms(time)) {
                let documents = reading.documents.unwrap_or_else(|| set(&[("upstreams.yaml", "a")]));
                prop_assert!(documents.documents().contains_key(DocumentSet::MAIN));
            }
        }
    }
}
