//! Limits of clients: `rate_limit`, `x4xx_limit` and `max_body`, as policies of a route.
//!
//! A limit counts each client of its host, or of its route if the path sets it; with `compat: aralez-0.9`, each client of the node. IPv6 clients
//! count by /64.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use aralez_proto::model::HostPattern;
use aralez_proto::rules::{Quota, Rules};

use crate::Fields;
use crate::answer::{Answer, Content};
use crate::fields::FieldName;
use crate::octets;
use crate::state::{ClientCounts, LimitKey, Take};

/// A route, as limits identify it.
#[derive(Clone, Copy, Debug)]
pub struct LimitedRoute<'a> {
    /// Its host.
    pub host: &'a HostPattern,
    /// Its path.
    pub path: &'a str,
    /// What distinguishes it from the other routes of its path: [`CompiledRoute::match_key`](crate::table::CompiledRoute::match_key).
    pub match_key: u64,
}

/// What shares a count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CountedBy {
    /// All paths of a host: the limit is set at the host or at the top.
    Host,
    /// The route that sets the limit.
    Path,
    /// Everything: `compat: aralez-0.9`.
    Node,
}

impl CountedBy {
    fn key(self, route: LimitedRoute<'_>, client: IpAddr) -> LimitKey {
        // Without keys of its own, the hasher gives a host or path the same number in every table of this process.
        let mut hasher = DefaultHasher::new();
        match self {
            Self::Host => route.host.hash(&mut hasher),
            Self::Path => (route.host, route.path, route.match_key).hash(&mut hasher),
            Self::Node => return LimitKey::new(0, client),
        }
        LimitKey::new(hasher.finish(), client)
    }
}

impl fmt::Display for CountedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "counted for each client of the host",
            Self::Path => "counted for each client of the path",
            Self::Node => "counted for each client of the node",
        })
    }
}

impl fmt::Display for RequestLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (requests, per, burst) = (self.quota.requests(), self.quota.per(), self.quota.burst());
        write!(f, "{requests} per {per:?}, {burst} at once, {}", self.by)
    }
}

impl fmt::Display for ErrorLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} per second, {}", self.most, self.by)
    }
}

/// `rate_limit`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestLimit {
    quota: Quota,
    by: CountedBy,
}

impl RequestLimit {
    /// Takes a request of a client from the limit.
    ///
    /// # Errors
    /// The excess, if the limit admits none now.
    pub fn take(
        &self,
        route: LimitedRoute<'_>,
        client: IpAddr,
        counts: &dyn ClientCounts,
    ) -> Result<(), Excess> {
        let key = self.by.key(route, client);
        let quota = self.quota;
        let taken = counts.take(&Take { quota, key });
        taken.map_err(|wait| Excess::new(quota.requests(), quota.per(), wait))
    }
}

/// `x4xx_limit`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ErrorLimit {
    most: NonZeroU32,
    by: CountedBy,
}

impl ErrorLimit {
    /// The time within which responses count.
    pub const WINDOW: Duration = Duration::from_secs(1);

    /// Checks that a client is within the limit.
    ///
    /// # Errors
    /// The excess, if it is not.
    pub fn check(
        &self,
        route: LimitedRoute<'_>,
        client: IpAddr,
        counts: &dyn ClientCounts,
    ) -> Result<(), Excess> {
        let checked = counts.check_errors(&self.key(route, client), self.most);
        checked.map_err(|wait| Excess::new(self.most, Self::WINDOW, wait))
    }

    /// Returns the key under which the responses to a client count.
    pub fn key(&self, route: LimitedRoute<'_>, client: IpAddr) -> LimitKey {
        self.by.key(route, client)
    }
}

/// The limits of clients in a route. All unset if none applies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RouteLimits {
    /// `rate_limit`
    pub requests: Option<RequestLimit>,
    /// `x4xx_limit`
    pub errors: Option<ErrorLimit>,
    /// `max_body`
    pub body: Option<NonZeroU64>,
}

impl RouteLimits {
    /// Returns the limits among rules that were merged from all scopes. `at_path` are those that the path itself sets.
    pub fn of(rules: &Rules, at_path: &Rules, compat_0_9: bool) -> Self {
        let by = |at_path: bool| match (compat_0_9, at_path) {
            (true, _) => CountedBy::Node,
            (false, true) => CountedBy::Path,
            (false, false) => CountedBy::Host,
        };
        let quota = rules.rate_limit.value();
        let most = rules.x4xx_limit.value();
        Self {
            requests: quota.map(|quota| RequestLimit {
                quota,
                by: by(at_path.rate_limit.is_set()),
            }),
            errors: most.map(|most| ErrorLimit {
                most,
                by: by(at_path.x4xx_limit.is_set()),
            }),
            body: rules.max_body.value(),
        }
    }
}

/// Returns whether the announced length of a body is within a limit. A body without a length is counted while it arrives.
pub fn announces_at_most(most: NonZeroU64, fields: &impl Fields) -> bool {
    let within = |value| octets::decimal(value).is_some_and(|length| length <= most.get());
    fields.values(FieldName::ContentLength).all(within)
}

