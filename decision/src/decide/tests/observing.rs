//! What an observer of a decision is told.

use aralez_proto::document::{self, DocumentSet, Surroundings, records};

use super::*;
use crate::policy::Verdict;

/// Notes each step as a word.
#[derive(Default)]
struct Noting(Vec<String>);

impl Observer for Noting {
    fn host(&mut self, host: &HostPattern) {
        self.0.push(host.to_string());
    }

    fn policy(&mut self, index: usize, verdict: &Result<Verdict, Rejection>) {
        let word = match verdict {
            Ok(Verdict::Pass) => "pass",
            Ok(Verdict::Answer(_)) => "answer",
            Ok(Verdict::Ask(_)) => "ask",
            Err(rejection) => rejection.name(),
        };
        self.0.push(format!("{index} {word}"));
    }
}

fn table_of(document: &str) -> RouteTable {
    let set = DocumentSet::of_main(document.to_owned().into());
    let authored = document::read(&set, &Surroundings::default()).unwrap();
    let records = records(&authored, None);
    RouteTable::build(&Snapshot::complete(Version::default(), records, &Limits::default()).unwrap())
}

/// Decides about a request, with this reply to each question, and returns what an observer noted.
fn noted(table: &RouteTable, request: &Asked<'_>, reply: &Reply) -> Vec<String> {
    let context = Context {
        node: &Pseudonym::new([0; 8]),
        ids: &NewIds::default(),
        tls_port: None,
    };
    let (mut noting, mut additions) = (Noting::default(), Additions::default());
    let mut resumed = None;
    loop {
        let progress = (&mut additions, resumed);
        let decision = observed(
            table,
            &context,
            request,
            &Unused::TIMELESS,
            progress,
            &mut noting,
        );
        match decision {
            Decision::Ask { pause, .. } => resumed = Some((pause, reply.clone())),
            _ => return noting.0,
        }
    }
}

#[test]
fn the_host_and_the_verdict_of_each_policy_that_was_applied_are_observed() {
    let table = table_of(
        "\"*.example\":\n  allow: [192.0.2.0/24]\n  rate_limit: 5\n  authorization: {type: basic, creds: \"a:b\"}\n  \
         paths:\n    /: {respond: {body: x}}\n    /no: {deny: [192.0.2.1], respond: {body: x}}\n",
    );
    let fields = [("authorization", "Basic YTpi")];
    let with = |host, target| Asked {
        fields: Pairs(&fields),
        ..get(host, target)
    };
    let right = &Reply::Password(true);
    let all = [
        "*.example",
        "0 pass",
        "1 pass",
        "2 ask",
        "*.example",
        "2 pass",
    ];
    assert_eq!(noted(&table, &with("a.example", "/"), right), all);
    let wrong = noted(&table, &with("a.example", "/"), &Reply::Password(false));
    assert_eq!(wrong.last().unwrap(), "2 unauthorized");
    let refused = noted(&table, &with("a.example", "/no"), right);
    assert_eq!(
        refused,
        ["*.example", "0 address"],
        "no policy after it is applied"
    );
    assert!(noted(&table, &with("b.test", "/"), right).is_empty());
}
