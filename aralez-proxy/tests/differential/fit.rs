//! What may stand where, written down once more beside the product, so that one mistake is not made twice.

/// Fields of one connection.
const OF_CONNECTIONS: [&str; 4] = [
    "keep-alive",
    "proxy-connection",
    "http2-settings",
    "trailer",
];

/// Names that mean nothing good behind a body.
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

/// What only we say of a client.
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

/// Whether a field may stand in a request's head that goes on.
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

/// Whether a field may stand in a trailer section that goes on.
pub(crate) fn trailer(name: &str) -> bool {
    let name = name.to_lowercase();
    let spelling = name.replace(['_', '.'], "-");
    !OURS.contains(&spelling.as_str()) && !NOT_TRAILING.contains(&name.as_str())
}
