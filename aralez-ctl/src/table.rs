//! Plain tables for people: columns padded to their widest cell, two spaces between.

/// Formats a table with a line for the head.
pub(crate) fn render<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = head.map(width);
    for row in rows {
        for (known, cell) in widths.iter_mut().zip(row) {
            *known = (*known).max(width(cell));
        }
    }
    let head = line(&head.map(str::to_owned), &widths);
    let rows = rows.iter().map(|row| line(row, &widths));
    std::iter::once(head).chain(rows).collect()
}

/// Formats `name  value` lines, without a head.
pub(crate) fn pairs(rows: &[(&str, String)]) -> String {
    let widest = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    rows.iter()
        .map(|(name, value)| line(&[(*name).to_owned(), value.clone()], &[widest, 0]))
        .collect()
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut text = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        text.push_str(&format!("{cell:width$}  "));
    }
    format!("{}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_end_without_spaces() {
        let rows = [
            ["a".to_owned(), "höher".to_owned()],
            ["longer".to_owned(), String::new()],
        ];
        assert_eq!(
            render(["NODE", "X"], &rows),
            "NODE    X\na       höher\nlonger\n"
        );
    }

    #[test]
    fn pairs_line_up() {
        let rows = [("root", "ab".to_owned()), ("revision", "7".to_owned())];
        assert_eq!(pairs(&rows), "root      ab\nrevision  7\n");
    }
}
