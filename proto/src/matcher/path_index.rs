//! The index of a host's routes.

use std::cmp::Ordering;
use std::sync::Arc;

use super::path::{InvalidPath, RequestPath};

#[cfg(test)]
mod tests;

/// Finds the longest route path that matches a request's path by whole segments: `/foo` matches `/foo`, `/foo/` and `/foo/bar`, not
/// `/foobar`. `/` matches everything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathIndex<V> {
    /// All paths, concatenated: a lookup compares with several, and each separate allocation would be a cache miss.
    text: Box<str>,
    /// Ascending by path.
    routes: Box<[Place<V>]>,
    /// Length of the longest path. Longer candidates need no search.
    longest: usize,
}

/// A route. Its path ends at `end` in the text, and begins where the previous one ends.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Place<V> {
    end: usize,
    value: V,
}

impl<V> Default for PathIndex<V> {
    fn default() -> Self {
        Self {
            text: Box::default(),
            routes: Box::default(),
            longest: 0,
        }
    }
}

impl<V> FromIterator<(Arc<str>, V)> for PathIndex<V> {
    /// Route paths must be normalised ([`super::normalise_route_path`]) and unique.
    fn from_iter<T: IntoIterator<Item = (Arc<str>, V)>>(routes: T) -> Self {
        let mut routes: Vec<(Arc<str>, V)> = routes.into_iter().collect();
        routes.sort_by(|(left, _), (right, _)| left.cmp(right));
        let lengths = || routes.iter().map(|(path, _)| path.len());
        let longest = lengths().max().unwrap_or_default();
        let mut text = String::with_capacity(lengths().sum());
        let place = |(path, value): (Arc<str>, V)| {
            text.push_str(&path);
            let end = text.len();
            Place { end, value }
        };
        let routes = routes.into_iter().map(place).collect();
        Self {
            text: text.into_boxed_str(),
            routes,
            longest,
        }
    }
}

impl<V> PathIndex<V> {
    /// Returns the route that every reading of a path selects. Does not allocate if the path has one reading and is normalised. A reading
    /// costs a search per segment, for at most as many segments as the longest route path has bytes.
    ///
    /// # Errors
    /// [`InvalidPath`] if readings of the path select different routes.
    pub fn select(&self, path: &RequestPath<'_>) -> Result<Option<&V>, InvalidPath> {
        let found = path.select(|reading| self.place(reading))?;
        Ok(found.map(|at| &self.routes[at].value))
    }

    /// Returns the index of the route that matches a reading.
    fn place(&self, reading: &str) -> Option<usize> {
        let path = reading.as_bytes();
        let mut end = self.first_end(path);
        while end > 0 {
            if let Some(found) = self.at(&path[..end]) {
                return Some(found);
            }
            end = last_slash(&path[..end])?;
        }
        self.at(b"/")
    }

    /// Returns the end of the longest candidate: a segment boundary within the length of the longest route path.
    fn first_end(&self, path: &[u8]) -> usize {
        if path.len() <= self.longest {
            return path.strip_suffix(b"/").unwrap_or(path).len();
        }
        last_slash(&path[..=self.longest]).unwrap_or(0)
    }

    fn at(&self, path: &[u8]) -> Option<usize> {
        let (mut low, mut high) = (0, self.routes.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.path(middle).as_bytes().cmp(path) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    fn path(&self, at: usize) -> &str {
        let start = at
            .checked_sub(1)
            .map_or(0, |before| self.routes[before].end);
        &self.text[start..self.routes[at].end]
    }

    /// Returns the routes, ascending by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        let places = self.routes.iter().enumerate();
        places.map(|(at, place)| (self.path(at), &place.value))
    }

    /// Returns the number of routes.
    pub const fn len(&self) -> usize {
        self.routes.len()
    }

    /// Reports whether there are no routes.
    pub const fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }
}

fn last_slash(path: &[u8]) -> Option<usize> {
    path.iter().rposition(|byte| *byte == b'/')
}
