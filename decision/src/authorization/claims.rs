//! The claims of a token whose signature was verified (RFC 7519 section 4).

use std::collections::BTreeMap;
use std::fmt;

use aralez_proto::rules::TokenRule;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use crate::state::Verified;

/// Seconds by which clocks may differ.
const LEEWAY: f64 = 60.0;

/// The latest time that a claim may name: the end of the year 9999.
const LATEST: f64 = 253_402_300_799.0;

/// The reason why a token is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TokenProblem {
    /// It is not signed by a key of the rule.
    Invalid,
    /// It is signed, but expired, not valid yet, for another audience or of another issuer.
    Stale,
}

/// The claims by name. A text that contains one twice is refused: two readers could see different ones.
pub(super) struct ClaimSet(BTreeMap<String, Value>);

impl ClaimSet {
    /// Checks the claims at a time in seconds since 1970. `shown` names the claims that header values show.
    pub(super) fn accept(
        &self,
        rule: &TokenRule,
        shown: &[Box<str>],
        now: u64,
    ) -> Result<Verified, TokenProblem> {
        let expires = self.time("exp")?.ok_or(TokenProblem::Stale)?;
        let begins = self.time("nbf")?.unwrap_or(0.0);
        let now = now as f64;
        // RFC 7519 section 4.1.4: a token is not accepted on or after its expiration time; a small leeway is allowed for clock skew.
        // RFC 7519 section 4.1.5: nor before its `nbf`.
        let valid = now < expires + LEEWAY && now + LEEWAY >= begins;
        let for_us = self.names_audience(&rule.audience) && self.is_from(rule.issuer.as_deref());
        if !valid || !for_us {
            return Err(TokenProblem::Stale);
        }
        let fields = rule.claims.iter().filter_map(|(claim, header)| {
            let value = self.0.get(&**claim).and_then(text_of)?;
            Some((header.clone(), value.into()))
        });
        let claims = shown.iter().filter_map(|claim| {
            let value = self.0.get(&**claim).and_then(text_of)?;
            Some((claim.clone(), value.into()))
        });
        Ok(Verified {
            until: Some((expires + LEEWAY).ceil() as u64),
            fields: fields.collect(),
            claims: claims.collect(),
        })
    }

    /// Returns a time, in seconds since 1970. It may have a fraction, but must be a number.
    fn time(&self, claim: &str) -> Result<Option<f64>, TokenProblem> {
        let Some(value) = self.0.get(claim) else {
            return Ok(None);
        };
        let time = value.as_f64().filter(|time| (0.0..=LATEST).contains(time));
        time.map(Some).ok_or(TokenProblem::Stale)
    }

    /// Returns whether `aud` fits: one text, or a list of them.
    fn names_audience(&self, required: &[Box<str>]) -> bool {
        let names = |value: &Value| {
            let text = value.as_str();
            text.is_some_and(|text| required.iter().any(|known| **known == *text))
        };
        match self.0.get("aud") {
            None => required.is_empty(),
            // RFC 7519 section 4.1.3: a token that names audiences is rejected by whoever is not among them.
            Some(Value::Array(list)) => list.iter().any(names),
            Some(value) => names(value),
        }
    }

    fn is_from(&self, required: Option<&str>) -> bool {
        let issuer = self.0.get("iss").and_then(Value::as_str);
        required.is_none_or(|required| issuer == Some(required))
    }
}

/// Returns a claim as the value of a field. Lists and maps have none.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

impl<'de> Deserialize<'de> for ClaimSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ClaimVisitor)
    }
}

struct ClaimVisitor;

impl<'de> Visitor<'de> for ClaimVisitor {
    type Value = ClaimSet;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ClaimSet, A::Error> {
        let mut claims = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if claims.insert(name, value).is_some() {
                return Err(A::Error::custom("duplicate claim"));
            }
        }
        Ok(ClaimSet(claims))
    }
}
