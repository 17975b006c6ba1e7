//! The default state folder.

use std::ffi::OsString;
use std::path::PathBuf;

/// Returns the default of `state_dir`: `/var/lib/aralez` as root, else `$XDG_STATE_HOME/aralez`, else `~/.local/state/aralez`.
pub fn default_dir() -> PathBuf {
    dir_of(
        rustix::process::geteuid().is_root(),
        std::env::var_os("XDG_STATE_HOME"),
        std::env::home_dir(),
    )
}

fn dir_of(root: bool, state_home: Option<OsString>, home: Option<PathBuf>) -> PathBuf {
    // The XDG specification requires ignoring relative and empty values.
    let state_home = state_home
        .map(PathBuf::from)
        .filter(|dir| dir.is_absolute());
    let home = home.filter(|dir| dir.is_absolute());
    match (root, state_home, home) {
        (false, Some(dir), _) => dir.join("aralez"),
        (false, None, Some(home)) => home.join(".local/state/aralez"),
        _ => PathBuf::from("/var/lib/aralez"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_keeps_state_with_the_system_and_others_at_home() {
        let home = || Some(PathBuf::from("/home/a"));
        let xdg = || Some(OsString::from("/x"));
        assert_eq!(
            dir_of(true, xdg(), home()),
            PathBuf::from("/var/lib/aralez")
        );
        assert_eq!(dir_of(false, xdg(), home()), PathBuf::from("/x/aralez"));
        for ignored in [None, Some(OsString::new()), Some(OsString::from("rel"))] {
            assert_eq!(
                dir_of(false, ignored, home()),
                PathBuf::from("/home/a/.local/state/aralez")
            );
        }
        assert_eq!(dir_of(false, None, None), PathBuf::from("/var/lib/aralez"));
    }
}
