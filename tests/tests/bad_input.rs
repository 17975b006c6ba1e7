//! Malicious input to the config API or in a document: the answer is clear and immediate, memory is bounded, and nothing changes.

use std::time::{Duration, Instant};

use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{LIVE, MASTER_KEY, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::raw::{self, Connection, Request};
use aralez_tests::stage::UnchangedStage;

/// The promise is one second in a release build; a debug build gets three.
const BOUND: Duration = Duration::from_secs(if cfg!(debug_assertions) { 3 } else { 1 });
const MEMORY: u64 = 100 << 20;

/// Pushes bytes, and returns the status and the text of the answer. Asserts the bounds of time and memory.
async fn refused(stage: &UnchangedStage, what: &str, text: &[u8]) -> (u16, String) {
    let before = stage.fleet.control().memory();
    let target = format!("/conf?key={MASTER_KEY}");
    let request = Request::new("POST", "control", &target).body(text);
    let start = Instant::now();
    let response = raw::send(stage.fleet.api(), &request).await;
    let response = response.unwrap_or_else(|error| panic!("{what}: {error}"));
    let took = start.elapsed();
    let grown = stage.fleet.control().peak_memory().saturating_sub(before);
    let text = response.text();
    let first: String = text.lines().take(3).collect::<Vec<_>>().join(" | ");
    println!(
        "{what}: {} in {took:?}, +{} KiB: {first:.200}",
        response.status,
        grown >> 10
    );
    assert!(took < BOUND, "{what}: {took:?}");
    assert!(grown < MEMORY, "{what}: {} MiB", grown >> 20);
    (response.status, text)
}

#[tokio::test]
async fn documents_built_to_hurt_are_refused_quickly_and_cheaply() {
    let stage = UnchangedStage::new().await;
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let under = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{under}]\n"));
    }
    let keys: String = (0..200_000).map(|key| format!("key{key}: 1\n")).collect();
    for (what, text) in [
        ("not UTF-8", b"x.test: \"\xff\xfe\"\n".to_vec()),
        ("NUL", b"x.test: \"a\0b\"\n".to_vec()),
        ("100,000 brackets", b"[".repeat(100_000)),
        ("100,000 maps", b"{a: ".repeat(100_000)),
        (
            "100,000 levels by indentation",
            (0..1_000)
                .flat_map(|depth| format!("{}a:\n", " ".repeat(depth)).into_bytes())
                .collect(),
        ),
        ("an alias bomb", bomb.into_bytes()),
        ("an alias of itself", b"a: &a [*a]\n".to_vec()),
        ("a merge key", b"a: &a {b: 1}\nx.test:\n  <<: *a\n".to_vec()),
        ("a tag", b"x.test: !!python/object:os.system ls\n".to_vec()),
        ("200,000 unknown keys", keys.into_bytes()),
        ("two documents", b"a.test: 1\n---\nb.test: 2\n".to_vec()),
        ("one long scalar", b"a".repeat(1 << 20)),
    ] {
        let (status, answer) = refused(&stage, what, &text).await;
        assert!((400..=502).contains(&status), "{what}: {status}");
        assert!(
            answer.len() > 30 && answer.len() < 1 << 20,
            "{what}: {} bytes",
            answer.len()
        );
    }
    stage.nothing_changed().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_before_it_is_read() {
    let stage = UnchangedStage::new().await;
    let before = stage.fleet.control().memory();
    let target = format!("/conf?key={MASTER_KEY}");
    let head =
        format!("POST {target} HTTP/1.1\r\nHost: control\r\nContent-Length: 104857600\r\n\r\n");
    let start = Instant::now();
    let mut connection = Connection::open(stage.fleet.api()).await.unwrap();
    connection.write(head.as_bytes()).await.unwrap();
    let response = connection.response("POST").await.unwrap();
    println!("announced: {} in {:?}", response.status, start.elapsed());
    assert_eq!(response.status, 413);
    assert!(start.elapsed() < BOUND);

    let head =
        format!("POST {target} HTTP/1.1\r\nHost: control\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = [b"100000\r\n".as_slice(), &b"a".repeat(1 << 20), b"\r\n"].concat();
    let start = Instant::now();
    let mut connection = Connection::open(stage.fleet.api()).await.unwrap();
    connection.write(head.as_bytes()).await.unwrap();
    for _ in 0..100 {
        // Control may stop reading once the limit is exceeded; then only its answer counts.
        if connection.write(&chunk).await.is_err() {
            break;
        }
    }
    let status = connection
        .response("POST")
        .await
        .map(|response| response.status);
    println!("in chunks: {status:?} in {:?}", start.elapsed());
    assert!(matches!(status, Ok(413) | Err(_)), "{status:?}");
    let grown = stage.fleet.control().peak_memory() - before;
    println!("+{} MiB at most", grown >> 20);
    assert!(grown < MEMORY, "{} MiB", grown >> 20);
    stage.nothing_changed().await;
}

// Row S28: the master key.
// Row X1: the key of the config API.
// Row X2: the config API is closed.
#[tokio::test]
async fn the_config_api_asks_for_its_key_and_for_what_it_knows() {
    let stage = UnchangedStage::new().await;
    let api = stage.fleet.api();
    let text = site("evil.test", &["127.0.0.1:1"]);
    for target in ["/conf", "/conf?key=", "/conf?key=wrong", "/conf?KEY=x"] {
        let request = Request::new("POST", "control", target).body(text.as_str());
        let response = raw::send(api, &request).await.unwrap();
        assert_eq!(
            (response.status, response.text().as_str()),
            (403, "Access Denied !\n"),
            "{target}"
        );
    }
    let request = Request::new("POST", "control", "/conf")
        .header("Authorization", &format!("Bearer {MASTER_KEY}"));
    let same_text = site("a.test", &[stage.a.address()]);
    let response = raw::send(api, &request.body(same_text.as_str()))
        .await
        .unwrap();
    assert_eq!(response.status, 200, "the key may stand in a header");
    assert_eq!(raw::get(api, "control", "/conf").await.unwrap().status, 405);
    assert_eq!(
        raw::get(api, "control", "/nothing").await.unwrap().status,
        404
    );
    stage.nothing_changed().await;
}

#[tokio::test]
async fn a_config_api_that_is_switched_off_takes_nothing_but_files_still_count() {
    let a = Origin::start("a").await;
    let fleet = Plan::new(1)
        .control("config_api_enabled: false")
        .start()
        .await;
    let text = site("a.test", &[a.address()]);
    let response = fleet.push(&text).await;
    assert_eq!(
        (response.status, response.text().as_str()),
        (403, "Config remote API is disabled !\n")
    );
    fleet.save(&text);
    fleet.until_serving(LIVE, "a.test", "a").await;
}

// Row X2: the config API is closed.
#[tokio::test]
async fn a_route_to_the_config_api_is_refused() {
    let stage = UnchangedStage::new().await;
    let text = site("x.test", &[stage.fleet.api()]);
    let (status, answer) = refused(&stage, "a route to the API", text.as_bytes()).await;
    assert_eq!(status, 502, "{answer}");
    assert!(answer.contains("upstreams.yaml:5:"), "{answer}");
    stage.nothing_changed().await;
}

#[tokio::test]
async fn the_same_in_a_file_is_named_in_the_status() {
    let stage = UnchangedStage::new().await;
    for (text, part) in [
        (b"x.test: \"\xff\xfe\"\n".to_vec(), "UTF-8"),
        (b"[".repeat(100_000), "recursion limit"),
    ] {
        std::fs::write(stage.fleet.documents().join("upstreams.yaml"), text).unwrap();
        eventually(LIVE, "the fault is shown", || async {
            let status = stage.fleet.document_faults().await?.join("\n");
            if status.contains("upstreams.yaml") && status.contains(part) {
                Ok(())
            } else {
                Err(status)
            }
        })
        .await;
    }
    same(&stage.fleet.head().await.unwrap(), &stage.head).unwrap();
    stage.nothing_changed().await;
}
