use std::cell::RefCell;
use std::num::NonZeroU32;
use std::time::Duration;

use aralez_proto::matcher::Target;
use aralez_proto::model::HostPattern;
use aralez_proto::rules::{
    Allow, ClientNetworks, MaxBody, Quota, RateLimit, ScopedLimit, ToHttps, X4xxLimit,
};

use super::*;
use crate::additions::Additions;
use crate::limits::LimitedRoute;
use crate::observe::Unobserved;
use crate::pseudonym::Pseudonym;
use crate::state::{ClientCounts, Credentials, LimitKey, Take, Unused};
use crate::trace::NewIds;
use crate::{Context, Pairs, Request};

/// A state that admits or refuses everything, and notes what it was asked for.
#[derive(Default)]
struct Noting {
    refuses: bool,
    noted: RefCell<Vec<(&'static str, LimitKey)>>,
}

impl Noting {
    fn note(&self, what: &'static str, key: LimitKey) -> Result<(), Duration> {
        self.noted.borrow_mut().push((what, key));
        match self.refuses {
            true => Err(Duration::from_millis(1)),
            false => Ok(()),
        }
    }

    fn asked_for(&self) -> Vec<&'static str> {
        self.noted.borrow().iter().map(|(what, _)| *what).collect()
    }
}

impl State for Noting {
    fn counts(&self) -> &dyn ClientCounts {
        self
    }

    fn credentials(&self) -> &dyn Credentials {
        &Unused::TIMELESS
    }
}

impl ClientCounts for Noting {
    fn take(&self, take: &Take) -> Result<(), Duration> {
        self.note("take", take.key)
    }

    fn check_errors(&self, key: &LimitKey, _: NonZeroU32) -> Result<(), Duration> {
        self.note("errors", *key)
    }
}

type Sent<'a> = Request<'a, Pairs<'a>>;

fn sent<'a>(scheme: Scheme, host: Option<&'a str>) -> Sent<'a> {
    Request {
        method: "GET",
        scheme,
        host,
        target: "/x",
        client: [192, 0, 2, 1].into(),
        fields: Pairs::default(),
    }
}

fn asked_of(
    policies: &[Policy],
    request: &Sent<'_>,
    state: &impl State,
) -> Result<Evaluated, Rejection> {
    let context = Context {
        node: &Pseudonym::new([0; 8]),
        ids: &NewIds::default(),
        tls_port: None,
    };
    let host = HostPattern::CatchAll;
    let mut subject = Subject {
        context: &context,
        request,
        host: request.host,
        target: &Target::parse("/x").unwrap(),
        route: LimitedRoute {
            host: &host,
            path: "/",
            match_key: 0,
        },
        state,
        additions: &mut Additions::default(),
    };
    evaluate(policies, None, &mut subject, &mut Unobserved)
}

fn asked(policies: &[Policy], scheme: Scheme, host: Option<&str>) -> Result<Evaluated, Rejection> {
    asked_of(policies, &sent(scheme, host), &Unused::TIMELESS)
}

fn policies_of(rules: &Rules) -> Box<[Policy]> {
    Policy::of(rules, &RouteLimits::of(rules, &Rules::default(), false))
}

/// Rules with every limit, at 1.
fn limited() -> Rules {
    let one = NonZeroU32::MIN;
    Rules {
        rate_limit: RateLimit::At(Quota::new(one, Duration::from_secs(1), one).unwrap()),
        x4xx_limit: X4xxLimit::At(one),
        max_body: MaxBody::At(NonZeroU64::MIN),
        ..Rules::default()
    }
}

#[test]
fn rules_that_ask_for_nothing_have_no_policies() {
    assert!(policies_of(&Rules::default()).is_empty());
    let on = Rules {
        to_https: ToHttps(Some(true)),
        ..Rules::default()
    };
    assert_eq!(*policies_of(&on), [Policy::ToHttps]);
    let lifted = Rules {
        rate_limit: ScopedLimit::Lifted,
        x4xx_limit: ScopedLimit::Lifted,
        max_body: ScopedLimit::Lifted,
        ..Rules::default()
    };
    assert!(policies_of(&limited().narrowed_by(&lifted)).is_empty());
}

