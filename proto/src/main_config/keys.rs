//! The keys of `main.yaml`, each declared once.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::main_config::failure_rate::{FailureRate, WrittenFailureRate};
use crate::main_config::into_setting::{IntoSetting, or_default};
use crate::main_config::owner::Owner;
use crate::main_config::secret::Secret;
use crate::main_config::values::{
    AccessLog, AccessLogFormat, Control, ControlAddress, ControlTlsKeys, Grade, HistoryKeys,
    JoinToken, LogFile, LogLevel, Method, NoEffect, TraceKeys,
};
use crate::model::{GroupName, NodeName};
use crate::place::DocumentFault;
use crate::reading::{
    Between, Cidr, NonZeroTimeout, NotYet, OneOrMany, SecretText, SizeBetween, WrittenDuration,
    WrittenSize, keys,
};

/// Declares the keys: `key: type as written = default => type as used, owner`, then `live` if a running daemon applies a new value. Without
/// a default the used type is optional. `@together`: keys used only in the checks of other keys; `@checked`: keys that are only validated.
macro_rules! main_keys {
    (@value $at:expr, $default:literal) => { or_default($at, $default) };
    (@value $at:expr) => { $at.map(|at| at.value.into_setting()) };
    (@live live) => { true };
    (@live) => { false };
    (
        $(
            $(#[doc = $about:literal])*
            $key:ident: $shape:ty $(= $default:literal)? => $used:ty, $owner:ident $($live:ident)?;
        )*
        @together {$(
            $(#[doc = $together_about:literal])*
            $together:ident: $together_shape:ty, $together_owner:ident;
        )*}
        @checked {$(
            $(#[doc = $checked_about:literal])*
            $checked:ident: $checked_shape:ty, $checked_owner:ident;
        )*}
    ) => {
        keys! {
            /// `main.yaml`.
            MainKeys "in main.yaml";
            $($(#[doc = $about])* $key => $shape $(= $default)?,)*
            $($(#[doc = $together_about])* $together => $together_shape,)*
            @checked {
                $($(#[doc = $checked_about])* $checked => $checked_shape,)*
            }
        }

        /// The values of `main.yaml` that a daemon or the supervisor uses in this release, with defaults filled in.
        #[derive(Clone, Debug)]
        pub struct MainConfig {
            $($(#[doc = $about])* pub $key: $used,)*
            /// Valid keys that have no effect in this release, each with its place. The daemons log them.
            pub idle: Vec<DocumentFault>,
        }

        impl MainConfig {
            /// Builds the configuration from checked keys.
            pub(super) fn of(keys: MainKeys, idle: Vec<DocumentFault>) -> Self {
                Self {
                    $($key: main_keys!(@value keys.$key $(, $default)?),)*
                    idle,
                }
            }
        }

        /// The owner of each key, and `true` if a running daemon applies a new value.
        pub(super) const OWNERS: &[(&str, Owner, bool)] = &[
            $((stringify!($key), Owner::$owner, main_keys!(@live $($live)?)),)*
            $((stringify!($together), Owner::$together_owner, false),)*
            $((stringify!($checked), Owner::$checked_owner, false),)*
        ];
    };
}

main_keys! {
    /// Number of threads that serve requests. Default: the number of cores.
    threads: Between<1, 4096> => Option<NonZeroUsize>, Proxy;
    /// The user to run as, with `rungroup`, when started as root.
    runuser: String => Option<String>, Each;
    /// The group to run as, with `runuser`.
    rungroup: String => Option<String>, Each;
    /// Run in the background.
    daemon: bool = "false" => bool, Each;
    /// The file that holds the process id while in the background.
    pid_file: PathBuf => Option<PathBuf>, Each;
    /// The log file, instead of standard error.
    error_log: PathBuf => Option<PathBuf>, Each;
    /// The lowest level that is logged.
    log_level: LogLevel = "info" => LogLevel, Each live;
    /// The folder for state that must survive a restart. Default: /var/lib/aralez as root, else $XDG_STATE_HOME/aralez.
    state_dir: PathBuf => Option<PathBuf>, Each;
    /// Listen address of the config API.
    config_address: SocketAddr = "127.0.0.1:3000" => SocketAddr, Control;
    /// Listen address of the config API with TLS; with `config_tls_certificate` and `config_tls_key_file`.
    config_tls_address: NoEffect<SocketAddr> => Option<SocketAddr>, Control;
    /// Accept pushed configuration.
    config_api_enabled: bool = "true" => bool, Control live;
    /// The key of the config API, which also signs the tokens of `/jwt`, unless control has the environment variable `JWT_KEY`.
    master_key: SecretText => Option<Secret>, Control;
    /// Maximum concurrent connections of the config API, at most 32 of them from one address (IPv6: one /64).
    max_api_connections: Between<1, 65_536> = "256" => usize, Control;
    /// The file with the hosts. `conf.d/*.yaml` in the same folder are read too.
    upstreams_conf: PathBuf => Option<PathBuf>, Control;
    /// Address on which control listens for proxies: unix:PATH. Default: control.sock in `state_dir`.
    control_address: Control => Option<ControlAddress>, Control;
    /// Address of control: unix:PATH, or a list of them. Default: control.sock in `state_dir`.
    control_servers: OneOrMany<Control> => Option<OneOrMany<ControlAddress>>, Proxy;
    /// The name of this node. Default: the host name.
    node_id: NodeName => Option<NodeName>, Proxy;
    /// The group that this node belongs to.
    node_group: GroupName = "default" => GroupName, Proxy;
    /// Listen addresses of the proxy.
    proxy_address_http: OneOrMany<SocketAddr> = "127.0.0.1:6193" => OneOrMany<SocketAddr>, Proxy;
    /// Listen addresses of the proxy with TLS. `to_https` redirects to their port.
    proxy_address_tls: NoEffect<OneOrMany<SocketAddr>> => Option<OneOrMany<SocketAddr>>, Proxy;
    /// Listen address of the proxy's admin API.
    proxy_admin_address: SocketAddr = "127.0.0.1:3004" => SocketAddr, Proxy;
    /// Maximum idle upstream connections per thread.
    upstream_keepalive_pool_size: Between<0, 1_000_000> = "128" => usize, Proxy;
    /// Maximum idle upstream connections per thread to one endpoint.
    upstream_keepalive_per_endpoint: Between<0, 100_000> = "128" => usize, Proxy;
    /// Timeout for the head of a request: from its first byte, or from the accept for the first request of a connection.
    client_header_timeout: NonZeroTimeout = "10s" => Duration, Proxy;
    /// Maximum time without data in the middle of a request body.
    client_body_timeout: NonZeroTimeout = "30s" => Duration, Proxy;
    /// Minimum average rate of a request body, in bytes per second; 0 for no minimum.
    client_body_min_rate: WrittenSize = "100" => u64, Proxy;
    /// Maximum time for which a client may accept no data of a response.
    client_write_timeout: NonZeroTimeout = "60s" => Duration, Proxy;
    /// Maximum time that a client connection may wait for its next request. Above the 60s of common load balancers.
    client_idle_timeout: NonZeroTimeout = "75s" => Duration, Proxy;
    /// Maximum requests per client connection.
    client_requests: Between<1, { u32::MAX as u64 }> = "1000" => u32, Proxy;
    /// Let the kernel hold a new connection until the client sends data, for at most 1s.
    client_defer_accept: bool = "true" => bool, Proxy;
    /// Maximum time for which an upgraded connection may be silent in both directions.
    tunnel_idle_timeout: NonZeroTimeout = "1h" => Duration, Proxy;
    /// Maximum time for a WebSocket to continue while the proxy drains, at most `grace_period`. Default: as `grace_period`.
    tunnel_grace: NonZeroTimeout => Option<Duration>, Proxy;
    /// Maximum time to read and discard what a client still sends after its last answer, before its connection is closed.
    client_linger: NonZeroTimeout = "5s" => Duration, Proxy;
    /// Maximum concurrent client connections, never above the limit of open files; 0 for that limit only.
    max_connections: Between<0, { u32::MAX as u64 }> = "50000" => Option<NonZeroUsize>, Proxy;
    /// Maximum concurrent client connections per listener; 0 for no limit.
    max_connections_per_listener: Between<0, { u32::MAX as u64 }> = "10000" => Option<NonZeroUsize>, Proxy;
    /// Maximum concurrent connections per client address (IPv6: one /64); 0 for no limit.
    max_connections_per_address: Between<0, { u32::MAX as u64 }> = "256" => Option<NonZeroUsize>, Proxy;
    /// Maximum size of a request head.
    max_head: SizeBetween<1_024, 1_048_576> = "64KiB" => usize, Proxy;
    /// Maximum number of header fields of a request.
    max_fields: Between<1, 1_000> = "100" => usize, Proxy;
    /// Maximum length of a request target, not above `max_head`.
    max_target: SizeBetween<64, 65_536> = "8KiB" => usize, Proxy;
    /// The folder that the file server serves; with `file_server_address`.
    file_server_folder: PathBuf => Option<PathBuf>, Proxy;
    /// Listen address of the file server; with `file_server_folder`.
    file_server_address: SocketAddr => Option<SocketAddr>, Proxy;
    /// Folders below which routes may serve files (`files`). Default: `file_server_folder`.
    file_roots: Vec<PathBuf> => Option<Vec<PathBuf>>, Proxy;
    /// The socket for the handover of listeners to a new process. Default: in `state_dir`.
    upgrade_sock: PathBuf => Option<PathBuf>, Proxy;
    /// Maximum time for requests to finish while the proxy drains.
    grace_period: WrittenDuration = "25s" => Duration, Proxy live;
    /// Time for which the proxy reports that it is not ready before it stops accepting connections.
    lame_duck: WrittenDuration = "5s" => Duration, Proxy live;
    /// Maximum size of a snapshot that this node accepts.
    max_snapshot: WrittenSize => Option<u64>, Proxy;
    /// Maximum number of hosts that this node accepts.
    max_hosts: Between<0, { u64::MAX }> => Option<u64>, Proxy;
    /// Maximum number of endpoints that this node accepts.
    max_endpoints: Between<0, { u64::MAX }> => Option<u64>, Proxy;
    /// Maximum rate of failed authorizations from one address (IPv6: one /64), such as 10/min; beyond it, all are refused for as long.
    auth_failures: WrittenFailureRate = "10/min" => FailureRate, Each live;
    @together {
        /// The certificate of the config API, a PEM file.
        config_tls_certificate: NoEffect<PathBuf>, Control;
        /// The key of that certificate, a PEM file.
        config_tls_key_file: NoEffect<PathBuf>, Control;
        /// TLS versions and cipher suites that clients may use. Default: medium.
        proxy_tls_grade: NoEffect<Grade>, Proxy;
        /// Allow the grade `unsafe`. Default: false.
        proxy_tls_unsafe: NoEffect<bool>, Proxy;
    }
    @checked {
        /// The method of health checks. Default: HEAD.
        hc_method: NoEffect<Method>, Control;
        /// Seconds between two health checks. Default: 2.
        hc_interval: NoEffect<Between<1, 86_400>>, Control;
        /// The folder of the proxy's certificates, NAME.crt with NAME.key.
        proxy_certificates: NoEffect<PathBuf>, Control;
        /// Older form of `proxy_certificates`: the folder that contains the folder `certificates`.
        proxy_configs: NoEffect<PathBuf>, Control;
        /// The certificate for names that no other certificate covers. Default: the first by name.
        default_certificate: NoEffect<String>, Control;
        /// Networks whose connections begin with the PROXY protocol.
        proxy_protocol_from: NoEffect<Vec<Cidr>>, Proxy;
        /// The requests to log. Default: off.
        access_log: NoEffect<AccessLog>, Proxy;
        /// The format of the request log. Default: text.
        access_log_format: NoEffect<AccessLogFormat>, Proxy;
        /// The file of the request log, with its rotation.
        log_file: NoEffect<LogFile>, Proxy;
        /// Seconds until an idle client connection is probed.
        tcp_keepalive_idle: NoEffect<Between<1, 86_400>>, Proxy;
        /// Seconds between two such probes.
        tcp_keepalive_interval: NoEffect<Between<1, 86_400>>, Proxy;
        /// Number of unanswered probes after which the connection is closed.
        tcp_keepalive_count: NoEffect<Between<1, 1_000>>, Proxy;
        /// The file with the token for enrolment with control.
        join_token_file: JoinToken, Proxy;
        /// Host names that the config API answers to.
        config_api_hosts: NotYet<OneOrMany<String>>, Control;
        /// Allow routes to the config API.
        allow_routes_to_api: NotYet<bool>, Control;
        /// Certificate, key and authority of control for TCP connections from proxies.
        control_tls: NotYet<ControlTlsKeys>, Control;
        /// Addresses at which proxies on other machines reach control.
        control_advertise: NotYet<OneOrMany<String>>, Control;
        /// Amount of history that control keeps.
        history: NotYet<HistoryKeys>, Control;
        /// Destination of traces, and the share of requests that is traced.
        traces: NotYet<TraceKeys>, Proxy;
        /// Timeout for the TLS handshake of a client.
        client_handshake_timeout: NotYet<NonZeroTimeout>, Proxy;
        /// Maximum concurrent requests on one HTTP/2 connection.
        http2_max_streams: NotYet<Between<1, { u32::MAX as u64 }>>, Proxy;
    }
}

impl Default for MainConfig {
    /// Returns the configuration of an empty file.
    fn default() -> Self {
        Self::of(MainKeys::default(), Vec::new())
    }
}

impl MainConfig {
    /// Returns the port on which a proxy serves HTTPS, to which `to_https` redirects. `None` if it does not.
    pub fn tls_port(&self) -> Option<u16> {
        let addresses = self.proxy_address_tls.as_ref();
        addresses.map(|addresses| addresses.first.port())
    }
}
