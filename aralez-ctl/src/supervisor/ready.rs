//! Readiness of the daemons.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tracing::warn;

use super::Addresses;

const POLL: Duration = Duration::from_millis(50);
const ANSWER: Duration = Duration::from_secs(2);
/// Time after which an unready proxy is logged.
const PATIENCE: Duration = Duration::from_secs(15);

/// Waits until `address` accepts connections.
pub(super) async fn listens(address: SocketAddr) {
    while TcpStream::connect(address).await.is_err() {
        tokio::time::sleep(POLL).await;
    }
}

/// Waits until control listens and the proxy reports that it is ready.
pub(super) async fn serves(addresses: &Addresses) {
    let began = Instant::now();
    let mut told = false;
    listens(addresses.api()).await;
    let Ok(http) = reqwest::Client::builder()
        .timeout(ANSWER)
        .no_proxy()
        .build()
    else {
        return;
    };
    let url = format!("http://{}/readyz", addresses.admin());
    while let Err(reason) = ask(&http, &url).await {
        if !told && began.elapsed() > PATIENCE {
            warn!(%url, reason, "proxy not ready yet");
            told = true;
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn ask(http: &reqwest::Client, url: &str) -> Result<(), String> {
    let answer = http
        .get(url)
        .send()
        .await
        .map_err(|error| error.to_string())?;
    if answer.status().is_success() {
        return Ok(());
    }
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    Err(format!("{status} {}", text.trim()))
}
