//! A new rule touches four files: a copy of the workspace gets one, and every crate compiles.
//!
//! If a rule required a change in a fifth file, such as a match over all rules or a second list of keys, the copy would not compile.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use aralez_tests::files::workspace;
use tempfile::TempDir;

/// The most files that a rule may touch.
const MOST: usize = 4;

const RULE: &str = r#"//! `probe`: a rule that only this test knows.

use crate::rules::Rule;

/// Whether a scope asks for the probe. `None` if the scope does not set it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Probe(pub Option<bool>);

impl Rule for Probe {
    type Keys = bool;
    type Wire = bool;

    fn lower(keys: bool) -> Self {
        Self(Some(keys))
    }

    fn narrowed_by(&self, narrower: &Self) -> Self {
        Self(narrower.0.or(self.0))
    }

    fn encode(&self) -> Option<bool> {
        self.0
    }

    fn decode(wire: bool, _: &mut dyn FnMut(String)) -> Self {
        Self(Some(wire))
    }
}
"#;

/// The edits of one file: each text is replaced by the next one.
type Edits = &'static [(&'static str, &'static str)];

const EDITED: [(&str, Edits); 3] = [
    (
        "proto/src/rules.rs",
        &[
            ("mod rate_limit;", "mod probe;\nmod rate_limit;"),
            (
                "pub use rate_limit::{Quota, RateLimit};",
                "pub use probe::Probe;\npub use rate_limit::{Quota, RateLimit};",
            ),
            (
                "    }\n    checked {",
                "        /// Whether the probe answers.\n        probe: Probe = \"probe\" at EVERYWHERE;\n    }\n    checked {",
            ),
        ],
    ),
    (
        "proto/proto/aralez/resource/v1/resource.proto",
        &[(
            "message Rules {\n",
            "message Rules {\n  optional bool probe = 500;\n",
        )],
    ),
    (
        "decision/src/policy.rs",
        &[
            (
                "pub enum Policy {\n",
                "pub enum Policy {\n    /// `probe: true`: redirects to the host itself.\n    Probe,\n",
            ),
            (
                "        let first = to_https.into_iter()",
                "        let probe = (rules.probe.0 == Some(true)).then_some(Self::Probe);\n        let first = probe.into_iter().chain(to_https)",
            ),
            (
                "            Self::ToHttps => \"to_https\",",
                "            Self::ToHttps => \"to_https\",\n            Self::Probe => \"probe\",",
            ),
            (
                "            Self::ToHttps => \"true\".to_owned(),",
                "            Self::ToHttps | Self::Probe => \"true\".to_owned(),",
            ),
            (
                "            (Self::ToHttps, Ok(_)) =>",
                "            (Self::Probe, Ok(_)) => \"the probe is set\".to_owned(),\n            (Self::ToHttps, Ok(_)) =>",
            ),
            (
                "        Policy::ToHttps => to_https(subject),",
                "        Policy::ToHttps => to_https(subject),\n        Policy::Probe => Ok(Verdict::Answer(Answer::redirect(RedirectStatus::Found, \"/\"))),",
            ),
        ],
    ),
];

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_file() {
            fs::copy(&path, to.join(name)).unwrap();
        } else if name != "target" && name != ".git" {
            copy(&path, &to.join(name));
        }
    }
}

/// Returns the number of files touched.
fn add_the_rule(workspace: &Path) -> usize {
    let file = workspace.join("proto/src/rules/probe.rs");
    assert!(
        !file.exists(),
        "the rule of this test is one of the product"
    );
    fs::write(file, RULE).unwrap();
    for (name, edits) in EDITED {
        let path = workspace.join(name);
        let mut text = fs::read_to_string(&path).unwrap();
        for (from, to) in edits {
            assert_eq!(text.matches(from).count(), 1, "{name} has not one {from:?}");
            text = text.replace(from, to);
        }
        fs::write(path, text).unwrap();
    }
    1 + EDITED.len()
}

/// Gives the crates of the copy another version, so that both can use one target folder: cargo knows the crates of a workspace by name and
/// version.
fn set_version(workspace: &Path) {
    let version = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
    let other = "version = \"0.0.0\"";
    let manifest = workspace.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    assert_eq!(
        text.matches(&version).count(),
        1,
        "one version for all crates"
    );
    fs::write(manifest, text.replace(&version, other)).unwrap();
    let lock = workspace.join("Cargo.lock");
    let text = fs::read_to_string(&lock).unwrap();
    let packages =
        text.split("[[package]]")
            .map(|package| match package.starts_with("\nname = \"aralez-") {
                true => package.replace(&version, other),
                false => package.to_owned(),
            });
    let packages: Vec<_> = packages.collect();
    fs::write(lock, packages.join("[[package]]")).unwrap();
}

/// The target folder of this build, in which the dependencies are already compiled.
fn target() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let folder = here.ancestors().nth(3);
    folder
        .expect("a test lies in target/PROFILE/deps")
        .to_owned()
}

#[test]
fn a_rule_takes_its_file_a_line_in_the_list_its_message_and_the_place_that_obeys_it() {
    let copied = TempDir::new().unwrap();
    copy(workspace(), copied.path());
    let touched = add_the_rule(copied.path());
    assert!(touched <= MOST, "{touched} files");
    set_version(copied.path());
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let checked = Command::new(cargo)
        .args([
            "check",
            "--workspace",
            "--lib",
            "--bins",
            "--offline",
            "--locked",
        ])
        .current_dir(copied.path())
        .env("CARGO_TARGET_DIR", target())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}");
    assert!(!said.contains("warning:"), "{said}");
}
