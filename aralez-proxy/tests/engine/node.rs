//! A node in this process that serves sites.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_decision::pseudonym::Pseudonym;
use aralez_proto::convert::{endpoint_record, host_record, pool_record};
use aralez_proto::main_config::MainConfig;
use aralez_proto::model::{
    Action, Endpoint, EndpointOwner, HostPattern, Pool, PoolName, Route, VirtualHost,
};
use aralez_proto::record::RecordSet;
use aralez_proto::rules::Rules;
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;
use aralez_proxy::core::admission::{Admission, Most};
use aralez_proxy::core::limits::{ClientLimits, PoolLimits};
use aralez_proxy::core::live::{Live, LiveTable, Origin as Source};
use aralez_proxy::core::request::credentials::CredentialMemory;
use aralez_proxy::core::request::files::roots::FileRoots;
use aralez_proxy::core::request::listener_role::ListenerRole;
use aralez_proxy::core::request::registry::Registry;
use aralez_proxy::core::request::table::Table;
use aralez_proxy::core::traffic::{Tally, Traffic, TrafficEvent};
use aralez_proxy::engine::password_checks::PasswordChecks;
use aralez_proxy::engine::server::{Options, Server};
use aralez_proxy::engine::threads::context::Engine;

use crate::origin::Origin;

/// One host with one route.
pub(crate) struct Site {
    host: HostPattern,
    pub(crate) route: Route,
    pub(crate) endpoints: Vec<SocketAddr>,
}

impl Site {
    pub(crate) fn new(host: &str, path: &str, origins: &[&Origin]) -> Self {
        let host: HostPattern = host.parse().unwrap();
        let pool = PoolName::of_route(&host, path);
        let route = Route {
            path: path.into(),
            matches: None,
            rules: Rules::default(),
            action: Action::Pool(pool),
        };
        Self {
            host,
            route,
            endpoints: origins.iter().map(|origin| origin.address).collect(),
        }
    }

    fn records(&self) -> Vec<aralez_proto::record::Record> {
        let host = VirtualHost {
            pattern: self.host.clone(),
            rules: Rules::default(),
            routes: vec![self.route.clone()],
        };
        let mut records = vec![host_record(&host)];
        if let Action::Pool(pool) = &self.route.action {
            records.push(pool_record(pool, &Pool::default()));
            let endpoints = self.endpoints.iter();
            let endpoints =
                endpoints.map(|address| Endpoint::new(address.to_string().parse().unwrap()));
            records.extend(
                endpoints.map(|endpoint| endpoint_record(EndpointOwner::Document, pool, &endpoint)),
            );
        }
        records
    }
}

pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    pub(crate) traffic: Arc<Traffic>,
    server: Server,
}

impl Node {
    pub(crate) fn empty() -> Self {
        Self::start(Live::new(Instant::now()))
    }

    pub(crate) fn serving(sites: &[Site]) -> Self {
        Self::start(live(sites))
    }

    fn start(live: Live) -> Self {
        Self::run(engine(live, Most::default()), NonZeroUsize::MIN)
    }

    /// Starts a node with these connection limits, on two threads.
    pub(crate) fn limited(sites: &[Site], most: Most) -> Self {
        let two = NonZeroUsize::MIN.saturating_add(1);
        Self::run(engine(live(sites), most), two)
    }

    fn run(engine: Engine, threads: NonZeroUsize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let traffic = Arc::clone(&engine.traffic);
        let options = Options {
            listeners: vec![(listener, ListenerRole::Routes)],
            threads,
        };
        let server = Server::start(engine, options).unwrap();
        Self {
            address,
            traffic,
            server,
        }
    }

    /// Returns the count of an event.
    pub(crate) fn event(&self, event: TrafficEvent) -> u64 {
        self.traffic.sum().events(event)
    }

    /// Waits until the traffic satisfies `is`.
    pub(crate) fn until(&self, is: impl Fn(&Tally) -> bool) {
        let end = Instant::now() + Duration::from_secs(10);
        while !is(&self.traffic.sum()) {
            assert!(Instant::now() < end, "not within 10 s: {:?}", self.traffic);
            std::thread::yield_now();
        }
    }

    /// Closes the listeners as a drain does, and waits until they are closed.
    pub(crate) fn close_listeners(&mut self) {
        let closed = self.server.close();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(closed);
    }

    /// Closes the listeners and aborts active exchanges, as at the end of the grace period.
    pub(crate) fn close(mut self) {
        self.close_listeners();
        self.server.stop();
    }
}

pub(crate) fn engine(live: Live, most: Most) -> Engine {
    Engine {
        started: Instant::now(),
        live: Arc::new(live),
        traffic: Arc::new(Traffic::default()),
        node: Pseudonym::new([0; 8]),
        tls_port: Some(8443),
        file_roots: FileRoots::default(),
        file_server: None,
        limits: ClientLimits::default(),
        pool: PoolLimits::default(),
        admission: Arc::new(Admission::new(most, Instant::now())),
        limiter: Arc::default(),
        credentials: Arc::new(CredentialMemory::new(
            [0; 32],
            MainConfig::default().auth_failures,
        )),
        password_checks: PasswordChecks::default(),
    }
}

pub(crate) fn live(sites: &[Site]) -> Live {
    let records: RecordSet = sites.iter().flat_map(Site::records).collect();
    let snapshot = Snapshot::complete(Version::default(), records, &Limits::default()).unwrap();
    let live = Live::new(Instant::now());
    live.publish(LiveTable {
        table: Table::build(&snapshot, &Registry::default()),
        snapshot: Arc::new(snapshot),
        origin: Source::Stream,
        since: Instant::now(),
    });
    live
}
