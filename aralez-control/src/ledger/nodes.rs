//! The nodes that control expects: a table of names in the ledger's file, so that a copy of the file includes it.
//!
//! Value, numbers little-endian: format (1), connected flag (1), time last seen in milliseconds since 1970 (8), group.

use aralez_proto::model::{GroupName, NodeName};
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};

use crate::core::roster::KnownNode;
use crate::core::store::NodeChanges;

const NODES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("nodes");

/// Format version of a value.
const FORMAT: u8 = 1;

/// Returns all nodes. Unreadable entries are skipped: no node is refused for it, and the entry is rewritten when the node connects.
pub(super) fn read(database: &Database) -> Result<Vec<KnownNode>, redb::Error> {
    let table = match database.begin_read()?.open_table(NODES) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut nodes = Vec::new();
    for entry in table.iter()? {
        let (name, value) = entry?;
        nodes.extend(decode(name.value(), value.value()));
    }
    Ok(nodes)
}

/// Writes the changes as one durable transaction.
pub(super) fn write(database: &Database, changes: &NodeChanges) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    // Without this, opening after a crash reads and rebuilds the whole file.
    transaction.set_quick_repair(true);
    {
        let mut table = transaction.open_table(NODES)?;
        for node in &changes.put {
            table.insert(node.node.as_str(), encode(node).as_slice())?;
        }
        for node in &changes.forget {
            table.remove(node.as_str())?;
        }
    }
    transaction.commit()?;
    Ok(())
}

fn encode(node: &KnownNode) -> Vec<u8> {
    let mut value = vec![FORMAT, u8::from(node.connected)];
    value.extend(node.last_seen_unix_ms.to_le_bytes());
    value.extend(node.group.as_str().as_bytes());
    value
}

fn decode(name: &str, value: &[u8]) -> Option<KnownNode> {
    let ([FORMAT, connected], rest) = value.split_first_chunk()? else {
        return None;
    };
    let (last_seen, group) = rest.split_first_chunk()?;
    Some(KnownNode {
        node: name.parse::<NodeName>().ok()?,
        group: std::str::from_utf8(group).ok()?.parse::<GroupName>().ok()?,
        last_seen_unix_ms: u64::from_le_bytes(*last_seen),
        connected: *connected != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, connected: bool) -> KnownNode {
        KnownNode {
            node: name.parse().unwrap(),
            group: "edge".parse().unwrap(),
            last_seen_unix_ms: 0x0102,
            connected,
        }
    }

    #[test]
    fn a_value_has_the_bytes_that_it_always_had() {
        let value = [1, 1, 2, 1, 0, 0, 0, 0, 0, 0, b'e', b'd', b'g', b'e'];
        assert_eq!(encode(&node("n1", true)), value);
        assert_eq!(decode("n1", &value), Some(node("n1", true)));
    }

    #[test]
    fn a_damaged_value_is_left_out() {
        for value in [
            &[][..],
            &[1],
            &[2, 1, 0, 0, 0, 0, 0, 0, 0, 0, b'e'],
            &[1; 9],
        ] {
            assert_eq!(decode("n1", value), None, "{value:?}");
        }
        assert_eq!(decode("no name", &encode(&node("n1", true))), None);
    }
}
