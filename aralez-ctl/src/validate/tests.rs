use std::fs;

use super::*;

fn arguments(with_conf_d: bool) -> Validate {
    Validate {
        files: Vec::new(),
        main: false,
        with_conf_d,
    }
}

fn main_document(folder: &Path) {
    fs::write(folder.join("upstreams.yaml"), "provider: file\n").unwrap();
}

#[test]
fn a_file_that_does_not_read_is_refused_with_its_path() {
    let report = check(Path::new("/nowhere/upstreams.yaml"), &arguments(false));
    assert!(!report.is_good());
    assert!(words(&report).contains("/nowhere/upstreams.yaml"));
}

#[test]
fn documents_with_credentials_in_files_are_valid_and_those_that_name_main_yaml_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("upstreams.yaml");
    let check_with = |rule: &str| {
        fs::write(&file, format!("authorization: {rule}\n")).unwrap();
        check(&file, &arguments(false))
    };
    fs::write(
        dir.path().join("main.yaml"),
        "master_key: s3cret-key-of-control\n",
    )
    .unwrap();
    fs::write(dir.path().join("key"), "0123456789abcdef\n").unwrap();
    fs::hard_link(dir.path().join("main.yaml"), dir.path().join("link")).unwrap();
    std::os::unix::fs::symlink("upstreams.yaml", dir.path().join("document")).unwrap();
    for valid in [
        "{type: jwt, keys: aralez}",
        "{type: jwt, keys: [{alg: HS256, key_file: key}]}",
    ] {
        let report = check_with(valid);
        assert!(report.is_good(), "{report:?}");
    }
    for (name, reason) in [
        ("main.yaml", "main.yaml holds the master key"),
        ("link", "main.yaml holds the master key"),
        ("document", "is a document"),
    ] {
        let rule = format!("{{type: jwt, keys: [{{alg: HS256, key_file: {name}}}]}}");
        let report = check_with(&rule);
        assert_eq!(report.faults.len(), 1, "{report:?}");
        assert!(report.faults[0].reason.contains(reason), "{report:?}");
    }
}

#[test]
fn a_main_yaml_is_known_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("main.yaml");
    fs::write(&file, "config_adress: 127.0.0.1:3000\n").unwrap();
    let report = check(&file, &arguments(false));
    assert_eq!(report.faults.len(), 1, "{report:?}");
    let place = &report.faults[0].place;
    assert_eq!(
        (place.file.as_str(), place.line),
        (file.to_str().unwrap(), 1)
    );
    fs::write(&file, "config_address: 127.0.0.1:3000\n").unwrap();
    let report = check(&file, &arguments(false));
    assert_eq!(report.line(false), "valid\n", "{report:?}");
}

#[test]
fn a_folder_is_read_with_its_fragments_and_a_file_alone_unless_told() {
    let dir = tempfile::tempdir().unwrap();
    main_document(dir.path());
    fs::create_dir(dir.path().join("conf.d")).unwrap();
    for name in ["b.yaml", "a.yaml", ".a.yaml.swp", "a.yaml~", ".hidden.yaml"] {
        fs::write(dir.path().join("conf.d").join(name), "").unwrap();
    }
    let names = |path: &Path, with| -> Vec<String> {
        let documents = Documents::read(path, with).unwrap();
        documents.set.documents().keys().cloned().collect()
    };
    let all = ["conf.d/a.yaml", "conf.d/b.yaml", "upstreams.yaml"];
    let main = dir.path().join("upstreams.yaml");
    assert_eq!(names(dir.path(), false), all);
    assert_eq!(names(&main, true), all);
    assert_eq!(names(&main, false), ["upstreams.yaml"]);
    assert_eq!(
        names(&dir.path().join("conf.d/a.yaml"), false),
        ["conf.d/a.yaml"]
    );
}

#[test]
fn the_files_that_a_document_names_are_read_below_its_folder() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("upstreams.yaml");
    fs::write(&file, "errors: {404: pages/404.html}\n").unwrap();
    let faults = |file: &Path| {
        let report = check(file, &arguments(false));
        report
            .faults
            .iter()
            .map(|fault| fault.reason.clone())
            .collect::<Vec<_>>()
    };
    let missing = "the file `pages/404.html` does not exist below the configuration folder";
    assert_eq!(faults(&file), [missing]);
    fs::create_dir(dir.path().join("pages")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", dir.path().join("pages/404.html")).unwrap();
    let outside = "the file `pages/404.html` leaves the configuration folder through a symlink";
    assert_eq!(faults(&file), [outside]);
    fs::remove_file(dir.path().join("pages/404.html")).unwrap();
    fs::write(dir.path().join("pages/404.html"), "gone").unwrap();
    assert_eq!(faults(dir.path()), Vec::<String>::new());
}

#[test]
fn names_are_shown_as_paths_that_can_be_opened() {
    let dir = tempfile::tempdir().unwrap();
    let odd = dir.path().join("mine.yaml");
    fs::write(&odd, "").unwrap();
    let documents = Documents::read(&odd, false).unwrap();
    assert_eq!(documents.shown("upstreams.yaml"), odd.display().to_string());
    let fragment = dir.path().join("conf.d/a.yaml");
    assert_eq!(
        documents.shown("conf.d/a.yaml"),
        fragment.display().to_string()
    );
}

#[test]
fn the_summary_counts_in_words() {
    let mut report = Report::new(Path::new("x"), Vec::new());
    report.summary = Summary::Documents {
        hosts: 3,
        routes: 1,
        endpoints: 0,
    };
    assert_eq!(report.line(false), "3 hosts, 1 route, 0 endpoints\n");
    assert_eq!(report.line(true), "x: 3 hosts, 1 route, 0 endpoints\n");
}
