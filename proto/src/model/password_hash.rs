//! Password hashes as other tools write them: argon2id and argon2i as PHC strings, and bcrypt.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::GeneralPurposeConfig;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD_NO_PAD};

/// The highest cost of bcrypt: 2^14 rounds, about a second.
const MOST_BCRYPT: u32 = 14;
/// The most memory of argon2, in KiB.
const MOST_MEMORY: u32 = 64 * 1_024;
/// The most passes of argon2.
const MOST_PASSES: u32 = 10;
/// The most lanes of argon2. They are computed one after the other.
const MOST_LANES: u32 = 16;

/// Memory, passes and lanes of the hashes that control makes: one of the settings that OWASP's Password Storage Cheat Sheet lists as
/// equivalent minimums, the one with the least memory.
const OWN: (u32, u32, u32) = (7_168, 5, 1);

/// A password hash whose cost is bounded. Not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    text: Box<str>,
    kind: HashKind,
}

#[derive(Clone, PartialEq, Eq)]
enum HashKind {
    Argon2(Argon2Hash),
    Bcrypt,
}

/// An argon2 hash, taken apart (RFC 9106).
#[derive(Clone, PartialEq, Eq)]
pub struct Argon2Hash {
    /// `true` for argon2id, `false` for argon2i.
    pub is_id: bool,
    /// Memory in KiB.
    pub memory: u32,
    /// Number of passes.
    pub passes: u32,
    /// Number of lanes.
    pub lanes: u32,
    /// The salt.
    pub salt: Box<[u8]>,
    /// The hash.
    pub hash: Box<[u8]>,
}

/// The reason why a password hash is refused. The texts contain nothing of the hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadPasswordHash {
    /// A form that is too fast to protect passwords, or unknown.
    #[error(
        "{0}, which does not protect passwords or is not known; expected bcrypt or argon2, as `htpasswd -nbB NAME PASSWORD` writes it"
    )]
    Form(&'static str),
    /// A bcrypt hash that cannot be parsed.
    #[error("is not a complete bcrypt hash; write it again with `htpasswd -nbB NAME PASSWORD`")]
    Bcrypt,
    /// An argon2 hash that cannot be parsed.
    #[error(
        "is not a complete argon2id or argon2i hash of version 19 (`$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`)"
    )]
    Argon2,
    /// A bcrypt hash whose cost is too high or too low.
    #[error(
        "has the bcrypt cost {0}; expected 4 to {MOST_BCRYPT}, since each login costs that much"
    )]
    Cost(u32),
    /// An argon2 hash that is too expensive.
    #[error(
        "costs more than {MOST_MEMORY} KiB of memory, {MOST_PASSES} passes or {MOST_LANES} lanes, since each login costs that much"
    )]
    Expensive,
}

impl PasswordHash {
    /// Memory in KiB, passes and lanes of the hashes that control makes.
    pub const OWN: (u32, u32, u32) = OWN;

    /// Wraps an argon2id hash that was made at a cost: memory in KiB, passes and lanes.
    pub fn argon2id(cost: (u32, u32, u32), salt: [u8; 16], hash: [u8; 32]) -> Self {
        let (memory, passes, lanes) = cost;
        let text = format!(
            "$argon2id$v=19$m={memory},t={passes},p={lanes}${}${}",
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(hash)
        );
        Self {
            text: text.into(),
            kind: HashKind::Argon2(Argon2Hash {
                is_id: true,
                memory,
                passes,
                lanes,
                salt: salt.into(),
                hash: hash.into(),
            }),
        }
    }

    /// Returns the text of the hash, as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the parts of an argon2 hash; `None` for bcrypt.
    pub const fn argon2(&self) -> Option<&Argon2Hash> {
        match &self.kind {
            HashKind::Argon2(hash) => Some(hash),
            HashKind::Bcrypt => None,
        }
    }
}

impl FromStr for PasswordHash {
    type Err = BadPasswordHash;

