//! The keys of `main.yaml`: each is said once.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::main_config::into_setting::{IntoSetting, or_default};
use crate::main_config::owner::Owner;
use crate::main_config::secret::Secret;
use crate::main_config::values::{
    AccessLog, AccessLogFormat, Control, ControlAddress, ControlTlsKeys, Grade, HistoryKeys, Idle,
    JoinToken, LogFile, LogLevel, Method, TraceKeys,
};
use crate::model::{GroupName, NodeName};
use crate::place::DocumentFault;
use crate::reading::{
    Between, Cidr, Deadline, NotYet, OneOrMany, SecretText, SizeBetween, WrittenDuration,
    WrittenSize, keys,
};

/// Declares the keys: `key: type as written = default => type as used, owner`, and `live` where a running daemon takes a new value. Without a
/// default the used type is optional. `@together`: keys that only mean something to the checks of others; `@checked`: keys that this release reads for
/// their faults alone.
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

        /// The values of `main.yaml` that a daemon or the supervisor uses in this release, defaults filled in.
        #[derive(Clone, Debug)]
        pub struct MainConfig {
            $($(#[doc = $about])* pub $key: $used,)*
            /// Keys that are known and well-formed but do nothing in this release, each with its place: a daemon logs them.
            pub idle: Vec<DocumentFault>,
        }

        impl MainConfig {
            /// From keys that were checked.
            pub(super) fn of(keys: MainKeys, idle: Vec<DocumentFault>) -> Self {
                Self {
                    $($key: main_keys!(@value keys.$key $(, $default)?),)*
                    idle,
                }
            }
        }

        /// Whose each key is, and whether a running daemon takes a new value.
        pub(super) const OWNERS: &[(&str, Owner, bool)] = &[
            $((stringify!($key), Owner::$owner, main_keys!(@live $($live)?)),)*
            $((stringify!($together), Owner::$together_owner, false),)*
            $((stringify!($checked), Owner::$checked_owner, false),)*
        ];
    };
}

