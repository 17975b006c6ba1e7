use clap::Parser;

use super::*;
use crate::args::{Args, Verb};

const DOCUMENT: &str = "\
rate_limit: 100
server_headers: {set: {X-Client: \"{client_ip}\"}, remove: [X-Debug]}
a.test:
  paths:
    /api:
      - match: {methods: [POST]}
        max_body: 10
        pools: [{weight: 9, servers: [\"127.0.0.1:1\"]}, {servers: [\"127.0.0.1:2\"]}]
      - strip_prefix: /api
        servers: [\"127.0.0.1:3\"]
";

/// Explains a request with [`DOCUMENT`].
async fn explain(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("upstreams.yaml");
    std::fs::write(&file, DOCUMENT).unwrap();
    let file = file.to_str().unwrap();
    let line = [&["aralez-ctl", "explain", "--file", file], arguments].concat();
    let args = Args::try_parse_from(line).unwrap();
    let Verb::Explain(asked) = args.verb else {
        panic!("the verb is explain");
    };
    let request = AskedRequest::read(&asked).unwrap();
    let configuration = Configuration::load(&args.global, &asked.documents).await;
    let explanation = explained(&configuration.unwrap(), &request, &asked, None);
    text::rendered(&explanation).replace(file, "FILE")
}

#[tokio::test]
async fn a_request_that_is_forwarded_shows_its_way_to_the_endpoint() {
    let shown = explain(&["GET", "http://a.test/api/x?y", "--client", "192.0.2.1"]).await;
    let expected = "\
request    GET http://a.test/api/x?y from 192.0.2.1
documents  FILE
host       a.test (exact)  [FILE:3:1]
route      /api, route 2 of 2: servers  [FILE:9:9]
policies   rate_limit passes: room is assumed
             rate_limit: 100 per 1s, 100 at once, counted for each client of the host  [top FILE:1:13]
forward    to pool a.test/api
             127.0.0.1:3, weight 1, documented
endpoint   sees /x?y
             host: a.test
             by strip_prefix: /api  [path FILE:9:23]
             x-client: 192.0.2.1
             removed: x-debug
             set at  [top FILE:2:17]
assumed    no other request used up a limit
";
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn a_request_that_is_refused_shows_the_policy_and_what_decided() {
    let post = ["POST", "http://a.test/api", "-H", "Content-Length: 11"];
    let shown = explain(&post).await;
    for line in [
        "route      /api, route 1 of 2: pools  [FILE:6:9]\n             if method POST\n",
        "           max_body refuses with 413: 11 bytes are announced\n             max_body: 10 bytes  [path FILE:7:19]\n",
        "answer     413: the body is too large\n",
        "assumed    the connection comes from 127.0.0.1",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let shares = explain(&post[..2]).await;
    assert!(shares.contains("to pool a.test/api#"), "{shares}");
    assert!(shares.contains(", weight 9\n"), "{shares}");
    let missing = explain(&["GET", "http://b.test/"]).await;
    assert!(missing.contains("host       none matches\n"), "{missing}");
    assert!(missing.contains("answer     404: no route\n"), "{missing}");
}
