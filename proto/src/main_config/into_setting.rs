//! Conversion of written values to the values that the daemons use.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::main_config::failure_rate::{FailureRate, WrittenFailureRate};
use crate::main_config::secret::Secret;
use crate::main_config::values::{Control, ControlAddress, LogLevel, NoEffect};
use crate::model::{GroupName, NodeName};
use crate::reading::{
    Between, FromYaml, NonZeroTimeout, OneOrMany, SecretText, SizeBetween, Spanned,
    WrittenDuration, WrittenSize, default_of,
};

/// A written value that converts to a `T`.
pub(super) trait IntoSetting<T> {
    /// Returns the value as used.
    fn into_setting(self) -> T;
}

/// Returns the written value, or else the default.
pub(super) fn or_default<S: FromYaml + IntoSetting<T>, T>(
    at: Option<Spanned<S>>,
    default: &'static str,
) -> T {
    let value = at.or_else(|| default_of(default));
    // A test reads an empty file, and with it every default.
    value
        .expect("each default is valid for its key")
        .value
        .into_setting()
}

macro_rules! becomes {
    ($($type:ty => $used:ty: $value:ident -> $becomes:expr;)*) => {$(
        impl IntoSetting<$used> for $type {
            fn into_setting(self) -> $used {
                let $value = self;
                $becomes
            }
        }
    )*};
}

becomes! {
    bool => bool: it -> it;
    String => String: it -> it;
    PathBuf => PathBuf: it -> it;
    Vec<PathBuf> => Vec<PathBuf>: it -> it;
    SocketAddr => SocketAddr: it -> it;
    LogLevel => LogLevel: it -> it;
    NodeName => NodeName: it -> it;
    GroupName => GroupName: it -> it;
    NonZeroTimeout => Duration: it -> it.0;
    WrittenDuration => Duration: it -> it.0;
    WrittenSize => u64: it -> it.0;
    SecretText => Secret: it -> Secret::new(it.0);
    Control => ControlAddress: it -> it.0;
    WrittenFailureRate => FailureRate: it -> it.0;
}

/// Converts a count to `usize`, saturating.
fn whole(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl<const MIN: u64, const MAX: u64> IntoSetting<u64> for Between<MIN, MAX> {
    fn into_setting(self) -> u64 {
        self.0
    }
}

impl<const MIN: u64, const MAX: u64> IntoSetting<u32> for Between<MIN, MAX> {
    fn into_setting(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

impl<const MIN: u64, const MAX: u64> IntoSetting<usize> for Between<MIN, MAX> {
    fn into_setting(self) -> usize {
        whole(self.0)
    }
}

impl<const MIN: u64, const MAX: u64> IntoSetting<NonZeroUsize> for Between<MIN, MAX> {
    fn into_setting(self) -> NonZeroUsize {
        NonZeroUsize::new(whole(self.0)).unwrap_or(NonZeroUsize::MIN)
    }
}

/// 0 means no limit.
impl<const MIN: u64, const MAX: u64> IntoSetting<Option<NonZeroUsize>> for Between<MIN, MAX> {
    fn into_setting(self) -> Option<NonZeroUsize> {
        NonZeroUsize::new(whole(self.0))
    }
}

impl<const MIN: u64, const MAX: u64> IntoSetting<usize> for SizeBetween<MIN, MAX> {
    fn into_setting(self) -> usize {
        whole(self.0)
    }
}

impl<T, S: IntoSetting<T>> IntoSetting<OneOrMany<T>> for OneOrMany<S> {
    fn into_setting(self) -> OneOrMany<T> {
        self.map(IntoSetting::into_setting)
    }
}

impl<T, S: IntoSetting<T>> IntoSetting<T> for NoEffect<S> {
    fn into_setting(self) -> T {
        self.0.into_setting()
    }
}
