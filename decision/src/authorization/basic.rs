//! `type: basic`: a name and a password (RFC 7617).

use std::sync::Arc;

use aralez_proto::rules::{BasicUser, BasicUsers};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use subtle::ConstantTimeEq;

use crate::Fields;
use crate::ask::Ask;
use crate::authorization::Presented;
use crate::authorization::password::PasswordCheck;
use crate::fields::FieldName;
use crate::policy::subject::Subject;
use crate::state::{CredentialDigest, Credentials, State, Verified};

/// Some clients leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The user that a request names, and the hash to compare its password with.
struct Login<'a> {
    user: &'a BasicUser,
    /// `false` if there is no such user: `user` is another one, so that the computation costs the same.
    is_known: bool,
    password: Vec<u8>,
    digest: CredentialDigest,
}

/// Judges the name and password of a request.
pub(super) fn judge<F: Fields, S: State>(
    users: &BasicUsers,
    subject: &Subject<'_, F, S>,
) -> Presented {
    let login = match login(users, subject) {
        Ok(login) => login,
        Err(presented) => return presented,
    };
    if login.is_known
        && let Some(verified) = subject.state.credentials().verified(&login.digest)
    {
        return Presented::Right(verified);
    }
    Presented::Unproven(Ask::Password(PasswordCheck {
        hash: login.user.hash.clone(),
        password: login.password.into(),
        is_known: login.is_known,
    }))
}

/// Concludes a request whose password was found to be right, and remembers that.
pub(super) fn verified<F: Fields, S: State>(
    users: &BasicUsers,
    subject: &Subject<'_, F, S>,
) -> Presented {
    match login(users, subject) {
        Ok(login) if login.is_known => {
            let verified = Arc::new(Verified::default());
            let credentials = subject.state.credentials();
            credentials.remember(login.digest, Arc::clone(&verified));
            Presented::Right(verified)
        }
        _ => Presented::Wrong,
    }
}

fn login<'a, F: Fields, S: State>(
    users: &'a BasicUsers,
    subject: &Subject<'_, F, S>,
) -> Result<Login<'a>, Presented> {
    let mut values = subject.request.fields.values(FieldName::Authorization);
    let value = values.next().ok_or(Presented::Nothing)?;
    let coded = after_scheme(value, b"basic").ok_or(Presented::Nothing)?;
    let plain = BASE64.decode(coded).map_err(|_| Presented::Wrong)?;
    // RFC 7617 section 2: the first colon ends the name; a password may contain more.
    let colon = plain.iter().position(|byte| *byte == b':');
    let (name, password) = plain.split_at(colon.ok_or(Presented::Wrong)?);
    let password = password[1..].to_vec();
    let credentials = subject.state.credentials();
    let (user, is_known) = user_of(users, name, credentials).ok_or(Presented::Wrong)?;
    let hash = user.hash.text().as_bytes();
    let digest = credentials.digest(&[b"basic", hash, name, &password]);
    Ok(Login {
        user,
        is_known,
        password,
        digest,
    })
}

/// Returns the user with this name. If there is none, returns a user that only depends on the name, whose hash is computed instead: a name
/// that exists cannot be told by time.
fn user_of<'a>(
    users: &'a BasicUsers,
    name: &[u8],
    credentials: &dyn Credentials,
) -> Option<(&'a BasicUser, bool)> {
    let mut found = None;
    for user in &users.users {
        if user.name.as_bytes().ct_eq(name).into() {
            found = Some((user, true));
        }
    }
    found.or_else(|| {
        let CredentialDigest([first, second, ..]) = credentials.digest(&[b"decoy", name]);
        let index = usize::from(u16::from_le_bytes([first, second])) % users.users.len();
        Some((&users.users[index], false))
    })
}

/// Returns the credentials behind a scheme, which is written in any case (RFC 9110 section 11.1). `None` if the value is of another scheme.
pub(super) fn after_scheme<'v>(value: &'v [u8], scheme: &[u8]) -> Option<&'v [u8]> {
    let (written, rest) = value.split_at_checked(scheme.len())?;
    let rest = rest.strip_prefix(b" ")?;
    written
        .eq_ignore_ascii_case(scheme)
        .then(|| rest.trim_ascii_start())
}
