//! Values that several files use: durations, sizes, numbers, one-element lists.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use serde_json::{Value as Json, json};

use crate::reading::shape::{parsed, text};
use crate::reading::{FromYaml, Reader};
use crate::yaml::{Node, Value};

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Between<const MIN: u64, const MAX: u64>(pub(crate) u64);

impl<const MIN: u64, const MAX: u64> FromYaml for Between<MIN, MAX> {
    const EXPECTED: &'static str = "a whole number";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let Value::Scalar(scalar) = node.value() else {
            return reader.mismatch(node, Self::EXPECTED);
        };
        if !scalar.is_number() {
            return reader.mismatch(node, Self::EXPECTED);
        }
        let number = scalar.text.parse::<u64>().ok();
        if let Some(number) = number.filter(|number| (MIN..=MAX).contains(number)) {
            return Some(Self(number));
        }
        let range = match MAX {
            u64::MAX => format!("of at least {MIN}"),
            _ => format!("from {MIN} to {MAX}"),
        };
        reader.fault(
            node.at(),
            format!("expected a whole number {range}, found {}", scalar.text),
        );
        None
    }

    fn schema() -> Json {
        match MAX {
            u64::MAX => json!({ "type": "integer", "minimum": MIN }),
            _ => json!({ "type": "integer", "minimum": MIN, "maximum": MAX }),
        }
    }
}

/// A secret text; `Debug` is not derived, so it is never logged.
#[derive(Clone)]
pub(crate) struct SecretText(pub(crate) String);

impl FromYaml for SecretText {
    const EXPECTED: &'static str = "a string";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        // Accept the empty text: without a `master_key`, control only keeps the config API from other machines.
        text(node, reader, Self::EXPECTED).map(|text| Self(text.to_owned()))
    }

    fn schema() -> Json {
        json!({ "type": "string" })
    }
}

/// A duration: `30s`, `500ms`, `10m`, `1h` or a number of seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct WrittenDuration(pub(crate) Duration);

const LIFE: &str = "a duration (e.g. 30s, 500ms, 10m, or a number of seconds)";
/// The longest accepted duration, in seconds: 10 years. Anything longer is taken for a typo.
const LONGEST: f64 = 10.0 * 365.0 * 86_400.0;

impl FromYaml for WrittenDuration {
    const EXPECTED: &'static str = LIFE;

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        parsed(node, reader, LIFE, |text| {
            duration(text).map(WrittenDuration)
        })
    }

    fn schema() -> Json {
        json!({ "anyOf": [
            { "type": "number", "minimum": 0 },
            { "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|min|h|d)?$" },
        ] })
    }
}

/// Parses a duration as documents and command lines write it: `1.5s`, `500ms`, `2min`, `1h`, or a number of seconds.
///
/// # Errors
/// A message that quotes the text, if it is not a duration or is longer than 10 years.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{}` is not {LIFE}", crate::reading::shown(text));
    let digits = text.trim_end_matches(|char: char| char.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return Err(wrong()),
    };
    let plain = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    let seconds = number * unit;
    if !plain || seconds > LONGEST {
        return Err(wrong());
    }
    // Rounded to whole milliseconds, the resolution of the wire format.
    Ok(Duration::from_millis((seconds * 1_000.0).round() as u64))
}

/// A size in bytes, or with `KiB`, `MiB`, `GiB` (`K`, `M`, `G` mean the same).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct WrittenSize(pub(crate) u64);

const SIZE: &str = "a size (e.g. 65536, 64KiB, 10MiB or 1GiB)";

impl FromYaml for WrittenSize {
    const EXPECTED: &'static str = SIZE;

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        parsed(node, reader, SIZE, |text| size(text).map(WrittenSize))
    }

    fn schema() -> Json {
        json!({ "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": "^[0-9]+ ?([KMG](i?B)?|B)?$" },
        ] })
    }
}

fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{}` is not {SIZE}", crate::reading::shown(text));
    let digits = text.trim_end_matches(|char: char| char.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err(wrong()),
    };
    let number: u64 = digits.trim_end().parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

/// One value, or a non-empty list of values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OneOrMany<T> {
    /// The first value.
    pub first: T,
    /// The other values.
    pub rest: Vec<T>,
}

impl<T> OneOrMany<T> {
    /// Returns an iterator over all values, in the order written.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// Converts every value.
    pub(crate) fn map<U>(self, make: impl Fn(T) -> U) -> OneOrMany<U> {
        OneOrMany {
            first: make(self.first),
            rest: self.rest.into_iter().map(make).collect(),
        }
    }
}

impl<T> From<T> for OneOrMany<T> {
    fn from(first: T) -> Self {
        let rest = Vec::new();
        Self { first, rest }
    }
}

impl<T: FromYaml> FromYaml for OneOrMany<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        match node.value() {
            Value::Sequence(elements) if elements.is_empty() => {
                reader.fault(
                    node.at(),
                    format!("is an empty list; expected {}", T::EXPECTED),
                );
                None
            }
            Value::Sequence(_) => {
                let mut all = Vec::read(node, reader)?.into_iter();
                let first = all.next()?;
                let rest = all.collect();
                Some(Self { first, rest })
            }
            _ => T::read(node, reader).map(Self::from),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [T::schema(), { "type": "array", "items": T::schema(), "minItems": 1 }] })
    }
}

impl FromYaml for SocketAddr {
    const EXPECTED: &'static str = "ADDR:PORT (e.g. 127.0.0.1:3000)";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        parsed(node, reader, Self::EXPECTED, listen_address)
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^.+:[0-9]{1,5}$" })
    }
}

/// Parses an address to listen on: an IP address and a port other than 0.
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let wrong = |why: &str| format!("`{}` is not ADDR:PORT: {why}", crate::reading::shown(text));
    if text.parse::<std::net::Ipv6Addr>().is_ok() {
        return Err(wrong(
            "an IPv6 address must be in brackets, such as [::1]:80",
        ));
    }
    let (host, port) = text
        .rsplit_once(':')
        .ok_or_else(|| wrong("the port is missing"))?;
    match port.parse::<u64>() {
        Ok(1..=65_535) => {}
        Ok(_) => return Err(wrong("the port is out of range (1 to 65535)")),
        Err(_) => return Err(wrong("the port is not a number from 1 to 65535")),
    }
    text.parse().map_err(|_| {
        wrong(match host {
            "localhost" => "a host name is not an address (did you mean 127.0.0.1?)",
            "" | "*" => "the address is missing (0.0.0.0 means all addresses)",
            _ => "a host name is not an address; write the IP address to listen on",
        })
    })
}

/// A network: `ADDR/BITS`, or a single address. Without bits of a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cidr(pub(crate) IpNet);

impl FromYaml for Cidr {
    const EXPECTED: &'static str = "a network such as 10.0.0.0/8";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let text = text(node, reader, Self::EXPECTED)?;
        let Some(network) = network(text) else {
            let reason = format!(
                "`{}` is not a network such as 10.0.0.0/8",
                crate::reading::shown(text)
            );
            reader.fault(node.at(), reason);
            return None;
        };
        if network != network.trunc() {
            let reason = format!("has bits of a host; it means {}", network.trunc());
            reader.note(node.at(), reason);
        }
        Some(Self(network.trunc()))
    }

    fn schema() -> Json {
        json!({ "type": "string" })
    }
}

fn network(text: &str) -> Option<IpNet> {
    let network = match text.contains('/') {
        true => text.parse().ok()?,
        false => IpNet::from(text.parse::<IpAddr>().ok()?),
    };
    // Clients are compared by their IPv4 address, so a network of IPv4-mapped addresses is one of IPv4.
    match network {
        IpNet::V6(mapped) if mapped.prefix_len() >= 96 => {
            let address = mapped.addr().to_ipv4_mapped();
            let v4 = address.and_then(|v4| IpNet::new(v4.into(), mapped.prefix_len() - 96).ok());
            Some(v4.unwrap_or(network))
        }
        _ => Some(network),
    }
}

/// A value of any shape: a known key that only a later release reads.
pub(crate) struct Anything;

impl FromYaml for Anything {
    const EXPECTED: &'static str = "a value";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        match node.value() {
            Value::Scalar(scalar) if scalar.is_null() => reader.mismatch(node, Self::EXPECTED),
            _ => Some(Self),
        }
    }

    fn schema() -> Json {
        json!({})
    }
}
