//! The effect of a changed `main.yaml` on a running daemon: which keys changed, who owns them, and which apply without a restart.

use crate::main_config::keys::OWNERS;
use crate::main_config::owner::Owner;
use crate::yaml::{self, Node, Value};

/// A key whose value changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChangedKey {
    /// The key.
    pub key: &'static str,
    /// The process that reads it.
    pub owner: Owner,
    /// `true` if the new value applies immediately, `false` if it needs a restart.
    pub live: bool,
}

/// Returns the keys that differ between two valid texts of `main.yaml`, in the order of their declaration.
pub fn changes(before: &[u8], after: &[u8]) -> Vec<ChangedKey> {
    let (before, after) = (yaml::parse(before).ok(), yaml::parse(after).ok());
    let before = before.as_ref().and_then(yaml::Tree::root);
    let after = after.as_ref().and_then(yaml::Tree::root);
    let differs = |key: &str| {
        let value = |root: Option<Node<'_>>| root?.get(key).map(shape);
        value(before) != value(after)
    };
    let changed = OWNERS.iter().filter(|(key, ..)| differs(key));
    let change = |(key, owner, live): &(&'static str, Owner, bool)| ChangedKey {
        key,
        owner: *owner,
        live: *live,
    };
    changed.map(change).collect()
}

/// Formats a value without its position and quotes, for comparison.
fn shape(node: Node<'_>) -> String {
    match node.value() {
        Value::Scalar(scalar) => format!("{:?}", scalar.text),
        Value::Sequence(elements) => format!("{:?}", elements.map(shape).collect::<Vec<_>>()),
        Value::Mapping(entries) => {
            let entry = |entry: yaml::Entry<'_>| (entry.key.to_owned(), shape(entry.value));
            let entries: std::collections::BTreeMap<_, _> = entries.map(entry).collect();
            format!("{entries:?}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(before: &str, after: &str) -> Vec<&'static str> {
        let changes = changes(before.as_bytes(), after.as_bytes());
        changes.iter().map(|change| change.key).collect()
    }

    #[test]
    fn a_key_that_is_new_gone_or_different_is_named_and_no_other() {
        let before =
            "threads: 2\nlog_level: info\nproxy_address_http: [127.0.0.1:1, 127.0.0.1:2]\n";
        let after = "# moved\nproxy_address_http:\n  - 127.0.0.1:1\n  - '127.0.0.1:2'\nlog_level: debug\nlame_duck: 1s\n";
        assert_eq!(keys(before, after), ["threads", "log_level", "lame_duck"]);
        assert_eq!(keys(before, before), [""; 0]);
        assert_eq!(keys("", "threads: 1\n"), ["threads"]);
    }

    #[test]
    fn a_change_says_whose_it_is_and_whether_it_holds_at_once() {
        let of = |text: &str| changes(b"", text.as_bytes())[0];
        let level = of("log_level: warn\n");
        assert_eq!((level.owner, level.live), (Owner::Each, true));
        let address = of("config_address: 127.0.0.1:3\n");
        assert_eq!((address.owner, address.live), (Owner::Control, false));
        let threads = of("threads: 3\n");
        assert_eq!((threads.owner, threads.live), (Owner::Proxy, false));
    }
}
