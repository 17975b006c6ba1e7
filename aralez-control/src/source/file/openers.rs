//! Finds processes that have a file open for writing, within this process's permissions: those of its own user, or all as root.
//!
//! Complements [`super::writers`]: it detects writers that were there before control started. Finding none proves nothing, since processes
//! of other users and in other containers are hidden. (`F_SETLEASE` would prove it, but has no safe interface.)

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;

use super::writers::FileId;

/// Maximum number of open files checked: on a machine with more, each save would cost too much.
const MOST: usize = 100_000;
/// The access mode bits of `open(2)` flags; zero if a file is open for reading only.
const WRITING: u32 = 0o3;

/// A process that has a file open for writing: `pid 12 (rsync)`.
pub(super) type Opener = String;

/// Returns the writers of these files. `files` maps each file to its last path component.
pub(super) fn of(files: &BTreeMap<FileId, OsString>) -> BTreeMap<FileId, Opener> {
    let mut found = BTreeMap::new();
    let mut left = MOST;
    if files.is_empty() {
        return found;
    }
    let own = std::process::id().to_string();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = process.file_name();
        let number = pid.to_str().filter(|pid| pid.parse::<u32>().is_ok());
        if let Some(pid) = number.filter(|pid| **pid != own) {
            look_at(&process.path(), pid, files, &mut left, &mut found);
        }
    }
    found
}

fn look_at(
    process: &Path,
    pid: &str,
    files: &BTreeMap<FileId, OsString>,
    left: &mut usize,
    found: &mut BTreeMap<FileId, Opener>,
) {
    let descriptors = fs::read_dir(process.join("fd")).into_iter().flatten();
    for descriptor in descriptors.flatten() {
        if *left == 0 {
            return;
        }
        *left -= 1;
        // The name first: reading a link does not access a file system that may hang.
        let target = fs::read_link(descriptor.path()).unwrap_or_default();
        let named = target
            .file_name()
            .is_some_and(|name| files.values().any(|wanted| wanted == name));
        if !named {
            continue;
        }
        let file = fs::metadata(descriptor.path()).ok();
        let file = file.map(|meta| FileId::of(&meta));
        let wanted = file.filter(|file| files.contains_key(file));
        if let Some(file) = wanted
            && is_writing(process, &descriptor.file_name())
        {
            found.insert(file, words(process, pid));
        }
    }
}

fn is_writing(process: &Path, descriptor: &OsStr) -> bool {
    let info = fs::read_to_string(process.join("fdinfo").join(descriptor));
    let info = info.unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & WRITING != 0)
}

fn words(process: &Path, pid: &str) -> Opener {
    match fs::read_to_string(process.join("comm")) {
        Ok(name) => format!("pid {pid} ({})", name.trim_end()),
        Err(_) => format!("pid {pid}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_that_writes_a_file_is_found_and_one_that_reads_it_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("openers-test.yaml");
        fs::write(&path, "").unwrap();
        let file = FileId::of(&fs::metadata(&path).unwrap());
        let wanted = BTreeMap::from([(file, OsString::from("openers-test.yaml"))]);
        let cat = |out: Stdio, input: Stdio| {
            let cat = Command::new("cat").stdin(input).stdout(out).spawn();
            cat.unwrap()
        };
        // Once running, it has the file as its standard output and waits for its input.
        let mut writer = cat(fs::File::create(&path).unwrap().into(), Stdio::piped());
        let mut input = writer.stdin.take().unwrap();
        assert_eq!(
            of(&wanted).get(&file).map(|it| it.starts_with("pid ")),
            Some(true)
        );
        input.write_all(b"x").unwrap();
        drop(input);
        writer.wait().unwrap();
        assert!(of(&wanted).is_empty());
        let (reading, held) = std::io::pipe().unwrap();
        let mut reader = cat(Stdio::null(), fs::File::open(&path).unwrap().into());
        assert!(of(&wanted).is_empty());
        drop((reading, held));
        reader.wait().unwrap();
    }
}
