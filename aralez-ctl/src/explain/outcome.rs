//! The outcome of a request: the endpoints and the request that they receive, or the answer.

use aralez_decision::additions::{Additions, FieldList};
use aralez_decision::answer::{Answer, Content};
use aralez_decision::decide::{Decision, Forward, PoolChoice};
use aralez_decision::edits::CompiledEdits;
use aralez_decision::table::CompiledRoute;
use aralez_decision::{Fields, Request};
use aralez_proto::model::{Endpoint, EndpointOwner, PoolName};
use serde::Serialize;

use super::masking;
use crate::configuration::{Configuration, Scopes, Setting, Written};

/// Most characters of a body that are shown.
const SHOWN_BODY: usize = 200;

/// The outcome of a request after its policies.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
#[serde(tag = "action", rename_all = "lowercase")]
pub(super) enum Treatment {
    /// It is sent to an endpoint.
    Forward {
        /// The pools that share such requests.
        pools: Vec<PoolShown>,
        /// The request as the endpoint receives it.
        endpoint_sees: EndpointSees,
        /// The changes of the response.
        response: Edits,
    },
    /// A file of the node is served, or what stands for one that is missing.
    Serve {
        /// The folder on the node.
        folder: String,
        /// The path of the file in the folder. If it is a folder, its `index.html` is served.
        file: String,
        /// The changes of the response.
        response: Edits,
    },
    /// The proxy answers it.
    Answer {
        /// The status.
        status: u16,
        /// The reason, as in metrics; `None` for the answer of a route.
        reason: Option<&'static str>,
        /// The reason as text.
        words: Option<String>,
        /// Its header fields.
        fields: Vec<Field>,
        /// Its content, or the beginning of it.
        body: Option<String>,
        /// The error page that is its content.
        page: Option<Page>,
        /// The changes by the rules of the route.
        response: Edits,
    },
}

/// A pool with its endpoints.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub(super) struct PoolShown {
    /// Its name.
    pub(super) pool: String,
    /// Its share of the requests, if several pools share them.
    pub(super) weight: Option<u16>,
    /// Its endpoints.
    pub(super) endpoints: Vec<EndpointShown>,
}

/// An endpoint.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub(super) struct EndpointShown {
    /// Its address.
    pub(super) address: String,
    /// Its share of the requests of the pool.
    pub(super) weight: u16,
    /// `document` or `source`.
    pub(super) origin: &'static str,
}

/// A request as an endpoint sees it.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub(super) struct EndpointSees {
    /// The path with the query.
    pub(super) path: String,
    /// The host.
    pub(super) host: Option<String>,
    /// The rules that change path and host.
    pub(super) settings: Vec<Setting>,
    /// The changes by the rules of the route.
    #[serde(flatten)]
    pub(super) edits: Edits,
}

/// The changes of a message by the rules of a route.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub(super) struct Edits {
    /// The fields that are set or added.
    pub(super) set: Vec<Field>,
    /// The names of fields that are removed and not set.
    pub(super) removed: Vec<String>,
    /// The places of the rules, the widest scope first.
    pub(super) written: Vec<Written>,
}

/// A header field. Values of credentials are hidden.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub(super) struct Field {
    /// Its name.
    pub(super) name: String,
    /// Its value.
    pub(super) value: String,
}

/// An error page.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub(super) struct Page {
    /// Its media type.
    pub(super) media_type: String,
    /// Its size in bytes.
    pub(super) bytes: usize,
    /// Its key in `errors`, and where that was written.
    #[serde(flatten)]
    pub(super) setting: Setting,
}

/// Describes outcomes.
pub(super) struct Describing<'a, 'r, F> {
    pub(super) configuration: &'a Configuration,
    pub(super) request: &'r Request<'a, F>,
    pub(super) additions: &'r Additions,
    pub(super) scopes: Scopes<'a>,
}

impl<F: Fields> Describing<'_, '_, F> {
    /// Describes what a decision leads to.
    pub(super) fn outcome(&self, decision: &Decision<'_>) -> Treatment {
        match decision {
            Decision::Forward(forward) => self.forward(forward),
            Decision::Serve(serve) => Treatment::Serve {
                folder: serve.files.folder.as_str().to_owned(),
                file: serve.name.as_path().display().to_string(),
                response: self.response_edits(Some(serve.route)),
            },
            Decision::Answer { answer, route } => {
                self.answer(answer, route.map(|route| &**route), (None, None))
            }
            Decision::Reject { rejection, route } => {
                let reason = (Some(rejection.name()), Some(rejection.to_string()));
                self.answer(&rejection.answer(), route.map(|route| &**route), reason)
            }
            // Every question has got its reply.
            Decision::Ask { .. } => self.answer(&Answer::of(503), None, (None, None)),
        }
    }

