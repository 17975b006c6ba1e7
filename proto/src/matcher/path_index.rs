//! The index of a host's routes.

use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Finds the longest route path that takes a request's path, by whole segments: `/foo` takes `/foo`, `/foo/` and `/foo/bar`, not
/// `/foobar`. `/` takes everything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathIndex<V> {
    /// Ascending by path.
    routes: Box<[(Arc<str>, V)]>,
    /// Length of the longest path: no longer candidate is worth a search.
    longest: usize,
}

impl<V> Default for PathIndex<V> {
    fn default() -> Self {
        Self {
            routes: Box::default(),
            longest: 0,
        }
    }
}

impl<V> FromIterator<(Arc<str>, V)> for PathIndex<V> {
    /// Route paths must be normalised ([`super::normalise_route_path`]), each once.
    fn from_iter<T: IntoIterator<Item = (Arc<str>, V)>>(routes: T) -> Self {
        let mut routes: Box<[_]> = routes.into_iter().collect();
        routes.sort_by(|(left, _), (right, _)| left.cmp(right));
        let longest = routes
            .iter()
            .map(|(path, _)| path.len())
            .max()
            .unwrap_or_default();
        Self { routes, longest }
    }
}

impl<V> PathIndex<V> {
    /// What takes a path, which must be normalised ([`super::Target::match_path`]). Does not allocate; costs a search per segment, of at
    /// most as many segments as the longest route path has bytes.
    pub fn lookup(&self, path: &str) -> Option<&V> {
        let path = path.as_bytes();
        let mut end = self.first_end(path);
        while end > 0 {
            if let Some(found) = self.at(&path[..end]) {
                return Some(found);
            }
            end = last_slash(&path[..end])?;
        }
        self.at(b"/")
    }

    /// The end of the longest candidate: a border of segments not beyond the longest route path.
    fn first_end(&self, path: &[u8]) -> usize {
        if path.len() <= self.longest {
            return path.strip_suffix(b"/").unwrap_or(path).len();
        }
        last_slash(&path[..=self.longest]).unwrap_or(0)
    }

    fn at(&self, path: &[u8]) -> Option<&V> {
        let found = self
            .routes
            .binary_search_by(|(route, _)| route.as_bytes().cmp(path));
        found.ok().map(|at| &self.routes[at].1)
    }

    /// The routes, ascending by path.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &V)> {
        self.routes.iter().map(|(path, value)| (path, value))
    }

    /// How many routes there are.
    pub const fn len(&self) -> usize {
        self.routes.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }
}

fn last_slash(path: &[u8]) -> Option<usize> {
    path.iter().rposition(|byte| *byte == b'/')
}
