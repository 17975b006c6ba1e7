use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use aralez_proto::document::DocumentSet;
use bytes::Bytes;
use tempfile::TempDir;
use tokio::sync::watch;

use super::*;
use crate::core::status::FilesReading;
use crate::core::store::MainFile;

/// Far longer than any step here takes, so that only a defect reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

/// The newest reading.
type Readings = watch::Sender<Option<Arc<FilesReading>>>;

struct Newest(Readings);

impl Reports for Newest {
    fn report(&self, finding: Finding) {
        if let Finding::Files(reading) = finding {
            self.0.send_replace(Some(reading));
        }
    }
}

struct Bench {
    dir: TempDir,
    _source: Box<dyn RunningSource>,
    readings: Readings,
}

fn spawn(main: &Path) -> (Box<dyn RunningSource>, Readings) {
    let (known, writers) = (KnownFiles::default(), WriteEvents::default());
    let source = FileSource::new(main, known, writers, WRITER_PATIENCE);
    let readings = Readings::new(None);
    let running = Box::new(source).start(Arc::new(Newest(readings.clone())));
    (running.unwrap(), readings)
}

fn document(path: PathBuf) -> MainDocument {
    MainDocument::new(path, WriteEvents::default())
}

fn documents(texts: &[(&str, &str)]) -> DocumentSet {
    let owned =
        |(name, text): &(&str, &str)| ((*name).to_owned(), Bytes::copy_from_slice(text.as_bytes()));
    texts.iter().map(owned).collect()
}

