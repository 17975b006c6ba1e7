//! Applying the core's edits to the engine's header maps.

use aralez_proto::model::HeaderEdits;
use http::{HeaderName, HeaderValue};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::{OrErr, Result};

use crate::core::edits::{self, Edit};

/// A head that can be edited.
pub(super) trait Editable {
    fn names(&self) -> impl Iterator<Item = &HeaderName>;
    fn remove(&mut self, name: &str);
    fn set(&mut self, name: HeaderName, value: HeaderValue) -> Result<()>;
    fn append(&mut self, name: HeaderName, value: HeaderValue) -> Result<()>;
}

macro_rules! editable {
    ($head:ty) => {
        impl Editable for $head {
            fn names(&self) -> impl Iterator<Item = &HeaderName> {
                self.headers.keys()
            }

            fn remove(&mut self, name: &str) {
                self.remove_header(name);
            }

            fn set(&mut self, name: HeaderName, value: HeaderValue) -> Result<()> {
                self.insert_header(name, value)
            }

            fn append(&mut self, name: HeaderName, value: HeaderValue) -> Result<()> {
                self.append_header(name, value).map(drop)
            }
        }
    };
}

editable!(RequestHeader);
editable!(ResponseHeader);

/// Takes off what does not pass.
pub(super) fn keep(head: &mut impl Editable, passes: impl Fn(&str) -> bool) {
    let stopped: Vec<HeaderName> = head
        .names()
        .filter(|name| !passes(name.as_str()))
        .cloned()
        .collect();
    for name in stopped {
        head.remove(name.as_str());
    }
}

/// Applies a route's edits.
pub(super) fn apply_route(head: &mut impl Editable, edits: &HeaderEdits) -> Result<()> {
    edits::of_route(edits).try_for_each(|edit| apply(head, edit))
}

/// Applies one edit.
pub(super) fn apply(head: &mut impl Editable, edit: Edit<'_>) -> Result<()> {
    match edit {
        Edit::Remove(name) => head.remove(name),
        Edit::Set(name, value) => head.set(name_of(name)?, value_of(value)?)?,
        Edit::Append(name, value) => head.append(name_of(name)?, value_of(value)?)?,
    }
    Ok(())
}

// Names and values were checked when the snapshot was made; the engine has no way to take them unchecked.
fn name_of(name: &str) -> Result<HeaderName> {
    HeaderName::from_bytes(name.as_bytes()).or_err(pingora::ErrorType::InternalError, "header name")
}

fn value_of(value: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(value).or_err(pingora::ErrorType::InternalError, "header value")
}
