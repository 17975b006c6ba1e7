//! The API over real sockets, with a scripted publisher.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aralez_proto::document::{DocumentFault, DocumentFaults, Place};
use aralez_proto::fault::FaultCode;
use aralez_proto::main_config::{MainConfig, Secret};
use aralez_proto::model::NodeName;
use aralez_proto::version::Version;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::*;
use crate::core::observer::ApiPressure;
use crate::core::source::Health;

mod jwt;
mod revisions;

const MAX_CONNECTIONS: usize = 8;
const SIGNING_KEY: &str = "signs-tokens";

#[derive(Default)]
struct Fake {
    proposals: Mutex<Vec<Proposal>>,
    /// Receives the commits, as from the writer.
    fleet: SharedFleet,
}

impl Commits for Fake {
    fn commit(&self, proposal: Proposal) -> Committing<'_> {
        Box::pin(async move {
            let text = proposal.documents.documents().values().next().cloned();
            if let Some(expected) = proposal.expect.filter(|expected| *expected != 7) {
                return Err(Rejected::Conflict { expected, head: 7 });
            }
            if text.is_some_and(|text| text.starts_with(b"bad")) {
                let place = Place {
                    file: "upstreams.yaml".to_owned(),
                    line: 1,
                    column: 1,
                };
                return Err(Rejected::Documents(DocumentFaults(vec![DocumentFault {
                    place,
                    path: "bad".to_owned(),
                    reason: "is not known".to_owned(),
                }])));
            }
            self.proposals.lock().unwrap().push(proposal);
            let version = Version {
                generation: 1,
                revision: 8,
                ..Version::default()
            };
            let committed = Committed {
                changed: true,
                ..Committed::nothing(version)
            };
            self.fleet.lock().committed(version, &committed.touched);
            Ok(committed)
        })
    }

    fn release(&self, _: Option<HoldId>) -> Releasing<'_> {
        Box::pin(async { Ok(None) })
    }

    fn take_files(&self, _: TakeFiles) -> Committing<'_> {
        Box::pin(async { Err(Rejected::Store("there are no files".to_owned())) })
    }

    fn backup(&self) -> BackingUp<'_> {
        let backup = Backup {
            length: 6,
            head: (1, 8),
            content: Box::new(b"secret".as_slice()),
        };
        Box::pin(async { Ok(backup) })
    }

    fn revision(&self, revision: u64) -> ReadingRevision<'_> {
        let found = (revision == 8).then(revisions::revision);
        Box::pin(async { Ok(found) })
    }

    fn head(&self) -> Option<RevisionInfo> {
        None
    }
}

struct Nobody;

impl NodeCommands for Nobody {
    fn retry(&self, node: &NodeName) -> bool {
        node.as_str() == "n1"
    }
}

impl Observer for Nobody {
    fn applied(&self, _: Duration, _: Duration) {}
    fn refused(&self, _: FaultCode) {}
    fn derived(&self, _: Duration) {}
    fn stream_opened(&self) {}
    fn stream_refused(&self) {}
    fn pushed(&self, _: bool, _: Duration) {}
    fn wrong_key(&self) {}
    fn api_pressure(&self, _: ApiPressure) {}
}

struct Running {
    address: SocketAddr,
    fake: Arc<Fake>,
    _leave: watch::Sender<bool>,
}

fn sources() -> SourceStates {
    let failing = Health::Failing("no route to host".to_owned());
    let state = |health| (health, Instant::now());
    SourceStates::from([("files", state(Health::Good)), ("services", state(failing))])
}

async fn start(enabled: bool, key: Option<&str>) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let fake = Arc::new(Fake::default());
    let (leave, leaving) = watch::channel(false);
    let status = SourceStatus {
        head_origin: None,
        files_hash: None,
        faults: Vec::new(),
        warnings: Vec::new(),
        held: None,
        writing: 0,
        since: Instant::now(),
    };
    let parts = ApiParts {
        commits: fake.clone(),
        views: watch::channel(Arc::default()).1,
        documents: watch::channel(Arc::new(status)).1,
        sources: watch::channel(sources()).1,
        fleet: fake.fleet.clone(),
        commands: Arc::new(Nobody),
        observer: Arc::new(Nobody),
        metrics: Arc::new(|| "metrics\n".to_owned()),
        cluster: [1; 16],
        enabled: watch::channel(enabled).1,
        failures: watch::channel(MainConfig::default().auth_failures).1,
        key: key.map(|key| Secret::new(key.to_owned())),
        token_key: key.map(|_| Secret::new(SIGNING_KEY.to_owned())),
        address,
        max_connections: MAX_CONNECTIONS,
    };
    tokio::spawn(serve(listener, parts, leaving));
    Running {
        address,
        fake,
        _leave: leave,
    }
}

impl Running {
    /// Sends a request and returns status and body.
    async fn ask(&self, line: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}",
            self.address
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), body.to_owned())
    }
}

#[tokio::test]
async fn conf_answers_to_the_letter() {
    let on = start(true, Some("right")).await;
    let ask = async |line: &str, body: &str| on.ask(line, "", body).await;
    let updated = (200, "Config, conf file, updated !\n".to_owned());
    let denied = (403, "Access Denied !\n".to_owned());
    assert_eq!(ask("POST /conf?key=right", "a").await, updated);
    assert_eq!(ask("POST /conf?key=right&save", "a").await, updated);
    assert_eq!(ask("POST /conf?key=wrong", "a").await, denied);
    assert_eq!(ask("POST /conf", "a").await, denied);
    let (status, text) = ask("POST /conf?key=right", "bad").await;
    assert_eq!(status, 502);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "Failed to parse config!",
            "upstreams.yaml:1:1: bad: is not known"
        ]
    );
    assert_eq!(ask("GET /conf?key=right", "").await.0, 405);
    assert_eq!(ask("GET /nothing", "").await.0, 404);
    let saves: Vec<_> = on
        .fake
        .proposals
        .lock()
        .unwrap()
        .iter()
        .map(|p| p.save)
        .collect();
    assert_eq!(saves, [false, true]);

    let off = start(false, Some("right")).await;
    let disabled = (403, "Config remote API is disabled !\n".to_owned());
    assert_eq!(off.ask("POST /conf?key=wrong", "", "a").await, disabled);
}

