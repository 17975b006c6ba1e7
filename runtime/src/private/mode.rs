//! File modes that give access to more than the owner, and their repair.
//!
//! A mode proves nothing about a file: kubelet's `fsGroup` adds group bits at each mount, `cp -r` and `rsync` without `-p` apply the umask,
//! and ACL masks show up as group bits. Important content is verified by a checksum or a seal. A wide mode is therefore reset and reported.
//! A file without either is refused only if every user has access and that cannot be changed.

use std::fmt;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

/// Excess access of group or others, and the result of removing it.
#[derive(Debug)]
pub struct WideMode {
    found: u32,
    /// The error that kept it from being removed; `None` if it was removed.
    kept: Option<io::Error>,
    wanted: u32,
}

impl WideMode {
    /// Narrows the mode of `file` to `wanted` if group or others have more access than that. `None` if they have not.
    pub(super) fn repair(file: &File, wanted: u32) -> io::Result<Option<Self>> {
        let found = file.metadata()?.mode() & 0o7777;
        if found & 0o077 & !wanted == 0 {
            return Ok(None);
        }
        // fchmod acts on the opened file, whatever its name refers to by now.
        let kept = file.set_permissions(Permissions::from_mode(wanted)).err();
        Ok(Some(Self {
            found,
            kept,
            wanted,
        }))
    }

    /// Removes write access of group and others.
    pub(super) fn repair_writable(file: &File) -> io::Result<Option<Self>> {
        let mode = file.metadata()?.mode() & 0o7777;
        Self::repair(file, mode & !0o022)
    }

    /// Reports whether every user of the machine still has this access: bits of 0o007.
    pub(super) const fn still_gives_others(&self, bits: u32) -> bool {
        self.kept.is_some() && self.found & bits & !self.wanted != 0
    }

    /// Reports whether every user of the machine had this access: bits of 0o007.
    pub(super) const fn gave_others(&self, bits: u32) -> bool {
        self.found & bits & !self.wanted != 0
    }
}

impl fmt::Display for WideMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (found, wanted) = (self.found, self.wanted);
        match &self.kept {
            None => write!(f, "mode {found:04o} was reset to {wanted:04o}"),
            Some(error) => write!(
                f,
                "mode {found:04o} should be {wanted:04o} but cannot be changed: {error}"
            ),
        }
    }
}
