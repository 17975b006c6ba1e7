//! Resolves paths to files: modules, imports and re-exports are followed as the compiler does.

use std::collections::BTreeMap;

use crate::names::{How, Named};
use crate::sources::Source;

/// More re-exports than any real chain has.
const MOST_HOPS: usize = 32;

/// The modules of all crates, each with its file.
#[derive(Debug)]
pub(crate) struct Modules<'a> {
    files: BTreeMap<Absolute, usize>,
    sources: &'a [Source],
}

/// A path from the root of a crate, which is named as in code. For items outside of this workspace, the path as written.
pub(crate) type Absolute = Vec<String>;

/// Returns `aralez_proxy` for `aralez-proxy`, `aralez_proto` for `proto`.
fn crate_name(folder: &str) -> String {
    let name = folder.replace('-', "_");
    match name.starts_with("aralez") {
        true => name,
        false => format!("aralez_{name}"),
    }
}

/// Returns the module path of a source, with the name of its crate first.
pub(crate) fn module_of(source: &Source) -> Absolute {
    let mut path = vec![crate_name(source.folder())];
    path.extend(source.module());
    path
}

impl<'a> Modules<'a> {
    pub(crate) fn new(sources: &'a [Source]) -> Self {
        let files = sources.iter().enumerate();
        let files = files.map(|(index, source)| (module_of(source), index));
        Self {
            files: files.collect(),
            sources,
        }
    }

    /// Resolves a path that a file names: imports of that file, `crate`, `self` and `super` are followed.
    pub(crate) fn absolute(&self, from: &Source, named: &Named) -> Absolute {
        let mut path = named.path.clone();
        if named.how == How::Inline {
            for _ in 0..MOST_HOPS {
                let Some(meaning) = from.names.local.get(&path[0]).filter(|it| it[0] != path[0])
                else {
                    break;
                };
                path = [meaning.as_slice(), &path[1..]].concat();
            }
        }
        self.rooted(from, &path)
    }

    fn rooted(&self, from: &Source, path: &[String]) -> Absolute {
        let mut module = module_of(from);
        let mut rest = path;
        match path[0].as_str() {
            "crate" => {
                module.truncate(1);
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    module.pop();
                    rest = &rest[1..];
                }
            }
            first if from.names.modules.iter().any(|name| name == first) => {}
            _ => return path.to_vec(),
        }
        [module.as_slice(), rest].concat()
    }

    /// Returns the file that an absolute path leads to, or `None` if it is not one of these sources.
    pub(crate) fn file(&self, path: &[String]) -> Option<usize> {
        let mut path = path.to_vec();
        for _ in 0..MOST_HOPS {
            let depth = (1..=path.len())
                .rev()
                .find(|depth| self.files.contains_key(&path[..*depth]))?;
            let file = self.files[&path[..depth]];
            let source = &self.sources[file];
            let passed_on = path
                .get(depth)
                .and_then(|name| source.names.reexported.get(name));
            let Some(meaning) = passed_on else {
                return Some(file);
            };
            let next = [self.rooted(source, meaning).as_slice(), &path[depth + 1..]].concat();
            if next == path || !self.files.contains_key(&next[..1]) {
                return Some(file);
            }
            path = next;
        }
        None
    }

    /// Returns the files that each file depends on, with the line that names each. A nested module is a part of its parent: its use of the
    /// parent is no dependency, and neither is a re-export of it by the parent.
    pub(crate) fn needs(&self) -> Vec<BTreeMap<usize, usize>> {
        let of = |from: &Source, own: usize| {
            let mut needs = BTreeMap::new();
            for named in &from.names.paths {
                let to = self.file(&self.absolute(from, named));
                let Some(to) = to.filter(|to| *to != own) else {
                    continue;
                };
                let (here, there) = (module_of(from), module_of(&self.sources[to]));
                let passed_on = named.how == How::Reexport && there.starts_with(&here);
                if !passed_on && !here.starts_with(&there) {
                    needs.entry(to).or_insert(named.line);
                }
            }
            needs
        };
        let files = self.sources.iter().enumerate();
        files.map(|(own, from)| of(from, own)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Vec<Source> {
        let files = [
            ("a/src/lib.rs", "pub mod core; mod engine;"),
            (
                "a/src/core.rs",
                "mod live; pub use live::Live; pub use crate::engine::Speed; use live::Part; fn f(_: Part) {}",
            ),
            (
                "a/src/core/live.rs",
                "use super::Speed; pub struct Live; pub struct Part;",
            ),
            (
                "a/src/engine.rs",
                "use crate::core::{self, Live}; fn g() { core::live::h() } pub struct Speed;",
            ),
            ("b/src/lib.rs", "use aralez_a::core::Live;"),
        ];
        let source = |(path, text): &(&str, &str)| Source::new(path.into(), (*text).to_owned());
        files.iter().map(source).collect()
    }

    #[test]
    fn a_path_leads_to_the_file_that_has_what_it_names() {
        let sources = workspace();
        let needs = Modules::new(&sources).needs();
        let of = |index: usize| Vec::from_iter(needs[index].keys().copied());
        assert_eq!(of(0), [] as [usize; 0]);
        assert_eq!(
            of(1),
            [2, 3],
            "what it passes on of its own is no need, what it uses is"
        );
        assert_eq!(
            of(2),
            [3],
            "through the face of its parent, which is no need itself"
        );
        assert_eq!(of(3), [1, 2]);
        assert_eq!(of(4), [2], "from another crate");
    }
}
