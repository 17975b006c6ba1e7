//! Documents: each is refused, with a place inside it for every fault, or gives a snapshot that a proxy accepts, and the same one each time.

use aralez_proto::document::{self, DocumentFaults, DocumentSet, NamedFiles, Surroundings};
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;

use super::corpus::hash;

/// Keys, and characters of YAML.
pub(crate) const WORDS: &[&[u8]] = &[
    b"\n",
    b"\n  ",
    b"  ",
    b"\t",
    b": ",
    b"- ",
    b"{",
    b"}",
    b"[",
    b"]",
    b"'",
    b"\"",
    b"|\n",
    b">\n",
    b"&a ",
    b"*a",
    b"<<: *a\n",
    b"!!str ",
    b"# ",
    b"---\n",
    b"~",
    b"null",
    b"true",
    b"0",
    b"-1",
    b"1e9",
    b"99999999999999999999",
    b"authorization: ",
    b"type: ",
    b"creds: ",
    b"keys: ",
    b"users: ",
    b"users_file: ",
    b"key_file: ",
    b"aralez",
    b"paths: ",
    b"servers: ",
    b"upstreams:\n",
    b"DEFAULT",
    b"*.",
    b"127.0.0.1:1",
    b"unix:/a",
    b"../a",
    b"a.test: ",
    b"rate_limit: ",
    b"headers: ",
    b"redirect_to: ",
    b"match: ",
    b"pools: ",
    b"errors: {404: a}\n",
    b"{claim.sub}",
    b"x-a: ",
];

pub(crate) fn check(bytes: &[u8]) -> Result<u64, String> {
    let set = DocumentSet::of_main(bytes.to_vec().into());
    let surroundings = Surroundings::default();
    let first = document::read_as(&set, &surroundings, &str::to_owned);
    // Documents may name files: each of them is a short text.
    let content = || Ok("0123456789abcdef\n".into());
    let files: NamedFiles = first
        .named
        .iter()
        .map(|path| (path.clone(), content()))
        .collect();
    let set = set.with_files(files);
    match document::read(&set, &surroundings) {
        Ok(authored) => {
            let again = document::read(&set, &surroundings);
            if again.as_ref() != Ok(&authored) {
                return Err("the second reading differs".to_owned());
            }
            let records = document::records(&authored, None);
            let built = Snapshot::complete(Version::default(), records, &Limits::default());
            if let Err(faults) = built {
                return Err(format!("no proxy accepts it: {faults:?}"));
            }
            Ok(hash((
                authored.hosts.len(),
                authored.warnings.len(),
                set.files().paths().count(),
            )))
        }
        Err(faults) => refused(bytes, &faults),
    }
}

/// Checks the places of the faults.
fn refused(bytes: &[u8], faults: &DocumentFaults) -> Result<u64, String> {
    let breaks = |byte: &&u8| matches!(**byte, b'\n' | b'\r');
    let lines = bytes.iter().filter(breaks).count() + 2;
    for fault in &faults.0 {
        if fault.place.line > lines || fault.reason.contains('\n') {
            return Err(format!("{fault}"));
        }
    }
    let kinds = faults.0.iter().take(3).map(|fault| {
        let words = fault.reason.split(' ').take(4);
        words.filter(|word| !word.contains('`')).collect::<String>()
    });
    Ok(hash(kinds.collect::<Vec<_>>()))
}
