//! Properties of the reader of documents: it returns what was written, and no bytes make it panic.

use std::collections::BTreeMap;

use aralez_proto::document::{self, Authored, DocumentSet, Places, Surroundings};
use aralez_proto::main_config;
use aralez_proto::model::GroupName;
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(text: String) -> Result<Authored, document::DocumentFaults> {
    document::read(&DocumentSet::of_main(text.into()), &Surroundings::default())
}

/// Returns the content of documents without its places.
fn said(authored: &Authored) -> Authored {
    let mut said = authored.clone();
    said.places = Places::default();
    for host in &mut said.hosts {
        host.places = Places::default();
        host.route_places.clear();
    }
    said
}

prop_compose! {
    fn route()(
        servers in prop::collection::btree_set(1_u16..9_999, 1..4),
        to_https in any::<bool>(),
        redirect in any::<bool>(),
        // Without braces, which are placeholders.
        value in "[ -9;-z|~]{0,12}",
        connect in 1_u64..100,
    ) -> Value {
        let servers: Vec<String> = servers.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        if redirect {
            json!({ "redirect_to": { "to": "https://www.example.com", "status": 308 } })
        } else {
            json!({
                "servers": servers,
                "to_https": to_https,
                "headers": [format!("X-Value:{value}")],
                "timeouts": { "connect": connect, "read": format!("{connect}ms"), "first_byte": format!("{connect}s") },
            })
        }
    }
}