#[test]
fn a_policy_lets_pass_answers_or_cannot_be_applied() {
    let host = Some("a.example");
    let passes = |found| matches!(found, Ok(Evaluated::Passed));
    assert!(passes(asked(&[], Scheme::Http, host)));
    assert!(passes(asked(&[Policy::ToHttps], Scheme::Https, host)));
    let Ok(Evaluated::Answered(answer)) = asked(&[Policy::ToHttps], Scheme::Http, host) else {
        panic!("is not answered");
    };
    assert_eq!(answer.status, 301);
    assert_eq!(answer.fields.lines(), b"location: https://a.example/x\r\n");
    let rejected = asked(&[Policy::ToHttps], Scheme::Http, None).unwrap_err();
    assert_eq!(rejected, Rejection::MissingHost);
}

#[test]
fn a_refused_address_and_a_redirect_use_up_no_limit() {
    let rules = Rules {
        to_https: ToHttps(Some(true)),
        allow: Allow::default(),
        deny: ClientNetworks(Some(
            ["192.0.2.0/24".parse().unwrap()].into_iter().collect(),
        )),
        ..limited()
    };
    let policies = policies_of(&rules);
    let state = Noting::default();
    let host = Some("a.example");
    let plain = asked_of(&policies, &sent(Scheme::Http, host), &state);
    assert!(matches!(plain, Ok(Evaluated::Answered(_))), "{plain:?}");
    let denied = asked_of(&policies, &sent(Scheme::Https, host), &state);
    assert_eq!(denied.unwrap_err(), Rejection::Address);
    assert!(state.asked_for().is_empty());
}

#[test]
fn limits_are_asked_in_their_order_and_the_first_that_is_exceeded_refuses() {
    let policies = policies_of(&limited());
    let large = Sent {
        fields: Pairs(&[("content-length", "2")]),
        ..sent(Scheme::Http, None)
    };
    let room = Noting::default();
    let refused = asked_of(&policies, &large, &room).unwrap_err();
    assert_eq!(refused, Rejection::BodyTooLarge);
    assert_eq!(room.asked_for(), ["take", "errors"]);
    let full = Noting {
        refuses: true,
        ..Noting::default()
    };
    let refused = asked_of(&policies, &large, &full).unwrap_err();
    assert!(matches!(refused, Rejection::RateLimit(_)), "{refused:?}");
    assert_eq!(refused.answer().status, 429);
    assert_eq!(full.asked_for(), ["take"]);
    let refused = asked_of(&policies[1..], &large, &full).unwrap_err();
    assert!(matches!(refused, Rejection::ErrorLimit(_)), "{refused:?}");
    let small = sent(Scheme::Http, None);
    let passed = asked_of(&policies, &small, &Unused::TIMELESS);
    assert!(matches!(passed, Ok(Evaluated::Passed)), "{passed:?}");
}

/// The path that sets a limit counts for itself, other paths for their host; `compat: aralez-0.9` counts by address alone.
// Row S69: what a limit counts.
// Row D5: address and host.
// Row R3: limits per scope.
#[test]
fn a_limit_counts_where_it_was_written() {
    let rules = limited();
    let keys = |at_path: &Rules, compat| {
        let state = Noting::default();
        let policies = Policy::of(&rules, &RouteLimits::of(&rules, at_path, compat));
        asked_of(&policies, &sent(Scheme::Http, None), &state).unwrap();
        let noted = state.noted.borrow();
        [noted[0].1, noted[1].1]
    };
    let [requests, errors] = keys(&Rules::default(), false);
    assert_eq!(requests, errors, "both count for the host");
    let at_path = Rules {
        rate_limit: rules.rate_limit,
        ..Rules::default()
    };
    let [of_path, of_host] = keys(&at_path, false);
    assert_ne!(of_path.scope, requests.scope);
    assert_eq!(of_host, errors);
    let [requests, errors] = keys(&at_path, true);
    assert_eq!((requests.scope, errors.scope), (0, 0));
}
