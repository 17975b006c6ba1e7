//! A forwarded message is read by our own reader as what it was, and contains nothing of the connection on which it arrived.

use aralez_proto::matcher::{Scheme, Target};
use proptest::prelude::*;

use crate::core::limits::HeadLimits;
use crate::core::request::http1::date::DateText;
use crate::core::request::http1::field::Field;
use crate::core::request::http1::forward::{self, RequestEdits, ResponseEdits};
use crate::core::request::http1::request::{RequestHead, RequestOptions};
use crate::core::request::http1::response::{Asked, ResponseHead};
use crate::core::request::http1::tests::messages::{requests, responses};
use crate::core::request::http1::{Framing, HttpVersion};
use aralez_decision::additions::FieldList;
use aralez_decision::client::ClientFacts;
use aralez_decision::edits::{CompiledEdits, Forwarded};
use aralez_decision::fields::FieldName;
use aralez_decision::octets;
use aralez_decision::pseudonym::Pseudonym;
use aralez_decision::trace::NewIds;

fn read(bytes: &[u8]) -> Option<RequestHead> {
    // The proxy's own fields may exceed the limits for a client.
    let limits = HeadLimits {
        fields: 200,
        ..HeadLimits::default()
    };
    let mut head = RequestHead::default();
    head.read(bytes, &limits).ok().flatten().map(|_| head)
}

/// The host to insert into a request without `Host`.
fn missing_host<'a>(head: &RequestHead, bytes: &'a [u8]) -> Option<&'a str> {
    let asked = head.host(bytes).unwrap_or("192.0.2.1:80");
    (!head.has_host_field()).then_some(asked)
}

/// Returns the forwarded head. `None` if the request is not forwarded.
fn forwarded(head: &RequestHead, bytes: &[u8]) -> Option<Vec<u8>> {
    let target = Target::parse(head.target(bytes)).ok()?;
    let edits = RequestEdits {
        target: &target.path_and_query(),
        missing_host: missing_host(head, bytes),
        route: &CompiledEdits::default(),
        additions: &FieldList::default(),
        forwarded: &Forwarded::new("203.0.113.7".parse().unwrap(), true),
        client: ClientFacts::direct("203.0.113.7".parse().unwrap(), Scheme::Https),
        node: &Pseudonym::new([0; 8]),
        ids: &NewIds::default(),
        options: head.options(bytes),
    };
    let mut out = Vec::new();
    forward::request(head, bytes, &edits, &mut out);
    Some(out)
}

/// Reports whether a field is allowed in a forwarded head.
fn may_stand(field: &Field, bytes: &[u8], options: RequestOptions) -> bool {
    let value = field.value(bytes);
    let ours: [(&[u8], &[u8]); 3] = [
        (b"x-forwarded-for", b"203.0.113.7"),
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-host", b""),
    ];
    match field.name {
        FieldName::Connection if options.web_socket => value == b"upgrade",
        FieldName::Connection => options.trailers && value == b"te",
        FieldName::Upgrade => options.web_socket && value == b"websocket",
        FieldName::Te => options.trailers && value == b"trailers",
        FieldName::TransferEncoding => value == b"chunked",
        FieldName::Ours => ours
            .iter()
            .any(|(key, said)| field.key(bytes) == *key && value.ends_with(said)),
        name => !name.is_hop_by_hop(),
    }
}

/// Returns the names that the client nominates.
fn nominated<'a>(head: &RequestHead, bytes: &'a [u8]) -> Vec<&'a [u8]> {
    let connection = head.fields().iter();
    connection
        .filter(|field| field.name == FieldName::Connection)
        .flat_map(|field| octets::list(field.value(bytes)))
        .filter(|name| FieldName::of(name) == FieldName::Other)
        .collect()
}

