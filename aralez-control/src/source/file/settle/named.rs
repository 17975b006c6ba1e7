//! The files that documents name. Their last content stays whatever happens to them; without one, the documents are refused where they name
//! the file.

use std::time::Duration;

use aralez_proto::model::RelativePath;
use aralez_runtime::beneath::Unusable;

use super::collected::Collected;
use super::still::Unread;
use super::{Decider, Found, Scan};

impl Decider {
    pub(super) fn named(
        &mut self,
        now: Duration,
        look: &Scan,
        unread: &Unread,
        set: &mut Collected,
    ) {
        for (path, found) in &look.named {
            let kept = self.taken.files.get(path).cloned();
            let name = path.as_str();
            match found {
                _ if unread.contains_key(name) => {
                    let opener = unread.get(name).and_then(Option::as_deref);
                    set.writing_file(path, opener, kept);
                }
                Found::Text(seen) => set.put_file(path, Ok(seen.text.clone())),
                Found::Trouble(reason) => set.unusable_file(path, reason, kept),
                // Normally in `unread` already, or still waited for.
                Found::Writing(_) => set.writing_file(path, None, kept),
                Found::Missing => match kept {
                    Some(content) => {
                        set.put_file(path, Ok(content));
                        self.deleted(now, path, set);
                        continue;
                    }
                    None => set.put_file(path, Err(Unusable::Missing.to_string().into())),
                },
            }
            self.missing_since.remove(name);
        }
    }

    /// Warns of a file whose last content stays in use, once it has been missing for long enough.
    fn deleted(&mut self, now: Duration, path: &RelativePath, set: &mut Collected) {
        let left = self.gone_in(now, path.as_str());
        set.look_again(left);
        if left.is_none() {
            set.warn(
                path.as_str(),
                "was deleted, but documents name it; its previous content stays in use until the file is back",
            );
        }
    }
}