impl Bench {
    fn begin(prepare: impl FnOnce(&Path)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        prepare(dir.path());
        let main = dir.path().join("upstreams.yaml");
        let (source, readings) = spawn(&main);
        Self {
            dir,
            _source: source,
            readings,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Waits for a matching reading and returns it.
    async fn until(&self, what: impl Fn(&FilesReading) -> bool) -> Arc<FilesReading> {
        let mut readings = self.readings.subscribe();
        let found = readings.wait_for(|reading| reading.as_deref().is_some_and(&what));
        let found = tokio::time::timeout(PATIENCE, found).await;
        match found {
            Ok(found) => found.unwrap().clone().unwrap(),
            Err(_) => panic!("never told; last: {:?}", *self.readings.borrow()),
        }
    }

    async fn until_set(&self, texts: &[(&str, &str)]) -> Arc<FilesReading> {
        let wanted = Some(documents(texts));
        self.until(|reading| reading.documents == wanted).await
    }
}

#[tokio::test]
async fn a_save_in_place_and_a_rename_over_are_told_soon() {
    let bench = Bench::begin(|dir| fs::write(dir.join("upstreams.yaml"), "a").unwrap());
    bench.until_set(&[("upstreams.yaml", "a")]).await;
    let begun = Instant::now();
    bench.write("upstreams.yaml", "b");
    bench.until_set(&[("upstreams.yaml", "b")]).await;
    let in_place = begun.elapsed();
    for text in ["c", "d"] {
        bench.write("other.tmp", text);
        fs::rename(bench.path("other.tmp"), bench.path("upstreams.yaml")).unwrap();
        bench.until_set(&[("upstreams.yaml", text)]).await;
    }
    // Less than the polling interval: the watch caused the report.
    assert!(in_place < RECHECK, "{in_place:?}");
}

#[tokio::test]
async fn what_is_written_in_parts_arrives_whole() {
    let bench = Bench::begin(|dir| fs::write(dir.join("upstreams.yaml"), "before").unwrap());
    bench.until_set(&[("upstreams.yaml", "before")]).await;
    let mut file = fs::File::create(bench.path("upstreams.yaml")).unwrap();
    for part in ["one ", "two ", "three"] {
        file.write_all(part.as_bytes()).unwrap();
        file.flush().unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(file);
    bench
        .until_set(&[("upstreams.yaml", "one two three")])
        .await;
}

#[tokio::test]
async fn conf_d_may_come_later_and_its_files_come_and_go() {
    let bench = Bench::begin(|dir| fs::write(dir.join("upstreams.yaml"), "a").unwrap());
    bench.until_set(&[("upstreams.yaml", "a")]).await;
    fs::create_dir(bench.path("conf.d")).unwrap();
    bench.write("conf.d/x.yaml", "x");
    bench.write("conf.d/.x.yaml.swp", "editor");
    bench.write("conf.d/.hidden.yaml", "editor");
    bench.write("conf.d/x.yaml~", "editor");
    bench.write("conf.d/y.yml", "y");
    let both = [
        ("upstreams.yaml", "a"),
        ("conf.d/x.yaml", "x"),
        ("conf.d/y.yml", "y"),
    ];
    bench.until_set(&both).await;
    let begun = Instant::now();
    fs::remove_file(bench.path("conf.d/x.yaml")).unwrap();
    bench
        .until_set(&[("upstreams.yaml", "a"), ("conf.d/y.yml", "y")])
        .await;
    assert!(begun.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn a_config_map_swaps_its_link_and_all_files_with_it() {
    let bench = Bench::begin(|dir| {
        for (folder, text) in [("..one", "a"), ("..two", "b")] {
            fs::create_dir(dir.join(folder)).unwrap();
            fs::write(dir.join(folder).join("upstreams.yaml"), text).unwrap();
        }
        symlink("..one", dir.join("..data")).unwrap();
        symlink("..data/upstreams.yaml", dir.join("upstreams.yaml")).unwrap();
    });
    bench.until_set(&[("upstreams.yaml", "a")]).await;
    symlink("..two", bench.path("..data_tmp")).unwrap();
    fs::rename(bench.path("..data_tmp"), bench.path("..data")).unwrap();
    fs::remove_dir_all(bench.path("..one")).unwrap();
    bench.until_set(&[("upstreams.yaml", "b")]).await;
}

#[tokio::test]
async fn a_file_behind_a_link_in_another_folder_is_watched() {
    let far = tempfile::tempdir().unwrap();
    fs::write(far.path().join("real.yaml"), "a").unwrap();
    let target = far.path().join("real.yaml");
    let bench = Bench::begin(|dir| symlink(&target, dir.join("upstreams.yaml")).unwrap());
    bench.until_set(&[("upstreams.yaml", "a")]).await;
    let begun = Instant::now();
    fs::write(&target, "b").unwrap();
    bench.until_set(&[("upstreams.yaml", "b")]).await;
    assert!(begun.elapsed() < RECHECK);
}

#[tokio::test]
async fn a_deleted_main_document_stays_and_is_picked_up_again() {
    let bench = Bench::begin(|dir| fs::write(dir.join("upstreams.yaml"), "a").unwrap());
    bench.until_set(&[("upstreams.yaml", "a")]).await;
    fs::remove_file(bench.path("upstreams.yaml")).unwrap();
    let reading = bench.until(|reading| !reading.warnings.is_empty()).await;
    assert_eq!(
        reading.documents,
        Some(documents(&[("upstreams.yaml", "a")]))
    );
    bench.write("upstreams.yaml", "b");
    let reading = bench.until_set(&[("upstreams.yaml", "b")]).await;
    assert_eq!(reading.warnings, []);
}

#[tokio::test]
async fn a_missing_folder_is_picked_up_when_it_appears() {
    let dir = tempfile::tempdir().unwrap();
    let main = dir.path().join("later/upstreams.yaml");
    let (source, readings) = spawn(&main);
    let bench = Bench {
        dir,
        _source: source,
        readings,
    };
    bench.until_set(&[]).await;
    fs::create_dir(bench.path("later")).unwrap();
    bench.write("later/upstreams.yaml", "a");
    bench.until_set(&[("upstreams.yaml", "a")]).await;
}

#[tokio::test]
async fn folders_pipes_and_links_to_nowhere_hold_nothing_up() {
    let bench = Bench::begin(|dir| {
        fs::write(dir.join("upstreams.yaml"), "a").unwrap();
        fs::create_dir_all(dir.join("conf.d/folder.yaml")).unwrap();
        symlink("nowhere", dir.join("conf.d/link.yaml")).unwrap();
        let pipe = dir.join("conf.d/pipe.yaml");
        let made = std::process::Command::new("mkfifo").arg(pipe).status();
        assert!(made.unwrap().success());
    });
    let reading = bench.until(|reading| !reading.faults.is_empty()).await;
    let faults: Vec<String> = reading.faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "conf.d/folder.yaml: cannot be read: it is a folder",
            "conf.d/pipe.yaml: cannot be read: it is not a regular file"
        ]
    );
    fs::remove_dir(bench.path("conf.d/folder.yaml")).unwrap();
    fs::remove_file(bench.path("conf.d/pipe.yaml")).unwrap();
    bench.until_set(&[("upstreams.yaml", "a")]).await;
}

#[tokio::test]
async fn many_files_in_a_burst_end_with_the_last_text_of_each() {
    let bench = Bench::begin(|dir| fs::create_dir(dir.join("conf.d")).unwrap());
    for round in 0..3 {
        for number in 0..300 {
            bench.write(
                &format!("conf.d/{number}.yaml"),
                &format!("{number} {round}"),
            );
        }
    }
    let names: Vec<(String, Bytes)> = (0..300)
        .map(|number| {
            (
                format!("conf.d/{number}.yaml"),
                format!("{number} 2").into(),
            )
        })
        .collect();
    let wanted: DocumentSet = names.into_iter().collect();
    bench
        .until(|reading| reading.documents.as_ref() == Some(&wanted))
        .await;
}

#[test]
fn a_saved_document_keeps_mode_and_link_and_leaves_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let real = dir.path().join("real.yaml");
    let link = dir.path().join("upstreams.yaml");
    fs::write(&real, "before").unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real.yaml", &link).unwrap();
    document(link.clone()).save(b"after").unwrap();
    assert_eq!(fs::read(&real).unwrap(), b"after");
    assert_eq!(
        fs::metadata(&real).unwrap().permissions().mode() & 0o7777,
        0o640
    );
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn a_new_document_is_its_owners_alone_and_a_failed_save_says_where() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("upstreams.yaml");
    document(path.clone()).save(b"text").unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let nowhere = dir.path().join("missing/upstreams.yaml");
    let error = document(nowhere.clone()).save(b"text").unwrap_err();
    assert!(error.starts_with(&nowhere.display().to_string()), "{error}");
}
