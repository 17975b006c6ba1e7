//! `match`, lists of routes and `pools`: the route that a request takes, its share of the pools, live, and nothing of it in a document with
//! a fault.

use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::ports::Port;
use aralez_tests::raw::{self, Connection, Request};

const HOST: &str = "a.test";

async fn serving(document: &str) -> Fleet {
    let fleet = Plan::new(1).threads(0, 2).document(document).start().await;
    fleet.until_current(LIVE).await;
    fleet
}

/// Returns the body of the answer, which names the origin, or the status if it is not 200.
async fn served(fleet: &Fleet, request: &Request) -> String {
    let response = raw::send(fleet.http(0), request).await.unwrap();
    match response.status {
        200 => response.text(),
        status => status.to_string(),
    }
}

/// Requests, each with the origin that serves it or the status of the refusal.
fn matched() -> Vec<(Request, &'static str)> {
    let get = |target| Request::get(HOST, target);
    vec![
        (get("/login"), "exact"),
        (get("/login?q=a+b"), "exact"),
        (get("/login;v=1"), "exact"),
        (get("/login/"), "all"),
        (get("/login/x"), "all"),
        (get("/login%2Fx"), "all"),
        (get("/login%2F"), "all"),
        (get("/login%3Fx"), "400"),
        (get("/app"), "all"),
        (Request::new("POST", HOST, "/app/x").body("b"), "write"),
        (Request::new("DELETE", HOST, "/app/x"), "all"),
        (
            get("/app").header("x-version", "v3").header("X-TEAM", "a"),
            "beta",
        ),
        (
            get("/app")
                .header("x-version", "v1")
                .header("x-version", "next")
                .header("x-team", "a"),
            "beta",
        ),
        (
            get("/app").header("x-version", "v33").header("x-team", "a"),
            "all",
        ),
        (
            get("/app").header("x-version", "v3").header("x-team", "A"),
            "all",
        ),
        (get("/app?p=1&q=a%20b"), "search"),
        (get("/app?q=1&q=a%20b"), "all"),
        (
            get("/app?q=a+b")
                .header("x-version", "v3")
                .header("x-team", "a"),
            "beta",
        ),
        (get("/app%2Fx?q=a+b"), "400"),
    ]
}

#[tokio::test]
async fn a_request_takes_the_first_route_of_the_longest_path_whose_match_holds() {
    let [all, exact, write, beta, search] = [
        Origin::start("all"),
        Origin::start("exact"),
        Origin::start("write"),
        Origin::start("beta"),
        Origin::start("search"),
    ];
    let (all, exact, write, beta, search) = tokio::join!(all, exact, write, beta, search);
    let to = |origin: &Origin| format!("servers: [\"{}\"]", origin.address());
    let document = format!(
        "{HOST}:\n  paths:\n    /: {{{}}}\n    /login: {{match: {{exact: true}}, {}}}\n    /app:\n      \
         - {{match: {{methods: [PUT, POST]}}, {}}}\n      \
         - {{match: {{headers: {{X-Version: {{regex: 'v[2-9]|next'}}, X-Team: a}}}}, {}}}\n      \
         - {{match: {{query: {{q: 'a b'}}}}, {}}}\n",
        to(&all),
        to(&exact),
        to(&write),
        to(&beta),
        to(&search)
    );
    let fleet = serving(&document).await;
    for (request, expected) in matched() {
        assert_eq!(served(&fleet, &request).await, expected, "{request:?}");
    }
    // Without the list, everything below the path is served by `/` again.
    let plain = format!("{HOST}:\n  paths:\n    /: {{{}}}\n", to(&all));
    fleet.apply(&plain).await;
    let request = Request::get(HOST, "/login");
    assert_eq!(served(&fleet, &request).await, "all");
}

#[tokio::test]
async fn pools_get_their_share_of_the_requests_and_an_empty_one_leaves_its_share_to_the_others() {
    let (one, three) = tokio::join!(Origin::start("one"), Origin::start("three"));
    let weights = |first: u16, second: u16| {
        format!(
            "{HOST}:\n  paths:\n    /:\n      pools:\n        - {{weight: {first}, servers: [\"{}\"]}}\n        - {{weight: {second}, servers: [\"{}\"]}}\n",
            one.address(),
            three.address()
        )
    };
    let fleet = serving(&weights(1, 3)).await;
    for number in 0..400 {
        let target = format!("/{number}");
        assert_ne!(served(&fleet, &Request::get(HOST, &target)).await, "503");
    }
    assert_eq!((one.count(), three.count()), (100, 300));
    fleet.apply(&weights(0, 7)).await;
    let mut connection = Connection::open(fleet.http(0)).await.unwrap();
    for _ in 0..20 {
        let response = connection.send(&Request::get(HOST, "/")).await.unwrap();
        assert_eq!(response.text(), "three");
    }
    assert_eq!((one.count(), three.count()), (100, 320));
}

#[tokio::test]
async fn a_pool_whose_endpoints_refuse_is_not_served_by_another_pool() {
    let (live, refusing) = (Origin::start("live").await, Port::free());
    let document = format!(
        "{HOST}:\n  paths:\n    /:\n      pools:\n        - servers: [\"{}\"]\n        - servers: [\"{}\"]\n",
        live.address(),
        refusing.address()
    );
    let fleet = serving(&document).await;
    let mut bodies = Vec::new();
    for _ in 0..10 {
        bodies.push(served(&fleet, &Request::get(HOST, "/")).await);
    }
    bodies.sort();
    assert_eq!(bodies.concat(), "502".repeat(5) + &"live".repeat(5));
}

#[tokio::test]
async fn a_document_with_a_route_that_can_never_match_is_refused_with_its_place() {
    let origin = Origin::start("a").await;
    let servers = format!("servers: [\"{}\"]", origin.address());
    let fleet = serving(&format!("{HOST}: {{paths: {{/: {{{servers}}}}}}}\n")).await;
    let faulty = format!(
        "{HOST}:\n  paths:\n    /:\n      - {{{servers}}}\n      - {{match: {{methods: GET}}, {servers}}}\n    /a: {{match: {{headers: {{X: {{regex: '('}}}}}}, {servers}}}\n"
    );
    let answer = fleet.push(&faulty).await;
    assert_eq!(answer.status, 502);
    let said = answer.text();
    assert!(
        said.contains(
            "5:9: a.test.paths./[1]: can never match: the route at 4:9 takes every request"
        ),
        "{said}"
    );
    assert!(
        said.contains("invalid regular expression: unclosed group, at character 1"),
        "{said}"
    );
    assert_eq!(served(&fleet, &Request::get(HOST, "/")).await, "a");
}
