//! `type: basic`: names with password hashes.

use std::collections::BTreeSet;

use crate::reading::{Reader, SecretText, Spanned};
use crate::rules::authorization::user_line::{split, user_of};
use crate::rules::authorization::written::AuthorizationKeys;
use crate::rules::authorization::{BasicUser, htpasswd};
use crate::wire::resource as wire;

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

impl BasicUsers {
    /// Reads the users of a rule whose type is `basic`.
    pub(super) fn read(keys: AuthorizationKeys, reader: &mut Reader<'_>) -> Option<Self> {
        let realm = match keys.realm {
            Some(realm) => checked_realm(&realm, reader)?,
            None => REALM.into(),
        };
        let users = match (keys.creds, keys.users, keys.users_file) {
            (Some(creds), ..) => vec![user_of_creds(&creds, reader)?],
            (_, Some(users), _) => reader.under("users", |reader| listed(&users, reader))?,
            (.., Some(file)) => {
                reader.under("users_file", |reader| htpasswd::users(&file, reader))?
            }
            (None, None, None) => return None,
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
    let parts = split(&creds.value.0, "user:pass");
    let parts = parts.map_err(|reason| reader.fault(creds.at, reason.to_string()));
    let (name, password) = parts.ok()?;
    let hash = reader.passwords.hash(name, password);
    Some(BasicUser {
        name: name.into(),
        hash,
    })
}

/// Reads a list of `NAME:HASH`. Every faulty entry is reported.
fn listed(
    written: &Spanned<Vec<Spanned<SecretText>>>,
    reader: &mut Reader<'_>,
) -> Option<Vec<BasicUser>> {
    let list = &written.value;
    if list.is_empty() {
        reader.fault(written.at, "is empty, so no client would be served");
        return None;
    }
    let mut names = BTreeSet::new();
    let mut users = Vec::with_capacity(list.len());
    for (index, entry) in list.iter().enumerate() {
        match user_of(&entry.value.0, &mut names) {
            Ok(user) => users.push(user),
            Err(reason) => {
                reader.element(index, |reader| reader.fault(entry.at, reason.to_string()));
            }
        }
    }
    (users.len() == list.len()).then_some(users)
}