/// Returns what a request announces about its body.
pub fn announced(fields: &impl Fields) -> String {
    match fields.values(FieldName::ContentLength).next() {
        Some(length) => format!("{} bytes are announced", String::from_utf8_lossy(length)),
        None => "no length is announced; a body is counted while it arrives".to_owned(),
    }
}

/// A request beyond a limit, with what its client is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Excess {
    /// The number that the limit allows.
    limit: u32,
    /// The period in seconds; 0 if it is not a whole number of seconds.
    period: u32,
    /// Seconds until a request is admitted. At least 1.
    wait: u32,
}

impl Excess {
    fn new(limit: NonZeroU32, per: Duration, wait: Duration) -> Self {
        let whole = per.subsec_nanos() == 0;
        let seconds = |time: u64| u32::try_from(time).unwrap_or(u32::MAX);
        let up = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Self {
            limit: limit.get(),
            period: if whole { seconds(per.as_secs()) } else { 0 },
            wait: seconds(up).max(1),
        }
    }

    /// Returns the response: 429 without content. `policy` names the limit to the client.
    pub fn answer(&self, policy: &str) -> Answer {
        // RFC 6585 section 4: a client that sent too many requests is answered with 429, and `Retry-After` tells it how long to wait.
        let mut answer = Answer {
            content: Content::Empty,
            ..Answer::of(429)
        };
        let Self {
            limit,
            period,
            wait,
        } = self;
        let mut add = |name, value: String| answer.fields.add(name, value.as_bytes());
        add("retry-after", wait.to_string());
        // As documented for the single process.
        add("x-rate-limit-limit", limit.to_string());
        add("x-rate-limit-remaining", "0".to_owned());
        add("x-rate-limit-reset", wait.to_string());
        // The same as draft-ietf-httpapi-ratelimit-headers-10 writes it.
        add("ratelimit", format!("\"{policy}\";r=0;t={wait}"));
        let window = match period {
            0 => String::new(),
            period => format!(";w={period}"),
        };
        add(
            "ratelimit-policy",
            format!("\"{policy}\";q={limit}{window}"),
        );
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pairs;

    fn route<'a>(host: &'a HostPattern, path: &'a str) -> LimitedRoute<'a> {
        LimitedRoute {
            host,
            path,
            match_key: 0,
        }
    }

    #[test]
    fn a_count_is_shared_by_a_host_a_path_or_the_node_and_never_by_clients() {
        let [a, b] = ["a.example", "*.example"].map(|host| host.parse::<HostPattern>().unwrap());
        let [client, other] = [1, 2].map(|last| IpAddr::from([192, 0, 2, last]));
        let routes = [route(&a, "/"), route(&a, "/x"), route(&b, "/")];
        let keys = |by: CountedBy| routes.map(|route| by.key(route, client));
        let [root, path, elsewhere] = keys(CountedBy::Host);
        assert_eq!(root, path);
        assert_ne!(root, elsewhere);
        let [root, path, elsewhere] = keys(CountedBy::Path);
        assert!(root != path && root != elsewhere && path != elsewhere);
        let matched = LimitedRoute {
            match_key: 1,
            ..routes[0]
        };
        assert_ne!(root, CountedBy::Path.key(matched, client));
        let [root, path, elsewhere] = keys(CountedBy::Node);
        assert!(root == path && root == elsewhere);
        for by in [CountedBy::Host, CountedBy::Path, CountedBy::Node] {
            assert_ne!(by.key(routes[0], client), by.key(routes[0], other));
            assert_eq!(by.key(routes[0], client), by.key(routes[0], client));
        }
    }

    #[test]
    fn a_body_may_announce_as_much_as_the_limit() {
        let most = NonZeroU64::new(10).unwrap();
        let announces = |value| announces_at_most(most, &Pairs(&[("content-length", value)]));
        assert!(announces_at_most(most, &Pairs::default()));
        assert!(announces("0") && announces("10"));
        assert!(!announces("11") && !announces("99999999999999999999"));
    }

    /// The documented fields, and those of the draft.
    #[test]
    fn a_client_over_the_limit_is_told_the_limit_and_when_to_come_back() {
        let number = |number| NonZeroU32::new(number).unwrap();
        let told = |per, wait| {
            let answer = Excess::new(number(10), per, wait).answer("rate_limit");
            assert_eq!((answer.status, answer.content), (429, Content::Empty));
            String::from_utf8(answer.fields.lines().to_vec()).unwrap()
        };
        let [second, nothing] = [Duration::from_secs(1), Duration::ZERO];
        assert_eq!(
            told(second, Duration::from_millis(100)),
            "retry-after: 1\r\nx-rate-limit-limit: 10\r\nx-rate-limit-remaining: 0\r\nx-rate-limit-reset: 1\r\n\
             ratelimit: \"rate_limit\";r=0;t=1\r\nratelimit-policy: \"rate_limit\";q=10;w=1\r\n"
        );
        let slow = told(Duration::from_millis(1_500), Duration::from_millis(2_001));
        assert!(slow.starts_with("retry-after: 3\r\n"), "{slow}");
        assert!(slow.ends_with("\"rate_limit\";q=10\r\n"), "{slow}");
        assert!(told(second, nothing).starts_with("retry-after: 1\r\n"));
    }
}
