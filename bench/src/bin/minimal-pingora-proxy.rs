//! The smallest proxy that pingora-proxy allows, for the benchmark: one endpoint, keep-alive connections, three added header fields.
//!
//! `minimal-pingora-proxy LISTEN ENDPOINT THREADS`
#![allow(clippy::print_stderr)]

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use pingora::Result;
use pingora::http::RequestHeader;
use pingora::proxy::{ProxyHttp, Session, http_proxy_service};
use pingora::server::Server;
use pingora::server::configuration::ServerConf;
use pingora::upstreams::peer::HttpPeer;

struct Minimal {
    endpoint: SocketAddr,
}

#[async_trait]
impl ProxyHttp for Minimal {
    type CTX = ();

    fn new_ctx(&self) -> Self::CTX {}

    async fn upstream_peer(&self, _: &mut Session, (): &mut ()) -> Result<Box<HttpPeer>> {
        let name = String::new();
        Ok(Box::new(HttpPeer::new(self.endpoint, false, name)))
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        (): &mut (),
    ) -> Result<()> {
        let client = session.client_addr().and_then(|address| address.as_inet());
        let client = client.map(|address| address.ip().to_string());
        request.insert_header("X-Forwarded-For", client.unwrap_or_default())?;
        request.insert_header("X-Forwarded-Proto", "http")?;
        if let Some(host) = request.headers.get("Host").cloned() {
            request.insert_header("X-Forwarded-Host", host)?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen, endpoint, threads] = arguments.as_slice() else {
        eprintln!("usage: minimal-pingora-proxy LISTEN ENDPOINT THREADS");
        return ExitCode::FAILURE;
    };
    let (Ok(endpoint), Ok(threads)) = (endpoint.parse(), threads.parse()) else {
        eprintln!("ENDPOINT must be IP:PORT, THREADS a number");
        return ExitCode::FAILURE;
    };
    let conf = ServerConf {
        threads,
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let conf: Arc<ServerConf> = server.configuration.clone();
    let mut service = http_proxy_service(&conf, Minimal { endpoint });
    service.add_tcp(listen);
    server.add_service(service);
    server.run_forever()
}
