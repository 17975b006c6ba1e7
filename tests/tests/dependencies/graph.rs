//! The crates of this workspace and their dependencies, as cargo resolves them for the platform it runs on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use semver::Version;
use serde_json::Value;

/// The source of crates from crates.io.
pub(crate) const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The crates whose binaries are shipped.
const DAEMONS: [&str; 3] = ["aralez-control", "aralez-proxy", "aralez-ctl"];

/// A crate in one version.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: Version,
    pub(crate) licence: Option<String>,
    /// `None` for a crate of this workspace.
    pub(crate) source: Option<String>,
    pub(crate) folder: PathBuf,
    /// The dependencies of its manifest: the name as used in code, and the kind (`None`, `dev` or `build`).
    pub(crate) dependencies: Vec<(String, Option<String>)>,
}

impl Default for Package {
    fn default() -> Self {
        Self {
            name: String::new(),
            version: Version::new(0, 0, 0),
            licence: None,
            source: None,
            folder: PathBuf::new(),
            dependencies: Vec::new(),
        }
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

impl Package {
    /// Reports whether the crate belongs to this workspace.
    pub(crate) const fn is_ours(&self) -> bool {
        self.source.is_none()
    }

    fn of(package: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let manifest = PathBuf::from(string(&package["manifest_path"]));
        let dependency = |dependency: &Value| {
            let called = text(&dependency["rename"]);
            let called = called.unwrap_or_else(|| string(&dependency["name"]));
            (called.replace('-', "_"), text(&dependency["kind"]))
        };
        Self {
            name: string(&package["name"]),
            version: string(&package["version"]).parse().expect("a version"),
            licence: text(&package["license"]),
            source: text(&package["source"]),
            folder: manifest.parent().expect("it lies in a folder").to_owned(),
            dependencies: list(&package["dependencies"]).map(dependency).collect(),
        }
    }
}

/// All crates, and the crates that each of them links.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) packages: BTreeMap<String, Package>,
    links: BTreeMap<String, Vec<String>>,
}

impl Graph {
    /// Runs `cargo metadata`. It downloads only crates that the build has not downloaded.
    pub(crate) fn read() -> Self {
        let offline = ask(&["--offline"]);
        let told = offline.or_else(|_| ask(&[]));
        let told = told.unwrap_or_else(|reason| panic!("cargo metadata: {reason}"));
        let metadata: Value = serde_json::from_slice(&told).expect("cargo tells JSON");
        let nodes = list(&metadata["resolve"]["nodes"]);
        let links: BTreeMap<_, _> = nodes
            .map(|node| (string(&node["id"]), linked(node)))
            .collect();
        let packages = list(&metadata["packages"]);
        let packages = packages.map(|package| (string(&package["id"]), Package::of(package)));
        Self {
            // Cargo also lists crates of other platforms.
            packages: packages.filter(|(id, _)| links.contains_key(id)).collect(),
            links,
        }
    }

    /// Returns the crates that the shipped binaries link.
    pub(crate) fn shipped(&self) -> impl Iterator<Item = &Package> {
        let is_daemon = |package: &Package| DAEMONS.contains(&package.name.as_str());
        let daemons = self
            .packages
            .iter()
            .filter(|(_, package)| is_daemon(package));
        let mut open: Vec<&String> = daemons.map(|(id, _)| id).collect();
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(&self.links[id]);
            }
        }
        seen.into_iter().map(|id| &self.packages[id])
    }
}

fn ask(more: &[&str]) -> Result<Vec<u8>, String> {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let asked = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(["--filter-platform", &platform])
        .args(more)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    match asked.status.success() {
        true => Ok(asked.stdout),
        false => Err(String::from_utf8_lossy(&asked.stderr).into_owned()),
    }
}

/// Returns the crates that a crate links, without its build and dev dependencies.
fn linked(node: &Value) -> Vec<String> {
    let links = |needed: &&Value| list(&needed["dep_kinds"]).any(|kind| kind["kind"].is_null());
    let needed = list(&node["deps"]).filter(links);
    needed.map(|needed| string(&needed["pkg"])).collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn string(value: &Value) -> String {
    value.as_str().expect("cargo tells a string").to_owned()
}
