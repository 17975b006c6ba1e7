//! The request of the command line, as a proxy would receive it.

use std::net::IpAddr;

use aralez_decision::fields::FieldName;
use aralez_decision::{Pairs, Request, octets};
use aralez_proto::matcher::Scheme;

use crate::args::Explain;

/// The address that is assumed for the client.
const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// A request. Not printed: it may have credentials.
pub(super) struct AskedRequest {
    method: String,
    scheme: Scheme,
    target: String,
    fields: Vec<(String, String)>,
    client: IpAddr,
}

impl AskedRequest {
    /// Reads the request of the arguments.
    ///
    /// # Errors
    /// The reason, without the URL and the values of fields, if no client sends such a request, or a proxy refuses it before it looks for a
    /// route.
    pub(super) fn read(asked: &Explain) -> Result<Self, String> {
        let method = asked.method.as_bytes();
        // A proxy refuses such a request before it looks for a route.
        if !octets::is_token(method) || method.iter().any(u8::is_ascii_lowercase) {
            return Err("the method is not a token in upper case, such as GET".to_owned());
        }
        let url = Url::parse(asked.url.reveal())?;
        let mut fields = Vec::new();
        for (index, header) in asked.headers.iter().enumerate() {
            fields.push(field(index + 1, header.reveal())?);
        }
        // A given Host wins, as with curl.
        let named = fields.iter().any(|(name, _)| is_host(name));
        match url.authority {
            Some(authority) if !named => {
                fields.insert(0, ("Host".to_owned(), authority.to_owned()));
            }
            None if !named => return Err("a path needs the host: add -H 'Host: NAME'".to_owned()),
            _ => {}
        }
        refuse_repeated(&fields)?;
        Ok(Self {
            method: asked.method.clone(),
            scheme: url.scheme,
            target: url.target,
            fields,
            client: asked.client.unwrap_or(LOOPBACK),
        })
    }

    /// Returns the request as decisions see it, from the other end of the connection.
    pub(super) fn view(&self) -> Request<'_, Pairs<'_, String>> {
        let host = self.fields.iter().find(|(name, _)| is_host(name));
        Request {
            method: &self.method,
            scheme: self.scheme,
            host: host.map(|(_, value)| value.as_str()),
            target: &self.target,
            client: self.client,
            fields: Pairs(&self.fields),
        }
    }
}

fn is_host(name: &str) -> bool {
    name.eq_ignore_ascii_case("host")
}

/// The parts of a URL that a client sends. The path stays as written: a proxy decides about `..` and escapes.
#[derive(Debug)]
struct Url<'a> {
    scheme: Scheme,
    authority: Option<&'a str>,
    target: String,
}

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        if text.contains('#') {
            return Err("the URL has a fragment (`#…`), which no client sends".to_owned());
        }
        if !octets::is_target(text.as_bytes()) || text.is_empty() {
            let reason =
                "the URL has a space, a control character or one beyond ASCII; write it as %XX";
            return Err(reason.to_owned());
        }
        if text.starts_with('/') || text == "*" {
            return Ok(Self {
                scheme: Scheme::Http,
                authority: None,
                target: text.to_owned(),
            });
        }
        let expected = "the URL is not http://HOST/PATH, https://HOST/PATH or a path";
        let (scheme, rest) = Scheme::split(text).ok_or(expected)?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        if authority.contains('@') {
            let reason = "the URL has credentials before `@`; clients send them as -H 'Authorization: Basic …'";
            return Err(reason.to_owned());
        }
        if authority.is_empty() {
            return Err("the URL has no host".to_owned());
        }
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self {
            scheme,
            authority: Some(authority),
            target: format!("{slash}{target}"),
        })
    }
}

