//! The keys of `main.yaml`.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::main_config::LogLevel;
use crate::main_config::values::{
    AccessLog, AccessLogFormat, Control, ControlTlsKeys, Grade, HistoryKeys, Idle, JoinToken,
    LogFile, Method, TraceKeys,
};
use crate::model::{GroupName, NodeName};
use crate::reading::{
    Between, Cidr, Deadline, Life, NotYet, OneOrMany, Secrecy, Size, SizeBetween, keys,
};

keys! {
    /// `main.yaml`.
    MainKeys "in main.yaml";
    /// How many threads serve requests. Default: the number of cores.
    threads: "threads" => Between<1, 4096>,
    /// The user to run as, with `rungroup`, when started as root.
    runuser: "runuser" => String,
    /// The group to run as, with `runuser`.
    rungroup: "rungroup" => String,
    /// Whether to go to the background. Default: false.
    daemon: "daemon" => bool,
    /// The file that holds the process id while in the background.
    pid_file: "pid_file" => PathBuf,
    /// Where the log goes instead of the standard error output.
    error_log: "error_log" => PathBuf,
    /// How much is logged. Default: info.
    log_level: "log_level" => LogLevel,
    /// The folder of what must survive a restart. Default: /var/lib/aralez as root, else $XDG_STATE_HOME/aralez.
    state_dir: "state_dir" => PathBuf,
    /// Where the config API listens. Default: 127.0.0.1:3000.
    config_address: "config_address" => SocketAddr,
    /// Where the config API listens with TLS; with `config_tls_certificate` and `config_tls_key_file`.
    config_tls_address: "config_tls_address" => Idle<SocketAddr>,
    /// The certificate of the config API, a PEM file.
    config_tls_certificate: "config_tls_certificate" => Idle<PathBuf>,
    /// The key of that certificate, a PEM file.
    config_tls_key_file: "config_tls_key_file" => Idle<PathBuf>,
    /// Whether configuration may be pushed. Default: true.
    config_api_enabled: "config_api_enabled" => bool,
    /// The key of the config API.
    master_key: "master_key" => Secrecy,
    /// How many connections the config API may have at once, 32 of them from one address (IPv6: one /64). Default: 256.
    max_api_connections: "max_api_connections" => Between<1, 65_536>,
    /// The file with the hosts; `conf.d/*.yaml` beside it are read too.
    upstreams_conf: "upstreams_conf" => PathBuf,
    /// Where control listens for proxies: unix:PATH. Default: control.sock in `state_dir`.
    control_address: "control_address" => Control,
    /// Where a proxy finds control: unix:PATH, several in a list. Default: control.sock in `state_dir`.
    control_servers: "control_servers" => OneOrMany<Control>,
    /// The name of this node. Default: the host's name.
    node_id: "node_id" => NodeName,
    /// The group of nodes that this one belongs to. Default: default.
    node_group: "node_group" => GroupName,
    /// Where the proxy listens. Default: 127.0.0.1:6193.
    proxy_address_http: "proxy_address_http" => OneOrMany<SocketAddr>,
    /// Where the proxy listens with TLS; its port is where `to_https` leads.
    proxy_address_tls: "proxy_address_tls" => Idle<OneOrMany<SocketAddr>>,
    /// How old a client's TLS may be. Default: medium.
    proxy_tls_grade: "proxy_tls_grade" => Idle<Grade>,
    /// Whether the grade `unsafe` may be chosen. Default: false.
    proxy_tls_unsafe: "proxy_tls_unsafe" => Idle<bool>,
    /// Where the proxy answers questions about itself. Default: 127.0.0.1:3004.
    proxy_admin_address: "proxy_admin_address" => SocketAddr,
    /// How many idle connections to endpoints each thread keeps in all. Default: 128.
    upstream_keepalive_pool_size: "upstream_keepalive_pool_size" => Between<0, 1_000_000>,
    /// How many idle connections to one endpoint each thread keeps. Default: 128.
    upstream_keepalive_per_endpoint: "upstream_keepalive_per_endpoint" => Between<0, 100_000>,
    /// How long a client may take for the head of a request, from its first byte to its last. Default: 10s.
    client_header_timeout: "client_header_timeout" => Deadline,
    /// How long a client may send nothing in the middle of a body. Default: 30s.
    client_body_timeout: "client_body_timeout" => Deadline,
    /// How much of a body a client must send in a second, on average; 0 is no minimum. Default: 100.
    client_body_min_rate: "client_body_min_rate" => Size,
    /// How long a client may take nothing of a response. Default: 60s.
    client_write_timeout: "client_write_timeout" => Deadline,
    /// How long a client's connection may wait for its next request. Default: 75s, above the 60s of common load balancers.
    client_idle_timeout: "client_idle_timeout" => Deadline,
    /// How many requests a client's connection may carry. Default: 1000.
    client_requests: "client_requests" => Between<1, { u32::MAX as u64 }>,
    /// Whether the kernel holds a new connection until its client says something, for a second at most. Default: true.
    client_defer_accept: "client_defer_accept" => bool,
    /// How long an upgraded connection may be silent on both sides. Default: 1h.
    tunnel_idle_timeout: "tunnel_idle_timeout" => Deadline,
    /// How long a WebSocket may go on when the proxy leaves, at most `grace_period`. Default: as `grace_period`.
    tunnel_grace: "tunnel_grace" => Deadline,
    /// How long what a client still sends after its last answer is read away before its connection is closed. Default: 5s.
    client_linger: "client_linger" => Deadline,
    /// How many connections of clients there may be at once, never more than the limit of open files allows; 0 is no limit of its own.
    /// Default: 50000.
    max_connections: "max_connections" => Between<0, { u32::MAX as u64 }>,
    /// How many connections of clients one listener may have at once; 0 is no limit. Default: 10000.
    max_connections_per_listener: "max_connections_per_listener" => Between<0, { u32::MAX as u64 }>,
    /// How many connections one client address (IPv6: one /64) may have at once; 0 is no limit. Default: 256.
    max_connections_per_address: "max_connections_per_address" => Between<0, { u32::MAX as u64 }>,
    /// The largest head of a request. Default: 64KiB.
    max_head: "max_head" => SizeBetween<1_024, 1_048_576>,
    /// The most header fields of a request. Default: 100.
    max_fields: "max_fields" => Between<1, 1_000>,
    /// The longest target of a request, not beyond `max_head`. Default: 8KiB.
    max_target: "max_target" => SizeBetween<64, 65_536>,
    /// The socket over which listeners pass to a new process. Default: in `state_dir`.
    upgrade_sock: "upgrade_sock" => PathBuf,
    /// The folder that the file server serves; with `file_server_address`.
    file_server_folder: "file_server_folder" => Idle<PathBuf>,
    /// Where the file server listens; with `file_server_folder`.
    file_server_address: "file_server_address" => Idle<SocketAddr>,
    /// How long requests may take to finish when the proxy leaves. Default: 25s.
    grace_period: "grace_period" => Life,
    /// How long the proxy says that it is not ready before it stops taking connections. Default: 5s.
    lame_duck: "lame_duck" => Life,
    /// The largest snapshot that this node takes.
    max_snapshot: "max_snapshot" => Size,
    /// The most hosts that this node takes.
    max_hosts: "max_hosts" => Between<0, { u64::MAX }>,
    /// The most endpoints that this node takes.
    max_endpoints: "max_endpoints" => Between<0, { u64::MAX }>,
    @checked {
        /// The method of health checks. Default: HEAD.
        "hc_method" => Idle<Method>,
        /// Seconds between two health checks. Default: 2.
        "hc_interval" => Idle<Between<1, 86_400>>,
        /// The folder of the proxy's certificates, NAME.crt with NAME.key.
        "proxy_certificates" => Idle<PathBuf>,
        /// Before `proxy_certificates`: the folder whose folder `certificates` holds them.
        "proxy_configs" => Idle<PathBuf>,
        /// The certificate for names that no other has. Default: the first by name.
        "default_certificate" => Idle<String>,
        /// Networks whose connections begin with the PROXY protocol.
        "proxy_protocol_from" => Idle<Vec<Cidr>>,
        /// Folders below which routes may serve files. Default: `file_server_folder`.
        "file_roots" => Idle<Vec<PathBuf>>,
        /// Which requests are logged. Default: off.
        "access_log" => Idle<AccessLog>,
        /// How requests are logged. Default: text.
        "access_log_format" => Idle<AccessLogFormat>,
        /// Where requests are logged, with rotation.
        "log_file" => Idle<LogFile>,
        /// Seconds until an idle connection of a client is probed.
        "tcp_keepalive_idle" => Idle<Between<1, 86_400>>,
        /// Seconds between two such probes.
        "tcp_keepalive_interval" => Idle<Between<1, 86_400>>,
        /// How many such probes go unanswered before the connection is closed.
        "tcp_keepalive_count" => Idle<Between<1, 1_000>>,
        /// The file with the token to enrol with control.
        "join_token_file" => JoinToken,
        /// The names that the config API answers to.
        "config_api_hosts" => NotYet<OneOrMany<String>>,
        /// How often one address may name a wrong key, as 10/min.
        "auth_failures" => NotYet<String>,
        /// Whether routes may lead to the config API.
        "allow_routes_to_api" => NotYet<bool>,
        /// Certificate, key and authority with which control speaks TCP to proxies.
        "control_tls" => NotYet<ControlTlsKeys>,
        /// Where proxies of other machines dial control.
        "control_advertise" => NotYet<OneOrMany<String>>,
        /// How much of the history control keeps.
        "history" => NotYet<HistoryKeys>,
        /// Where traces go, and of which share of the requests.
        "traces" => NotYet<TraceKeys>,
        /// How long a client may take for the TLS handshake.
        "client_handshake_timeout" => NotYet<Deadline>,
        /// How many requests one HTTP/2 connection may carry at once.
        "http2_max_streams" => NotYet<Between<1, { u32::MAX as u64 }>>,
    }
}
