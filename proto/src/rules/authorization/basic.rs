//! `type: basic`: names with password hashes.

use std::collections::BTreeSet;

use crate::model::PasswordHash;
use crate::reading::{Reader, SecretText, Spanned};
use crate::rules::authorization::written::AuthorizationKeys;
use crate::wire::resource as wire;
use crate::yaml::Spot;

/// The realm if a rule names none.
const REALM: &str = "aralez";

/// The users of a route. At least one; each name once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BasicUsers {
    /// The realm of the challenge: printable ASCII.
    pub realm: Box<str>,
    /// The users, in the order written.
    pub users: Box<[BasicUser]>,
}

/// A user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BasicUser {
    /// The name, without a colon.
    pub name: Box<str>,
    /// The hash of the password.
    pub hash: PasswordHash,
}

impl BasicUsers {
    /// Reads the users of a rule whose type is `basic`.
    pub(super) fn read(keys: AuthorizationKeys, reader: &mut Reader<'_>) -> Option<Self> {
        let realm = match keys.realm {
            Some(realm) => checked_realm(&realm, reader)?,
            None => REALM.into(),
        };
        let users = match (keys.creds, keys.users) {
            (Some(creds), _) => vec![user_of_creds(&creds, reader)?],
            (None, Some(users)) => listed_users(&users.value, reader)?,
            (None, None) => return None,
        };
        Some(Self {
            realm,
            users: users.into(),
        })
    }

    pub(super) fn encode(&self) -> wire::BasicAuthorization {
        let users = self.users.iter().map(|user| wire::BasicUser {
            name: user.name.to_string(),
            hash: user.hash.text().to_owned(),
        });
        wire::BasicAuthorization {
            realm: self.realm.to_string(),
            users: users.collect(),
        }
    }

    pub(super) fn decode(wire: wire::BasicAuthorization) -> Result<Self, &'static str> {
        let users = wire.users.into_iter().map(|user| {
            let hash = user.hash.parse();
            Ok(BasicUser {
                name: user.name.into(),
                hash: hash.map_err(|_| "has a password hash that is not valid")?,
            })
        });
        let users = users.collect::<Result<Box<[_]>, &'static str>>()?;
        if users.is_empty() {
            return Err("has no user");
        }
        if !is_printable(&wire.realm) {
            return Err("has a realm that is not printable ASCII");
        }
        Ok(Self {
            realm: wire.realm.into(),
            users,
        })
    }
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

fn checked_realm(realm: &Spanned<String>, reader: &mut Reader<'_>) -> Option<Box<str>> {
    if is_printable(&realm.value) {
        return Some(realm.value.as_str().into());
    }
    reader.fault(realm.at, "expected printable ASCII characters");
    None
}

/// Reads the documented `user:pass`.
fn user_of_creds(creds: &Spanned<SecretText>, reader: &mut Reader<'_>) -> Option<BasicUser> {
    // RFC 7617 section 2: a user name contains no colon, so the first one separates it from the password.
    let (name, password) = split(&creds.value.0, creds.at, "user:pass", reader)?;
    let hash = reader.passwords.hash(name, password);
    Some(BasicUser {
        name: name.into(),
        hash,
    })
}

/// Reads a list of `NAME:HASH`. Every faulty entry is reported.
fn listed_users(
    written: &[Spanned<SecretText>],
    reader: &mut Reader<'_>,
) -> Option<Vec<BasicUser>> {
    let mut names = BTreeSet::new();
    let mut users = Vec::new();
    for (index, entry) in written.iter().enumerate() {
        users.extend(reader.element(index, |reader| listed_user(entry, &mut names, reader)));
    }
    (users.len() == written.len()).then_some(users)
}

fn listed_user<'w>(
    entry: &'w Spanned<SecretText>,
    names: &mut BTreeSet<&'w str>,
    reader: &mut Reader<'_>,
) -> Option<BasicUser> {
    let (name, hash) = split(&entry.value.0, entry.at, "NAME:HASH", reader)?;
    if !names.insert(name) {
        reader.fault(
            entry.at,
            format!("duplicate user `{}`", name.escape_debug()),
        );
        return None;
    }
    let hash = hash.parse::<PasswordHash>();
    let hash = hash.map_err(|error| reader.fault(entry.at, error.to_string()));
    Some(BasicUser {
        name: name.into(),
        hash: hash.ok()?,
    })
}

/// Splits at the first colon. Faults never quote the text, which is secret.
fn split<'w>(
    text: &'w str,
    at: Spot,
    form: &str,
    reader: &mut Reader<'_>,
) -> Option<(&'w str, &'w str)> {
    let Some((name, rest)) = text.split_once(':') else {
        reader.fault(at, format!("expected `{form}`, found no `:`"));
        return None;
    };
    if name.is_empty() || rest.is_empty() {
        let empty = if name.is_empty() { "before" } else { "behind" };
        reader.fault(
            at,
            format!("expected `{form}`, found nothing {empty} the `:`"),
        );
        return None;
    }
    Some((name, rest))
}
