//! Requests that are sent to a real proxy and explained by `aralez-ctl explain`, and the comparison of both.

use std::time::Duration;

use serde_json::Value;

use crate::fleet::{Fleet, Plan};
use crate::origin::Origin;
use crate::process::{run, text};
use crate::raw::{self, Request};
use crate::wire::Response;

const SOON: Duration = Duration::from_secs(60);

/// A token of the secret of the documented sample, valid until 2100.
pub const VALID_TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjoiYW5uIiwiZXhwIjo0MTAyNDQ0ODAwfQ.HjNC0iw8JCyIjnbRej8nN7nmb4lrl2-Tu4j-UNxe7GI";
/// The same, expired in 2001.
pub const EXPIRED_TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjoiYW5uIiwiZXhwIjoxMDAwMDAwMDAwfQ.IwU-oSDiwi4LteaboDk24SriznmXLjckcOJLFw-9e-8";

/// A document with each policy and action. `A` and `B` stand for two endpoints.
pub const EVERY_POLICY: &str = r#"
trusted_proxies: [127.0.0.0/8]
headers: ["X-Top:1"]
deny: [192.0.2.66]
errors: {404: pages/404.html}
a.test:
  rate_limit: 10000
  server_headers: {set: {X-Client: "{client_ip}", X-Asked-For: "{scheme}://{host}"}, remove: [X-Debug]}
  paths:
    /: {servers: [A]}
    /api:
      - match: {methods: [POST, PUT], query: {v: "2"}}
        servers: [B]
      - match: {headers: {X-Version: {regex: "v[2-9]"}}}
        pools: [{weight: 1, servers: [A]}, {weight: 0, servers: [B]}]
      - servers: [A]
    /api/inner: {strip_prefix: /api, add_prefix: /new, host: inner.test, servers: [B]}
    /office: {allow: [192.0.2.0/24], servers: [A]}
    /open: {deny: [], servers: [A]}
    /small: {max_body: 4, servers: [A]}
    /strict: {x4xx_limit: 1000, rate_limit: {requests: 100, per: 1m}, servers: [A]}
    /safe: {to_https: true, servers: [A]}
    /old: {redirect_to: {to: "https://new.test/base", status: 308}}
    /fixed: {respond: {status: 418, body: short, type: text/x-tea}}
    /staff: {authorization: {type: basic, creds: "ann:hunter2"}, servers: [A]}
    /key: {authorization: {type: apikey, keys: [a-key-of-hunter2]}, servers: [B]}
    /token:
      authorization: {type: jwt, creds: "910517d9-f9a1-48de-8826-dbadacbd84af-cb6f830e-ab16-47ec-9d8f-0090de732774", claims: {user: X-User}}
      servers: [A]
"*.wild.test": {paths: {/only: {servers: [B]}}}
"#;

/// A running proxy, its two endpoints, and the folder of its documents.
#[derive(Debug)]
pub struct ExplainedFleet {
    /// The fleet: control and one proxy.
    pub fleet: Fleet,
    /// The endpoints.
    pub origins: [Origin; 2],
}

/// A request to send and to explain.
#[derive(Clone, Debug)]
pub struct ExplainedRequest {
    method: &'static str,
    host: &'static str,
    target: &'static str,
    fields: Vec<(&'static str, String)>,
}

impl ExplainedRequest {
    /// Creates a `GET`.
    pub const fn get(host: &'static str, target: &'static str) -> Self {
        Self {
            method: "GET",
            host,
            target,
            fields: Vec::new(),
        }
    }

    /// Adds a header field.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, value.to_owned()));
        self
    }

    /// Sets the method.
    #[must_use]
    pub fn by(self, method: &'static str) -> Self {
        Self { method, ..self }
    }
}

impl ExplainedFleet {
    /// Starts a fleet with a document, in which `[A]` and `[B]` stand for the endpoints.
    ///
    /// # Panics
    /// If the document is not live in time.
    pub async fn start(document: &str) -> Self {
        let origins = [Origin::start("a").await, Origin::start("b").await];
        let fleet = Plan::new(1).start().await;
        let pages = fleet.documents().join("pages");
        std::fs::create_dir_all(&pages).expect("a folder is made");
        std::fs::write(pages.join("404.html"), "gone").expect("a page is written");
        let scene = Self { fleet, origins };
        let document = scene.filled(document);
        scene.fleet.apply(&document).await;
        scene
    }

    /// Returns a document with the addresses of the endpoints.
    pub fn filled(&self, document: &str) -> String {
        let list = |origin: &Origin| format!("[\"{}\"]", origin.address());
        let document = document.replace("[A]", &list(&self.origins[0]));
        document.replace("[B]", &list(&self.origins[1]))
    }

