use super::super::entry::read;
use super::*;

fn case(text: &str) -> Result<ResponseCase, String> {
    let entries = read("file", &format!("== one: first\nrule: RFC\n{text}")).unwrap();
    ResponseCase::of(&entries[0])
}

#[test]
fn messages_come_in_order_with_their_bodies() {
    let text = "reply:\n|r\nends: close\nclient:\n|HTTP/1.1 103 Early\\r\\n\\r\\n\nclient:\n|h\nbody:\n|b\ntrailers:\n|t\nthen: truncated\nor: 502\nreused: no\n";
    let case = case(text).unwrap();
    assert_eq!(
        (case.client.len(), case.ending, case.then),
        (2, Ending::Close, Then::Truncated)
    );
    assert!(case.or_502 && !case.reused && !case.kept);
    let Message::Relayed { body, trailers, .. } = &case.client[1] else {
        panic!("{:?}", case.client)
    };
    assert_eq!(
        (body.bytes(""), trailers.bytes("")),
        (b"b".to_vec(), b"t".to_vec())
    );
    assert!(
        case.request
            .bytes("a.test")
            .starts_with(b"GET /case HTTP/1.1\r\nHost: a.test\r\n")
    );
}

#[test]
fn an_answer_of_our_own_leaves_the_connection_as_it_says() {
    let case = case("reply: nothing\nends: close\nclient: 502\nreused: no\n").unwrap();
    assert!(matches!(case.client[..], [Message::Own(502)]));
    assert_eq!((case.reply, case.then), (None, Then::AsTold));
}

#[test]
fn what_is_missing_or_unknown_is_told() {
    for (text, told) in [
        ("client: 502\nreused: no\n", "lacks what the endpoint sends"),
        ("reply:\n|x\nreused: no\n", "lacks what the client gets"),
        ("reply:\n|x\nclient: 502\n", "lacks whether"),
        ("reply:\n|x\nclient: bad\n", "file:5: client"),
        ("body:\n|x\n", "file:3: body"),
        ("reused: perhaps\n", "file:3: reused"),
    ] {
        let error = case(text).unwrap_err();
        assert!(error.contains(told), "{text:?}: {error}");
    }
}
