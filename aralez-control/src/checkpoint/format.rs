//! The bytes of a checkpoint, pinned by a golden vector.
//!
//! `ARZD`, version (1), then the sealed part: for each endpoint the key and the payload of its record as nodes receive it, each preceded by
//! its length as four little-endian bytes. The identity of the cluster is authenticated as well.

use std::sync::Arc;

use aralez_proto::convert::{Resource, decode as decode_record, endpoint_record};
use aralez_proto::model::{Endpoint, EndpointOwner, PoolName};
use aralez_proto::record::{Record, RecordKey, ResourceType};
use aralez_proto::seal::{SealError, SealKey};
use bytes::Bytes;

use crate::core::layers::{Discovered, Endpoints};
use crate::core::store::ClusterId;

const MAGIC: &[u8; 4] = b"ARZD";
const VERSION: u8 = 1;

/// Reason why a checkpoint cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("not a checkpoint of discovered endpoints")]
    Foreign,
    #[error("unsupported format version {0}, expected {VERSION}")]
    OtherFormat(u8),
    #[error(
        "cannot be decrypted: sealed for another cluster or with a key other than seal.key, or damaged"
    )]
    Sealed,
    #[error("damaged: {0}")]
    Damaged(String),
}

/// Additional authenticated data of the seal.
fn context(cluster: &ClusterId) -> Vec<u8> {
    [b"discovered|1|".as_slice(), cluster].concat()
}

/// Encodes the endpoints as a checkpoint file. `nonce` must be fresh random bytes.
///
/// # Errors
/// If there is more than can be sealed.
pub(super) fn encode(
    discovered: &Discovered,
    key: &SealKey,
    cluster: &ClusterId,
    nonce: [u8; 24],
) -> Result<Vec<u8>, SealError> {
    let mut plain = Vec::new();
    for (pool, endpoints) in discovered.pools() {
        for endpoint in endpoints.values() {
            let record = endpoint_record(EndpointOwner::Source, pool, endpoint);
            put(&mut plain, record.key.name.as_bytes());
            put(&mut plain, &record.payload);
        }
    }
    let sealed = key.seal(nonce, &context(cluster), &plain)?;
    Ok([MAGIC.as_slice(), &[VERSION], &sealed].concat())
}

fn put(plain: &mut Vec<u8>, field: &[u8]) {
    let length = u32::try_from(field.len()).expect("a key or an endpoint is smaller than 4 GiB");
    plain.extend(length.to_le_bytes());
    plain.extend(field);
}

/// Decodes the endpoints of a checkpoint file.
pub(super) fn decode(
    file: &[u8],
    key: &SealKey,
    cluster: &ClusterId,
) -> Result<Discovered, Unreadable> {
    let sealed = match file.strip_prefix(MAGIC).and_then(<[u8]>::split_first) {
        None => return Err(Unreadable::Foreign),
        Some((&VERSION, sealed)) => sealed,
        Some((version, _)) => return Err(Unreadable::OtherFormat(*version)),
    };
    let opened = key.open(&context(cluster), sealed);
    let mut plain = Bytes::from(opened.map_err(|_| Unreadable::Sealed)?);
    let mut discovered = Discovered::default();
    let mut read: Option<(_, Endpoints)> = None;
    while !plain.is_empty() {
        let (pool, endpoint) = one(&mut plain)?;
        let (before, mut endpoints) = match read.take() {
            Some((before, endpoints)) if before == pool => (before, endpoints),
            other => {
                keep(&mut discovered, other);
                (pool, Endpoints::new())
            }
        };
        endpoints.insert(endpoint.address.clone(), endpoint);
        read = Some((before, endpoints));
    }
    keep(&mut discovered, read);
    Ok(discovered)
}

fn keep(discovered: &mut Discovered, read: Option<(PoolName, Endpoints)>) {
    if let Some((pool, endpoints)) = read {
        discovered.set(&pool, Some(Arc::new(endpoints)));
    }
}

fn one(plain: &mut Bytes) -> Result<(PoolName, Endpoint), Unreadable> {
    let cut = || Unreadable::Damaged("truncated".to_owned());
    let name = take(plain).ok_or_else(cut)?;
    let payload = take(plain).ok_or_else(cut)?;
    let name =
        std::str::from_utf8(&name).map_err(|error| Unreadable::Damaged(error.to_string()))?;
    let record = Record::new(RecordKey::new(ResourceType::Endpoint, name), payload);
    match decode_record(&record) {
        Ok(Resource::Endpoint(pool, EndpointOwner::Source, endpoint)) => Ok((pool, endpoint)),
        Ok(_) => Err(Unreadable::Damaged(format!(
            "{} is not an endpoint",
            record.key
        ))),
        Err(faults) => {
            let faults = faults.iter().map(ToString::to_string);
            Err(Unreadable::Damaged(faults.collect::<Vec<_>>().join("; ")))
        }
    }
}

fn take(plain: &mut Bytes) -> Option<Bytes> {
    let length = u32::from_le_bytes(*plain.first_chunk()?) as usize;
    if plain.len() < 4 + length {
        return None;
    }
    let field = plain.slice(4..4 + length);
    *plain = plain.slice(4 + length..);
    Some(field)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn found() -> Discovered {
        let mut discovered = Discovered::default();
        let draining = Endpoint {
            weight: 5,
            state: aralez_proto::model::EndpointState::Draining,
            ..Endpoint::new("10.0.0.2:80".parse().unwrap())
        };
        let ready = Endpoint::new("[2001:db8::1]:8080".parse().unwrap());
        discovered.answered(
            &"a.example/".parse().unwrap(),
            vec![draining, ready.clone()],
        );
        discovered.answered(&"b.example/".parse().unwrap(), vec![ready]);
        discovered
    }

    #[test]
    fn a_checkpoint_has_the_bytes_that_it_always_had() {
        let key = SealKey::from_bytes([7; 32]);
        let file = encode(&found(), &key, &[1; 16], [9; 24]).unwrap();
        let hex = file.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        assert_eq!(
            hex,
            "41525a440101090909090909090909090909090909090909090909090909a872e28a1d841c1a957f78500d5c27da1add87b4704fafdb9ebd135cd3265b59902b41c1d683b04c0e68bcd708bf84e22fea446d53729a6ba0d88561e1bf55f8854835a2e84be0a2916d2e001671b79af5182412b6f9e2229d199ed3236a0cce5637c8493b11743f75a8c2efd93ece0cbc546b5ca3fb975bc7b1f733e5f5e75749652e2144489b9167c80d870c757866d12af12a01b94fd353"
        );
        assert_eq!(decode(&file, &key, &[1; 16]).unwrap(), found());
    }

    #[test]
    fn a_file_that_is_something_else_is_told_from_one_of_another_release() {
        let key = SealKey::from_bytes([7; 32]);
        let read = |file: &[u8]| decode(file, &key, &[1; 16]).unwrap_err();
        assert_eq!(read(b""), Unreadable::Foreign);
        assert_eq!(read(b"ARZD"), Unreadable::Foreign);
        assert_eq!(read(b"something else"), Unreadable::Foreign);
        assert_eq!(read(b"ARZD\x02"), Unreadable::OtherFormat(2));
        assert_eq!(read(b"ARZD\x01"), Unreadable::Sealed);
    }
}
