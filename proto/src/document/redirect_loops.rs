//! Redirects that lead back to the route that sends them.
//!
//! A client that follows such a redirect never arrives. Each redirect is followed with the matcher that proxies use, through the hosts and
//! paths of the whole set. A target with another port than the default of its scheme may be another server, and ends the search.

use std::collections::HashMap;

use crate::matcher::{
    Authority, HostIndex, InvalidPath, PathIndex, PlainGet, RequestPath, Scheme, normalise_host,
};
use crate::model::{Action, HostPattern, RedirectTarget, Route, VirtualHost};
use crate::place::DocumentFault;

/// The number of redirects that are followed. Browsers give up after about as many.
const MOST: usize = 20;

/// A host with the positions of its redirects.
#[derive(Clone, Copy)]
pub(crate) struct RedirectingHost<'a> {
    pub(crate) host: &'a VirtualHost,
    /// By index of the route, a fault at its `redirect_to` without a reason.
    pub(crate) redirects: &'a [(usize, DocumentFault)],
}

/// What was found.
#[derive(Default)]
pub(crate) struct LoopsFound {
    pub(crate) faults: Vec<DocumentFault>,
    pub(crate) warnings: Vec<DocumentFault>,
}

/// Finds the loops among the redirects of all hosts. The cost is proportional to their number.
pub(crate) fn find<'a>(hosts: impl Iterator<Item = RedirectingHost<'a>>) -> LoopsFound {
    let hosts: Vec<RedirectingHost<'a>> = hosts.collect();
    let mut found = LoopsFound::default();
    if hosts.iter().all(|host| host.redirects.is_empty()) {
        return found;
    }
    let mut map = Map::new(&hosts);
    for (host, of) in hosts.iter().enumerate() {
        for (route, at) in of.redirects {
            let start = At {
                host,
                route: *route,
            };
            let Some(chain) = map.loop_of(start) else {
                continue;
            };
            // A loop is found from each of its routes, and reported at the first.
            if chain.iter().any(|other| *other < start) {
                continue;
            }
            let told = |reason| DocumentFault {
                reason,
                ..at.clone()
            };
            match map.judge(&chain) {
                Judgement::Certain(reason) => found.faults.push(told(reason)),
                Judgement::Possible(reason) => found.warnings.push(told(reason)),
                Judgement::Unlikely => {}
            }
        }
    }
    found
}

/// A route, by its indexes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct At {
    host: usize,
    route: usize,
}

enum Judgement {
    Certain(String),
    Possible(String),
    /// The target is a host that no document names, so its own server may be meant.
    Unlikely,
}

/// The hosts and their routes, for lookup.
struct Map<'a> {
    hosts: &'a [RedirectingHost<'a>],
    index: HostIndex<usize>,
    /// By host, filled when a redirect leads there.
    paths: HashMap<usize, PathIndex<usize>>,
}

impl<'a> Map<'a> {
    fn new(hosts: &'a [RedirectingHost<'a>]) -> Self {
        let mut index = HostIndex::default();
        for (at, of) in hosts.iter().enumerate() {
            index.insert(&of.host.pattern, at);
        }
        Self {
            hosts,
            index,
            paths: HashMap::new(),
        }
    }

    /// Follows a request for exactly the path of a route. Returns the routes of the loop, beginning with this one, if the redirects lead
    /// back to it. `None` if they lead out, or into a loop of other routes.
    fn loop_of(&mut self, start: At) -> Option<Vec<At>> {
        let mut path = self.route(start).path.to_string();
        let first = path.clone();
        let mut chain = vec![start];
        let mut at = start;
        for _ in 0..MOST {
            (at, path) = self.follow(at, &path)?;
            if at == start && path == first {
                return Some(chain);
            }
            chain.push(at);
        }
        // Redirects that lengthen the path never lead back to the same one.
        let again = chain.iter().skip(1).position(|other| *other == start)?;
        chain.truncate(again + 1);
        Some(chain)
    }

    /// Returns the route and the path to which a redirect leads, if that route redirects too.
    fn follow(&mut self, at: At, path: &str) -> Option<(At, String)> {
        let (host, prefix) = target(self.target(at)?)?;
        let host = *self.index.lookup(&host)?;
        let hosts = self.hosts;
        let routes = &hosts[host].host.routes;
        let paths = self.paths.entry(host).or_insert_with(|| {
            let routes = routes.iter().enumerate();
            let route =
                |(at, route): (usize, &Route)| (route.path.clone(), route.matches.clone(), at);
            routes.map(route).collect()
        });
        // The request that is followed has no fields and no query: a route that asks for some takes part in no loop.
        let (route, path) = select(paths, &format!("{prefix}{path}")).ok()??;
        let next = At { host, route };
        self.target(next)?;
        Some((next, path))
    }

    fn judge(&self, chain: &[At]) -> Judgement {
        let mut names: Vec<String> = chain.iter().map(|at| self.name(*at)).collect();
        names.extend(names.first().cloned());
        let to = chain.first().and_then(|at| self.target(*at));
        let secure = to.is_some_and(|to| to.as_str().starts_with("https:"));
        let pattern = |at: &At| &self.hosts[at.host].host.pattern;
        let patterns = || chain.iter().map(pattern);
        let names = names.join(" -> ");
        if patterns().any(|pattern| *pattern == HostPattern::CatchAll) {
            Judgement::Unlikely
        } else if chain.len() == 1 && secure {
            Judgement::Possible(format!(
                "leads a client that already comes over https back to this route: {names}"
            ))
        } else if patterns().all(|pattern| matches!(pattern, HostPattern::Exact(_))) {
            Judgement::Certain(format!("leads clients in a loop: {names}"))
        } else {
            Judgement::Possible(format!(
                "leads clients in a loop if these names lead to this proxy: {names}"
            ))
        }
    }

    fn route(&self, at: At) -> &'a Route {
        &self.hosts[at.host].host.routes[at.route]
    }

    fn target(&self, at: At) -> Option<&'a RedirectTarget> {
        match &self.route(at).action {
            Action::Redirect(redirect) => Some(&redirect.to),
            _ => None,
        }
    }

    fn name(&self, at: At) -> String {
        let pattern = &self.hosts[at.host].host.pattern;
        format!("{pattern}{}", self.route(at).path)
    }
}

/// Returns the normalised host and the path prefix of a target. `None` if it has another port than the default one.
fn target(to: &RedirectTarget) -> Option<(String, &str)> {
    let (scheme, rest) = Scheme::split(to.as_str())?;
    let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = normalise_host(authority).ok()?;
    let usual = Authority::new(scheme, authority).is_named_by(&host);
    usual.then(|| (host.into_owned(), prefix))
}

/// Returns the index of the route that a path selects, and the path as forwarded.
fn select(paths: &PathIndex<usize>, path: &str) -> Result<Option<(usize, String)>, InvalidPath> {
    let path = RequestPath::parse(path)?;
    let found = paths.select(&path, &PlainGet)?;
    Ok(found.map(|route| (*route, path.forwarded().to_owned())))
}
