//! Fields that only a proxy may set about a client, its connection or its request. An endpoint that trusts its proxy believes them, so a
//! client must not send them: they are dropped, in every spelling that an endpoint may accept for them.
//!
//! From a trusted proxy they pass, or are continued ([`crate::client`]). Signed statements (`Cf-Access-Jwt-Assertion`,
//! `X-Goog-IAP-JWT-Assertion`, `X-Amzn-Oidc-Data`) always pass: an endpoint verifies them itself. So do fields that a client may send on its
//! own behalf: `X-HTTP-Method-Override`, `X-Request-ID`, `traceparent`, `Early-Data`.

/// The names in lower case; a trailing `*` matches every name with that prefix.
const NAMES: [&[u8]; 65] = [
    // Address, scheme, host, port, path, user and certificate, as set by every reverse proxy. Frameworks (Rack, Django, ASP.NET, Spring)
    // read members of this family that contradict each other.
    b"forwarded",
    b"x-forwarded*",
    b"x-original-*",
    // The client's address, as set by proxies and content delivery networks.
    b"ali-cdn-real-ip",
    b"cdn-src-ip",
    b"cf-connecting-ip",
    b"cf-connecting-ipv6",
    b"cf-pseudo-ipv4",
    b"client-ip",
    b"do-connecting-ip",
    b"fastly-client-ip",
    b"fly-client-ip",
    b"incap-client-ip",
    b"proxy-client-ip",
    b"true-client-ip",
    b"wl-proxy-client-ip",
    b"x-appengine-user-ip",
    b"x-azure-clientip",
    b"x-azure-socketip",
    b"x-client-ip",
    b"x-cluster-client-ip",
    b"x-nf-client-connection-ip",
    b"x-originating-ip",
    b"x-proxyuser-ip",
    b"x-real-ip",
    b"x-real-port",
    b"x-sucuri-clientip",
    b"x-vercel-forwarded-for",
    // The scheme: whether the client spoke TLS.
    b"cf-visitor",
    b"cloudfront-forwarded-proto",
    b"front-end-https",
    b"wl-proxy-ssl",
    b"x-arr-ssl",
    b"x-https",
    b"x-scheme",
    b"x-url-scheme",
    // A host, path or method that replaces the requested one after rules were applied to it.
    b"x-host",
    b"x-http-destinationurl",
    b"x-http-host-override",
    b"x-override-url",
    b"x-rewrite-url",
    // The user, as set by authorising proxies.
    b"cf-access-authenticated-user-email",
    b"remote-*",
    b"tailscale-user-*",
    b"x-amzn-oidc-identity",
    b"x-auth-request-*",
    b"x-authenticated-*",
    b"x-authentik-*",
    b"x-goog-authenticated-user-*",
    b"x-ms-client-principal*",
    b"x-remote-*",
    b"x-webauth-*",
    // The verified client certificate (RFC 9440, and the fields of servers without it).
    b"client-cert",
    b"client-cert-chain",
    b"ssl-client-*",
    b"x-amzn-mtls-*",
    b"x-arr-clientcert",
    b"x-client-cert*",
    b"x-client-dn",
    b"x-client-verify",
    b"x-ssl-*",
    // Instructions between proxies: timeouts, retries and routes of Envoy, and file locations (Rack::Sendfile).
    b"x-accel-mapping",
    b"x-envoy-*",
    b"x-sendfile-type",
    // The outgoing proxy of a CGI program, which sees it as HTTP_PROXY (httpoxy, CVE-2016-5385).
    b"proxy",
];

/// Index of the byte that tells names apart, in addition to their length and first byte.
const PLACE: usize = 4;
/// Lengths from here on share one row of the index.
const LONG: usize = 40;
/// Number of byte kinds: one per letter, one for digits, one for all others.
const KINDS: usize = 28;

/// For each length and first byte: a bit for each kind of byte that names of the table have at [`PLACE`]. One lookup here decides almost
/// every other name.
const INDEX: [[u32; KINDS]; LONG + 1] = index();

