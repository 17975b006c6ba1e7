use super::*;

const RSA_KEY: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxRx61tEQ+OojPnmaI5mu\n\
JJRxTnWOZ8gbuYPJQZ7zqIlYo8/Dn696nuKFKHxZu3AIL/AfSCisDzl+b+zbKWBU\n\
Aodflu79GulBvDVV0YCnj/fiml4mCnZC1x5KRzwn+3Crm9+LpnkmG7ozzUlMM6yg\n\
RZLQ5j3doMv/mK6u0R6g6c8F+xRUj5JGstlDPrkKUcjXDPIRP5K4GDVBTh4RfeVY\n\
CSqpLVMshP5izi2yZ/ql5wpRoz0Ts8gikI+hAyg6AfYVVGNSo+DYzC1zYB6MnHaG\n\
Xfr1CsmNlEK7OCwWX34aptNZzxbqu4qf3Jvhnl2uTHiLjwHiZqdWw6gbtoSbhZUx\n\
qQIDAQAB\n\
-----END PUBLIC KEY-----";
const RSA_PKCS1: &str = "\
-----BEGIN RSA PUBLIC KEY-----\n\
MIIBCgKCAQEAxRx61tEQ+OojPnmaI5muJJRxTnWOZ8gbuYPJQZ7zqIlYo8/Dn696\n\
nuKFKHxZu3AIL/AfSCisDzl+b+zbKWBUAodflu79GulBvDVV0YCnj/fiml4mCnZC\n\
1x5KRzwn+3Crm9+LpnkmG7ozzUlMM6ygRZLQ5j3doMv/mK6u0R6g6c8F+xRUj5JG\n\
stlDPrkKUcjXDPIRP5K4GDVBTh4RfeVYCSqpLVMshP5izi2yZ/ql5wpRoz0Ts8gi\n\
kI+hAyg6AfYVVGNSo+DYzC1zYB6MnHaGXfr1CsmNlEK7OCwWX34aptNZzxbqu4qf\n\
3Jvhnl2uTHiLjwHiZqdWw6gbtoSbhZUxqQIDAQAB\n\
-----END RSA PUBLIC KEY-----";
const SMALL: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCyl5t+B879KU6/fVVUeIIlFg7t\n\
SKZ4CNaP5XN6EVctrbPM9y9B1f8fn3Mc/5Jl7uBEpVSD4O2VyMzCgPvlrP+8P3ce\n\
YnbrQfzBhbR8QZ0Gbdiql+qCaxhlp5i62f8DkLhNOf/gXBB26IFfxEm77thTKacd\n\
SqnM6ENUSXOUUE7crQIDAQAB\n\
-----END PUBLIC KEY-----";
const EC_KEY: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExwMt2zbcbPI83Y7lHEoRX2HIppOO\n\
hu2dzOT9h472EeNBe5pdbXkr5eN6hCMKKi2nNRHEW4598hwqaMFk2mM27w==\n\
-----END PUBLIC KEY-----";
const OTHER_CURVE: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEu+tnJlU9k0cGRnm4iIwhcdFH4iXYvtwp\n\
cWCX8k7SXIkJrU7PHAMOF07qibvcFQcR0OAGBwc9oeUmHyn0rzIWjcKEapRgdci6\n\
tvvAXQQEFRVBb0EIyoxO2pva50uGsffH\n\
-----END PUBLIC KEY-----";
const ED_KEY: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MCowBQYDK2VwAyEAFEzERPPgUVOQA8pAk1ZVBt6kZaB49eWjJ3QIruFt9Xw=\n\
-----END PUBLIC KEY-----";

fn refused(pem: &str, algorithm: TokenAlgorithm) -> String {
    parse(pem, algorithm).unwrap_err().to_string()
}

#[test]
fn the_keys_that_openssl_prints_are_read() {
    let Ok(KeyMaterial::Rs256 { modulus, exponent }) = parse(RSA_KEY, TokenAlgorithm::Rs256) else {
        panic!("not read");
    };
    assert_eq!((modulus.len(), &*exponent), (256, &[1, 0, 1][..]));
    let pkcs1 = parse(RSA_PKCS1, TokenAlgorithm::Rs256);
    assert_eq!(pkcs1, Ok(KeyMaterial::Rs256 { modulus, exponent }));
    let point = parse(EC_KEY, TokenAlgorithm::Es256).unwrap();
    assert_eq!(point.algorithm(), TokenAlgorithm::Es256);
    let key = parse(ED_KEY, TokenAlgorithm::EdDsa).unwrap();
    assert_eq!(key.algorithm(), TokenAlgorithm::EdDsa);
    let indented = format!("text before\n{}\r\n", EC_KEY.replace('\n', "\r\n  "));
    assert_eq!(parse(&indented, TokenAlgorithm::Es256), Ok(point));
}

#[test]
fn a_key_that_no_token_could_be_verified_with_is_refused_with_the_reason() {
    let other = refused(RSA_KEY, TokenAlgorithm::Es256);
    assert_eq!(other, "is not a key for ES256; it is an RSA key, for RS256");
    let other = refused(OTHER_CURVE, TokenAlgorithm::Es256);
    assert_eq!(
        other,
        "is not a key for ES256; it is on another curve than P-256"
    );
    let small = refused(SMALL, TokenAlgorithm::Rs256);
    assert_eq!(small, "is an RSA key of 1024 bits; expected 2048 to 8192");
    let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----";
    assert!(refused(private, TokenAlgorithm::EdDsa).contains("is a private key"));
    let certificate = "-----BEGIN CERTIFICATE-----\nMC4CAQ==\n-----END CERTIFICATE-----";
    assert!(refused(certificate, TokenAlgorithm::Rs256).contains("openssl x509 -pubkey"));
    for text in [
        "",
        "secret",
        "-----BEGIN PUBLIC KEY-----",
        &format!("{ED_KEY}\n{ED_KEY}"),
    ] {
        let reason = refused(text, TokenAlgorithm::EdDsa);
        assert!(reason.contains("expected one PEM block"), "{reason}");
    }
}

#[test]
fn a_damaged_key_is_refused_and_reading_it_never_panics() {
    for (key, algorithm) in [
        (RSA_KEY, TokenAlgorithm::Rs256),
        (EC_KEY, TokenAlgorithm::Es256),
        (ED_KEY, TokenAlgorithm::EdDsa),
    ] {
        let (label, der) = block(key).unwrap();
        let encoded = |der: &[u8]| {
            let body = STANDARD.encode(der);
            format!("{BEGIN}{label}{DASHES}\n{body}\n{END}{label}{DASHES}")
        };
        assert!(parse(&encoded(&der), algorithm).is_ok());
        for length in 0..der.len() {
            assert!(
                parse(&encoded(&der[..length]), algorithm).is_err(),
                "{length}"
            );
        }
        // The structure in front of the key: every changed byte matters.
        for index in 0..12 {
            let mut changed = der.clone();
            changed[index] ^= 0x41;
            assert!(parse(&encoded(&changed), algorithm).is_err(), "{index}");
        }
        assert!(parse(&encoded(&[&der[..], &[0]].concat()), algorithm).is_err());
    }
}