prop_compose! {
    fn hosts()(
        hosts in prop::collection::btree_map(
            "[a-z]{1,8}\\.example",
            prop::collection::btree_map("/[a-z]{1,6}", route(), 1..4),
            0..5,
        ),
    ) -> BTreeMap<String, Value> {
        hosts.into_iter().map(|(name, paths)| (name, json!({ "paths": paths }))).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_read_back_in_both_layouts(hosts in hosts(), to_https in any::<bool>()) {
        let mut flat = json!({ "to_https": to_https });
        for (name, host) in &hosts {
            flat[name] = host.clone();
        }
        let wrapped = json!({ "to_https": to_https, "upstreams": hosts });
        let block = read(serde_yaml::to_string(&flat).unwrap()).unwrap();
        let inside = read(serde_yaml::to_string(&wrapped).unwrap()).unwrap();
        // JSON is YAML.
        let braces = read(flat.to_string()).unwrap();
        prop_assert_eq!(said(&block), said(&inside));
        prop_assert_eq!(said(&block), said(&braces));
        prop_assert_eq!(block.hosts.len(), hosts.len());
        for (host, (name, written)) in block.hosts.iter().zip(&hosts) {
            prop_assert_eq!(&host.host.pattern.to_string(), name);
            let paths = written["paths"].as_object().unwrap();
            prop_assert_eq!(host.host.routes.len(), paths.len());
            let servers = paths.values().filter_map(|route| route["servers"].as_array());
            let written: Vec<String> = servers.flatten().map(|server| server.as_str().unwrap().to_owned()).collect();
            let endpoints = host.pools.iter().flat_map(|pool| &pool.endpoints);
            let read: Vec<String> = endpoints.map(|endpoint| endpoint.address.to_string()).collect();
            prop_assert_eq!(read, written);
        }
        let group = GroupName::default();
        prop_assert_eq!(document::records(&block, Some(&group)).root(), document::records(&inside, Some(&group)).root());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = main_config::read("main.yaml", &bytes);
        let _ = document::read(&DocumentSet::of_main(bytes.into()), &Surroundings::default());
    }

    #[test]
    fn no_text_that_looks_like_yaml_makes_it_panic(text in "([-?:,&*!|>'\"%@`#{}\\[\\]~ \n\r\ta.é/0<]|paths|servers|upstreams|---|\\.\\.\\.|: |- |\n  ){0,80}") {
        let _ = main_config::read("main.yaml", text.as_bytes());
        let _ = read(text);
    }

    #[test]
    fn a_document_with_a_slip_is_read_or_refused_with_places_inside_it(
        cut in 0_usize..1_200,
        put in "[-:a{}\\[\\]\"' \n&*]{0,3}",
    ) {
        let mut text = include_str!("../../deploy/samples/upstreams.yaml").to_owned();
        let cut = cut.min(text.len() - 1);
        text.replace_range(cut..=cut, &put);
        let lines = text.lines().count() + 1;
        let faults = read(text).err().map_or_else(Vec::new, |faults| faults.0);
        for fault in faults {
            prop_assert!(fault.place.line >= 1 && fault.place.line <= lines, "{fault}");
            prop_assert!(fault.place.column >= 1, "{fault}");
        }
    }
}

/// Keys that the schema of `main.yaml` must declare.
const MAIN_KEYS: [&str; 71] = [
    "threads",
    "runuser",
    "rungroup",
    "daemon",
    "pid_file",
    "error_log",
    "log_level",
    "state_dir",
    "config_address",
    "config_tls_address",
    "config_tls_certificate",
    "config_tls_key_file",
    "config_api_enabled",
    "master_key",
    "upstreams_conf",
    "hc_method",
    "hc_interval",
    "proxy_certificates",
    "proxy_configs",
    "default_certificate",
    "control_address",
    "control_servers",
    "node_id",
    "node_group",
    "join_token_file",
    "proxy_address_http",
    "proxy_address_tls",
    "proxy_tls_grade",
    "proxy_tls_unsafe",
    "proxy_admin_address",
    "proxy_protocol_from",
    "upstream_keepalive_pool_size",
    "upstream_keepalive_per_endpoint",
    "client_header_timeout",
    "client_body_timeout",
    "client_body_min_rate",
    "client_write_timeout",
    "client_idle_timeout",
    "client_requests",
    "client_defer_accept",
    "tunnel_idle_timeout",
    "max_connections",
    "max_connections_per_listener",
    "max_connections_per_address",
    "max_head",
    "max_fields",
    "max_target",
    "upgrade_sock",
    "file_server_folder",
    "file_server_address",
    "file_roots",
    "access_log",
    "access_log_format",
    "log_file",
    "tcp_keepalive_idle",
    "tcp_keepalive_interval",
    "tcp_keepalive_count",
    "grace_period",
    "lame_duck",
    "max_snapshot",
    "max_hosts",
    "max_endpoints",
    "traces",
    "client_handshake_timeout",
    "http2_max_streams",
    "config_api_hosts",
    "auth_failures",
    "allow_routes_to_api",
    "control_tls",
    "control_advertise",
    "history",
];

/// The keys that are allowed in every scope: at the top, at a host and at a path.
const EVERY_SCOPE: [&str; 13] = [
    "to_https",
    "rate_limit",
    "x4xx_limit",
    "headers",
    "client_headers",
    "server_headers",
    "authorization",
    "timeouts",
    "max_body",
    "compress",
    "allow",
    "deny",
    "errors",
];

/// Returns the keys that a schema declares, without those of nested objects.
fn declared(schema: &Value) -> Vec<String> {
    let keys = schema["properties"]
        .as_object()
        .expect("schema has no properties");
    keys.keys().cloned().collect()
}

#[test]
fn the_schemas_know_the_limit_to_the_first_byte_in_every_scope() {
    let upstreams = aralez_proto::schema::upstreams();
    let scopes = [
        &upstreams,
        &upstreams["$defs"]["host"],
        &upstreams["$defs"]["route"],
    ];
    for scope in scopes {
        let limits = declared(&scope["properties"]["timeouts"]);
        assert!(limits.iter().any(|limit| limit == "first_byte"));
    }
}

#[test]
fn the_schemas_know_every_key_and_say_what_it_means() {
    let (main, upstreams) = (
        aralez_proto::schema::main(),
        aralez_proto::schema::upstreams(),
    );
    for key in MAIN_KEYS {
        assert!(declared(&main).iter().any(|known| known == key), "{key}");
    }
    let scopes = [
        &upstreams,
        &upstreams["$defs"]["host"],
        &upstreams["$defs"]["route"],
    ];
    let [global, host, route] = scopes.map(declared);
    for key in EVERY_SCOPE {
        let known = |keys: &[String]| keys.iter().any(|known| known == key);
        assert!(known(&global) && known(&host) && known(&route), "{key}");
    }
    for schema in [&main].into_iter().chain(scopes) {
        for (key, value) in schema["properties"].as_object().unwrap() {
            assert!(
                value["description"]
                    .as_str()
                    .is_some_and(|about| about.len() > 10),
                "{key}"
            );
        }
    }
    assert_eq!(
        main["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert_eq!(upstreams["additionalProperties"]["$ref"], "#/$defs/host");
}
