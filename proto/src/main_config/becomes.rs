//! From values as written to values as used.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::main_config::secret::Secret;
use crate::main_config::values::{Control, ControlAddress, Idle, LogLevel};
use crate::model::{GroupName, NodeName};
use crate::reading::{
    At, Between, Deadline, Life, OneOrMany, Secrecy, Shape, Size, SizeBetween, default_of,
};

/// What a written value is used as.
pub(super) trait Becomes<T> {
    /// The used value.
    fn becomes(self) -> T;
}

/// The written value, or else the default.
pub(super) fn or_default<S: Shape + Becomes<T>, T>(at: Option<At<S>>, default: &'static str) -> T {
    let value = at.or_else(|| default_of(default));
    // A test reads an empty file, and so every default.
    value
        .expect("each default is a value of its key")
        .value
        .becomes()
}

macro_rules! becomes {
    ($($type:ty => $used:ty: $value:ident -> $becomes:expr;)*) => {$(
        impl Becomes<$used> for $type {
            fn becomes(self) -> $used {
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
    SocketAddr => SocketAddr: it -> it;
    LogLevel => LogLevel: it -> it;
    NodeName => NodeName: it -> it;
    GroupName => GroupName: it -> it;
    Deadline => Duration: it -> it.0;
    Life => Duration: it -> it.0;
    Size => u64: it -> it.0;
    Secrecy => Secret: it -> Secret::new(it.0);
    Control => ControlAddress: it -> it.0;
}

/// What a number that counts things here is on this machine.
fn whole(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl<const MIN: u64, const MAX: u64> Becomes<u64> for Between<MIN, MAX> {
    fn becomes(self) -> u64 {
        self.0
    }
}

impl<const MIN: u64, const MAX: u64> Becomes<u32> for Between<MIN, MAX> {
    fn becomes(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

impl<const MIN: u64, const MAX: u64> Becomes<usize> for Between<MIN, MAX> {
    fn becomes(self) -> usize {
        whole(self.0)
    }
}

impl<const MIN: u64, const MAX: u64> Becomes<NonZeroUsize> for Between<MIN, MAX> {
    fn becomes(self) -> NonZeroUsize {
        NonZeroUsize::new(whole(self.0)).unwrap_or(NonZeroUsize::MIN)
    }
}

/// 0 is no limit.
impl<const MIN: u64, const MAX: u64> Becomes<Option<NonZeroUsize>> for Between<MIN, MAX> {
    fn becomes(self) -> Option<NonZeroUsize> {
        NonZeroUsize::new(whole(self.0))
    }
}

impl<const MIN: u64, const MAX: u64> Becomes<usize> for SizeBetween<MIN, MAX> {
    fn becomes(self) -> usize {
        whole(self.0)
    }
}

impl<T, S: Becomes<T>> Becomes<OneOrMany<T>> for OneOrMany<S> {
    fn becomes(self) -> OneOrMany<T> {
        self.map(Becomes::becomes)
    }
}

impl<T, S: Becomes<T>> Becomes<T> for Idle<S> {
    fn becomes(self) -> T {
        self.0.becomes()
    }
}