    fn forward(&self, forward: &Forward<'_>) -> Treatment {
        let rules = &forward.route.rules;
        let pools = match forward.pool {
            PoolChoice::Only(pool) => vec![self.pool(pool, None)],
            PoolChoice::OneOf(split) => {
                let pools = split.pools().iter();
                pools
                    .map(|one| self.pool(&one.pool, Some(one.weight)))
                    .collect()
            }
        };
        let edits = self.edits(
            "server_headers",
            &rules.request_edits,
            &self.additions.request,
        );
        let host = edits
            .set
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case("host"));
        let host = host.map(|field| field.value.clone());
        Treatment::Forward {
            pools,
            endpoint_sees: EndpointSees {
                path: masking::target(forward.path_and_query.text(self.request.target)),
                host: host.or_else(|| self.request.host.map(str::to_owned)),
                settings: self.path_settings(),
                edits,
            },
            response: self.response_edits(Some(forward.route)),
        }
    }

    /// Returns the rules of the route that change path and host.
    fn path_settings(&self) -> Vec<Setting> {
        let Some(rules) = self.scopes.own() else {
            return Vec::new();
        };
        let values = [
            ("strip_prefix", rules.strip_prefix.0.as_deref()),
            ("add_prefix", rules.add_prefix.0.as_deref()),
            ("host", rules.host.0.as_deref()),
        ];
        let setting = |(key, value): (&str, Option<&str>)| {
            value.map(|value| self.scopes.setting(key, value.to_owned()))
        };
        values.into_iter().filter_map(setting).collect()
    }

    fn pool(&self, name: &PoolName, weight: Option<u16>) -> PoolShown {
        let pools = self.configuration.snapshot.resources().pools();
        let owners = [
            (EndpointOwner::Document, "document"),
            (EndpointOwner::Source, "source"),
        ];
        let endpoints = owners.into_iter().flat_map(|(owner, origin)| {
            let endpoints = pools.endpoints_of(name, owner).iter();
            endpoints.map(move |endpoint: &Endpoint| EndpointShown {
                address: endpoint.address.to_string(),
                weight: endpoint.weight,
                origin,
            })
        });
        PoolShown {
            pool: name.to_string(),
            weight,
            endpoints: endpoints.collect(),
        }
    }

    fn answer(
        &self,
        answer: &Answer,
        route: Option<&CompiledRoute>,
        (reason, words): (Option<&'static str>, Option<String>),
    ) -> Treatment {
        let errors = match route {
            Some(route) => &route.rules.others.errors,
            None => self.configuration.table.error_pages(),
        };
        let paged = answer.with_page(errors);
        let page = paged.as_ref().and_then(|_| errors.get(answer.status));
        let page = page.map(|page| Page {
            media_type: page.media_type.to_string(),
            bytes: page.content.len(),
            setting: self.scopes.setting(
                &format!("errors.{}", answer.status),
                page.media_type.to_string(),
            ),
        });
        let body = match (&answer.content, &page) {
            (Content::Bytes(bytes), None) => Some(beginning(&String::from_utf8_lossy(bytes))),
            _ => None,
        };
        Treatment::Answer {
            status: answer.status,
            reason,
            words,
            fields: fields(answer.fields.fields()),
            body,
            page,
            response: self.response_edits(route),
        }
    }

    fn response_edits(&self, route: Option<&CompiledRoute>) -> Edits {
        let none = CompiledEdits::default();
        let edits = route.map_or(&none, |route| &route.rules.response_edits);
        self.edits("headers", edits, &self.additions.response)
    }

    fn edits(&self, key: &str, edits: &CompiledEdits, added: &FieldList) -> Edits {
        let set = fields(edits.fields().chain(added.fields()));
        let names = edits.dropped().map(|(name, is_prefix)| {
            let star = if is_prefix { "*" } else { "" };
            format!("{}{star}", String::from_utf8_lossy(name))
        });
        let is_set = |name: &String| set.iter().any(|field| field.name == *name);
        Edits {
            removed: names.filter(|name| !is_set(name)).collect(),
            set,
            written: self.scopes.all_written(key),
        }
    }
}

fn fields<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<Field> {
    let field = |(name, value): (&[u8], &[u8])| {
        let name = String::from_utf8_lossy(name).into_owned();
        Field {
            value: masking::value(&name, value),
            name,
        }
    };
    fields.map(field).collect()
}

fn beginning(text: &str) -> String {
    match text.char_indices().nth(SHOWN_BODY) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
