//! The index of a host's routes.

use std::cmp::Ordering;
use std::sync::Arc;

use super::conditions::MatchFacts;
use super::path::{InvalidPath, RequestPath};
use crate::model::RouteMatch;

#[cfg(test)]
mod tests;

/// Finds the longest route path that matches a request's path by whole segments: `/foo` matches `/foo`, `/foo/` and `/foo/bar`, not
/// `/foobar`. `/` matches everything. Of several routes of one path, the first whose match holds is found; if none holds, the search goes on
/// with the next shorter path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathIndex<V> {
    /// All paths, concatenated: a lookup compares with several, and each separate allocation would be a cache miss.
    text: Box<str>,
    /// Ascending by path; those of one path in the order in which they are tried.
    routes: Box<[Place<V>]>,
    /// The conditions of the routes, in the same order. Empty if no route has any and each path occurs once, so that a host of plain routes
    /// costs nothing more.
    conditions: Box<[Option<Arc<RouteMatch>>]>,
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
            conditions: Box::default(),
            longest: 0,
        }
    }
}

impl<V> FromIterator<(Arc<str>, Option<Arc<RouteMatch>>, V)> for PathIndex<V> {
    /// Route paths must be normalised ([`super::normalise_route_path`]). Routes of one path must follow each other in the order in which
    /// they are tried; only the last of them may be without a match.
    fn from_iter<T>(routes: T) -> Self
    where
        T: IntoIterator<Item = (Arc<str>, Option<Arc<RouteMatch>>, V)>,
    {
        let mut routes: Vec<_> = routes.into_iter().collect();
        // Stable: routes of one path stay in their order.
        routes.sort_by(|(left, ..), (right, ..)| left.cmp(right));
        let lengths = || routes.iter().map(|(path, ..)| path.len());
        let longest = lengths().max().unwrap_or_default();
        let mut text = String::with_capacity(lengths().sum());
        let conditional = routes.iter().any(|(_, matches, _)| matches.is_some());
        let repeated = routes.windows(2).any(|two| two[0].0 == two[1].0);
        let plain = !conditional && !repeated;
        let mut conditions = Vec::new();
        let place = |(path, matches, value): (Arc<str>, _, V)| {
            text.push_str(&path);
            let end = text.len();
            if !plain {
                conditions.push(matches);
            }
            Place { end, value }
        };
        let routes = routes.into_iter().map(place).collect();
        Self {
            text: text.into_boxed_str(),
            routes,
            conditions: conditions.into(),
            longest,
        }
    }
}

impl<V> PathIndex<V> {
    /// Returns the route that every reading of a path selects for a request with these facts. Does not allocate if the path has one reading
    /// and is normalised. A reading costs a search per segment, for at most as many segments as the longest route path has bytes.
    ///
    /// # Errors
    /// [`InvalidPath`] if readings of the path select different routes.
    pub fn select(
        &self,
        path: &RequestPath<'_>,
        facts: &impl MatchFacts,
    ) -> Result<Option<&V>, InvalidPath> {
        let found = match self.conditions.is_empty() {
            true => path.select(|reading| self.place(reading, Some))?,
            false => path.select(|reading| {
                self.place(reading, |found| self.first_holding(found, reading, facts))
            })?,
        };
        Ok(found.map(|at| &self.routes[at].value))
    }

    /// Returns the index of the route that matches a reading. `choose` is called with the index of a route of each path that the reading
    /// begins with, longest first, until it returns a route of that path.
    fn place(&self, reading: &str, choose: impl Fn(usize) -> Option<usize>) -> Option<usize> {
        let path = reading.as_bytes();
        let mut end = self.first_end(path);
        while end > 0 {
            if let Some(found) = self.at(&path[..end]).and_then(&choose) {
                return Some(found);
            }
            end = last_slash(&path[..end])?;
        }
        self.at(b"/").and_then(choose)
    }

    /// Returns the first route of a path whose conditions hold. `found` is the index of any route of the path.
    fn first_holding(&self, found: usize, reading: &str, facts: &impl MatchFacts) -> Option<usize> {
        let path = self.path(found);
        let same = |at: &usize| self.path(*at) == path;
        let first = (0..found).rev().take_while(same).last().unwrap_or(found);
        let holds = |at: &usize| match &self.conditions[*at] {
            Some(matches) => matches.holds(path, reading, facts),
            None => true,
        };
        (first..self.routes.len()).take_while(same).find(holds)
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
