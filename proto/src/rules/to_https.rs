//! `to_https`: whether plain HTTP is redirected to HTTPS.

use crate::rules::Rule;

/// Whether a scope redirects plain HTTP to HTTPS. `None` if the scope does not set it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ToHttps(pub Option<bool>);

impl ToHttps {
    /// Returns the effective value. Default: no redirect.
    pub const fn is_on(self) -> bool {
        matches!(self.0, Some(true))
    }
}

impl Rule for ToHttps {
    type Keys = bool;
    type Wire = bool;

    fn lower(keys: bool) -> Self {
        Self(Some(keys))
    }

    fn narrowed_by(&self, narrower: &Self) -> Self {
        Self(narrower.0.or(self.0))
    }

    fn encode(&self) -> Option<bool> {
        self.0
    }

    fn decode(wire: bool, _: &mut dyn FnMut(String)) -> Self {
        Self(Some(wire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrower_scope_wins_and_nobody_redirects_unasked() {
        let [unsaid, on, off] = [None, Some(true), Some(false)].map(ToHttps);
        assert!(!unsaid.is_on());
        assert!(on.narrowed_by(&unsaid).is_on());
        assert!(!on.narrowed_by(&off).is_on());
        assert!(off.narrowed_by(&on).is_on());
    }
}
