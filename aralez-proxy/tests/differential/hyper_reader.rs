//! hyper as a reader: its server reads requests, its client reads responses.

use parking_lot::Mutex;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use hyper::body::Incoming;
use hyper::header::HOST;
use hyper::service::service_fn;
use hyper::{Request, Response};

use super::message::{Message, Reading};
use super::pipe::{Pipe, collect, drive};

/// Limit for the number of fields, which no message here reaches.
const MOST_FIELDS: usize = 400;
/// The request that follows the one under test.
const NEXT_REQUEST: &[u8] = b"GET /the-next-one HTTP/1.1\r\nHost: next\r\n\r\n";
/// The response that follows the one under test.
const NEXT_RESPONSE: &[u8] = b"HTTP/1.1 299 Next\r\nContent-Length: 0\r\n\r\n";

/// Reads a request of exactly these bytes. hyper does not report where a request ends, so another one follows it: if hyper does not find
/// that one, the end is `usize::MAX`. `may_close`: a request that closes its connection may also be the last one.
pub(crate) fn request(bytes: &[u8], may_close: bool) -> Reading {
    let (seen, ended) = serve([bytes, NEXT_REQUEST].concat());
    let mut seen = seen.into_iter();
    match (seen.next(), seen.next()) {
        (Some(message), Some(next)) if next.first == "GET /the-next-one" && next.host == "next" => {
            whole(message, bytes.len())
        }
        (Some(message), None) if may_close && ended == Ended::Well => whole(message, bytes.len()),
        (Some(message), _) => whole(message, usize::MAX),
        (None, _) if ended == Ended::Refused => Reading::Refused("parse"),
        (None, _) => Reading::Open,
    }
}

/// Reads a request that may be cut: the connection closes after these bytes.
pub(crate) fn cut_request(bytes: &[u8]) -> Reading {
    let (seen, _) = serve(bytes.to_vec());
    let first = seen.into_iter().next();
    first.map_or(Reading::Open, |message| whole(message, bytes.len()))
}

/// Result of hyper's connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Well,
    Refused,
    Otherwise,
}

/// Returns the complete requests that hyper's server reads.
fn serve(bytes: Vec<u8>) -> (Vec<Message>, Ended) {
    let pipe = Pipe::asking(bytes);
    let seen: Arc<Mutex<Vec<Message>>> = Arc::default();
    let service = service_fn(|request: Request<Incoming>| {
        let seen = Arc::clone(&seen);
        Box::pin(async move {
            if let Ok(message) = read_request(request).await {
                seen.lock().push(message);
            }
            Ok::<_, Infallible>(Response::new(String::new()))
        })
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.max_headers(MOST_FIELDS).half_close(true);
    let connection = builder.serve_connection(pipe.clone(), service);
    let mut connection = pin!(connection);
    let ended = match drive(
        &pipe,
        poll_fn(|cx| connection.as_mut().poll_without_shutdown(cx)),
    ) {
        Some(Ok(())) => Ended::Well,
        Some(Err(error)) if error.is_parse() => Ended::Refused,
        _ => Ended::Otherwise,
    };
    let seen = std::mem::take(&mut *seen.lock());
    (seen, ended)
}

async fn read_request(request: Request<Incoming>) -> Result<Message, hyper::Error> {
    let hosts = request.headers().get_all(HOST).iter();
    let hosts: Vec<_> = hosts
        .map(|host| String::from_utf8_lossy(host.as_bytes()))
        .collect();
    let message = Message {
        first: format!("{} {}", request.method(), request.uri()),
        host: hosts.join(" and "),
        ..Message::default()
    };
    let (body, trailers) = collect(request.into_body()).await?;
    Ok(Message {
        body,
        trailers,
        ..message
    })
}

fn whole(mut message: Message, end: usize) -> Reading {
    message.end = end;
    Reading::Whole(message)
}

/// Reads a response of exactly these bytes. `closed`: the connection closes after them; otherwise another response follows.
pub(crate) fn response(bytes: &[u8], to_head: bool, closed: bool) -> Reading {
    let mut answers = vec![bytes.to_vec()];
    if !closed {
        answers.push(NEXT_RESPONSE.to_vec());
    }
    let pipe = Pipe::answering(answers);
    let method = if to_head { "HEAD" } else { "GET" };
    let mut first: Option<Result<Message, hyper::Error>> = None;
    let next = drive(&pipe, exchange(pipe.clone(), method, closed, &mut first));
    match (first, next) {
        (Some(Err(error)), _) if error.is_parse() => Reading::Refused("parse"),
        (None | Some(Err(_)), _) => Reading::Open,
        (Some(Ok(message)), Some(Some(true) | None)) => whole(message, bytes.len()),
        (Some(Ok(message)), _) => whole(message, usize::MAX),
    }
}

/// Sends two requests. Returns whether the second response is [`NEXT_RESPONSE`], or `None` if the second request was not sent.
async fn exchange(
    pipe: Pipe,
    method: &str,
    closed: bool,
    first: &mut Option<Result<Message, hyper::Error>>,
) -> Option<bool> {
    let mut builder = hyper::client::conn::http1::Builder::new();
    builder.max_headers(MOST_FIELDS);
    let (mut sender, connection) = match builder.handshake(pipe).await {
        Ok(pair) => pair,
        Err(error) => {
            *first = Some(Err(error));
            return None;
        }
    };
    let mut connection = pin!(connection);
    let mut asked = pin!(async {
        *first = Some(ask(&mut sender, method).await);
        if closed || !matches!(first, Some(Ok(_))) {
            return None;
        }
        if sender.ready().await.is_err() {
            return Some(false);
        }
        let next = ask(&mut sender, "GET").await;
        Some(next.is_ok_and(|next| next.first == "299" && next.body.is_empty()))
    });
    let mut open = true;
    poll_fn(|cx| {
        if open && connection.as_mut().poll(cx).is_ready() {
            open = false;
        }
        if let Poll::Ready(next) = asked.as_mut().poll(cx) {
            return Poll::Ready(next);
        }
        Poll::Pending
    })
    .await
}

async fn ask(
    sender: &mut hyper::client::conn::http1::SendRequest<String>,
    method: &str,
) -> Result<Message, hyper::Error> {
    let mut request = Request::new(String::new());
    *request.method_mut() = method.parse().unwrap_or_default();
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16().to_string();
    let (body, trailers) = collect(response.into_body()).await?;
    Ok(Message {
        first: status,
        body,
        trailers,
        ..Message::default()
    })
}
