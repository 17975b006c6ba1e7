//! The systemd units in `deploy/systemd`: systemd knows every line, and the programs accept every command.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use aralez_tests::files::workspace;
use aralez_tests::process::{binary, run, run_with, text};

const SOON: Duration = Duration::from_secs(20);
/// The defaults of `lame_duck` and `grace_period`, in seconds.
const LEAVING: u64 = 5 + 25;

fn folder() -> PathBuf {
    workspace().join("deploy/systemd")
}

/// A unit: the values of each key, by section and key.
struct Unit {
    name: String,
    text: String,
    values: BTreeMap<(String, String), Vec<String>>,
}

impl Unit {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut values: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        let mut section = String::new();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        for line in lines.filter(|line| !line.trim().is_empty()) {
            if let Some(named) = line.strip_prefix('[') {
                section = named.trim_end_matches(']').to_owned();
                continue;
            }
            let (key, value) = line.split_once('=').expect(line);
            let place = (section.clone(), key.to_owned());
            values.entry(place).or_default().push(value.to_owned());
        }
        Self { name, text, values }
    }

    fn of(&self, section: &str, key: &str) -> Vec<String> {
        let place = (section.to_owned(), key.to_owned());
        self.values.get(&place).cloned().unwrap_or_default()
    }

    fn is_service(&self) -> bool {
        self.name.ends_with(".service")
    }

    /// Returns the commands, without the prefixes that systemd interprets.
    fn commands(&self) -> Vec<(String, Vec<String>)> {
        let starts =
            |(section, key): &(String, String)| section == "Service" && key.starts_with("Exec");
        let found = self.values.iter().filter(|(place, _)| starts(place));
        let each = found.flat_map(|((_, key), lines)| {
            lines.iter().map(|line| {
                let line = line.trim_start_matches(['-', '+', '!', '@', ':']);
                (
                    key.clone(),
                    line.split_whitespace().map(str::to_owned).collect(),
                )
            })
        });
        each.collect()
    }
}

fn units() -> Vec<Unit> {
    let entries = std::fs::read_dir(folder()).expect("the units are there");
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 2, "{paths:?}");
    paths.iter().map(|path| Unit::read(path)).collect()
}

/// systemd itself checks the units, where it is installed.
#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let place = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for unit in units() {
        // The programs' folder on this machine, and a user that every machine has.
        let text = unit.text.replace(
            "/usr/bin/aralez-",
            &format!("{}/aralez-", programs().display()),
        );
        let text = text
            .replace("User=aralez", "User=root")
            .replace("Group=aralez", "Group=root");
        let file = place.path().join(&unit.name);
        std::fs::write(&file, text).unwrap();
        files.push(file);
    }
    let verify = Command::new("systemd-analyze")
        .arg("verify")
        .arg("--man=no")
        .args(&files)
        .output();
    let Ok(output) = verify else {
        println!("systemd-analyze is not there: only our own checks of the units ran");
        return;
    };
    let said = text(&output);
    let ours: Vec<&str> = said
        .lines()
        .filter(|line| line.contains(place.path().to_str().unwrap()))
        .collect();
    assert!(ours.is_empty(), "{said}");
}

fn programs() -> PathBuf {
    binary("aralez-proxy").parent().unwrap().to_owned()
}

#[tokio::test]
async fn every_flag_in_a_unit_is_one_that_the_program_takes() {
    for unit in units().iter().filter(|unit| unit.is_service()) {
        let commands = unit.commands();
        assert!(!commands.is_empty(), "{} starts nothing", unit.name);
        for (key, line) in commands {
            let Some(name) = line[0].strip_prefix("/usr/bin/") else {
                assert!(
                    line[0].starts_with('/'),
                    "{}: {key} names no path: {line:?}",
                    unit.name
                );
                continue;
            };
            let help = text(&run(SOON, name, &["--help"]).await);
            let flags = line.iter().filter(|word| word.starts_with('-'));
            for flag in flags {
                let listed = |line: &str| line.split([' ', ',']).any(|word| word == flag);
                assert!(
                    help.lines().any(listed),
                    "{}: {name} has no {flag}: {help}",
                    unit.name
                );
            }
        }
    }
}

#[test]
fn a_service_has_time_to_drain_and_is_started_again_without_end() {
    for unit in units().iter().filter(|unit| unit.is_service()) {
        let only = |section, key| {
            let values = unit.of(section, key);
            assert_eq!(values.len(), 1, "{}: {key}", unit.name);
            values[0].clone()
        };
        let stop: u64 = only("Service", "TimeoutStopSec").parse().unwrap();
        assert!(stop > LEAVING, "{}: {stop} s", unit.name);
        assert_eq!(only("Service", "Restart"), "always");
        assert_eq!(only("Service", "ExecReload"), "/bin/kill -HUP $MAINPID");
        assert_eq!(only("Unit", "StartLimitIntervalSec"), "0");
        assert_eq!(only("Service", "User"), "aralez");
        assert_eq!(only("Service", "NoNewPrivileges"), "true");
        assert_eq!(only("Service", "ProtectSystem"), "strict");
        assert_eq!(only("Service", "StateDirectoryMode"), "0700");
        // With this user and environment, the default of `state_dir` is the folder that the unit may write.
        assert_eq!(only("Service", "Environment"), "XDG_STATE_HOME=/var/lib");
        assert_eq!(only("Service", "StateDirectory"), "aralez");
    }
}

#[test]
fn the_unit_of_the_proxy_takes_down_how_it_ended() {
    let units = units();
    let proxy = units
        .iter()
        .find(|unit| unit.name == "aralez-proxy.service")
        .unwrap();
    let start = proxy.of("Service", "ExecStart");
    let post = proxy.of("Service", "ExecStopPost");
    // The same configuration file, so that both use the same state. The `-` prefix keeps its failure from failing the service.
    let config = start[0].split_once(" -c ").unwrap().1;
    assert_eq!(
        post,
        [format!("-/usr/bin/aralez-proxy --record-exit -c {config}")]
    );
}

/// Started by hand, `--record-exit` has nothing to record, and reports that.
#[tokio::test]
async fn recording_an_exit_needs_what_systemd_tells() {
    let place = tempfile::tempdir().unwrap();
    let config = place.path().join("main.yaml");
    std::fs::write(
        &config,
        format!("state_dir: {}\nnode_id: n\n", place.path().display()),
    )
    .unwrap();
    let arguments = ["--record-exit", "-c", config.to_str().unwrap()];
    let output = run(SOON, "aralez-proxy", &arguments).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("EXIT_CODE"), "{}", text(&output));
    let told = [
        ("SERVICE_RESULT", "core-dump"),
        ("EXIT_CODE", "dumped"),
        ("EXIT_STATUS", "SEGV"),
    ];
    let output = run_with(SOON, "aralez-proxy", &arguments, &told).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let wrong = [
        ("SERVICE_RESULT", "signal"),
        ("EXIT_CODE", "killed"),
        ("EXIT_STATUS", "NOTHING"),
    ];
    let output = run_with(SOON, "aralez-proxy", &arguments, &wrong).await;
    assert_eq!(output.status.code(), Some(1));
}
