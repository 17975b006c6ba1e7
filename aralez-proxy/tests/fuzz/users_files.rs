//! The file of `users_file`: read as lines of `NAME:HASH`, or refused with the number of each faulty line and nothing of what it holds.

use aralez_proto::document::{self, DocumentSet, Surroundings};
use aralez_proto::rules::AuthorizationMethod;

use super::corpus::hash;

/// Forms of hashes, and ends of lines.
pub(crate) const WORDS: &[&[u8]] = &[
    b"\n",
    b"\r\n",
    b"\r",
    b":",
    b"#",
    b" ",
    b"\t",
    b"\xef\xbb\xbf",
    b"\0",
    b"\xff",
    b"user",
    b"$2y$04$",
    b"$2b$",
    b"$apr1$",
    b"{SHA}",
    b"$argon2id$v=19$",
    b"m=8,t=1,p=1",
    b"$",
    b"ErvcbgWeuSgWXLeJSkB5Z.rd/HaCtrzJNBv4fIjWuGkcMg8jcW2Jm",
];

/// The shortest secret that is looked for: shorter ones are parts of ordinary words.
const SECRET: usize = 8;

/// Parts of reasons that are in every reason of their kind.
const FIXED: [&str; 3] = [
    "`$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`",
    "`htpasswd -nbB NAME PASSWORD`",
    "`htpasswd -B FILE NAME`",
];

pub(crate) fn check(bytes: &[u8]) -> Result<u64, String> {
    let file = ("staff".parse().expect("a path"), Ok(bytes.to_vec().into()));
    let document = "authorization: {type: basic, users_file: staff}\n";
    let set = DocumentSet::of_main(document.into()).with_files([file].into_iter().collect());
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    match document::read(&set, &Surroundings::default()) {
        Ok(authored) => {
            let Some(AuthorizationMethod::Basic(rule)) = authored.settings.rules.authorization.0
            else {
                return Err("is not basic".to_owned());
            };
            for user in &rule.users {
                let line = format!("{}:{}", user.name, user.hash.text());
                if !lines.iter().any(|found| {
                    found.ends_with(line.as_bytes())
                        || found.trim_ascii_end().ends_with(line.as_bytes())
                }) {
                    return Err(format!("no line has the user {:?}", user.name));
                }
            }
            Ok(hash(rule.users.len()))
        }
        Err(faults) => {
            for fault in &faults.0 {
                told(&fault.reason, &lines)?;
            }
            let kinds = faults.0.iter().map(|fault| {
                fault
                    .reason
                    .chars()
                    .filter(|char| char.is_ascii_alphabetic())
                    .take(60)
                    .collect::<String>()
            });
            Ok(hash(kinds.take(3).collect::<Vec<_>>()))
        }
    }
}

/// Checks that a reason names a line that exists, and shows nothing behind its colon.
fn told(reason: &str, lines: &[&[u8]]) -> Result<(), String> {
    let number = reason
        .strip_prefix("staff:")
        .and_then(|rest| rest.split(':').next());
    let Some(number) = number.and_then(|number| number.parse::<usize>().ok()) else {
        return match reason.starts_with("staff: contains no user") {
            true => Ok(()),
            false => Err(format!("no line: {reason}")),
        };
    };
    let line = number.checked_sub(1).and_then(|index| lines.get(index));
    let line = String::from_utf8_lossy(line.ok_or_else(|| format!("another line: {reason}"))?);
    let (name, secret) = line.split_once(':').unwrap_or(("", &*line));
    let secret = secret.trim();
    // The name of a duplicate is shown, whatever it is, in backticks.
    let name = format!("`{name}`");
    let shown = FIXED
        .iter()
        .fold(reason.to_owned(), |shown, fixed| shown.replace(fixed, " "));
    match secret.len() >= SECRET && shown.contains(secret) && !name.contains(secret) {
        true => Err(format!("line {number} is shown: {reason}")),
        false => Ok(()),
    }
}
