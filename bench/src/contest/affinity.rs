//! The cores that a thread, and the processes that it starts, may use.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The cores available to this process.
#[derive(Clone, Debug)]
pub struct Cores {
    all: CpuSet,
    allowed: Vec<usize>,
}

impl Cores {
    /// Reads the cores that this process may use.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn here() -> rustix::io::Result<Self> {
        let all = sched_getaffinity(None)?;
        let allowed = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core));
        Ok(Self {
            allowed: allowed.collect(),
            all,
        })
    }

    /// Returns the number of cores.
    pub fn count(&self) -> usize {
        self.allowed.len()
    }

    /// Restricts this thread to one core, counted from zero, or allows all of them. Returns whether that succeeded.
    ///
    /// Processes that it starts afterwards inherit the setting.
    pub fn pin(&self, core: Option<usize>) -> bool {
        let set = match core {
            None => self.all,
            Some(core) => {
                let Some(core) = self.allowed.get(core) else {
                    return false;
                };
                let mut set = CpuSet::new();
                set.set(*core);
                set
            }
        };
        sched_setaffinity(None, &set).is_ok()
    }
}
