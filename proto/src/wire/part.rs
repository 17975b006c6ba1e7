//! `UpdatePart`, implemented by hand so that its items are encoded once and sent to many nodes.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::DecodeError;
use prost::Message;
use prost::encoding::{DecodeContext, WireType, message, skip_field, uint64};

use super::control::Item;

const UPDATE_ID: u32 = 1;
const ITEMS: u32 = 2;

/// One part of an update, with at most 512 KiB of payload.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct UpdatePart {
    /// The update this part belongs to.
    pub update_id: u64,
    /// The items of the part.
    pub items: Items,
}

/// The items of a part.
#[derive(Clone, PartialEq, Debug)]
pub enum Items {
    /// Items that were received.
    Read(Vec<Item>),
    /// Items to send, already encoded: the field `items` with all its values.
    Encoded(Bytes),
}

impl Default for Items {
    fn default() -> Self {
        Self::Read(Vec::new())
    }
}

impl Items {
    /// Encodes items once, to be sent any number of times.
    pub fn encoded(items: &[Item]) -> Self {
        let mut bytes = BytesMut::with_capacity(message::encoded_len_repeated(ITEMS, items));
        message::encode_repeated(ITEMS, items, &mut bytes);
        Self::Encoded(bytes.freeze())
    }

    /// Returns the received items. Empty for items encoded for sending.
    pub fn into_read(self) -> Vec<Item> {
        match self {
            Self::Read(items) => items,
            Self::Encoded(_) => Vec::new(),
        }
    }
}

impl Message for UpdatePart {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        if self.update_id != 0 {
            uint64::encode(UPDATE_ID, &self.update_id, buf);
        }
        match &self.items {
            Items::Read(items) => message::encode_repeated(ITEMS, items, buf),
            Items::Encoded(bytes) => buf.put_slice(bytes),
        }
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        match (tag, &mut self.items) {
            (UPDATE_ID, _) => uint64::merge(wire_type, &mut self.update_id, buf, ctx),
            (ITEMS, Items::Read(items)) => message::merge_repeated(wire_type, items, buf, ctx),
            _ => skip_field(wire_type, tag, buf, ctx),
        }
    }

    fn encoded_len(&self) -> usize {
        let id = if self.update_id == 0 {
            0
        } else {
            uint64::encoded_len(UPDATE_ID, &self.update_id)
        };
        id + match &self.items {
            Items::Read(items) => message::encoded_len_repeated(ITEMS, items),
            Items::Encoded(bytes) => bytes.len(),
        }
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_once_is_read_as_what_was_encoded_anew() {
        let item = |key: &str| Item {
            r#type: 2,
            key: key.to_owned(),
            delete: false,
            payload: Bytes::from_static(b"content"),
        };
        let items = vec![item("a.example"), item("b.example")];
        for update_id in [0, 7, u64::MAX] {
            let anew = UpdatePart {
                update_id,
                items: Items::Read(items.clone()),
            };
            let once = UpdatePart {
                update_id,
                items: Items::encoded(&items),
            };
            assert_eq!(once.encoded_len(), anew.encoded_len());
            let bytes = once.encode_to_vec();
            assert_eq!(bytes, anew.encode_to_vec());
            assert_eq!(UpdatePart::decode(bytes.as_slice()).unwrap(), anew);
        }
    }
}
