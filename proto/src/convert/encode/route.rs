//! Encoding of routes.

use crate::feature;
use crate::model::{Action, HeaderMatch, MatchedPath, Route, RouteMatch, Split, ValueMatch};
use crate::wire::resource as wire;

/// Returns the message of a route.
pub(super) fn encode(route: &Route) -> wire::Route {
    let action = match &route.action {
        Action::Pool(pool) => wire::route::Action::Pool(pool.to_string()),
        Action::Split(split) => wire::route::Action::Split(encode_split(split)),
        Action::Redirect(redirect) => wire::route::Action::Redirect(wire::Redirect {
            to: redirect.to.to_string(),
            status: redirect.status.code().into(),
        }),
        Action::Files(files) => wire::route::Action::Files(wire::Files {
            folder: files.folder.to_string(),
            spa: files.spa,
            precompressed: files.precompressed,
        }),
        Action::Respond(respond) => wire::route::Action::Respond(wire::Respond {
            status: respond.status().into(),
            body: respond.body().clone(),
            media_type: respond.media_type().to_owned(),
        }),
    };
    wire::Route {
        path: route.path.as_ref().to_owned(),
        rules: route.rules.encode(),
        r#match: route.matches.as_deref().map(encode_match),
        action: Some(action),
    }
}

/// Returns the features that a route needs, besides those of its rules.
pub(super) fn needs(route: &Route) -> impl Iterator<Item = u32> {
    let matches = route.matches.is_some().then_some(feature::ROUTE_MATCH);
    let action = match route.action {
        Action::Pool(_) | Action::Redirect(_) => None,
        Action::Split(_) => Some(feature::SPLIT),
        Action::Respond(_) => Some(feature::RESPOND),
        Action::Files(_) => Some(feature::FILES),
    };
    matches.into_iter().chain(action)
}

fn encode_split(split: &Split) -> wire::Split {
    let pools = split.pools().iter().map(|one| wire::WeightedPool {
        weight: one.weight.into(),
        pool: one.pool.to_string(),
    });
    wire::Split {
        pools: pools.collect(),
    }
}

fn encode_match(matches: &RouteMatch) -> wire::RouteMatch {
    let path = match matches.path {
        MatchedPath::Prefix => wire::MatchedPath::Prefix,
        MatchedPath::Exact => wire::MatchedPath::Exact,
        MatchedPath::ExactWithSlash => wire::MatchedPath::ExactWithSlash,
    };
    let query = matches.query.iter().map(|one| wire::QueryMatch {
        name: one.name.clone(),
        value: one.value.clone(),
    });
    wire::RouteMatch {
        path: path.into(),
        methods: matches.methods.iter().map(ToString::to_string).collect(),
        headers: matches.headers.iter().map(encode_header).collect(),
        query: query.collect(),
    }
}

fn encode_header(header: &HeaderMatch) -> wire::HeaderMatch {
    let value = match &header.value {
        ValueMatch::Equal(value) => wire::header_match::Value::Equal(value.clone()),
        ValueMatch::Regex(regex) => wire::header_match::Value::Regex(regex.as_str().to_owned()),
    };
    wire::HeaderMatch {
        name: header.name.clone(),
        value: Some(value),
    }
}
