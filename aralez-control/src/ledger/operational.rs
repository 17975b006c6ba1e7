//! The operational layer: a table of records in the ledger's file, so that a copy of the file includes it.
//!
//! Key: the number of the type (1), the name. Value: format (1), the payload sealed for this key. The empty key holds the counter of the
//! layer, eight little-endian bytes.

use aralez_proto::record::{Change, Record, RecordKey, ResourceType};
use aralez_proto::seal::{SealError, SealKey};
use aralez_runtime::random;
use bytes::Bytes;
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};

use crate::core::layers::Operational;

const OPERATIONAL: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("operational");

/// Format version of a value.
const FORMAT: u8 = 1;
/// Key of the counter.
const COUNTER: &[u8] = &[];

/// Reads the stored layer; empty if the ledger has none.
pub(super) fn read(database: &Database, seal: &SealKey) -> Result<Operational, String> {
    let failed = |error: redb::Error| error.to_string();
    let read = database
        .begin_read()
        .map_err(|error| failed(error.into()))?;
    let table = match read.open_table(OPERATIONAL) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Operational::default()),
        Err(error) => return Err(error.to_string()),
    };
    let (mut counter, mut records) = (None, Vec::new());
    for entry in table.iter().map_err(|error| failed(error.into()))? {
        let (key, value) = entry.map_err(|error| failed(error.into()))?;
        match key.value() {
            COUNTER => counter = value.value().try_into().ok().map(u64::from_le_bytes),
            key => records.push(decode(key, value.value(), seal)?),
        }
    }
    let counter = counter.ok_or("the counter of the operational records is missing or damaged")?;
    Ok(Operational::stored(counter, records))
}

/// Writes the changes and the resulting counter as one durable transaction.
pub(super) fn write(
    database: &Database,
    changes: &[Change],
    counter: u64,
    seal: &SealKey,
) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    // Without this, opening after a crash reads and rebuilds the whole file.
    transaction.set_quick_repair(true);
    {
        let mut table = transaction.open_table(OPERATIONAL)?;
        table.insert(COUNTER, counter.to_le_bytes().as_slice())?;
        for change in changes {
            let key = key_bytes(change.key());
            match change {
                Change::Put(record) => {
                    let value = encode(&key, &record.payload, seal, random::bytes());
                    let value =
                        value.map_err(|_| redb::Error::ValueTooLarge(record.payload.len()))?;
                    table.insert(key.as_slice(), value.as_slice())?;
                }
                Change::Delete(_) => {
                    table.remove(key.as_slice())?;
                }
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

fn key_bytes(key: &RecordKey) -> Vec<u8> {
    [&[key.kind.number()], key.name.as_bytes()].concat()
}

/// Returns the associated data authenticated with a payload, so that it opens only under its own key.
fn context(key: &[u8]) -> Vec<u8> {
    [b"operational|1|".as_slice(), key].concat()
}

fn encode(
    key: &[u8],
    payload: &[u8],
    seal: &SealKey,
    nonce: [u8; 24],
) -> Result<Vec<u8>, SealError> {
    let sealed = seal.seal(nonce, &context(key), payload)?;
    Ok([&[FORMAT], sealed.as_slice()].concat())
}

fn decode(key: &[u8], value: &[u8], seal: &SealKey) -> Result<Record, String> {
    let named = key.split_first().and_then(|(kind, name)| {
        let kind = ResourceType::from_number(u32::from(*kind))?;
        Some(RecordKey::new(kind, std::str::from_utf8(name).ok()?))
    });
    let named = named.ok_or("an operational record has an unknown key")?;
    let Some((&FORMAT, sealed)) = value.split_first() else {
        return Err(format!("{named}: unsupported format version"));
    };
    let payload = seal.open(&context(key), sealed).map_err(|_| {
        format!(
            "{named} cannot be decrypted: it was sealed with a key other than seal.key, or is damaged"
        )
    })?;
    Ok(Record::new(named, Bytes::from(payload)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::hex;

    #[test]
    fn a_record_has_the_bytes_that_it_always_had_and_opens_under_its_own_key_only() {
        let seal = SealKey::from_bytes([7; 32]);
        let key = key_bytes(&RecordKey::new(ResourceType::Certificate, "a.example"));
        let value = encode(&key, b"secret", &seal, [9; 24]).unwrap();
        assert_eq!(
            hex(&value),
            "0101090909090909090909090909090909090909090909090909cd1781f819de794cd627bde06cc9761c2f3b892af003"
        );
        let record = decode(&key, &value, &seal).unwrap();
        assert_eq!(
            (&*record.key.name, &*record.payload),
            ("a.example", b"secret".as_slice())
        );
        let other = key_bytes(&RecordKey::new(ResourceType::Certificate, "b.example"));
        let error = decode(&other, &value, &seal).unwrap_err();
        assert!(
            error.starts_with("Certificate \"b.example\" cannot be decrypted"),
            "{error}"
        );
        assert!(decode(&key, b"\x02", &seal).unwrap_err().contains("format"));
        assert!(decode(b"\xffx", &value, &seal).unwrap_err().contains("key"));
    }
}
