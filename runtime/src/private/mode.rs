//! File modes that are wider than the owner alone, and how they are narrowed again.
//!
//! A mode proves nothing about a file: kubelet's `fsGroup` adds group bits at each mount, `cp -r` and `rsync` without `-p` take the umask, ACL
//! masks show up as group bits. What matters proves itself by a checksum or a seal. So a wide mode is set back and reported, and only access
//! for every user that cannot be taken away is a reason to refuse a file whose content proves nothing.

use std::fmt;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

/// Access of group or others that should not be there, and what became of it.
#[derive(Debug)]
pub struct WideMode {
    found: u32,
    /// Why it is still there; `None`: it was taken away.
    kept: Option<io::Error>,
    wanted: u32,
}

impl WideMode {
    /// Narrows the mode of `file` to `wanted` where it gives group or others more than that. `None`: it did not.
    pub(super) fn repair(file: &File, wanted: u32) -> io::Result<Option<Self>> {
        let found = file.metadata()?.mode() & 0o7777;
        if found & 0o077 & !wanted == 0 {
            return Ok(None);
        }
        // fchmod: the file that was opened, whatever its name leads to by now.
        let kept = file.set_permissions(Permissions::from_mode(wanted)).err();
        Ok(Some(Self {
            found,
            kept,
            wanted,
        }))
    }

    /// Takes write access of group and others away.
    pub(super) fn repair_writable(file: &File) -> io::Result<Option<Self>> {
        let mode = file.metadata()?.mode() & 0o7777;
        Self::repair(file, mode & !0o022)
    }

    /// Whether every user of the machine still has this access: bits of 0o007.
    pub(super) const fn still_gives_others(&self, bits: u32) -> bool {
        self.kept.is_some() && self.found & bits & !self.wanted != 0
    }

    /// Whether every user of the machine had this access: bits of 0o007.
    pub(super) const fn gave_others(&self, bits: u32) -> bool {
        self.found & bits & !self.wanted != 0
    }
}

impl fmt::Display for WideMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (found, wanted) = (self.found, self.wanted);
        match &self.kept {
            None => write!(f, "mode {found:04o} was set back to {wanted:04o}"),
            Some(error) => write!(
                f,
                "mode {found:04o} should be {wanted:04o} and cannot be changed: {error}"
            ),
        }
    }
}
