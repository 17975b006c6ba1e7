use super::*;

#[test]
fn what_belongs_to_one_connection_goes_no_further() {
    for name in [
        "Connection",
        "keep-alive",
        "TE",
        "Transfer-Encoding",
        "Upgrade",
        "HTTP2-Settings",
        "Trailer",
        "Proxy-Connection",
    ] {
        assert!(FieldName::of(name.as_bytes()).is_hop_by_hop(), "{name}");
    }
    for name in [
        "Host",
        "Accept",
        "Cookie",
        "Content-Length",
        "Connectio",
        "",
    ] {
        assert!(!FieldName::of(name.as_bytes()).is_hop_by_hop(), "{name}");
    }
}

#[test]
fn a_client_cannot_speak_in_our_name_in_any_spelling() {
    for name in [
        "X-Forwarded-For",
        "X_Forwarded_For",
        "x-forwarded_proto",
        "Forwarded",
        "X-Real-IP",
        "X_REAL_IP",
        "X-Client-Cert",
        "X-Forwarded-Ssl",
        "X-Forwarded-Scheme",
        "X-Forwarded-User",
        "Front-End-Https",
        "X-Remote-User",
        "Remote_User",
        "True-Client-IP",
        "CF-Connecting-IP",
        "X-Original-URL",
        "X.Real.IP",
    ] {
        assert_eq!(FieldName::of(name.as_bytes()), FieldName::Ours, "{name}");
    }
    for name in ["X-Forward", "X-Real-I", "Forwarde", "X-Request-IDs"] {
        assert_eq!(FieldName::of(name.as_bytes()), FieldName::Other, "{name}");
    }
}

#[test]
fn a_client_cannot_have_managed_fields_dropped() {
    for name in [
        "x-forwarded-for",
        "Host",
        "X-Real-Ip",
        "x_forwarded_proto",
        "via",
        "cdn-loop",
        "content-length",
        "Content-Type",
        "transfer-encoding",
    ] {
        assert!(
            !FieldName::of(name.as_bytes()).is_clients_to_drop(),
            "{name}"
        );
    }
    for name in ["x-mine", "cookie", "close", "upgrade"] {
        assert!(
            FieldName::of(name.as_bytes()).is_clients_to_drop(),
            "{name}"
        );
    }
}

#[test]
fn what_frames_routes_or_authorises_cannot_trail() {
    for name in [
        "Content-Length",
        "Host",
        "Authorization",
        "Set-Cookie",
        "X-Forwarded-For",
        "CDN-Loop",
        "Trailer",
        "Cache-Control",
    ] {
        assert!(!may_trail(name.as_bytes()), "{name}");
    }
    for name in ["Grpc-Status", "Digest", "Server-Timing", "Date"] {
        assert!(may_trail(name.as_bytes()), "{name}");
    }
}