/// Returns a head without the two lines that each node adds.
fn without_passed(bytes: &[u8]) -> String {
    let node = Pseudonym::new([0; 8]);
    let mut text = bytes.escape_ascii().to_string();
    for line in ["via: 1.0", "via: 1.1", "cdn-loop:"] {
        text = text.replace(&format!("{line} {node}\\r\\n"), "");
    }
    text
}

fn check_request(bytes: &[u8], head: &RequestHead, out: &[u8]) -> Result<(), TestCaseError> {
    let again = read(out).expect("what goes on is fit to be read");
    let target = Target::parse(head.target(bytes)).unwrap();
    prop_assert_eq!(again.method(out), head.method(bytes));
    prop_assert_eq!(again.target(out), &*target.path_and_query());
    prop_assert_eq!(again.version(), HttpVersion::Http11);
    let host = missing_host(head, bytes).or(head.host(bytes));
    prop_assert!(again.has_host_field() && again.host(out) == host);
    prop_assert_eq!(again.framing(), head.framing());
    prop_assert!(!again.rewrites_length());
    let (options, told) = (head.options(bytes), again.options(out));
    prop_assert_eq!(told.web_socket, options.web_socket);
    prop_assert_eq!(told.expects_continue, options.expects_continue);
    prop_assert!(told.keep_alive);
    let ours = again
        .fields()
        .iter()
        .filter(|field| field.name == FieldName::Ours);
    let said = 2 + usize::from(head.host(bytes).is_some());
    prop_assert_eq!(ours.count(), said);
    for field in again.fields() {
        prop_assert!(
            may_stand(field, out, options),
            "{:?}",
            field.key(out).escape_ascii().to_string()
        );
        for name in nominated(head, bytes) {
            prop_assert!(!field.key(out).eq_ignore_ascii_case(name));
        }
    }
    Ok(())
}

fn answered(bytes: &[u8], chunked: bool) -> Option<(ResponseHead, Vec<u8>)> {
    let mut head = ResponseHead::default();
    head.read(bytes).ok().flatten()?;
    let edits = ResponseEdits {
        route: &CompiledEdits::default(),
        additions: &FieldList::default(),
        date: &DateText::at(0),
        chunked,
        version: HttpVersion::Http11,
        keep_alive: true,
    };
    let mut out = Vec::new();
    forward::response(&head, bytes, &edits, &mut out);
    Some((head, out))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_that_goes_on_is_the_same_request(bytes in requests()) {
        let Some(head) = read(&bytes) else { return Ok(()) };
        let Some(out) = forwarded(&head, &bytes) else { return Ok(()) };
        check_request(&bytes, &head, &out)?;
        let twice = forwarded(&read(&out).unwrap(), &out).expect("it can go on again");
        let thrice = forwarded(&read(&twice).unwrap(), &twice).expect("it can go on again");
        prop_assert_eq!(without_passed(&twice), without_passed(&thrice));
    }

    #[test]
    fn a_response_that_goes_on_is_the_same_response(bytes in responses(), head in any::<bool>()) {
        let asked = Asked { head, web_socket: false };
        let Some((came, _)) = answered(&bytes, false) else { return Ok(()) };
        let Ok(framing) = came.framing(asked) else { return Ok(()) };
        let chunked = matches!(framing, Framing::Chunked | Framing::UntilClose);
        let (came, out) = answered(&bytes, chunked).expect("it was read before");
        let (again, _) = answered(&out, chunked).expect("what goes on is fit to be read");
        prop_assert_eq!(again.status(), came.status());
        prop_assert_eq!(again.reason(&out), came.reason(&bytes));
        let goes = if chunked { Framing::Chunked } else { framing };
        prop_assert_eq!(again.framing(asked), Ok(goes));
        prop_assert!(again.keeps_alive() && again.has_date() && !again.rewrites_length());
        for field in again.fields() {
            prop_assert!(field.plain && !field.value(&out).contains(&b'\n'));
            let framing = field.name == FieldName::TransferEncoding && chunked;
            prop_assert!(framing || !field.name.is_hop_by_hop());
        }
    }
}
