//! Free loopback ports for daemons that are told their port before they bind it.
//!
//! Asking the kernel for port 0 and letting go again hands out ports that an outgoing connection may take meanwhile. So ports come
//! from below the range of outgoing connections, and a locked file keeps each from every other test, also in another process.

use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

const FIRST: u16 = 11_000;
const COUNT: u16 = 20_000;
const ATTEMPTS: usize = 1_000;

/// A port that nobody else is given while this value lives.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _lock: File,
}

impl Port {
    /// A port that was free a moment ago.
    ///
    /// # Panics
    /// When a thousand attempts find none.
    pub fn free() -> Self {
        let folder = std::env::temp_dir().join("aralez-test-ports");
        std::fs::create_dir_all(&folder).expect("the folder for port locks can be made");
        (0..ATTEMPTS)
            .find_map(|_| {
                let number = FIRST + (random() % u64::from(COUNT)) as u16;
                let lock = File::create(folder.join(number.to_string())).ok()?;
                lock.try_lock().ok()?;
                TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
                Some(Self {
                    number,
                    _lock: lock,
                })
            })
            .expect("one of a thousand ports is free")
    }

    /// Its address on the loopback.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}

/// A number that nobody can foresee, without a generator to keep.
pub fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
