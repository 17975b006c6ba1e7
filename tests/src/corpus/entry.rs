//! The file format of the corpus: entries of keys with values and blocks of bytes.

use super::text::Text;

#[cfg(test)]
mod tests;

/// One entry: `== id: title` and the lines that follow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The unique short name.
    pub id: String,
    /// One line about the case.
    pub title: String,
    /// `FILE:LINE`
    pub place: String,
    /// The keys, in file order.
    pub items: Vec<Item>,
}

/// `key: value`, and the lines of bytes below it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// The key.
    pub key: String,
    /// The rest of the line, trimmed.
    pub value: String,
    /// The lines that begin with `|`, joined; `None` if there are none.
    pub block: Option<Text>,
    /// `FILE:LINE`
    pub place: String,
}

impl Item {
    /// Returns the block of an item that must have one, and no value.
    ///
    /// # Errors
    /// If the item has a value or lacks a block.
    pub fn bytes(&self) -> Result<Text, String> {
        if !self.value.is_empty() {
            return Err(format!(
                "{}: {}: unexpected value {:?}, expected lines of bytes",
                self.place, self.key, self.value
            ));
        }
        let none = || format!("{}: {}: no lines of bytes", self.place, self.key);
        self.block.clone().ok_or_else(none)
    }

    /// Returns the value of an item that must not have a block.
    ///
    /// # Errors
    /// If the item has a block.
    pub fn word(&self) -> Result<&str, String> {
        match self.block {
            Some(_) => Err(format!(
                "{}: {}: takes no lines of bytes",
                self.place, self.key
            )),
            None => Ok(&self.value),
        }
    }

    /// Formats the error for a value that the key does not accept.
    pub fn wrong(&self) -> String {
        format!(
            "{}: {}: {:?} is not understood",
            self.place, self.key, self.value
        )
    }
}

/// Parses a file.
///
/// # Errors
/// The place and reason of the first invalid line.
pub fn read(file: &str, text: &str) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let place = format!("{file}:{}", index + 1);
        let take = take(&mut entries, line, &place);
        take.map_err(|reason| format!("{place}: {reason}"))?;
    }
    Ok(entries)
}

fn take(entries: &mut Vec<Entry>, line: &str, place: &str) -> Result<(), String> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(());
    }
    if let Some(name) = line.strip_prefix("== ") {
        let (id, title) = name.split_once(": ").ok_or("no `== id: title`")?;
        entries.push(Entry {
            id: id.to_owned(),
            title: title.to_owned(),
            place: place.to_owned(),
            items: Vec::new(),
        });
        return Ok(());
    }
    let entry = entries
        .last_mut()
        .ok_or("before the first `== id: title`")?;
    if let Some(bytes) = line.strip_prefix('|') {
        let item = entry
            .items
            .last_mut()
            .ok_or("bytes that belong to no key")?;
        let bytes = Text::read(bytes)?;
        item.block.get_or_insert_default().extend(bytes);
        return Ok(());
    }
    let (key, value) = line
        .split_once(':')
        .ok_or("neither `key: value` nor |bytes")?;
    entry.items.push(Item {
        key: key.to_owned(),
        value: value.trim().to_owned(),
        block: None,
        place: place.to_owned(),
    });
    Ok(())
}
