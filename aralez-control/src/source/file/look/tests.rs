use std::fs;

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
