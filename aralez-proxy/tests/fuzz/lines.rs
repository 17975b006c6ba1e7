//! Another reader of the fields of a head, line by line.

/// Returns the value of a field that a head has exactly once.
pub(crate) fn only_field<'h>(head: &'h [u8], name: &[u8]) -> Option<&'h [u8]> {
    let lines = head.split(|byte| *byte == b'\n').skip(1);
    let mut values = lines.filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        line[..colon]
            .eq_ignore_ascii_case(name)
            .then(|| line[colon + 1..].trim_ascii())
    });
    values.next().filter(|_| values.next().is_none())
}
