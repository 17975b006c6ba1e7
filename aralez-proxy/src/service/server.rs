//! Running the engine: one Pingora service for all listeners, on one runtime of its own.
//!
//! Pingora's own `Server` is not used: it sleeps the whole grace period even when nothing runs, ignores a second signal, and panics
//! where a port is taken. Its services run just as well on a runtime that somebody else holds.

use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::os::fd::IntoRawFd;
use std::sync::Arc;
use std::time::Duration;

use pingora::apps::HttpServerOptions;
use pingora::proxy::http_proxy_service_with_name;
use pingora::server::configuration::ServerConf;
use pingora::server::{Fds, ListenFds};
use pingora::services::Service;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Engine;

/// Tries at endpoints for one request, those on connections that turn out to be dead included.
const MAX_TRIES: usize = 3;

/// How long tasks get after everything is done or given up.
const STOP_RUNTIME: Duration = Duration::from_secs(1);

/// What the engine is started with.
#[derive(Debug)]
pub struct Options {
    /// Bound listeners: a port that is taken is the caller's error, before anything runs.
    pub listeners: Vec<TcpListener>,
    /// Threads that serve requests.
    pub threads: NonZeroUsize,
    /// Idle connections to endpoints that are kept.
    pub pool_size: usize,
    /// Cleartext HTTP/2. For tests only: with it, the engine waits for 24 bytes before it serves a shorter HTTP/1 request.
    pub h2c: bool,
}

/// The running engine.
#[derive(Debug)]
pub struct Server {
    runtime: Runtime,
    close: watch::Sender<bool>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts to serve.
    ///
    /// # Errors
    /// Where the system gives no threads, or a listener has no address.
    pub fn start(engine: Engine, options: Options) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.threads.get())
            .thread_name("serve")
            .enable_all()
            .build()?;
        let conf = Arc::new(ServerConf {
            threads: options.threads.get(),
            upstream_keepalive_pool_size: options.pool_size,
            max_retries: MAX_TRIES,
            ..ServerConf::default()
        });
        let mut service = http_proxy_service_with_name(&conf, engine, "http");
        if let Some(proxy) = service.app_logic_mut() {
            let mut http = HttpServerOptions::default();
            http.h2c = options.h2c;
            // Not to proxy it: the gate refuses it with an answer of our own.
            http.allow_connect_method_proxying = true;
            proxy.server_options = Some(http);
        }
        let mut fds = Fds::new();
        for listener in options.listeners {
            // The engine takes it as it is, and a blocking one would hold a whole worker.
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?.to_string();
            service.add_tcp(&address);
            // The engine finds the socket in this table under its address instead of binding one.
            fds.add(address, listener.into_raw_fd());
        }
        let (close, closing) = watch::channel(false);
        let table: ListenFds = shared(fds);
        let accepting = runtime.spawn(async move {
            service.start_service(Some(table), closing, 1).await;
        });
        Ok(Self {
            runtime,
            close,
            accepting: Some(accepting),
        })
    }

    /// Closes the listeners and the connections on which nothing runs; resolves when that is done. What runs goes on.
    pub fn close(&mut self) -> impl Future<Output = ()> + use<> {
        self.close.send_replace(true);
        let accepting = self.accepting.take();
        async move {
            if let Some(accepting) = accepting {
                // It can only fail by a panic, which the panic hook has told.
                let _ = accepting.await;
            }
        }
    }

    /// Stops everything, cutting off what still runs.
    pub fn stop(self) {
        self.close.send_replace(true);
        self.runtime.shutdown_timeout(STOP_RUNTIME);
    }
}

/// The engine's table is behind a lock whose crate it does not re-export; its type follows from where the value goes.
fn shared<T, Lock: From<T>>(value: T) -> Arc<Lock> {
    Arc::new(Lock::from(value))
}
