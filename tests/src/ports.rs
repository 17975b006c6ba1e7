//! Free loopback ports for daemons that must know their port before they bind it.
//!
//! A port obtained by binding port 0 and closing it again may be taken by an outgoing connection in the meantime. These ports therefore
//! come from below the ephemeral range, and a locked file reserves each against all other tests, in other processes too.

use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

const FIRST: u16 = 11_000;
const COUNT: u16 = 20_000;
const ATTEMPTS: usize = 1_000;

/// A port that no other test gets while this value lives.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _lock: File,
}

impl Port {
    /// Reserves a port that was free a moment ago.
    ///
    /// # Panics
    /// If a thousand attempts find none.
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

    /// Returns its address on the loopback interface.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}

/// Returns an unpredictable number, without a generator to carry around.
pub fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
