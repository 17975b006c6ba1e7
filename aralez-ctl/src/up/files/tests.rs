use std::fs;
use std::os::unix::fs::PermissionsExt;

use aralez_runtime::main_file;

use crate::args::Listen;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn the_sample_is_a_configuration_that_loads_with_a_key_of_its_own() {
    let state = tempfile::tempdir().unwrap();
    let made = for_sample(state.path(), Listen::default()).unwrap();
    main_file::load(Some(&made.main)).unwrap();
    let key = fs::read_to_string(&made.key).unwrap();
    assert_eq!(key.trim().len(), 64);
    assert_eq!((mode(&made.key), mode(&made.main)), (0o400, 0o600));
    let text = fs::read_to_string(&made.upstreams).unwrap();
    check(&text).unwrap();
    let address = made.sample.unwrap().local_addr().unwrap();
    assert!(text.contains(&address.to_string()), "{text}");
}

#[test]
fn the_next_start_keeps_the_key_the_edits_and_the_address() {
    let state = tempfile::tempdir().unwrap();
    let first = for_sample(state.path(), Listen::default()).unwrap();
    let key = fs::read_to_string(&first.key).unwrap();
    let edited = fs::read_to_string(&first.upstreams).unwrap() + "# mine\n";
    fs::write(&first.upstreams, &edited).unwrap();
    let address = first.sample.as_ref().unwrap().local_addr().unwrap();
    drop(first);
    let second = for_sample(state.path(), Listen::default()).unwrap();
    assert_eq!(fs::read_to_string(&second.key).unwrap(), key);
    assert_eq!(fs::read_to_string(&second.upstreams).unwrap(), edited);
    assert_eq!(second.sample.unwrap().local_addr().unwrap(), address);
}

#[test]
fn a_sample_site_that_had_to_move_takes_its_document_along() {
    let state = tempfile::tempdir().unwrap();
    let first = for_sample(state.path(), Listen::default()).unwrap();
    let edited = fs::read_to_string(&first.upstreams).unwrap() + "# mine\n";
    fs::write(&first.upstreams, &edited).unwrap();
    // Another program has taken the address meanwhile.
    let Generated { sample, lock, .. } = first;
    drop(lock);
    let before = sample.as_ref().unwrap().local_addr().unwrap();
    let second = for_sample(state.path(), Listen::default()).unwrap();
    let now = second.sample.unwrap().local_addr().unwrap();
    assert_ne!(before, now);
    let text = fs::read_to_string(&second.upstreams).unwrap();
    assert_eq!(text, edited.replace(&before.to_string(), &now.to_string()));
}

#[test]
fn a_second_up_on_the_same_state_changes_nothing_of_the_first() {
    let state = tempfile::tempdir().unwrap();
    let first = for_sample(state.path(), Listen::default()).unwrap();
    let before = fs::read_to_string(&first.upstreams).unwrap();
    let error = for_sample(state.path(), Listen::default()).unwrap_err();
    assert!(error.contains("in use by process"), "{error}");
    assert_eq!(fs::read_to_string(&first.upstreams).unwrap(), before);
}

#[test]
fn only_the_whole_address_is_replaced() {
    let [before, now] = ["127.0.0.1:80", "127.0.0.1:9"].map(|text| text.parse().unwrap());
    let text = "a 127.0.0.1:80, 127.0.0.1:8080 1127.0.0.1:80 \"127.0.0.1:80\"";
    assert_eq!(
        moved(text, before, now),
        "a 127.0.0.1:9, 127.0.0.1:8080 1127.0.0.1:80 \"127.0.0.1:9\""
    );
    assert_eq!(moved("", before, now), "");
}

#[test]
fn an_endpoint_may_be_a_name_and_must_have_a_port() {
    assert_eq!(
        resolve("127.0.0.1:8000").unwrap().to_string(),
        "127.0.0.1:8000"
    );
    assert_eq!(resolve("[::1]:8000").unwrap().to_string(), "[::1]:8000");
    assert_eq!(resolve("localhost:8000").unwrap().port(), 8000);
    for wrong in ["127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", "a:b", ""] {
        let error = resolve(wrong).unwrap_err();
        assert!(error.contains("port"), "{error}");
    }
}

#[test]
fn up_to_an_endpoint_writes_files_that_load() {
    let state = tempfile::tempdir().unwrap();
    let listen = Listen {
        http: Some("127.0.0.1:8081".parse().unwrap()),
        ..Listen::default()
    };
    let made = for_endpoint(state.path(), "127.0.0.1:8000", Some("a.example"), listen).unwrap();
    let text = fs::read_to_string(&made.main).unwrap();
    assert!(text.contains("127.0.0.1:8081"), "{text}");
    main_file::load(Some(&made.main)).unwrap();
    let text = fs::read_to_string(&made.upstreams).unwrap();
    assert!(
        text.contains("a.example") && text.contains("127.0.0.1:8000"),
        "{text}"
    );
}
