//! Files with credentials that a rule names: `users_file` and `key_file`.

use crate::reading::{NamedFile, Reader, Spanned, shown};

/// Maximum size of a file with credentials, in bytes: its content is part of a record, and every node keeps it in memory.
pub(super) const MAX_CREDENTIALS: usize = 256 << 10;

/// Checks the size of a file. Returns its path as faults show it.
pub(super) fn checked(file: &Spanned<NamedFile>, reader: &mut Reader<'_>) -> Option<String> {
    let path = shown(file.value.path.as_str());
    let size = file.value.content.len();
    if size > MAX_CREDENTIALS {
        let reason = format!(
            "the file `{path}` has {size} bytes; the maximum for a file of credentials is 256 KiB"
        );
        reader.fault(file.at, reason);
        return None;
    }
    Some(path)
}
