//! Password hashes: computed on threads of their own, a few at once, so that logins never delay other requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aralez_decision::ask::Reply;
use aralez_decision::authorization::password::PasswordCheck;
use tokio::sync::Semaphore;

/// Computations at once. Each takes up to 64 MiB and a core.
const AT_ONCE: usize = 2;

/// Computations that run or wait. A request beyond is refused, because it would wait for longer than clients do.
const MOST: usize = AT_ONCE + 64;

/// Computes password hashes. Cheap to clone; one bound for all clones.
#[derive(Clone, Debug)]
pub struct PasswordChecks {
    permits: Arc<Semaphore>,
    open: Arc<AtomicUsize>,
}

impl Default for PasswordChecks {
    fn default() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            open: Arc::default(),
        }
    }
}

/// A place among the computations, held until it is done.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl PasswordChecks {
    /// Compares a password. [`Reply::Unavailable`] if too many are being compared.
    pub async fn compute(&self, check: PasswordCheck) -> Reply {
        let place = Place(Arc::clone(&self.open));
        if self.open.fetch_add(1, Ordering::Relaxed) >= MOST {
            return Reply::Unavailable;
        }
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else {
            return Reply::Unavailable;
        };
        // A computation cannot be interrupted: it keeps place and permit, also if its client is gone.
        let computed = tokio::task::spawn_blocking(move || {
            let (_place, _permit) = (place, permit);
            check.compute()
        });
        computed.await.map_or(Reply::Unavailable, Reply::Password)
    }
}
