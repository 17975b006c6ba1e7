//! The tricks, as data.

use std::time::Duration;

use super::attack::{Attack, Leaves};
use super::endpoint::Manners;
use super::{FOREIGN, HOST};

/// One trick.
#[derive(Clone, Debug)]
pub struct Trick {
    /// The name of the trick.
    pub name: &'static str,
    /// The attacks, which each attacker repeats in this order.
    pub attacks: Vec<Attack>,
    /// The endpoint's connection handling during the trick.
    pub manners: Manners,
    /// `true` if the endpoint sends unsolicited answers on idle connections.
    pub unasked: bool,
    /// The maximum pause of a victim between two requests.
    pub pause: Duration,
}

impl Trick {
    fn new(name: &'static str, attacks: Vec<Attack>) -> Self {
        Self {
            name,
            attacks,
            manners: Manners::default(),
            unasked: false,
            pause: Duration::ZERO,
        }
    }
}

/// Returns all tricks.
pub fn all() -> Vec<Trick> {
    vec![
        Trick::new("double terminators", double_terminators()),
        Trick::new("early answers", early_answers()),
        Trick::new("unread request bodies", untaken()),
        Trick::new("truncated uploads", cut_uploads()),
        Trick::new("extra bytes after requests", extra_after_requests()),
        Trick::new("extra bytes after answers", extra_after_answers()),
        Trick::new("truncated answers", cut_answers()),
        Trick::new("interim answers", interim_answers()),
        Trick::new("smuggled requests", smuggled()),
        Trick::new("upgrades", upgrades()),
        unasked(),
        stale_after_some(),
        stale_after_a_while(),
    ]
}

fn unasked() -> Trick {
    Trick {
        unasked: true,
        ..Trick::new("unsolicited answers", Vec::new())
    }
}

/// The endpoint closes every connection after ten requests, without announcing it: often enough that requests meet stale connections, yet
/// less often than the retry budget (a fifth of all requests) allows.
fn stale_after_some() -> Trick {
    let attack = Attack::of(get("/a/close"));
    Trick {
        manners: Manners {
            requests: Some(10),
            ..Manners::default()
        },
        ..Trick::new("stale reuse after some requests", vec![attack])
    }
}

fn stale_after_a_while() -> Trick {
    Trick {
        manners: Manners {
            idle: Some(Duration::from_millis(3)),
            ..Manners::default()
        },
        pause: Duration::from_millis(6),
        ..Trick::new("stale reuse after a few milliseconds", Vec::new())
    }
}

fn get(target: &str) -> String {
    request("GET", target, "")
}

fn request(method: &str, target: &str, fields: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n")
}

fn post(target: &str, length: usize) -> String {
    request("POST", target, &format!("Content-Length: {length}\r\n"))
}

fn chunked(target: &str) -> String {
    request("POST", target, "Transfer-Encoding: chunked\r\n")
}

fn foreign() -> String {
    get(&format!("/a/{FOREIGN}"))
}

fn double_terminators() -> Vec<Attack> {
    let head = chunked("/a/ok");
    vec![
        Attack::of(format!("{head}5\r\nhello\r\n0\r\n\r\n0\r\n\r\n")),
        Attack::of(format!("{head}5\r\nhello\r\n0\r\n\r\n")).then("0\r\n\r\n"),
        Attack::of(format!("{head}0\r\n\r\n0\r\n\r\n0\r\n\r\n")),
        Attack::of(format!("{head}5\r\nhello\r\n"))
            .then("0\r\n")
            .then("\r\n0\r\n\r\n"),
        Attack::of(format!("{head}0\r\n\r\n\r\n{}", get("/a/ok"))),
        Attack::of(get("/a/two-terminators")),
    ]
}

fn early_answers() -> Vec<Attack> {
    let piece = "x".repeat(16 << 10);
    let chunk = format!("4000\r\n{piece}\r\n");
    let long = Attack::of(format!("{}{piece}", post("/a/early", 200_000)));
    let long_chunked = Attack::of(format!("{}{chunk}", chunked("/a/early")));
    // The rest of the body looks like a separate request.
    let length = 20_000 + foreign().len();
    let looks_so = format!("{}{}", post("/a/early", length), "x".repeat(20_000));
    vec![
        long.then(&piece).then(&piece).then(&piece),
        long_chunked.then(&chunk).then(&chunk).then("0\r\n\r\n"),
        Attack::of(post("/a/early", 5)).then("hello"),
        Attack::of(looks_so).then(&foreign()),
        Attack::of(format!("{}hello", post("/a/early", 5))),
        Attack::of(request(
            "POST",
            "/a/early",
            "Content-Length: 90000\r\nExpect: 100-continue\r\n",
        ))
        .then(&foreign()),
    ]
}

/// The endpoint answers after the head and never consumes the body. If the proxy forwards body bytes after the answer has begun, the
/// endpoint parses them as a request, which the head of a victim's request would complete.
fn untaken() -> Vec<Attack> {
    let inside = "GET /a/ok HTTP/1.1\r\nX-Rest: ";
    let length = inside.len();
    let chunk = format!("{length:x}\r\n{inside}\r\n0\r\n\r\n");
    let expects = format!("Content-Length: {length}\r\nExpect: 100-continue\r\n");
    vec![
        Attack::of(post("/a/untaken/part", length)).then_answered(inside),
        Attack::of(post("/a/untaken/whole", length)).then_answered(inside),
        Attack::of(post("/a/untaken/chunks", length)).then_answered(inside),
        Attack::of(chunked("/a/untaken/part")).then_answered(&chunk),
        Attack::of(chunked("/a/untaken/whole")).then_answered(&chunk),
        Attack::of(request("POST", "/a/untaken/part", &expects)).then_answered(inside),
        Attack::of(post("/a/untaken/part", length + 5) + "begin").then_answered(inside),
    ]
}

