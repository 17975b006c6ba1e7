//! A user as written in a document or a file: `NAME:HASH`.

use std::collections::BTreeSet;

use crate::model::{BadPasswordHash, PasswordHash};

/// A user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BasicUser {
    /// The name, without a colon.
    pub name: Box<str>,
    /// The hash of the password.
    pub hash: PasswordHash,
}

/// The reason why there is no user. The texts contain nothing of a password or hash.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum BadUser {
    /// There is no colon.
    #[error("expected `{0}`, found no `:`")]
    NoColon(&'static str),
    /// A part is empty.
    #[error("expected `{0}`, found nothing {1} the `:`")]
    Empty(&'static str, &'static str),
    /// The name was there before.
    #[error("duplicate user `{0}`")]
    Duplicate(String),
    /// The hash is not accepted.
    #[error(transparent)]
    Hash(#[from] BadPasswordHash),
}

/// Reads `NAME:HASH`, and adds the name to those before.
pub(super) fn user_of<'w>(
    text: &'w str,
    names: &mut BTreeSet<&'w str>,
) -> Result<BasicUser, BadUser> {
    let (name, hash) = split(text, "NAME:HASH")?;
    if !names.insert(name) {
        return Err(BadUser::Duplicate(name.escape_debug().to_string()));
    }
    Ok(BasicUser {
        name: name.into(),
        hash: hash.parse()?,
    })
}

/// Splits at the first colon.
pub(super) fn split<'w>(text: &'w str, form: &'static str) -> Result<(&'w str, &'w str), BadUser> {
    // RFC 7617 section 2: a user name contains no colon, so the first one separates it from the password.
    let (name, rest) = text.split_once(':').ok_or(BadUser::NoColon(form))?;
    match (name.is_empty(), rest.is_empty()) {
        (true, _) => Err(BadUser::Empty(form, "before")),
        (_, true) => Err(BadUser::Empty(form, "behind")),
        _ => Ok((name, rest)),
    }
}