/// Reads a field. `number`: its place among the arguments.
fn field(number: usize, text: &str) -> Result<(String, String), String> {
    let field = text.split_once(':');
    let field = field.filter(|(name, _)| octets::is_token(name.as_bytes()));
    let (name, value) = field.ok_or_else(|| format!("header {number} is not `Name: value`"))?;
    let value = value.trim_matches([' ', '\t']);
    if !octets::is_value(value.as_bytes()) {
        return Err(format!(
            "the value of header {name} has a control character"
        ));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Refuses what proxies refuse while they read the head: two fields where only one is allowed, and a malformed length.
fn refuse_repeated(fields: &[(String, String)]) -> Result<(), String> {
    let before = "a proxy answers 400 before it looks for a route";
    for (index, (name, value)) in fields.iter().enumerate() {
        let known = FieldName::of(name.as_bytes());
        let single =
            matches!(known, FieldName::Host | FieldName::ContentLength) || known.is_single();
        let repeats = |(other, _): &(String, String)| FieldName::of(other.as_bytes()) == known;
        if single && fields[..index].iter().any(repeats) {
            return Err(format!("the request has two {name} fields: {before}"));
        }
        if known == FieldName::ContentLength && octets::decimal(value.as_bytes()).is_none() {
            return Err(format!("the {name} is not a number: {before}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Args, Verb};

    fn read(arguments: &[&str]) -> Result<AskedRequest, String> {
        let line = ["aralez-ctl", "explain", "GET"].iter().chain(arguments);
        let Verb::Explain(explain) = Args::try_parse_from(line).unwrap().verb else {
            panic!("the verb is explain");
        };
        AskedRequest::read(&explain)
    }

    fn sent(url: &str) -> String {
        let request = read(&[url]).unwrap();
        let view = request.view();
        let host = view.host.unwrap();
        format!("{} {host} {}", view.scheme.as_str(), view.target)
    }

    #[test]
    fn a_url_is_sent_as_it_is_written() {
        assert_eq!(sent("http://a.test"), "http a.test /");
        assert_eq!(sent("HTTPS://A.test:8443?x=1"), "https A.test:8443 /?x=1");
        assert_eq!(
            sent("http://a.test//x/../%2e?y=/.."),
            "http a.test //x/../%2e?y=/.."
        );
        let named = read(&["http://127.0.0.1:6193/x", "-H", "host:a.test"]).unwrap();
        assert_eq!((named.view().host, named.fields.len()), (Some("a.test"), 1));
        let path = read(&["/x", "-H", "Host: a.test", "-H", "X-A:  b "]).unwrap();
        let fields: Vec<_> = path
            .fields
            .iter()
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!((path.view().target, fields), ("/x", vec!["a.test", "b"]));
    }

    #[test]
    fn what_no_client_sends_is_refused_without_a_word_of_it() {
        for (arguments, reason) in [
            (&["ftp://hunter2/"][..], "is not http://HOST/PATH"),
            (&["a.test/hunter2"], "is not http://HOST/PATH"),
            (&["http://user:hunter2@a.test/"], "credentials before `@`"),
            (&["http:///hunter2"], "no host"),
            (&["http://a.test/#hunter2"], "fragment"),
            (&["http://a.test/hunter2 x"], "%XX"),
            (&["/hunter2"], "-H 'Host: NAME'"),
            (
                &["http://a.test/", "-H", "hunter2"],
                "header 1 is not `Name: value`",
            ),
            (
                &["http://a.test/", "-H", "X: hunter2\r"],
                "header X has a control",
            ),
            (
                &["http://a.test/", "-H", "host: a", "-H", "Host: hunter2"],
                "two Host fields",
            ),
            (
                &[
                    "/",
                    "-H",
                    "Host: a",
                    "-H",
                    "Authorization: a",
                    "-H",
                    "authorization: hunter2",
                ],
                "two authorization fields",
            ),
            (
                &["http://a.test/", "-H", "Content-Length: hunter2"],
                "is not a number",
            ),
        ] {
            let told = read(arguments).err().unwrap_or_default();
            assert!(told.contains(reason), "{arguments:?}: {told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
    }

    #[test]
    fn a_method_is_in_upper_case() {
        for method in ["get", "G T", ""] {
            let line = ["aralez-ctl", "explain", method, "http://a.test/"];
            let Verb::Explain(explain) = Args::try_parse_from(line).unwrap().verb else {
                panic!("the verb is explain");
            };
            assert!(AskedRequest::read(&explain).is_err(), "{method}");
        }
    }

    #[test]
    fn arguments_do_not_print_their_secrets() {
        let line = [
            "aralez-ctl",
            "explain",
            "GET",
            "/?araleztoken=hunter2",
            "-H",
            "X-Api-Key: hunter2",
        ];
        let args = Args::try_parse_from(line).unwrap();
        assert!(!format!("{args:?}").contains("hunter2"));
    }
}
