//! Static files: what a route with `files` answers.

use aralez_tests::fleet::Fleet;
use aralez_tests::raw::{self, Connection, Request};
use aralez_tests::web_folder::{HOST, WebFolder};
use aralez_tests::wire::Response;

const PAGE: &str = "<h1>Hello</h1>";
const STYLE: &str = "0123456789abcdefghij";

fn folder() -> WebFolder {
    WebFolder::with(&[
        ("index.html", PAGE),
        ("style.css", STYLE),
        ("docs/index.html", "docs"),
        ("docs/a b%.txt", "odd name"),
        ("img/a.png", "png"),
        ("empty.txt", ""),
    ])
}

async fn get(fleet: &Fleet, target: &str) -> Response {
    fleet.get(0, HOST, target).await.unwrap()
}

/// Checks status and content of the response to each target.
async fn serves(fleet: &Fleet, expected: &[(&str, u16, &str)]) {
    for (target, status, content) in expected {
        let response = get(fleet, target).await;
        assert_eq!(
            (response.status, response.text().as_str()),
            (*status, *content),
            "{target}"
        );
    }
}

fn fields(response: &Response, names: &[&str]) -> Vec<Option<String>> {
    let field = |name: &&str| response.header(name).map(str::to_owned);
    names.iter().map(field).collect()
}

#[tokio::test]
async fn a_file_is_sent_with_its_type_length_and_validators() {
    let folder = folder();
    let fleet = folder.serve("    /: {files: ROOT}\n").await;
    for (target, kind, content) in [
        ("/", "text/html; charset=utf-8", PAGE),
        ("/index.html", "text/html; charset=utf-8", PAGE),
        ("/style.css?v=1", "text/css; charset=utf-8", STYLE),
        ("/docs/", "text/html; charset=utf-8", "docs"),
        (
            "/docs/a%20b%25.txt",
            "text/plain; charset=utf-8",
            "odd name",
        ),
        ("/docs/../img//a.png", "image/png", "png"),
        ("/empty.txt", "text/plain; charset=utf-8", ""),
    ] {
        let response = get(&fleet, target).await;
        let found = (
            response.status,
            response.header("content-type"),
            response.text(),
        );
        assert_eq!(found, (200, Some(kind), content.to_owned()), "{target}");
        assert_eq!(response.header("accept-ranges"), Some("bytes"), "{target}");
        let length = response.header("content-length");
        assert_eq!(length, Some(content.len().to_string().as_str()), "{target}");
        assert!(
            response
                .header("etag")
                .is_some_and(|tag| tag.starts_with('"')),
            "{target}"
        );
        assert!(response.header("last-modified").is_some(), "{target}");
    }
}

#[tokio::test]
async fn the_path_of_the_route_is_removed_and_several_routes_serve_several_folders() {
    let folder = folder();
    let paths = "    /: {respond: {body: top}}\n    /static: {files: ROOT}\n    /static/pictures: {files: ROOT/img}\n";
    let fleet = folder.serve(paths).await;
    let expected = [
        ("/", 200, "top"),
        ("/static/style.css", 200, STYLE),
        ("/static/", 200, PAGE),
        ("/static/pictures/a.png", 200, "png"),
        ("/static/img/a.png", 200, "png"),
        ("/static/static/style.css", 404, "404 Not Found\n"),
        ("/staticstyle.css", 200, "top"),
    ];
    serves(&fleet, &expected).await;
}

#[tokio::test]
async fn a_folder_is_its_page_and_is_never_listed() {
    let folder = folder();
    folder.link("docs", "manual");
    let fleet = folder
        .serve("    /: {files: ROOT}\n    /alias: {files: ROOT/docs}\n")
        .await;
    for (target, status, location) in [
        ("/docs", 301, Some("/docs/")),
        ("/docs?a=b", 301, Some("/docs/?a=b")),
        ("//docs", 301, Some("/docs/")),
        ("/alias", 301, Some("/alias/")),
        ("/manual", 301, Some("/manual/")),
        ("/manual/", 200, None),
        ("/img", 404, None),
        ("/img/", 404, None),
        ("/none", 404, None),
        ("/style.css/", 404, None),
    ] {
        let response = get(&fleet, target).await;
        let found = (response.status, response.header("location"));
        assert_eq!(found, (status, location), "{target}");
        assert!(!response.text().contains("a.png"), "{target}");
    }
}

