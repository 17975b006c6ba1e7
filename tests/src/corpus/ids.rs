//! The ids of forwarded requests, which differ for each request.

/// The line before the ids in a forwarded head, up to its value.
const BEFORE: &[u8] = b"\r\ncdn-loop: ";
/// Length of both lines: `x-request-id` with 32 digits, and `traceparent` of the same trace.
const LINES: usize = "x-request-id: \r\n".len() + 32 + "traceparent: \r\n".len() + 55;

/// Returns the bytes of a request that an endpoint received, without the ids that the proxy added.
pub(super) fn without(bytes: &[u8]) -> Vec<u8> {
    let mut kept = bytes.to_vec();
    let ids = bytes
        .windows(BEFORE.len())
        .enumerate()
        .find_map(|(at, found)| {
            let line = at + 2;
            let end = bytes[line..].windows(2).position(|pair| pair == b"\r\n")?;
            let start = line + end + 2;
            let lines = bytes.get(start..start + LINES)?;
            (found == BEFORE && are_ids(lines)).then_some(start..start + LINES)
        });
    if let Some(ids) = ids {
        kept.drain(ids);
    }
    kept
}

fn are_ids(lines: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(lines) else {
        return false;
    };
    let Some((id, trace)) = text
        .strip_prefix("x-request-id: ")
        .and_then(|rest| rest.split_at_checked(32))
    else {
        return false;
    };
    let digits = |text: &str| {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        text.bytes().all(digit)
    };
    let trace = trace
        .strip_prefix("\r\ntraceparent: 00-")
        .and_then(|rest| rest.strip_prefix(id))
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|rest| rest.strip_suffix("-01\r\n"));
    digits(id) && trace.is_some_and(|span| span.len() == 16 && digits(span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_ids_behind_the_loop_field_are_left_out() {
        let id = "0123456789abcdef0123456789abcdef";
        let head = |ids: &str| format!("GET / HTTP/1.1\r\ncdn-loop: a\r\n{ids}\r\n").into_bytes();
        let ids = format!("x-request-id: {id}\r\ntraceparent: 00-{id}-0123456789abcdef-01\r\n");
        assert_eq!(without(&head(&ids)), head(""));
        for other in [ids.replace("-01", "-00"), ids.replacen('0', "g", 1)] {
            assert_eq!(without(&head(&other)), head(&other), "{other}");
        }
    }
}