const fn index() -> [[u32; KINDS]; LONG + 1] {
    let mut index = [[0; KINDS]; LONG + 1];
    let mut at = 0;
    while at < NAMES.len() {
        let (name, prefix) = split(NAMES[at]);
        let mut length = shorter(name.len(), LONG);
        loop {
            index[length][kind(name[0])] |= 1 << kind(name[PLACE]);
            length += 1;
            if !prefix || length > LONG {
                break;
            }
        }
        at += 1;
    }
    index
}

const fn shorter(length: usize, most: usize) -> usize {
    if length < most { length } else { most }
}

#[inline]
const fn kind(byte: u8) -> usize {
    match byte {
        b'a'..=b'z' => (byte - b'a') as usize,
        b'A'..=b'Z' => (byte - b'A') as usize,
        b'0'..=b'9' => KINDS - 2,
        _ => KINDS - 1,
    }
}

/// Returns the name, and whether it is a prefix.
const fn split(name: &[u8]) -> (&[u8], bool) {
    match name {
        [name @ .., b'*'] => (name, true),
        name => (name, false),
    }
}

/// Reports whether only a proxy may set a field of this name.
#[inline]
pub(super) fn is_ours(name: &[u8]) -> bool {
    let (Some(first), Some(telling)) = (name.first(), name.get(PLACE)) else {
        return false;
    };
    let kinds = INDEX[name.len().min(LONG)][kind(*first)];
    kinds & (1 << kind(*telling)) != 0 && NAMES.iter().any(|known| is(known, name))
}

fn is(known: &[u8], name: &[u8]) -> bool {
    let (known, prefix) = split(known);
    let long_enough = if prefix {
        known.len() <= name.len()
    } else {
        known.len() == name.len()
    };
    long_enough
        && known
            .iter()
            .zip(name)
            .all(|(known, byte)| same(*known, *byte))
}

/// CGI and its descendants map `X_Real_IP`, `X.Real.IP` and `X-Real-IP` to one variable: every byte that is neither letter nor digit
/// becomes `_`.
const fn same(known: u8, byte: u8) -> bool {
    byte.eq_ignore_ascii_case(&known) || (known == b'-' && !byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_table_is_found_in_every_spelling() {
        for known in NAMES {
            let (name, prefix) = split(known);
            let upper = name.to_ascii_uppercase();
            let other = |with: u8| -> Vec<u8> {
                let one = |byte: &u8| if *byte == b'-' { with } else { *byte };
                name.iter().map(one).collect()
            };
            for spelling in [name.to_vec(), upper, other(b'_'), other(b'.')] {
                assert!(is_ours(&spelling), "{}", spelling.escape_ascii());
                let longer = [&spelling[..], b"x".repeat(50).as_slice()].concat();
                assert_eq!(is_ours(&longer), prefix, "{}", longer.escape_ascii());
            }
            assert!(!is_ours(&name[..name.len() - 1]));
        }
    }

    #[test]
    fn what_clients_send_in_their_own_name_is_none_of_ours() {
        for name in [
            "",
            "x",
            "te",
            "Accept",
            "Accept-Encoding",
            "Accept-Language",
            "Authorization",
            "Cookie",
            "Referer",
            "User-Agent",
            "Upgrade-Insecure-Requests",
            "Sec-Fetch-Mode",
            "Cache-Control",
            "X-Requested-With",
            "X-Request-ID",
            "X-Api-Key",
            "X-CSRF-Token",
            "X-Real-I",
            "X-Realm",
            "X-HTTP-Method-Override",
            "Cf-Access-Jwt-Assertion",
            "X-Goog-IAP-JWT-Assertion",
            "traceparent",
            "Early-Data",
            "Proxy-Authorization",
            "Proxy-Connection",
            "Client-IPs",
            "Via",
            "CDN-Loop",
            "Host",
            "Range",
            "If-None-Match",
            "Remote",
            "Forwarde",
        ] {
            assert!(!is_ours(name.as_bytes()), "{name}");
        }
    }
}
