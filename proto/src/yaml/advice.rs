//! Better messages for two mistakes that YAML reports far from their cause: a host such as `*.example.com` and an address such as
//! `[::1]:80`, both without quotes. YAML reads the first as an alias and the second as a list.

use crate::yaml::{Spot, Unreadable};

/// Number of lines searched before a parser's error. The parser may notice an unquoted key only on the following line.
const LINES_BEFORE: usize = 2;

/// Returns advice that explains the fault, or the fault unchanged.
pub(super) fn advised(source: &str, fault: Unreadable) -> Unreadable {
    let last = fault.at.line as usize;
    let first = last.saturating_sub(LINES_BEFORE).max(1);
    let lines = source.lines().enumerate().skip(first - 1);
    let mut near: Vec<_> = lines.take(last + 1 - first).collect();
    // Check the line of the fault itself first.
    near.reverse();
    let found = near
        .into_iter()
        .find_map(|(index, line)| Some((index, line, mistake(line)?)));
    let Some((index, line, (start, reason))) = found else {
        return fault;
    };
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let at = Spot {
        line: number(index + 1),
        column: number(line[..start].chars().count() + 1),
    };
    Unreadable { at, reason }
}

/// Finds the first unquoted wildcard host or IPv6 address in a line. Returns its offset and the advice.
fn mistake(line: &str) -> Option<(usize, String)> {
    let mut quote = None;
    for (at, char) in line.char_indices() {
        match (quote, char) {
            (Some(open), _) if open == char => quote = None,
            (None, '\'' | '"') => quote = Some(char),
            (None, '#') => return None,
            (None, '*') if begins_value(&line[..at]) => {
                if let Some(name) = wildcard(&line[at..]) {
                    let reason = format!("a name that begins with * must be in quotes: \"{name}\"");
                    return Some((at, reason));
                }
            }
            (None, '[') if begins_value(&line[..at]) => {
                if let Some(address) = bracketed_address(&line[at..]) {
                    let reason =
                        format!("an IPv6 address with a port must be in quotes: \"{address}\"");
                    return Some((at, reason));
                }
            }
            _ => {}
        }
    }
    None
}

/// Reports whether a value can begin after this text: at the start of a line, after `- `, `: `, `[`, `{` or `,`.
fn begins_value(before: &str) -> bool {
    matches!(
        before.trim_end().chars().next_back(),
        None | Some('-' | ':' | '[' | '{' | ',')
    )
}

/// Returns the name at the start of the text, such as `*.example.com`. `None` without a dot: that is an alias.
fn wildcard(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('*')?;
    let name = |char: char| char.is_alphanumeric() || matches!(char, '.' | '-' | '_');
    let end = rest.find(|char| !name(char)).unwrap_or(rest.len());
    rest[..end].contains('.').then(|| &text[..=end])
}

/// Returns the address at the start of the text, such as `[::1]:80`.
fn bracketed_address(text: &str) -> Option<&str> {
    let close = text.find(']')?;
    let inside = &text[1..close];
    let hexadecimal =
        |char: char| char.is_ascii_hexdigit() || matches!(char, ':' | '.' | '%') || char == ' ';
    let port = text[close + 1..].strip_prefix(':')?;
    let digits = port.bytes().take_while(u8::is_ascii_digit).count();
    let address = inside.contains(':') && inside.chars().all(hexadecimal);
    (address && digits > 0).then(|| &text[..close + 2 + digits])
}
