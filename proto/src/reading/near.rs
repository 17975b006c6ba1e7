//! The nearest valid name for an invalid one.

/// Returns the name nearest to the written one. `None` if none is near enough to have been meant.
pub(crate) fn nearest<'n>(written: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    // Input can be of any length; no known name is near one this long.
    if written.len() > 64 {
        return None;
    }
    let names: Vec<&str> = names.collect();
    let most = (written.chars().count() / 3).clamp(1, 3);
    let close = names
        .iter()
        .map(|name| (distance(written, name), *name))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, name)| name);
    // Users may leave out the first word: `tls_certificate` for `config_tls_certificate`.
    let part = || {
        names
            .iter()
            .find(|name| written.len() >= 5 && name.contains(written))
    };
    close.or_else(|| part().copied())
}

/// Returns ` (did you mean …)`, or nothing.
pub(crate) fn did_you_mean<'n>(written: &str, names: impl Iterator<Item = &'n str>) -> String {
    nearest(written, names).map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"))
}

/// Returns the number of insertions, deletions, replacements and swaps of neighbours between two texts, ignoring case; `-` equals `_`.
fn distance(left: &str, right: &str) -> usize {
    let folded = |text: &str| {
        text.replace('-', "_")
            .to_lowercase()
            .chars()
            .collect::<Vec<_>>()
    };
    let (left, right) = (folded(left), folded(right));
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, r) in right.iter().enumerate() {
            let mut least = (above[j] + usize::from(l != r))
                .min(above[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *l == right[j - 1] && left[i - 1] == *r {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_finds_its_key_and_nonsense_finds_none() {
        let names = ["servers", "headers", "rate_limit", "to_https"];
        let near = |written| nearest(written, names.into_iter());
        assert_eq!(near("server"), Some("servers"));
        assert_eq!(near("sevrers"), Some("servers"));
        assert_eq!(near("rate-limit"), Some("rate_limit"));
        assert_eq!(near("ToHttps"), Some("to_https"));
        assert_eq!(near("colour"), None);
        assert_eq!(near(&"x".repeat(1000)), None);
    }
}
