use std::fs;
use std::os::unix::fs::symlink;

use super::*;

fn text_of(looker: &mut FileScanner) -> Vec<u8> {
    match looker.scan().main {
        Found::Text(seen) => seen.text.to_vec(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_writes_of_one_length_in_one_tick_are_both_seen() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("upstreams.yaml");
    let mut looker = FileScanner::new(&path, WriteEvents::default());
    for number in 100..300 {
        fs::write(&path, number.to_string()).unwrap();
        assert_eq!(text_of(&mut looker), number.to_string().as_bytes());
    }
}

#[test]
fn an_unchanged_text_shares_its_memory_with_the_look_before() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("upstreams.yaml");
    fs::write(&path, "a: 1").unwrap();
    let mut looker = FileScanner::new(&path, WriteEvents::default());
    let (Found::Text(first), Found::Text(second)) = (looker.scan().main, looker.scan().main) else {
        panic!("not read");
    };
    assert_eq!(first.text.as_ptr(), second.text.as_ptr());
}

#[test]
fn a_file_beyond_the_limit_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("upstreams.yaml");
    let file = fs::File::create(&path).unwrap();
    file.set_len(MAX_BYTES as u64 * 64).unwrap();
    let Found::Trouble(reason) = FileScanner::new(&path, WriteEvents::default()).scan().main else {
        panic!("taken");
    };
    assert_eq!(reason, "it is larger than 67108864 bytes");
}

#[test]
fn a_conf_d_that_is_a_file_is_trouble_and_not_empty() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("conf.d"), "").unwrap();
    let look = FileScanner::new(&dir.path().join("upstreams.yaml"), WriteEvents::default()).scan();
    assert_eq!(look.conf_d_trouble.as_deref(), Some("not a directory"));
    assert_eq!(look.main, Found::Missing);
}

/// Scans for files that documents name.
fn named(folder: &Path, paths: &[&str]) -> BTreeMap<String, Found> {
    let main = folder.join("upstreams.yaml");
    let mut looker = FileScanner::new(&main, WriteEvents::default());
    looker.want(Arc::new(
        paths.iter().map(|path| path.parse().unwrap()).collect(),
    ));
    let named = looker.scan().named.into_iter();
    named
        .map(|(path, found)| (path.to_string(), found))
        .collect()
}

fn content(found: &Found) -> Result<&[u8], &str> {
    match found {
        Found::Text(seen) => Ok(&seen.text),
        Found::Trouble(reason) => Err(reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_named_file_is_read_below_the_folder_of_the_main_document_only() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("etc");
    fs::create_dir_all(folder.join("..data/pages")).unwrap();
    fs::write(folder.join("..data/pages/404.html"), "gone").unwrap();
    fs::write(dir.path().join("secret"), "secret").unwrap();
    // As Kubernetes mounts a ConfigMap.
    symlink("..data/pages", folder.join("pages")).unwrap();
    symlink("../secret", folder.join("out")).unwrap();
    symlink("/proc/self/environ", folder.join("environ")).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, folder.join("pipe"), fifo, mode, 0).unwrap();
    let found = named(
        &folder,
        &["pages/404.html", "out", "environ", "pipe", "none"],
    );
    assert_eq!(content(&found["pages/404.html"]), Ok(&b"gone"[..]));
    let leaves = "leaves the configuration folder through a symlink";
    assert_eq!(content(&found["out"]), Err(leaves));
    assert_eq!(content(&found["environ"]), Err(leaves));
    let pipe = "is a pipe, socket or device; expected a regular file";
    assert_eq!(content(&found["pipe"]), Err(pipe));
    assert_eq!(found["none"], Found::Missing);
}

#[test]
fn a_named_file_that_is_too_large_or_one_too_many_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let with_size = |name: &str, size: u64| {
        fs::File::create(dir.path().join(name))
            .unwrap()
            .set_len(size)
            .unwrap();
    };
    let names: Vec<String> = (10..30).map(|number| format!("f{number}")).collect();
    names.iter().for_each(|name| with_size(name, 1 << 20));
    with_size("a", (1 << 20) + 1);
    with_size("b", 4 << 30);
    let paths: Vec<&str> = names.iter().map(String::as_str).chain(["a", "b"]).collect();
    let found = named(dir.path(), &paths);
    for large in ["a", "b"] {
        assert_eq!(content(&found[large]), Err("is larger than 1024 KiB"));
    }
    let read = found.values().filter(|found| content(found).is_ok());
    assert_eq!(read.count(), 16);
    assert!(
        content(&found["f29"])
            .unwrap_err()
            .contains("more than 16 MiB together")
    );
}

#[test]
fn a_cached_file_is_not_used_once_its_path_leaves_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("etc");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a"), "text").unwrap();
    let mut looker = FileScanner::new(&folder.join("upstreams.yaml"), WriteEvents::default());
    looker.want(Arc::new(["a".parse().unwrap()].into()));
    let mut scan = || looker.scan().named.into_values().next().unwrap();
    assert_eq!(content(&scan()), Ok(&b"text"[..]));
    // The same file, by another way.
    fs::rename(folder.join("a"), dir.path().join("b")).unwrap();
    symlink("../b", folder.join("a")).unwrap();
    assert!(content(&scan()).unwrap_err().starts_with("leaves"));
}

#[test]
fn the_main_configuration_and_the_documents_are_withheld_under_every_name() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("conf.d")).unwrap();
    for name in ["main.yaml", "upstreams.yaml", "conf.d/a.yaml", "page"] {
        fs::write(at(name), "text").unwrap();
    }
    fs::hard_link(at("main.yaml"), at("hard")).unwrap();
    symlink("main.yaml", at("soft")).unwrap();
    symlink("upstreams.yaml", at("document")).unwrap();
    fs::hard_link(at("conf.d/a.yaml"), at("fragment")).unwrap();
    let mut looker = FileScanner::new(&at("upstreams.yaml"), WriteEvents::default());
    looker.withhold(MainConfigFile::new(Some(&at("main.yaml"))));
    // An editor replaces the file; one of its names keeps the old one.
    fs::write(at("new"), "text").unwrap();
    fs::rename(at("new"), at("main.yaml")).unwrap();
    let names = ["main.yaml", "hard", "soft", "document", "fragment"];
    let wanted = names.iter().chain(&["page"]);
    looker.want(Arc::new(wanted.map(|name| name.parse().unwrap()).collect()));
    let found = looker.scan().named;
    let path = |name: &str| name.parse::<RelativePath>().unwrap();
    for (name, reason) in names.into_iter().zip([
        "main.yaml holds the master key",
        "main.yaml holds the master key",
        "main.yaml holds the master key",
        "is a document",
        "is a document",
    ]) {
        let told = content(&found[&path(name)]).unwrap_err();
        assert!(told.contains(reason), "{name}: {told}");
    }
    assert_eq!(content(&found[&path("page")]), Ok(&b"text"[..]));
}