fn cut_uploads() -> Vec<Attack> {
    let half = format!("{}half", post("/a/ok", 100_000));
    vec![
        Attack::of(half.clone()).leaves(Leaves::AtOnce),
        Attack::of(half).leaves(Leaves::WithReset),
        Attack::of(post("/a/ok", 100_000)).leaves(Leaves::AtOnce),
        Attack::of(format!("{}64\r\nhalf", chunked("/a/ok"))).leaves(Leaves::AtOnce),
        Attack::of(format!("{}64\r\nhalf", chunked("/a/ok"))).leaves(Leaves::WithReset),
        Attack::of(format!("{}5\r\nhello\r\n6", chunked("/a/ok"))).leaves(Leaves::AtOnce),
        Attack::of(format!("{}5\r\nhello\r\n0\r\n", chunked("/a/ok"))).leaves(Leaves::WithReset),
        Attack::of(format!("{}5\r\nhello\r\nnot-a-size\r\n", chunked("/a/ok"))),
        // An answer in flight whose client is gone.
        Attack::of(get("/a/long")).leaves(Leaves::WithReset),
    ]
}

fn extra_after_requests() -> Vec<Attack> {
    let upload = format!("{}hello", post("/a/ok", 5));
    vec![
        Attack::of(format!("{upload}{}", get("/a/ok"))),
        Attack::of(format!("{upload}junk")),
        Attack::of(format!("{upload}\0\u{1}\r\n\r\n")),
        Attack::of(format!("{upload}GET /a/ok HT")).leaves(Leaves::AtOnce),
        Attack::of(format!("{upload}{upload}{upload}")),
        Attack::of(upload).then("5\r\nhello\r\n0\r\n\r\n"),
    ]
}

fn extra_after_answers() -> Vec<Attack> {
    let mut attacks: Vec<_> = ["0", "5", "1000", "3900", "4096", "8000"]
        .iter()
        .map(|length| Attack::of(get(&format!("/a/extra/{length}"))))
        .collect();
    attacks.extend([
        Attack::of(request("HEAD", "/a/extra/20", "")),
        Attack::of(get("/a/status/204")),
        Attack::of(get("/a/status/304")),
        Attack::of(get("/a/both-lengths")),
        Attack::of(get("/a/chunks-and-more")),
    ]);
    attacks
}

fn cut_answers() -> Vec<Attack> {
    vec![
        Attack::of(get("/a/cut/head")),
        Attack::of(get("/a/cut/body")),
        Attack::of(get("/a/cut/chunk")),
    ]
}

fn interim_answers() -> Vec<Attack> {
    let expects = "Content-Length: 5\r\nExpect: 100-continue\r\n";
    vec![
        Attack::of(get("/a/interim/3")),
        Attack::of(get("/a/interim/40")),
        Attack::of(request("POST", "/a/interim/1", expects)).then("hello"),
        Attack::of(request("POST", "/a/interim/1", expects)).leaves(Leaves::WithReset),
    ]
}

fn smuggled() -> Vec<Attack> {
    let both = "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n";
    let head = |fields: &str| request("POST", "/a/ok", fields);
    let inside = foreign();
    let length = inside.len() + 5;
    [
        head(both) + "0\r\n\r\n",
        head("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n") + "0\r\n\r\n",
        head(&format!(
            "Content-Length: {length}\r\nTransfer-Encoding : chunked\r\n"
        )) + "0\r\n\r\n",
        head(&format!(
            "Content-Length: {length}\r\nTransfer-Encoding:\n chunked\r\n"
        )) + "0\r\n\r\n",
        head(&format!(
            "Content-Length: {length}\r\nContent-Length: 0\r\n"
        )) + "0\r\n\r\n",
        head("Content-Length: 0, 60\r\n"),
        head("Transfer-Encoding: chunked, identity\r\n") + "0\r\n\r\n",
        head("Transfer-Encoding: xchunked\r\n"),
        head("Content-Length: +0\r\n"),
        head("X: a\nContent-Length: 0\r\n"),
        head("X: a\rContent-Length: 60\r\n"),
        head("Transfer-Encoding: chunked\r\n") + "0;a\n\r\n",
        head("Transfer-Encoding: chunked\r\n") + "5\nhello\r\n0\r\n\r\n",
        head("Transfer-Encoding: chunked\r\n") + "0x0\r\n\r\n",
        head("Transfer-Encoding: chunked\r\n") + "0\r\nContent-Length: 60\n\r\n",
        format!("GET /a/ok HTTP/1.1\nHost: {HOST}\n\n"),
        format!("GET /a/ok HTTP/1.1\r\nHost: {HOST}\r\n\n"),
        request("POST", "/a/ok", "Transfer-Encoding: chunked\r\n").replace("1.1", "1.0"),
    ]
    .into_iter()
    .map(|begin| Attack::of(begin + &inside))
    .collect()
}

fn upgrades() -> Vec<Attack> {
    let socket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
               HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
    let refused = request("GET", "/a/ok", socket);
    let with_body = format!("Content-Length: 5\r\n{socket}");
    vec![
        Attack::of(format!("{refused}{}", get("/a/ok"))),
        Attack::of(format!("{refused}\u{1}\u{2}junk")),
        Attack::of(request("GET", "/a/switch", "")),
        Attack::of(format!(
            "{}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            request("GET", "/a/ok", h2c)
        )),
        Attack::of(request("POST", "/a/ok", &with_body) + "hello"),
        Attack::of(format!(
            "{}{}",
            request("GET", "/a/switch", socket),
            get("/a/ok")
        )),
        Attack::of(request("GET", "/a/switch", socket)).leaves(Leaves::WithReset),
    ]
}
