//! Makes the decision about a request, and notes its steps.

use aralez_decision::additions::Additions;
use aralez_decision::ask::{Ask, Reply};
use aralez_decision::authorization::server::CopiedFields;
use aralez_decision::decide::{self, Decision};
use aralez_decision::observe::Observer;
use aralez_decision::policy::Verdict;
use aralez_decision::pseudonym::Pseudonym;
use aralez_decision::rejection::Rejection;
use aralez_decision::state::Unused;
use aralez_decision::table::RouteTable;
use aralez_decision::trace::NewIds;
use aralez_decision::{Context, Fields, Request};
use aralez_proto::model::HostPattern;
use aralez_runtime::clock;

/// The ids of a request that brought none: a proxy draws them for each request.
const IDS: [u64; 3] = [0; 3];

/// A decision with its steps.
pub(super) struct Traced<'a> {
    /// The decision. It asks nothing: every question got a reply.
    pub(super) decision: Decision<'a>,
    /// The steps.
    pub(super) steps: Steps,
    /// The fields that are added to the messages.
    pub(super) additions: Additions,
}

/// The steps of a decision.
#[derive(Default)]
pub(super) struct Steps {
    /// The host that was found.
    pub(super) host: Option<HostPattern>,
    /// The verdicts of the policies that were applied, in their order. None of them asks: each question got a reply.
    pub(super) verdicts: Vec<Result<Verdict, Rejection>>,
}

impl Observer for Steps {
    fn host(&mut self, host: &HostPattern) {
        self.host = Some(host.clone());
    }

    fn policy(&mut self, index: usize, verdict: &Result<Verdict, Rejection>) {
        // A policy that asked is applied again, with the reply.
        self.verdicts.truncate(index);
        self.verdicts.push(verdict.clone());
    }
}

/// Decides about a request, as a proxy does that has seen no other. `tls_port`: its port of HTTPS, if it has one.
pub(super) fn traced<'a, F: Fields>(
    table: &'a RouteTable,
    request: &Request<'a, F>,
    tls_port: Option<u16>,
) -> Traced<'a> {
    let (node, ids) = (Pseudonym::new([0; 8]), NewIds::new(IDS));
    let context = Context {
        node: &node,
        ids: &ids,
        tls_port,
    };
    let state = Unused {
        unix_now: clock::unix_ms() / 1_000,
    };
    let mut steps = Steps::default();
    let (mut additions, mut resumed) = (Additions::default(), None);
    loop {
        let progress = (&mut additions, resumed);
        let decision = decide::observed(table, &context, request, &state, progress, &mut steps);
        let Decision::Ask { ask, pause } = decision else {
            return Traced {
                decision,
                steps,
                additions,
            };
        };
        resumed = Some((pause, reply(&ask)));
    }
}

/// Returns the reply to a question, as the engine gets it. An authorization server is not asked: it is assumed to pass the request.
fn reply(ask: &Ask) -> Reply {
    match ask {
        Ask::Password(check) => Reply::Password(check.compute()),
        Ask::Server(_) => Reply::Allowed(CopiedFields::default()),
    }
}
