//! Polls proxies with requests, each proxy on its own keep-alive connection, until their responses are the expected ones.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use aralez_tests::raw::{Connection, Request};
use aralez_tests::wire::Response;

/// Time after which a missing change is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// Polls all proxies concurrently, with `pause` between the requests to each. Returns the time at which the last of them first sent a
/// response that satisfies `fits`.
///
/// # Panics
/// If a proxy sends none within a minute.
pub async fn all(
    proxies: &[SocketAddr],
    request: &Request,
    pause: Duration,
    fits: impl Fn(&Response) -> bool + Clone + Send + 'static,
) -> Instant {
    let mut asking = JoinSet::new();
    for address in proxies {
        asking.spawn(one(*address, request.clone(), pause, fits.clone()));
    }
    let answered = asking.join_all().await;
    answered.into_iter().max().expect("there are proxies")
}

/// Polls one proxy; otherwise like [`all`].
///
/// # Panics
/// If the proxy sends no such response within a minute.
pub async fn one(
    address: SocketAddr,
    request: Request,
    pause: Duration,
    fits: impl Fn(&Response) -> bool,
) -> Instant {
    let end = Instant::now() + PATIENCE;
    let mut connection = None;
    let mut last = "nothing".to_owned();
    while Instant::now() < end {
        match once(&mut connection, address, &request).await {
            Ok(response) if fits(&response) => return Instant::now(),
            Ok(response) => last = format!("{}, {:?}", response.status, response.headers),
            Err(reason) => last = reason,
        }
        tokio::time::sleep(pause).await;
    }
    panic!("{address} does not answer as it should within {PATIENCE:?}; last: {last}");
}

/// Sends one request on the kept connection, or on a new one if there is none.
async fn once(
    kept: &mut Option<Connection>,
    address: SocketAddr,
    request: &Request,
) -> Result<Response, String> {
    let mut connection = match kept.take() {
        Some(connection) => connection,
        None => Connection::open(address).await?,
    };
    let response = connection.send(request).await?;
    if !response.closes() {
        *kept = Some(connection);
    }
    Ok(response)
}
