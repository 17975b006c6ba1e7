//! Asking proxies with requests, each on a connection of its own that stays, until they answer as they should.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use aralez_tests::raw::{Connection, Request, Response};

/// How long a change may take at most.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks every proxy at once, again and again; when the last one's answer first satisfied `fits`.
///
/// # Panics
/// When one does not within a minute.
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

/// As [`all`], for one proxy.
///
/// # Panics
/// When it does not within a minute.
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

/// One request on the connection that is there, or on a new one.
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
