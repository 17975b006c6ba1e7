//! Decoding of the routes of a host.

use std::fmt;
use std::sync::Arc;

use super::Problems;
use super::matches::Regexes;
use crate::matcher;
use crate::model::{
    Action, Files, FolderPath, InvalidFolder, MOST_ROUTES, Redirect, RedirectStatus, Respond,
    Route, RouteMatch, Split, WeightedPool, never_reached,
};
use crate::wire::resource as wire;

/// The position of a fault inside a route.
#[derive(Clone, Copy)]
pub(super) struct RouteField<'a> {
    path: &'a str,
    name: &'a str,
}

impl fmt::Display for RouteField<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "routes.{:?}.{}", self.path, self.name)
    }
}

impl Problems<'_> {
    pub(super) fn routes(&mut self, wire: Vec<wire::Route>) -> Vec<Route> {
        // `collect` would reuse, and keep, the larger allocation of the received routes.
        let mut routes = Vec::with_capacity(wire.len());
        let mut regexes = Regexes::default();
        routes.extend(
            wire.into_iter()
                .filter_map(|route| self.route(route, &mut regexes)),
        );
        if !routes.is_sorted_by(|left: &Route, right| left.path <= right.path) {
            self.invalid("routes", "are not ascending by path");
        }
        for same in routes.chunk_by(|left, right| left.path == right.path) {
            self.order(same);
        }
        routes
    }

    /// Checks the routes of one path.
    fn order(&mut self, routes: &[Route]) {
        let [first, _, ..] = routes else {
            return;
        };
        let field = RouteField {
            path: &first.path,
            name: "match",
        };
        if routes.len() > MOST_ROUTES {
            let reason = format!("the path has more than {MOST_ROUTES} routes");
            return self.invalid(field, reason);
        }
        let matches: Vec<Option<&RouteMatch>> = routes
            .iter()
            .map(|route| route.matches.as_deref())
            .collect();
        for (late, early) in never_reached(&matches) {
            let reason = format!(
                "route {} of the path can never match: route {} takes all of its requests",
                late + 1,
                early + 1
            );
            self.invalid(field, reason);
        }
    }

    fn route(&mut self, wire: wire::Route, regexes: &mut Regexes) -> Option<Route> {
        let field = |name| RouteField {
            path: &wire.path,
            name,
        };
        let path = matcher::normalise_route_path(&wire.path).map(|path| path.as_ref().into());
        let path: Arc<str> = self.need("routes.path", path)?;
        if *path != *wire.path {
            self.invalid(
                "routes.path",
                format!("{:?} is not normalised, expected {path}", wire.path),
            );
        }
        let action = self.action(wire.action, field)?;
        let matches = match wire.r#match {
            Some(sent) => {
                let read = regexes.read_match(sent, &path);
                Some(Arc::new(self.need(field("match"), read)?))
            }
            None => None,
        };
        let rules = self.rules(wire.rules, field);
        let fits = rules.strip_prefix.check_at(&path);
        self.need(field("strip_prefix"), fits);
        Some(Route {
            matches,
            rules,
            action,
            path,
        })
    }

    fn action<'a>(
        &mut self,
        wire: Option<wire::route::Action>,
        field: impl Fn(&'static str) -> RouteField<'a>,
    ) -> Option<Action> {
        Some(match wire {
            Some(wire::route::Action::Pool(pool)) => {
                Action::Pool(self.need(field("pool"), pool.parse())?)
            }
            Some(wire::route::Action::Split(split)) => {
                Action::Split(Box::new(self.need(field("split"), read_split(split))?))
            }
            Some(wire::route::Action::Redirect(redirect)) => {
                let status =
                    RedirectStatus::from_code(redirect.status).ok_or("is not 301, 302, 307 or 308");
                Action::Redirect(Redirect {
                    status: self.need(field("redirect.status"), status)?,
                    to: self.need(field("redirect.to"), redirect.to.parse())?,
                })
            }
            Some(wire::route::Action::Respond(respond)) => {
                let respond = Respond::new(respond.status, &respond.body, &respond.media_type);
                Action::Respond(self.need(field("respond"), respond)?)
            }
            Some(wire::route::Action::Files(files)) => {
                Action::Files(self.need(field("files"), read_files(&files))?)
            }
            None => {
                self.invalid(
                    field("action"),
                    "is missing or not supported by this release",
                );
                return None;
            }
        })
    }
}

fn read_files(wire: &wire::Files) -> Result<Files, String> {
    let folder: FolderPath = wire
        .folder
        .parse()
        .map_err(|error: InvalidFolder| error.to_string())?;
    if folder.as_str() != wire.folder {
        return Err(format!(
            "{:?} is not normalised, expected {folder}",
            wire.folder
        ));
    }
    Ok(Files {
        folder,
        spa: wire.spa,
        precompressed: wire.precompressed,
    })
}

fn read_split(wire: wire::Split) -> Result<Split, String> {
    let pool = |one: wire::WeightedPool| {
        Ok(WeightedPool {
            weight: u16::try_from(one.weight)
                .map_err(|_| "a weight is not 0 to 65535".to_owned())?,
            pool: one.pool.parse().map_err(|error| format!("{error}"))?,
        })
    };
    let pools: Result<Vec<WeightedPool>, String> = wire.pools.into_iter().map(pool).collect();
    Split::new(pools?).map_err(|error| error.to_string())
}
