//! The file of `users_file`: one `NAME:HASH` a line, as Apache's `htpasswd` writes it, with comments and blank lines.

use std::collections::BTreeSet;

use crate::reading::{NamedFile, Reader, Spanned};
use crate::rules::authorization::BasicUser;
use crate::rules::authorization::credential_file;
use crate::rules::authorization::user_line::{BadUser, user_of};

/// Reads the users of a file. Every faulty line is reported, at the place of the key in the document.
pub(super) fn users(file: &Spanned<NamedFile>, reader: &mut Reader<'_>) -> Option<Vec<BasicUser>> {
    let path = credential_file::checked(file, reader)?;
    let mut names = BTreeSet::new();
    let mut users = Vec::new();
    let before = reader.fault_count();
    let lines = file.value.content.split(|byte| *byte == b'\n');
    for (line, number) in lines.zip(1_usize..) {
        let user = match std::str::from_utf8(line) {
            Ok(line) => user_in(line, &mut names),
            Err(_) => Err("is not UTF-8".to_owned()),
        };
        match user {
            Ok(user) => users.extend(user),
            Err(reason) => reader.fault_with(file.at, || format!("{path}:{number}: {reason}")),
        }
    }
    if users.is_empty() && reader.fault_count() == before {
        let reason = format!("{path}: contains no user; add one with `htpasswd -B {path} NAME`");
        reader.fault(file.at, reason);
    }
    (reader.fault_count() == before).then_some(users)
}

/// Returns the user of a line; `None` if it is a comment or blank.
fn user_in<'f>(line: &'f str, names: &mut BTreeSet<&'f str>) -> Result<Option<BasicUser>, String> {
    let line = line.trim_start_matches('\u{feff}').trim_ascii_end();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    match user_of(line, names) {
        Ok(user) => Ok(Some(user)),
        Err(BadUser::Hash(reason)) => Err(format!(
            "the hash {reason}; `htpasswd -B FILE NAME` replaces it"
        )),
        Err(reason) => Err(reason.to_string()),
    }
}
