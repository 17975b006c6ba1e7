//! Public keys as PEM files contain them: SubjectPublicKeyInfo (RFC 5280 section 4.1), and PKCS #1 for RSA (RFC 8017 appendix A.1.1).
//!
//! Only the three kinds of keys that tokens use are read, so a reader for a dozen lines of DER takes the place of a crate.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::rules::authorization::algorithm::TokenAlgorithm;
use crate::rules::authorization::key_material::KeyMaterial;

mod der;
#[cfg(test)]
mod tests;

use der::Der;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// The object identifiers of the keys, encoded.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// The reason why a public key is refused. The texts contain nothing of the key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum BadPublicKey {
    /// Not a PEM file with one block.
    #[error(
        "expected one PEM block, from `-----BEGIN PUBLIC KEY-----` to `-----END PUBLIC KEY-----`"
    )]
    NotPem,
    /// A private key.
    #[error(
        "is a private key; write the public one, as `openssl pkey -pubout` prints it, and keep the private key away from here"
    )]
    Private,
    /// A certificate.
    #[error("is a certificate; write its public key, as `openssl x509 -pubkey -noout` prints it")]
    Certificate,
    /// A block that is not a public key.
    #[error("does not contain a public key that can be read")]
    Unreadable,
    /// A key of another algorithm.
    #[error("is not a key for {0}; {1}")]
    Other(&'static str, &'static str),
    /// An RSA key of a size that is too weak or too expensive.
    #[error("is an RSA key of {0} bits; expected 2048 to 8192")]
    Size(usize),
}

/// Parses a PEM public key for an algorithm.
pub(super) fn parse(pem: &str, algorithm: TokenAlgorithm) -> Result<KeyMaterial, BadPublicKey> {
    let (label, der) = block(pem)?;
    let mut reader = Der::new(&der);
    let mut sequence = reader.sequence().ok_or(BadPublicKey::Unreadable)?;
    if !reader.is_empty() {
        return Err(BadPublicKey::Unreadable);
    }
    let material = if label == "RSA PUBLIC KEY" {
        rsa_of(&mut sequence)?
    } else {
        subject_key(&mut sequence)?
    };
    if material.algorithm() != algorithm {
        let found = match material.algorithm() {
            TokenAlgorithm::Rs256 => "it is an RSA key, for RS256",
            TokenAlgorithm::Es256 => "it is a key on P-256, for ES256",
            TokenAlgorithm::EdDsa | TokenAlgorithm::Hs256 => "it is an Ed25519 key, for EdDSA",
        };
        return Err(BadPublicKey::Other(algorithm.name(), found));
    }
    Ok(material)
}

/// Returns the label and the content of the only block.
fn block(pem: &str) -> Result<(&str, Vec<u8>), BadPublicKey> {
    let (_, rest) = pem.split_once(BEGIN).ok_or(BadPublicKey::NotPem)?;
    let (label, rest) = rest.split_once(DASHES).ok_or(BadPublicKey::NotPem)?;
    if label.ends_with("PRIVATE KEY") {
        return Err(BadPublicKey::Private);
    }
    if label == "CERTIFICATE" {
        return Err(BadPublicKey::Certificate);
    }
    let (body, rest) = rest.split_once(END).ok_or(BadPublicKey::NotPem)?;
    let whole = rest
        .strip_prefix(label)
        .and_then(|rest| rest.strip_prefix(DASHES));
    let known = label == "PUBLIC KEY" || label == "RSA PUBLIC KEY";
    if !known || whole.is_none_or(|rest| rest.contains(BEGIN)) {
        return Err(BadPublicKey::NotPem);
    }
    let text: String = body.split_ascii_whitespace().collect();
    let der = STANDARD
        .decode(text)
        .map_err(|_| BadPublicKey::Unreadable)?;
    Ok((label, der))
}

/// Reads the content of a SubjectPublicKeyInfo.
fn subject_key(info: &mut Der<'_>) -> Result<KeyMaterial, BadPublicKey> {
    let read = |info: &mut Der<'_>| {
        let mut algorithm = info.sequence()?;
        let kind = algorithm.object()?.to_vec();
        let curve = algorithm.object().map(<[u8]>::to_vec);
        let key = info.bits()?.to_vec();
        info.is_empty().then_some((kind, curve, key))
    };
    let (kind, curve, key) = read(info).ok_or(BadPublicKey::Unreadable)?;
    match (kind.as_slice(), curve.as_deref()) {
        (RSA, _) => {
            let mut reader = Der::new(&key);
            rsa_of(&mut reader.sequence().ok_or(BadPublicKey::Unreadable)?)
        }
        (EC, Some(P256)) => p256(&key),
        (EC, _) => Err(BadPublicKey::Other(
            "ES256",
            "it is on another curve than P-256",
        )),
        (ED25519, _) => {
            let key = key.as_slice().try_into();
            Ok(KeyMaterial::EdDsa(
                key.map_err(|_| BadPublicKey::Unreadable)?,
            ))
        }
        _ => Err(BadPublicKey::Unreadable),
    }
}

fn rsa_of(sequence: &mut Der<'_>) -> Result<KeyMaterial, BadPublicKey> {
    let modulus = sequence.integer().ok_or(BadPublicKey::Unreadable)?;
    let exponent = sequence.integer().ok_or(BadPublicKey::Unreadable)?;
    rsa(modulus, exponent)
}

/// Checks the numbers of an RSA key, big-endian without leading zeros.
pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<KeyMaterial, BadPublicKey> {
    let bits = |number: &[u8]| {
        let first = number
            .first()
            .map_or(0, |byte| byte.leading_zeros() as usize);
        (number.len() * 8).saturating_sub(first)
    };
    let odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
    let size = bits(modulus);
    if !(2_048..=8_192).contains(&size) {
        return Err(BadPublicKey::Size(size));
    }
    if !odd(modulus) || !odd(exponent) || !(2..=33).contains(&bits(exponent)) {
        return Err(BadPublicKey::Unreadable);
    }
    Ok(KeyMaterial::Rs256 {
        modulus: modulus.into(),
        exponent: exponent.into(),
    })
}

/// Checks the form of an uncompressed point on P-256. A point beside the curve verifies no signature.
pub(super) fn p256(point: &[u8]) -> Result<KeyMaterial, BadPublicKey> {
    let whole: Result<[u8; 65], _> = point.try_into();
    match whole {
        Ok(point) if point[0] == 4 => Ok(KeyMaterial::Es256(point.into())),
        _ => Err(BadPublicKey::Unreadable),
    }
}
