//! `Debug` of the messages that contain secrets: only their names.

use std::fmt::{Debug, Formatter, Result};

use crate::wire::resource::{ApiKeyAuthorization, BasicUser, TokenKey, token_key};

macro_rules! hidden {
    ($($message:ty = $name:literal,)*) => {$(
        impl Debug for $message {
            fn fmt(&self, f: &mut Formatter<'_>) -> Result {
                f.write_str(concat!($name, "(…)"))
            }
        }
    )*};
}

hidden! {
    ApiKeyAuthorization = "ApiKeyAuthorization",
    BasicUser = "BasicUser",
    TokenKey = "TokenKey",
    token_key::Key = "Key",
}
