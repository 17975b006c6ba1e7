//! `type: forward`: the server of the rule decides about each request, as forward authorization does in other proxies.
//!
//! The server gets the method, target, host, address and scheme of the request in the fields that Traefik, Authelia and oauth2-proxy read
//! (`X-Forwarded-*`), and in those that they read behind nginx (`X-Original-*`). A response with a status of 200 to 299 passes the request.

use std::sync::Arc;

use aralez_proto::rules::{CopiedHeader, Rules, ServerRule};

use crate::additions::FieldList;
use crate::edits::OurLine;
use crate::fields::{FieldName, is_spelling_of};

/// A rule with what it needs to know of the other rules of its scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompiledServer {
    /// The rule.
    pub rule: Arc<ServerRule>,
    /// The names of the request fields that header rules set, in lower case: a prefix does not copy over them.
    set: Box<[Box<str>]>,
}

/// A question to the server of a rule. The request to it has the fields of the client's request too, but no body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerQuestion {
    /// The server.
    pub server: Arc<CompiledServer>,
    /// The fields that tell the server about the request, in addition to those for every endpoint.
    pub fields: FieldList,
}

/// The names of the fields that a question has in addition to those for every endpoint, in lower case.
pub(super) const QUESTION_FIELDS: [&str; 4] = [
    "x-forwarded-method",
    "x-forwarded-uri",
    "x-original-method",
    "x-original-url",
];

/// Reports whether a field is one of those, in any spelling that a server may accept for them.
pub fn is_question_field(name: &[u8]) -> bool {
    let mut fields = QUESTION_FIELDS.iter();
    fields.any(|field| is_spelling_of(field.as_bytes(), name))
}

/// The fields that the server's response adds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CopiedFields {
    /// To the request.
    pub request: FieldList,
    /// To the response: only cookies.
    pub response: FieldList,
}

impl CompiledServer {
    /// Prepares the rule of a scope.
    pub(super) fn of(rule: &Arc<ServerRule>, rules: &Rules) -> Self {
        let edits = &rules.request_headers.0;
        let set = edits.set.iter().chain(&edits.append);
        Self {
            rule: Arc::clone(rule),
            set: set.map(|header| header.name().into()).collect(),
        }
    }

    /// Returns the fields of a response that are copied.
    pub fn copied<'f>(&self, fields: impl Iterator<Item = (&'f [u8], &'f [u8])>) -> CopiedFields {
        let mut copied = CopiedFields::default();
        for (name, value) in fields.filter(|(name, _)| self.copies(name)) {
            // The parser of heads accepts only tokens as names.
            let Ok(name) = std::str::from_utf8(name) else {
                continue;
            };
            let name = name.to_ascii_lowercase();
            // A cookie is for the client: the server renews its session with it.
            match name == SET_COOKIE {
                true => copied.response.add(&name, value),
                false => copied.request.add(&name, value),
            }
        }
        copied
    }

    fn copies(&self, name: &[u8]) -> bool {
        self.rule.copy.iter().any(|copied| match copied {
            CopiedHeader::Name(copied) => copied.as_bytes().eq_ignore_ascii_case(name),
            CopiedHeader::Prefix(prefix) => {
                let start = name.get(..prefix.len());
                start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
                    && !is_managed(name)
                    && !self
                        .set
                        .iter()
                        .any(|set| set.as_bytes().eq_ignore_ascii_case(name))
            }
        })
    }
}

const SET_COOKIE: &str = "set-cookie";

/// Reports whether a field describes its own message or connection, or is one that the proxy writes: copied by a prefix, it would contradict
/// the request.
fn is_managed(name: &[u8]) -> bool {
    let known = FieldName::of(name);
    let free = [FieldName::Authorization, FieldName::Other, FieldName::Ours];
    !free.contains(&known) || OurLine::is_name(name)
}