    fn from_str(text: &str) -> Result<Self, BadPasswordHash> {
        let kind = match text.split('$').nth(1) {
            Some("2a" | "2b" | "2y") if text.starts_with('$') => {
                check_bcrypt(text)?;
                HashKind::Bcrypt
            }
            Some("argon2id" | "argon2i") if text.starts_with('$') => {
                HashKind::Argon2(parse_argon2(text)?)
            }
            _ => return Err(BadPasswordHash::Form(form_of(text))),
        };
        Ok(Self {
            text: text.into(),
            kind,
        })
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl fmt::Debug for Argon2Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Argon2Hash(…)")
    }
}

/// Names the form of a hash that is not accepted.
fn form_of(text: &str) -> &'static str {
    for (prefix, form) in [
        ("$apr1$", "is Apache's MD5 form"),
        ("$1$", "is the MD5 form of crypt"),
        ("$5$", "is the SHA-256 form of crypt"),
        ("$6$", "is the SHA-512 form of crypt"),
        ("$argon2d$", "is argon2d"),
        ("{SHA}", "is an unsalted SHA-1 digest"),
        ("{SSHA}", "is a salted SHA-1 digest"),
    ] {
        if text.starts_with(prefix) {
            return form;
        }
    }
    "is plain text or a form of crypt"
}

/// Checks `$2b$COST$` and 53 characters: a salt of 16 bytes and a hash of 23.
fn check_bcrypt(text: &str) -> Result<(), BadPasswordHash> {
    let mut parts = text.split('$').skip(2);
    let (Some(cost), Some(rest), None) = (parts.next(), parts.next(), parts.next()) else {
        return Err(BadPasswordHash::Bcrypt);
    };
    let plain = cost.len() == 2 && rest.is_ascii() && rest.len() == 53;
    let number = cost.parse::<u32>().ok().filter(|_| plain);
    let number = number.ok_or(BadPasswordHash::Bcrypt)?;
    if !(4..=MOST_BCRYPT).contains(&number) {
        return Err(BadPasswordHash::Cost(number));
    }
    let alphabet = GeneralPurpose::new(
        &BCRYPT,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone),
    );
    let (salt, hash) = rest.split_at(22);
    let reads = |part: &str| alphabet.decode(part).is_ok();
    (reads(salt) && reads(hash))
        .then_some(())
        .ok_or(BadPasswordHash::Bcrypt)
}

/// Parses `$argon2id$v=19$m=M,t=T,p=P$SALT$HASH`.
fn parse_argon2(text: &str) -> Result<Argon2Hash, BadPasswordHash> {
    let parts: Vec<&str> = text.split('$').skip(1).collect();
    let [kind, "v=19", costs, salt, hash] = parts[..] else {
        return Err(BadPasswordHash::Argon2);
    };
    let costs: Vec<&str> = costs.split(',').collect();
    let [memory, passes, lanes] = costs[..] else {
        return Err(BadPasswordHash::Argon2);
    };
    let number = |text: &str, prefix: &str| {
        let digits = text.strip_prefix(prefix)?;
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then_some(digits)?.parse::<u32>().ok()
    };
    let costs = number(memory, "m=")
        .zip(number(passes, "t="))
        .zip(number(lanes, "p="));
    let ((memory, passes), lanes) = costs.ok_or(BadPasswordHash::Argon2)?;
    if memory > MOST_MEMORY || passes > MOST_PASSES || lanes > MOST_LANES {
        return Err(BadPasswordHash::Expensive);
    }
    let bytes = |text: &str| {
        STANDARD_NO_PAD
            .decode(text)
            .map_err(|_| BadPasswordHash::Argon2)
    };
    let (salt, hash) = (bytes(salt)?, bytes(hash)?);
    // RFC 9106 section 3.1: at least one pass and one lane, and eight blocks of 1 KiB per lane.
    let valid = passes > 0 && lanes > 0 && memory >= 8 * lanes;
    if !valid || !(8..=64).contains(&salt.len()) || !(16..=64).contains(&hash.len()) {
        return Err(BadPasswordHash::Argon2);
    }
    Ok(Argon2Hash {
        is_id: kind == "argon2id",
        memory,
        passes,
        lanes,
        salt: salt.into(),
        hash: hash.into(),
    })
}