    /// Explains a request with the files of the fleet.
    ///
    /// # Panics
    /// If that fails.
    pub async fn explained(&self, request: &ExplainedRequest) -> Value {
        let folder = self.fleet.documents().display().to_string();
        let url = format!("http://{}{}", request.host, request.target);
        let fields = request.fields.iter();
        let fields: Vec<String> = fields
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        let fields = fields.iter().flat_map(|field| ["-H", field]);
        let given = [
            "explain",
            request.method,
            &url,
            "-o",
            "json",
            "--file",
            &folder,
        ];
        let arguments: Vec<&str> = given.into_iter().chain(fields).collect();
        let output = run(SOON, "aralez-ctl", &arguments).await;
        let shown = text(&output);
        assert_eq!(output.status.code(), Some(0), "{request:?}: {shown}");
        serde_json::from_slice(&output.stdout).expect("the output is JSON")
    }

    /// Sends a request, and checks that what happens is what is explained.
    ///
    /// # Panics
    /// If it is not.
    pub async fn compare(&self, request: &ExplainedRequest) {
        let explained = self.explained(request).await;
        let counts = self.counts();
        let raw = Request::new(request.method, request.host, request.target);
        let fields = request.fields.iter();
        let raw = fields.fold(raw, |raw, (name, value)| raw.header(name, value));
        let response = raw::send(self.fleet.http(0), &raw).await;
        let response = response.expect("the proxy answers");
        let served = (0..2).filter(|one| self.counts()[*one] > counts[*one]);
        let served: Vec<&Origin> = served.map(|one| &self.origins[one]).collect();
        let told = format!("{request:?}\n{explained:#}\n{response:?}");
        let outcome = &explained["outcome"];
        match served[..] {
            [] => compare_answer(outcome, &response, &told),
            [origin] => {
                assert_eq!(response.status, 200, "{told}");
                compare_forwarded(outcome, origin, &told);
            }
            _ => panic!("several endpoints were asked: {told}"),
        }
        let sent = |name: &str| response.headers(name).map(str::to_owned).collect();
        compare_set(&outcome["response"]["set"], &told, sent);
    }

    fn counts(&self) -> [usize; 2] {
        [self.origins[0].count(), self.origins[1].count()]
    }
}

fn array<'a>(value: &'a Value, told: &str) -> &'a [Value] {
    value
        .as_array()
        .unwrap_or_else(|| panic!("a list is missing: {told}"))
}

fn compare_answer(outcome: &Value, response: &Response, told: &str) {
    assert_eq!(outcome["action"], "answer", "{told}");
    assert_eq!(outcome["status"], response.status, "{told}");
    let mut fields = array(&outcome["fields"], told).iter();
    let location = fields.find(|field| field["name"] == "location");
    let location = location.and_then(|field| field["value"].as_str());
    assert_eq!(location, response.header("location"), "{told}");
    if let Some(body) = outcome["body"].as_str() {
        assert_eq!(body, response.text(), "{told}");
    }
    if let Some(bytes) = outcome["page"]["bytes"].as_u64() {
        assert_eq!(bytes, response.text().len() as u64, "{told}");
    }
}

fn compare_forwarded(outcome: &Value, origin: &Origin, told: &str) {
    let pools = array(&outcome["pools"], told).iter();
    let usable = pools.filter(|pool| pool["weight"] != 0);
    let mut endpoints = usable.flat_map(|pool| array(&pool["endpoints"], told));
    let is_it = |endpoint: &Value| endpoint["address"] == origin.endpoint();
    assert!(endpoints.any(is_it), "{told}");
    let (sees, received) = (&outcome["endpoint_sees"], origin.last());
    assert_eq!(sees["path"], received.target(), "{told}");
    assert_eq!(sees["host"].as_str(), received.header("host"), "{told}");
    for name in array(&sees["removed"], told)
        .iter()
        .filter_map(Value::as_str)
    {
        assert_eq!(received.header(name), None, "{told}");
    }
    let sent = |name: &str| {
        received
            .headers(name)
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    compare_set(&sees["set"], told, sent);
}

/// Checks that each field that is explained was sent.
fn compare_set(set: &Value, told: &str, sent: impl Fn(&str) -> Vec<String>) {
    for field in array(set, told) {
        let (name, value) = (field["name"].as_str(), field["value"].as_str());
        let sent = sent(name.expect("a field has a name"));
        let value = value.expect("a field has a value").to_owned();
        assert!(sent.contains(&value), "{field}: {sent:?}: {told}");
    }
}
