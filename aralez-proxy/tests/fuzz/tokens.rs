//! Tokens: only those that were signed are accepted, whatever was changed about them, in the field and in the query alike.

use aralez_decision::Pairs;

use super::corpus::hash;
use super::scene::{Fate, fate};

/// The tokens that were signed, each with the host that accepts it.
pub(crate) const SIGNED: [(&str, &str); 3] = [
    (
        "issued.test",
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjoidmFsb2QiLCJleHAiOjQxMDI0NDQ4MDB9.pU_IrIEC3enAbnbNOkLNRe--oO9TO0eW1gXbhTMl-_U",
    ),
    (
        "jwt.test",
        "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImVzMjU2In0.eyJzdWIiOiJ2YWxvZCIsImV4cCI6MjAwMDAwMDAwMH0.LN5MtCVy3ltp4ZQa4e1vdUdHXHht9Lbh45zbZFje4VkWAEo2M5XfhWR7DcSJ2eR5xvNrkW6A2UGmGdUIJII5hw",
    ),
    (
        "jwt.test",
        "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCIsImtpZCI6ImVkZHNhIn0.eyJzdWIiOiJ2YWxvZCIsImV4cCI6MjAwMDAwMDAwMH0.ECmlzhORf7lPqTcSmx7AhThNjpjCxCJaOvlE6i9IQ3po0XqhPB5EN9m1JXXwUxgzc0Xt7WXxJddpLsJEb8T4AA",
    ),
];

/// Parts of tokens, and of the fields and parameters that carry them.
pub(crate) const WORDS: &[&[u8]] = &[
    b".",
    b"=",
    b"==",
    b"-",
    b"_",
    b"+",
    b"/",
    b"%2E",
    b"%2e",
    b"%",
    b"&",
    b"?",
    b"araleztoken=",
    b"&araleztoken=x",
    b"%61raleztoken=",
    b"Bearer ",
    b"Basic ",
    b"Authorization: ",
    b"X-Api-Key: fuzz-key\r\n",
    b"Cookie: araleztoken=x\r\n",
    b"eyJhbGciOiJub25lIn0",
    b"eyJhbGciOiJIUzI1NiJ9",
    b"eyJhbGciOiJIUzI1NiIsImtpZCI6ImVkZHNhIn0",
    b"dXNlcjpwYTpzcw==",
];

pub(crate) fn check(bytes: &[u8]) -> Result<u64, String> {
    let Ok(token) = std::str::from_utf8(bytes) else {
        return Ok(0);
    };
    let escaped: String = bytes.iter().map(|byte| format!("%{byte:02x}")).collect();
    let target = format!("/?araleztoken={escaped}");
    let field = format!("Bearer {token}");
    let mut fates = Vec::new();
    for host in ["issued.test", "jwt.test"] {
        let signed = |token: &str| SIGNED.contains(&(host, token));
        let in_query = fate(Some(host), &target, Pairs::default());
        let in_field = fate(Some(host), "/", Pairs(&[("authorization", &field)]));
        for (fate, is_signed) in [
            (&in_query, signed(token)),
            // Spaces behind the scheme belong to neither.
            (&in_field, signed(token.trim_ascii_start())),
        ] {
            if matches!(fate, Fate::Forwarded(..)) != is_signed {
                return Err(format!("{host}: {fate:?}, and signed is {is_signed}"));
            }
        }
        fates.push(format!("{in_query:?}{in_field:?}"));
    }
    let parts = token.split('.').map(str::len).collect::<Vec<_>>();
    Ok(hash((
        fates,
        parts.len(),
        parts.iter().map(|length| length % 4).collect::<Vec<_>>(),
    )))
}
