use super::super::entry::read;
use super::*;

fn case(text: &str) -> Result<RequestCase, String> {
    let entries = read("file", &format!("== one: first\nrule: RFC\n{text}")).unwrap();
    RequestCase::of(&entries[0])
}

#[test]
fn a_refusal_is_an_answer_an_end_and_nothing_for_the_endpoint() {
    let case = case("send:\n|GET\\r\\n\nrefused: 400\n").unwrap();
    assert!(matches!(
        &case.steps[..],
        [Step::Send(_), Step::Get(Expected { status: 400, .. })]
    ));
    assert_eq!(case.then, Then::Closed);
    assert!(matches!(case.seen, Seen::Nothing));
}

#[test]
fn requests_are_seen_in_order_each_with_its_script() {
    let text = "send:\n|a\nanswer: 200 to HEAD\nanswer: 200\n|body\nendpoint:\n|x\nchunks:\n|abc\nreply:\n|r\nends: close\nendpoint up to:\n|y\nthen: as told\n";
    let case = case(text).unwrap();
    let Seen::Requests(requests) = &case.seen else {
        panic!("{:?}", case.seen)
    };
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].chunks.as_ref().unwrap().bytes(""), b"abc");
    assert_eq!(requests[0].ending, Ending::Close);
    assert!(requests[1].up_to && requests[1].reply.is_none());
    assert_eq!(case.then, Then::AsTold);
}

#[test]
fn what_is_missing_or_unknown_is_told() {
    for (text, told) in [
        ("send:\n|a\n", "lacks what the endpoint sees"),
        ("refused: 400\n", "lacks something to send"),
        ("send:\n|a\nrefused: soon\n", "file:5: refused"),
        ("send:\n|a\nthen: maybe\n", "file:5: then"),
        ("send:\n|a\nreply:\n|b\n", "file:5: reply"),
        (
            "send:\n|a\nrefused: 400\nendpoint:\n|x\n",
            "file:6: endpoint",
        ),
        ("sned:\n|a\n", "file:3: sned"),
    ] {
        let error = case(text).unwrap_err();
        assert!(error.contains(told), "{text:?}: {error}");
    }
}
