//! Entries as bytes.

use aralez_proto::wire::storage::LedgerEntry;
use prost::Message;

use super::entry::SealedEntry;
use super::*;

#[test]
fn an_entry_has_the_bytes_of_every_release_before() {
    let info = RevisionInfo {
        generation: 7,
        revision: 3,
        unix_ms: 1_700_000_000_000,
        origin: CommitOrigin::File,
        message: "why".to_owned(),
        content_hash: documents("a: 1\n").content_hash(),
        roots: None,
    };
    let key = SealKey::from_bytes([7; 32]);
    let bytes = entry::encode(&info, &documents("a: 1\n"), &key, [9; 24]).unwrap();
    assert_eq!(
        hex(&bytes),
        "0801100718032080d095ffbc312a0466696c6532037768793a20aa816cd4718d02a6e2e7c87222c874f2956220606ce0fb21e234a2f22e607824424201090909090909090909090909090909090909090909090909b465e88409da0a16867769511b5d7e8a479fa59f215bbdd0ac2c09e63318eaad7017521c88a8c36704"
    );
    let entry = SealedEntry::decode(3, &bytes).unwrap();
    assert_eq!(entry.info, info);
    assert_eq!(entry.documents(&key).unwrap(), documents("a: 1\n"));
}

#[test]
fn an_entry_keeps_the_files_that_its_documents_name() {
    let files = [("files/404.html".parse().unwrap(), Ok("gone".into()))];
    let set = documents("a").with_files(files.into_iter().collect());
    let info = RevisionInfo {
        generation: 7,
        revision: 3,
        unix_ms: 0,
        origin: CommitOrigin::Api,
        message: String::new(),
        content_hash: set.content_hash(),
        roots: None,
    };
    let key = SealKey::from_bytes([7; 32]);
    let bytes = entry::encode(&info, &set, &key, [9; 24]).unwrap();
    assert!(!bytes.windows(4).any(|part| part == b"gone"), "not sealed");
    let read = SealedEntry::decode(3, &bytes).unwrap().documents(&key);
    assert_eq!(read.unwrap(), set);
}

#[test]
fn an_entry_keeps_what_its_documents_were_lowered_to() {
    let root = |byte| Digest::from([byte; 32]);
    let info = RevisionInfo {
        generation: 7,
        revision: 3,
        unix_ms: 0,
        origin: CommitOrigin::File,
        message: String::new(),
        content_hash: documents("a").content_hash(),
        roots: Some(AuthoredRoots {
            default: root(1),
            named: [("edge".parse().unwrap(), root(2))].into(),
        }),
    };
    let key = SealKey::from_bytes([7; 32]);
    let bytes = entry::encode(&info, &documents("a"), &key, [9; 24]).unwrap();
    let (ones, twos) = ("01".repeat(32), "02".repeat(32));
    let hex = hex(&bytes);
    let roots = format!("4a221220{ones}4a280a04656467651220{twos}");
    assert!(hex.ends_with(&roots), "{hex}");
    assert_eq!(SealedEntry::decode(3, &bytes).unwrap().info, info);
}

#[test]
fn an_entry_of_a_newer_release_or_under_another_number_is_named() {
    let newer = LedgerEntry {
        format: 2,
        revision: 3,
        ..LedgerEntry::default()
    };
    let error = SealedEntry::decode(3, &newer.encode_to_vec()).unwrap_err();
    assert!(error.to_string().contains("newer release"), "{error}");
    let moved = LedgerEntry {
        format: 1,
        revision: 4,
        ..LedgerEntry::default()
    };
    let error = SealedEntry::decode(3, &moved.encode_to_vec()).unwrap_err();
    assert_eq!(error.to_string(), "revision 3 is damaged");
}
