//! Header values with placeholders, which a proxy fills in for each request.
//!
//! A placeholder is a name in braces. `{{` is a literal brace; a brace that begins no placeholder, as in JSON, is literal too.

use std::fmt;

use crate::reading::{did_you_mean, shown};

/// A value with at least one placeholder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template(Vec<TemplatePart>);

/// A part of such a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TemplatePart {
    /// This text.
    Text(String),
    /// A fact about the request.
    Placeholder(Placeholder),
}

/// A fact about a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Placeholder {
    /// `{client_ip}`: the client's address.
    ClientIp,
    /// `{host}`: the requested host, normalised, without port.
    Host,
    /// `{scheme}`: `http` or `https`.
    Scheme,
    /// `{request_id}`: the value of `X-Request-Id` as endpoints get it.
    RequestId,
    /// `{claim.NAME}`: a claim of the verified token; empty if it has no such claim.
    Claim(String),
}

const NAMES: [(&str, Placeholder); 4] = [
    ("client_ip", Placeholder::ClientIp),
    ("host", Placeholder::Host),
    ("scheme", Placeholder::Scheme),
    ("request_id", Placeholder::RequestId),
];

/// The prefix of placeholders for claims.
const CLAIM: &str = "claim.";

/// The reason why a value is not valid: a placeholder of this name does not exist.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "unknown placeholder `{{{name}}}`{hint}; known: {{client_ip}}, {{host}}, {{scheme}}, {{request_id}}, {{claim.NAME}}; write `{{{{` for a literal brace"
)]
pub struct UnknownPlaceholder {
    name: String,
    hint: String,
}

/// A value as written in a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum WrittenValue {
    /// A text without placeholders, with its braces as they are sent.
    Literal(String),
    /// A value with placeholders.
    Template(Template),
}

impl WrittenValue {
    /// Parses the value of a document.
    pub(crate) fn parse(text: &str) -> Result<Self, UnknownPlaceholder> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            literal.push_str(before);
            if let Some(after) = after.strip_prefix('{') {
                literal.push('{');
                rest = after;
            } else if let Some((name, after)) = placeholder(after) {
                if !literal.is_empty() {
                    parts.push(TemplatePart::Text(std::mem::take(&mut literal)));
                }
                parts.push(TemplatePart::Placeholder(known(name)?));
                rest = after;
            } else {
                literal.push('{');
                rest = after;
            }
        }
        literal.push_str(rest);
        if parts.is_empty() {
            return Ok(Self::Literal(literal));
        }
        if !literal.is_empty() {
            parts.push(TemplatePart::Text(literal));
        }
        Ok(Self::Template(Template(parts)))
    }
}

/// Returns the name of the placeholder at the start of a text, and the text after it. `None` if the brace before it begins none.
fn placeholder(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.split_once('}')?;
    let letters = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let plain = |char: char| char.is_ascii_alphanumeric() || "._-".contains(char);
    (letters && name.chars().all(plain)).then_some((name, after))
}

fn known(name: &str) -> Result<Placeholder, UnknownPlaceholder> {
    if let Some(claim) = name.strip_prefix(CLAIM).filter(|claim| !claim.is_empty()) {
        return Ok(Placeholder::Claim(claim.to_owned()));
    }
    let found = NAMES.iter().find(|(known, _)| *known == name);
    found
        .map(|(_, placeholder)| placeholder.clone())
        .ok_or_else(|| UnknownPlaceholder {
            name: shown(name),
            hint: did_you_mean(name, NAMES.iter().map(|(known, _)| *known)),
        })
}

impl Template {
    /// Returns the parts, in order.
    pub fn parts(&self) -> &[TemplatePart] {
        &self.0
    }

    /// Returns the names of the claims that it shows.
    pub fn claims(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            TemplatePart::Placeholder(Placeholder::Claim(claim)) => Some(claim.as_str()),
            _ => None,
        })
    }
}

/// Writes the value as a document writes it.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                TemplatePart::Text(text) => f.write_str(&text.replace('{', "{{"))?,
                TemplatePart::Placeholder(Placeholder::Claim(claim)) => {
                    write!(f, "{{{CLAIM}{claim}}}")?;
                }
                TemplatePart::Placeholder(other) => {
                    let known = NAMES.iter().find(|(_, known)| known == other);
                    write!(f, "{{{}}}", known.map_or("", |(name, _)| *name))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_literal_unless_it_has_a_placeholder() {
        for (written, sent) in [
            ("plain", "plain"),
            ("{{host}", "{host}"),
            ("{\"group\":\"default\"}", "{\"group\":\"default\"}"),
            ("a{ b}", "a{ b}"),
            ("a}b{", "a}b{"),
            ("{{{{", "{{"),
            ("{}", "{}"),
        ] {
            let literal = WrittenValue::Literal(sent.to_owned());
            assert_eq!(WrittenValue::parse(written), Ok(literal), "{written}");
        }
    }

    #[test]
    fn a_template_is_written_as_it_was_read() {
        for text in [
            "{client_ip}",
            "for {client_ip}, {scheme}://{host}/",
            "{{{request_id}}",
            "{claim.sub}{claim.a-b.c_d}",
        ] {
            let Ok(WrittenValue::Template(template)) = WrittenValue::parse(text) else {
                panic!("{text} is a template");
            };
            assert_eq!(template.to_string(), text);
        }
    }

    #[test]
    fn an_unknown_placeholder_is_named_with_the_nearest_known_one() {
        let error = WrittenValue::parse("a {cleint_ip}")
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("unknown placeholder `{cleint_ip}` (did you mean `client_ip`?)"),
            "{error}"
        );
        assert!(error.ends_with("write `{{` for a literal brace"), "{error}");
        assert!(WrittenValue::parse("{claim.}").is_err());
    }
}