main_keys! {
    /// How many threads serve requests. Default: the number of cores.
    threads: Between<1, 4096> => Option<NonZeroUsize>, Proxy;
    /// The user to run as, with `rungroup`, when started as root.
    runuser: String => Option<String>, Each;
    /// The group to run as, with `runuser`.
    rungroup: String => Option<String>, Each;
    /// Whether to go to the background.
    daemon: bool = "false" => bool, Each;
    /// The file that holds the process id while in the background.
    pid_file: PathBuf => Option<PathBuf>, Each;
    /// Where the log goes instead of the standard error output.
    error_log: PathBuf => Option<PathBuf>, Each;
    /// How much is logged.
    log_level: LogLevel = "info" => LogLevel, Each live;
    /// The folder of what must survive a restart. Default: /var/lib/aralez as root, else $XDG_STATE_HOME/aralez.
    state_dir: PathBuf => Option<PathBuf>, Each;
    /// Where the config API listens.
    config_address: SocketAddr = "127.0.0.1:3000" => SocketAddr, Control;
    /// Where the config API listens with TLS; with `config_tls_certificate` and `config_tls_key_file`.
    config_tls_address: Idle<SocketAddr> => Option<SocketAddr>, Control;
    /// Whether configuration may be pushed.
    config_api_enabled: bool = "true" => bool, Control live;
    /// The key of the config API.
    master_key: SecretText => Option<Secret>, Control;
    /// How many connections the config API may have at once, 32 of them from one address (IPv6: one /64).
    max_api_connections: Between<1, 65_536> = "256" => usize, Control;
    /// The file with the hosts; `conf.d/*.yaml` beside it are read too.
    upstreams_conf: PathBuf => Option<PathBuf>, Control;
    /// Where control listens for proxies: unix:PATH. Default: control.sock in `state_dir`.
    control_address: Control => Option<ControlAddress>, Control;
    /// Where a proxy finds control: unix:PATH, several in a list. Default: control.sock in `state_dir`.
    control_servers: OneOrMany<Control> => Option<OneOrMany<ControlAddress>>, Proxy;
    /// The name of this node. Default: the host's name.
    node_id: NodeName => Option<NodeName>, Proxy;
    /// The group of nodes that this one belongs to.
    node_group: GroupName = "default" => GroupName, Proxy;
    /// Where the proxy listens.
    proxy_address_http: OneOrMany<SocketAddr> = "127.0.0.1:6193" => OneOrMany<SocketAddr>, Proxy;
    /// Where the proxy listens with TLS; its port is where `to_https` leads.
    proxy_address_tls: Idle<OneOrMany<SocketAddr>> => Option<OneOrMany<SocketAddr>>, Proxy;
    /// Where the proxy answers questions about itself.
    proxy_admin_address: SocketAddr = "127.0.0.1:3004" => SocketAddr, Proxy;
    /// How many idle connections to endpoints each thread keeps in all.
    upstream_keepalive_pool_size: Between<0, 1_000_000> = "128" => usize, Proxy;
    /// How many idle connections to one endpoint each thread keeps.
    upstream_keepalive_per_endpoint: Between<0, 100_000> = "128" => usize, Proxy;
    /// How long a client may take for the head of a request, from its first byte to its last.
    client_header_timeout: Deadline = "10s" => Duration, Proxy;
    /// How long a client may send nothing in the middle of a body.
    client_body_timeout: Deadline = "30s" => Duration, Proxy;
    /// How much of a body a client must send in a second, on average; 0 is no minimum.
    client_body_min_rate: WrittenSize = "100" => u64, Proxy;
    /// How long a client may take nothing of a response.
    client_write_timeout: Deadline = "60s" => Duration, Proxy;
    /// How long a client's connection may wait for its next request. Above the 60s of common load balancers.
    client_idle_timeout: Deadline = "75s" => Duration, Proxy;
    /// How many requests a client's connection may carry.
    client_requests: Between<1, { u32::MAX as u64 }> = "1000" => u32, Proxy;
    /// Whether the kernel holds a new connection until its client says something, for a second at most.
    client_defer_accept: bool = "true" => bool, Proxy;
    /// How long an upgraded connection may be silent on both sides.
    tunnel_idle_timeout: Deadline = "1h" => Duration, Proxy;
    /// How long a WebSocket may go on when the proxy leaves, at most `grace_period`. Default: as `grace_period`.
    tunnel_grace: Deadline => Option<Duration>, Proxy;
    /// How long what a client still sends after its last answer is read away before its connection is closed.
    client_linger: Deadline = "5s" => Duration, Proxy;
    /// How many connections of clients there may be at once, never more than the limit of open files allows; 0 is no limit of its own.
    max_connections: Between<0, { u32::MAX as u64 }> = "50000" => Option<NonZeroUsize>, Proxy;
    /// How many connections of clients one listener may have at once; 0 is no limit.
    max_connections_per_listener: Between<0, { u32::MAX as u64 }> = "10000" => Option<NonZeroUsize>, Proxy;
    /// How many connections one client address (IPv6: one /64) may have at once; 0 is no limit.
    max_connections_per_address: Between<0, { u32::MAX as u64 }> = "256" => Option<NonZeroUsize>, Proxy;
    /// The largest head of a request.
    max_head: SizeBetween<1_024, 1_048_576> = "64KiB" => usize, Proxy;
    /// The most header fields of a request.
    max_fields: Between<1, 1_000> = "100" => usize, Proxy;
    /// The longest target of a request, not beyond `max_head`.
    max_target: SizeBetween<64, 65_536> = "8KiB" => usize, Proxy;
    /// The socket over which listeners pass to a new process. Default: in `state_dir`.
    upgrade_sock: PathBuf => Option<PathBuf>, Proxy;
    /// How long requests may take to finish when the proxy leaves.
    grace_period: WrittenDuration = "25s" => Duration, Proxy live;
    /// How long the proxy says that it is not ready before it stops taking connections.
    lame_duck: WrittenDuration = "5s" => Duration, Proxy live;
    /// The largest snapshot that this node takes.
    max_snapshot: WrittenSize => Option<u64>, Proxy;
    /// The most hosts that this node takes.
    max_hosts: Between<0, { u64::MAX }> => Option<u64>, Proxy;
    /// The most endpoints that this node takes.
    max_endpoints: Between<0, { u64::MAX }> => Option<u64>, Proxy;
    @together {
        /// The certificate of the config API, a PEM file.
        config_tls_certificate: Idle<PathBuf>, Control;
        /// The key of that certificate, a PEM file.
        config_tls_key_file: Idle<PathBuf>, Control;
        /// How old a client's TLS may be. Default: medium.
        proxy_tls_grade: Idle<Grade>, Proxy;
        /// Whether the grade `unsafe` may be chosen. Default: false.
        proxy_tls_unsafe: Idle<bool>, Proxy;
        /// The folder that the file server serves; with `file_server_address`.
        file_server_folder: Idle<PathBuf>, Proxy;
        /// Where the file server listens; with `file_server_folder`.
        file_server_address: Idle<SocketAddr>, Proxy;
    }
    @checked {
        /// The method of health checks. Default: HEAD.
        hc_method: Idle<Method>, Control;
        /// Seconds between two health checks. Default: 2.
        hc_interval: Idle<Between<1, 86_400>>, Control;
        /// The folder of the proxy's certificates, NAME.crt with NAME.key.
        proxy_certificates: Idle<PathBuf>, Control;
        /// Before `proxy_certificates`: the folder whose folder `certificates` holds them.
        proxy_configs: Idle<PathBuf>, Control;
        /// The certificate for names that no other has. Default: the first by name.
        default_certificate: Idle<String>, Control;
        /// Networks whose connections begin with the PROXY protocol.
        proxy_protocol_from: Idle<Vec<Cidr>>, Proxy;
        /// Folders below which routes may serve files. Default: `file_server_folder`.
        file_roots: Idle<Vec<PathBuf>>, Proxy;
        /// Which requests are logged. Default: off.
        access_log: Idle<AccessLog>, Proxy;
        /// How requests are logged. Default: text.
        access_log_format: Idle<AccessLogFormat>, Proxy;
        /// Where requests are logged, with rotation.
        log_file: Idle<LogFile>, Proxy;
        /// Seconds until an idle connection of a client is probed.
        tcp_keepalive_idle: Idle<Between<1, 86_400>>, Proxy;
        /// Seconds between two such probes.
        tcp_keepalive_interval: Idle<Between<1, 86_400>>, Proxy;
        /// How many such probes go unanswered before the connection is closed.
        tcp_keepalive_count: Idle<Between<1, 1_000>>, Proxy;
        /// The file with the token to enrol with control.
        join_token_file: JoinToken, Proxy;
        /// The names that the config API answers to.
        config_api_hosts: NotYet<OneOrMany<String>>, Control;
        /// How often one address may name a wrong key, as 10/min.
        auth_failures: NotYet<String>, Each;
        /// Whether routes may lead to the config API.
        allow_routes_to_api: NotYet<bool>, Control;
        /// Certificate, key and authority with which control speaks TCP to proxies.
        control_tls: NotYet<ControlTlsKeys>, Control;
        /// Where proxies of other machines dial control.
        control_advertise: NotYet<OneOrMany<String>>, Control;
        /// How much of the history control keeps.
        history: NotYet<HistoryKeys>, Control;
        /// Where traces go, and of which share of the requests.
        traces: NotYet<TraceKeys>, Proxy;
        /// How long a client may take for the TLS handshake.
        client_handshake_timeout: NotYet<Deadline>, Proxy;
        /// How many requests one HTTP/2 connection may carry at once.
        http2_max_streams: NotYet<Between<1, { u32::MAX as u64 }>>, Proxy;
    }
}

impl Default for MainConfig {
    /// What an empty file says.
    fn default() -> Self {
        Self::of(MainKeys::default(), Vec::new())
    }
}
