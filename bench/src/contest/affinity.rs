//! Which cores a thread, and the processes that it starts, may use.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// How the cores are shared out.
#[derive(Clone, Debug)]
pub struct Cores {
    all: CpuSet,
    allowed: Vec<usize>,
}

impl Cores {
    /// Those that this process may use.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn here() -> rustix::io::Result<Self> {
        let all = sched_getaffinity(None)?;
        let allowed = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core));
        Ok(Self {
            allowed: allowed.collect(),
            all,
        })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.allowed.len()
    }

    /// Lets this thread use one of the cores, counted from zero, or all; true where that is so now.
    ///
    /// Processes that it starts afterwards inherit it.
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
