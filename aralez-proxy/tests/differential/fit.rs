//! The fields that may be forwarded. The lists are independent of those in the product, so that a mistake there is detected.

/// Hop-by-hop fields, which are never forwarded.
const OF_CONNECTIONS: [&str; 4] = [
    "keep-alive",
    "proxy-connection",
    "http2-settings",
    "trailer",
];

/// Fields that are dangerous in a trailer section.
const NOT_TRAILING: [&str; 12] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-api-key",
];

/// Fields about the client that only the proxy may set.
const OURS: [&str; 14] = [
    "cf-connecting-ip",
    "forwarded",
    "front-end-https",
    "remote-user",
    "true-client-ip",
    "x-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-scheme",
    "x-forwarded-ssl",
    "x-original-url",
    "x-real-ip",
    "x-remote-user",
];

/// Reports whether the head of a forwarded request may contain a field.
pub(crate) fn head(name: &str, value: &[u8]) -> bool {
    let name = name.to_lowercase();
    let spelling = name.replace(['_', '.'], "-");
    match name.as_str() {
        "connection" => matches!(value, b"upgrade" | b"te"),
        "upgrade" => value == b"websocket",
        "te" => value == b"trailers",
        "x-forwarded-for" => value == b"127.0.0.1",
        "x-forwarded-proto" => value == b"http",
        "x-forwarded-host" => true,
        name => !OURS.contains(&spelling.as_str()) && !OF_CONNECTIONS.contains(&name),
    }
}

/// Reports whether a forwarded trailer section may contain a field.
pub(crate) fn trailer(name: &str) -> bool {
    let name = name.to_lowercase();
    let spelling = name.replace(['_', '.'], "-");
    !OURS.contains(&spelling.as_str()) && !NOT_TRAILING.contains(&name.as_str())
}