#[tokio::test]
async fn head_has_the_head_of_get_and_the_connection_goes_on_after_each() {
    let folder = folder();
    let fleet = folder.serve("    /: {files: ROOT}\n").await;
    let mut connection = Connection::open(fleet.http(0)).await.unwrap();
    let names = [
        "content-type",
        "content-length",
        "etag",
        "last-modified",
        "accept-ranges",
        "location",
        "vary",
    ];
    for target in ["/", "/style.css", "/docs", "/none", "/empty.txt"] {
        let whole = connection.send(&Request::get(HOST, target)).await.unwrap();
        let head = connection
            .send(&Request::new("HEAD", HOST, target))
            .await
            .unwrap();
        assert_eq!(head.status, whole.status, "{target}");
        assert_eq!(fields(&head, &names), fields(&whole, &names), "{target}");
        assert!(head.body.is_empty() && !head.closes(), "{target}");
    }
    let ranged = Request::new("HEAD", HOST, "/style.css").header("Range", "bytes=0-1");
    assert_eq!(connection.send(&ranged).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_client_gets_the_compressed_neighbour_that_it_accepts() {
    let folder = folder();
    for (name, content) in [
        ("style.css.gz", "gz"),
        ("style.css.br", "br"),
        ("style.css.zst", "zst"),
    ] {
        folder.write(name, content.as_bytes());
    }
    let fleet = folder
        .serve("    /: {files: {folder: ROOT, precompressed: true}}\n    /plain: {files: ROOT}\n")
        .await;
    let mut tags = Vec::new();
    for (accepted, encoding, content) in [
        ("", None, STYLE),
        ("gzip", Some("gzip"), "gz"),
        ("gzip, deflate, br", Some("br"), "br"),
        ("zstd, gzip;q=0.5", Some("zstd"), "zst"),
        ("br;q=0, deflate", None, STYLE),
    ] {
        let request = Request::get(HOST, "/style.css").header("Accept-Encoding", accepted);
        let response = raw::send(fleet.http(0), &request).await.unwrap();
        let found = (response.header("content-encoding"), response.text());
        assert_eq!(found, (encoding, content.to_owned()), "{accepted}");
        assert_eq!(
            response.header("content-type"),
            Some("text/css; charset=utf-8"),
            "{accepted}"
        );
        assert_eq!(
            response.header("vary"),
            Some("accept-encoding"),
            "{accepted}"
        );
        let tag = response.header("etag").unwrap().to_owned();
        let request = request.header("If-None-Match", &tag);
        let again = raw::send(fleet.http(0), &request).await.unwrap();
        assert_eq!(
            (again.status, again.header("vary")),
            (304, Some("accept-encoding")),
            "{accepted}"
        );
        tags.push(tag);
    }
    tags.dedup();
    assert_eq!(tags.len(), 5, "{tags:?}");
    let request = Request::get(HOST, "/plain/style.css").header("Accept-Encoding", "gzip");
    let response = raw::send(fleet.http(0), &request).await.unwrap();
    assert_eq!(
        (response.header("content-encoding"), response.header("vary")),
        (None, None)
    );
}

#[tokio::test]
async fn an_application_gets_its_page_for_the_paths_that_it_routes_itself() {
    let folder = folder();
    let fleet = folder
        .serve("    /app: {files: {folder: ROOT, spa: true}}\n")
        .await;
    let expected = [
        ("/app/users/7", 200, PAGE),
        ("/app/users/", 200, PAGE),
        ("/app/img/", 200, PAGE),
        ("/app/style.css", 200, STYLE),
        ("/app/gone.js", 404, "404 Not Found\n"),
        ("/app/img/none.png", 404, "404 Not Found\n"),
    ];
    serves(&fleet, &expected).await;
    let page = get(&fleet, "/app/users/7").await;
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
}

#[tokio::test]
async fn files_are_read_and_never_written() {
    let folder = folder();
    let fleet = folder.serve("    /: {files: ROOT}\n").await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let mut connection = Connection::open(fleet.http(0)).await.unwrap();
        let request = Request::new(method, HOST, "/style.css").body("new");
        let response = connection.send(&request).await.unwrap();
        let found = (response.status, response.header("allow"));
        assert_eq!(found, (405, Some("GET, HEAD")), "{method}");
        assert!(response.closes(), "{method}: the body was not read");
    }
    assert_eq!(get(&fleet, "/style.css").await.text(), STYLE);
}

#[tokio::test]
async fn the_rules_of_a_route_apply_to_its_files() {
    let folder = folder();
    let paths = "    /: {files: ROOT, headers: ['Cache-Control:max-age=60', 'ETag:\"own\"']}\n    \
                 /closed: {files: ROOT, deny: [127.0.0.0/8]}\n    \
                 /key: {files: ROOT, authorization: {type: apikey, keys: [SECRET-KEY-OF-16]}}\n    \
                 /safe: {files: ROOT, to_https: true}\n    \
                 /few: {files: ROOT, rate_limit: {requests: 1, per: 60s, burst: 1}}\n";
    let fleet = folder.serve(paths).await;
    let response = get(&fleet, "/style.css").await;
    assert_eq!(response.header("cache-control"), Some("max-age=60"));
    assert_eq!(response.headers("etag").collect::<Vec<_>>(), ["\"own\""]);
    for (target, status) in [
        ("/closed/style.css", 403),
        ("/key/style.css", 401),
        ("/safe/style.css", 301),
        ("/few/style.css", 200),
        ("/few/style.css", 429),
    ] {
        assert_eq!(get(&fleet, target).await.status, status, "{target}");
    }
    let request = Request::get(HOST, "/key/style.css").header("x-api-key", "SECRET-KEY-OF-16");
    let response = raw::send(fleet.http(0), &request).await.unwrap();
    assert_eq!((response.status, response.text().as_str()), (200, STYLE));
}
