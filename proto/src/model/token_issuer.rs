//! What a reader of documents knows about the key with which control signs tokens.

use crate::model::HmacStates;

/// The key behind `keys: aralez`. It is in `main.yaml` or the environment of control, not in a document, so it is passed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TokenIssuer {
    /// The reader only checks documents, and does not know control: such a rule is valid.
    #[default]
    Unknown,
    /// Control has no key, so it issues no tokens: such a rule would serve nobody.
    Keyless,
    /// Control signs with a key of HS256.
    Hs256(HmacStates),
}