#[tokio::test]
async fn without_a_master_key_nobody_pushes() {
    let api = start(true, None).await;
    let (status, text) = api.ask("POST /conf?key=", "", "a").await;
    assert_eq!(status, 403);
    assert!(text.contains("master_key"), "{text}");
    assert_eq!(api.ask("POST /v1/config?key=x", "", "a").await.0, 403);
    assert!(api.fake.proposals.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_lost_expectation_names_the_head() {
    let api = start(true, Some("right")).await;
    let bearer = "Authorization: Bearer right\r\n";
    let lost = [
        ("POST /v1/config?expect=3", bearer.to_owned()),
        ("POST /v1/config", format!("{bearer}If-Match: \"3\"\r\n")),
    ];
    for (line, headers) in lost {
        let (status, text) = api.ask(line, &headers, "a").await;
        assert_eq!(status, 412, "{text}");
        let problem: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(problem["head"]["revision"].is_u64(), "{text}");
    }
    let kept = format!("{bearer}If-Match: \"7\"\r\n");
    let (status, text) = api.ask("POST /v1/config", &kept, "a").await;
    assert_eq!(status, 200, "{text}");
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&answer["version"], &answer["revision"]),
        (&1.into(), &8.into())
    );
    // The proof is available as soon as the response arrives.
    assert_eq!(api.ask("GET /v1/pushes/8", "", "").await.0, 200);
    assert_eq!(api.ask("GET /v1/pushes/9", "", "").await.0, 404);
    let (status, text) = api.ask("GET /v1/pushes/8?nodes=none", "", "").await;
    assert_eq!(
        (status, text.contains("\"nodes\":[]")),
        (200, true),
        "{text}"
    );
    for (wrong, reason) in [
        ("8?nodes=some", "expected all, open or none"),
        ("8?wait_ms=x", "wait_ms must be a number"),
        ("x", "the revision is not a number"),
    ] {
        let (status, text) = api.ask(&format!("GET /v1/pushes/{wrong}"), "", "").await;
        assert_eq!(status, 400, "{wrong}");
        assert!(
            text.contains("\"title\":\"invalid request\"") && text.contains(reason),
            "{text}"
        );
    }
}

#[tokio::test]
async fn the_status_tells_how_each_source_is_doing_and_why_one_fails() {
    let api = start(true, None).await;
    let (_, text) = api.ask("GET /v1/status", "", "").await;
    let status: serde_json::Value = serde_json::from_str(&text).unwrap();
    let told = |at: usize| {
        let source = &status["sources"][at];
        (
            source["name"].clone(),
            source["health"].clone(),
            source["reason"].clone(),
        )
    };
    assert_eq!(
        told(0),
        ("files".into(), "good".into(), serde_json::Value::Null)
    );
    assert_eq!(
        told(1),
        (
            "services".into(),
            "failing".into(),
            "no route to host".into()
        )
    );
}

#[tokio::test]
async fn faults_come_as_a_problem_with_their_places() {
    let api = start(true, Some("right")).await;
    let (status, text) = api.ask("POST /v1/config?key=right", "", "bad").await;
    assert_eq!(status, 422);
    let problem: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(problem["faults"][0]["line"], 1);
    assert_eq!(problem["faults"][0]["path"], "bad");
}

#[tokio::test]
async fn wrong_keys_are_throttled_but_the_right_key_passes() {
    let api = start(true, Some("right")).await;
    for _ in 0..10 {
        assert_eq!(api.ask("POST /v1/config?key=guess", "", "a").await.0, 401);
    }
    assert_eq!(api.ask("POST /v1/config?key=guess", "", "a").await.0, 429);
    assert_eq!(api.ask("POST /conf?key=guess", "", "a").await.0, 429);
    assert_eq!(api.ask("POST /conf?key=right", "", "a").await.0, 200);
    assert_eq!(api.ask("GET /v1/nodes", "", "").await.0, 200);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_by_its_announcement() {
    let api = start(true, Some("right")).await;
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    let head = "POST /conf?key=right HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 100000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_retry_needs_the_key() {
    let api = start(true, Some("right")).await;
    let bearer = "Authorization: Bearer right\r\n";
    assert_eq!(api.ask("POST /v1/nodes/n1/retry", "", "").await.0, 401);
    assert_eq!(api.ask("POST /v1/nodes/n1/retry", bearer, "").await.0, 202);
    assert_eq!(api.ask("POST /v1/nodes/n2/retry", bearer, "").await.0, 404);
}

#[tokio::test]
async fn connections_that_only_wait_give_way_to_a_request() {
    let api = start(true, Some("k")).await;
    let mut silent = Vec::new();
    for _ in 0..3 * MAX_CONNECTIONS {
        silent.push(TcpStream::connect(api.address).await.unwrap());
    }
    let (status, _) = api.ask("GET /livez", "", "").await;
    assert_eq!(status, 200);
    // The first silent connections were closed, the last ones are still open.
    let mut byte = [0; 1];
    assert_eq!(silent[0].read(&mut byte).await.unwrap(), 0);
    let last = silent.last().unwrap();
    assert!(last.try_read(&mut byte).is_err());
}
