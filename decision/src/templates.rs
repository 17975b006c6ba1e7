//! Fills in the placeholders of header values.

use aralez_proto::model::{Placeholder, Template, TemplatePart};

use crate::additions::FieldList;
use crate::edits::CompiledEdits;
use crate::{Context, Fields, Request};

/// The facts that placeholders show.
#[derive(Debug)]
pub struct Facts<'a, F> {
    /// The context of the decision.
    pub context: &'a Context<'a>,
    /// The request.
    pub request: &'a Request<'a, F>,
    /// The requested host, normalised, without port; `None` if there was none.
    pub host: Option<&'a str>,
    /// The claims of the verified token.
    pub claims: &'a FieldList,
}

impl<F: Fields> Facts<'_, F> {
    /// Adds the fields of a route whose values have placeholders. A field whose value turns out empty is left out.
    pub fn fill(&self, edits: &CompiledEdits, into: &mut FieldList) {
        let mut value = Vec::new();
        for (name, template) in edits.templates() {
            value.clear();
            self.write(template, &mut value);
            if !value.is_empty() {
                into.add(name, &value);
            }
        }
    }

    fn write(&self, template: &Template, out: &mut Vec<u8>) {
        for part in template.parts() {
            match part {
                TemplatePart::Text(text) => out.extend_from_slice(text.as_bytes()),
                TemplatePart::Placeholder(placeholder) => self.show(placeholder, out),
            }
        }
    }

    fn show(&self, placeholder: &Placeholder, out: &mut Vec<u8>) {
        match placeholder {
            Placeholder::ClientIp => {
                out.extend_from_slice(self.request.client.to_string().as_bytes());
            }
            Placeholder::Host => out.extend_from_slice(self.host.unwrap_or_default().as_bytes()),
            Placeholder::Scheme => out.extend_from_slice(self.request.scheme.as_str().as_bytes()),
            Placeholder::RequestId => self.request.write_id(self.context.ids, out),
            Placeholder::Claim(name) => {
                let mut claims = self.claims.fields();
                let claim = claims.find(|(claim, _)| *claim == name.as_bytes());
                out.extend_from_slice(claim.map_or(&[], |(_, value)| value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aralez_proto::matcher::Scheme;
    use aralez_proto::model::{Direction, Header, HeaderEdits};

    use super::*;
    use crate::Pairs;
    use crate::pseudonym::Pseudonym;
    use crate::trace::NewIds;

    fn filled(fields: &[(&str, &str)], values: &[&str]) -> String {
        let header = |value: &&str| Header::written(Direction::Request, "x", value).unwrap();
        let edits = CompiledEdits::new(&HeaderEdits {
            append: values.iter().map(header).collect(),
            ..HeaderEdits::default()
        });
        let mut claims = FieldList::default();
        claims.add("sub", b"ann");
        let facts = Facts {
            context: &Context {
                node: &Pseudonym::new([0; 8]),
                ids: &NewIds::new([1; 3]),
                tls_port: None,
            },
            request: &Request {
                method: "GET",
                scheme: Scheme::Https,
                host: Some("A.example:1"),
                target: "/",
                client: "2001:db8::1".parse().unwrap(),
                fields: Pairs(fields),
            },
            host: Some("a.example"),
            claims: &claims,
        };
        let mut into = FieldList::default();
        facts.fill(&edits, &mut into);
        String::from_utf8(into.lines().to_vec()).unwrap()
    }

    #[test]
    fn a_placeholder_shows_a_fact_about_the_request() {
        let values = [
            "{client_ip} {scheme}://{host}",
            "id={request_id}",
            "{claim.sub}{{",
        ];
        assert_eq!(
            filled(&[("x-request-id", "abc")], &values),
            "x: 2001:db8::1 https://a.example\r\nx: id=abc\r\nx: ann{\r\n"
        );
        let new = "x: 00000000000000010000000000000001\r\n";
        assert_eq!(filled(&[], &["{request_id}"]), new);
        let twice = [("x-request-id", "a"), ("x-request-id", "b")];
        assert_eq!(filled(&twice, &["{request_id}"]), new);
        assert_eq!(filled(&[("x-request-id", "a b")], &["{request_id}"]), new);
    }

    #[test]
    fn a_field_is_left_out_if_its_value_is_empty() {
        assert_eq!(filled(&[], &["{claim.missing}"]), "");
        assert_eq!(filled(&[], &["user {claim.missing}"]), "x: user \r\n");
    }
}
