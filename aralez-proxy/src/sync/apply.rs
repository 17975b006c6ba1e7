//! Building the table of an update. An update is one transaction: every step before the swap may refuse it, and then nothing has changed.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use aralez_proto::fault::{Fault, FaultCode, Faults};
use aralez_proto::record::Change;
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_runtime::threads::TwoThreads;

use super::folders;
use crate::core::live::{LiveTable, Origin};
use crate::core::request::files::roots::FileRoots;
use crate::core::request::registry::Registry;
use crate::core::request::table::Table;
use crate::core::sync::subscription::Update;

/// What this node accepts, and the state that outlives its tables.
pub(super) struct Terms {
    pub(super) limits: Limits,
    pub(super) registry: Arc<Registry>,
    pub(super) file_roots: FileRoots,
}

/// Builds the live table that an update leads to: verified, decoded, validated, and sharing everything that did not change. Does not swap
/// it in.
///
/// # Errors
/// All faults. A panic on the way is reported as one internal fault, and is as harmless.
pub(super) fn prepare(
    current: &LiveTable,
    update: &Update,
    terms: &Terms,
) -> Result<LiveTable, Faults> {
    catch_unwind(AssertUnwindSafe(|| build(current, update, terms)))
        .unwrap_or_else(|panic| Err(internal(panic.as_ref())))
}

fn build(current: &LiveTable, update: &Update, terms: &Terms) -> Result<LiveTable, Faults> {
    let Terms {
        limits,
        registry,
        file_roots,
    } = terms;
    let (snapshot, table) = if update.full {
        let snapshot = whole(update, limits)?;
        folders::check(&snapshot, None, file_roots)?;
        let table = Table::build_with(&snapshot, registry, &TwoThreads);
        (snapshot, table)
    } else {
        let (snapshot, touched) = current.snapshot.next(update.to, &update.changes, limits)?;
        folders::check(&snapshot, Some(&touched), file_roots)?;
        let table = current.table.next(&snapshot, &touched, registry);
        (snapshot, table)
    };
    Ok(serving(table, snapshot, Origin::Stream))
}

/// Builds the snapshot of a full update.
fn whole(update: &Update, limits: &Limits) -> Result<Snapshot, Faults> {
    let put = |change: &Change| match change {
        Change::Put(record) => Some(record.clone()),
        Change::Delete(_) => None,
    };
    match update.changes.iter().map(put).collect() {
        Some(records) => Snapshot::loaded(update.to, records, limits, &TwoThreads),
        // The base is empty, but a deletion may refer to a record that the same update put.
        None => {
            let next = Snapshot::default().next(update.to, &update.changes, limits);
            next.map(|(snapshot, _)| snapshot)
        }
    }
}

/// Builds the table of a cached snapshot, which was validated when it was read.
///
/// # Errors
/// Only if this release has a defect.
pub(super) fn restore(snapshot: Snapshot, registry: &Registry) -> Result<LiveTable, Faults> {
    contained(|| {
        let table = Table::build_with(&snapshot, registry, &TwoThreads);
        Ok(serving(table, snapshot, Origin::Cache))
    })
}

/// Turns a panic into a fault.
fn contained<T>(work: impl FnOnce() -> Result<T, Faults>) -> Result<T, Faults> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(internal(panic.as_ref())))
}

fn serving(table: Table, snapshot: Snapshot, origin: Origin) -> LiveTable {
    LiveTable {
        table,
        snapshot: Arc::new(snapshot),
        origin,
        since: Instant::now(),
    }
}

/// Reports whether an update leaves all authored records unchanged.
pub(super) fn keeps_authored(update: &Update) -> bool {
    let authored = |change: &Change| change.key().kind.is_authored();
    !update.full && !update.changes.iter().any(authored)
}

fn internal(panic: &(dyn Any + Send)) -> Faults {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    let reason = format!(
        "internal error: {}",
        said.unwrap_or("panic without a message")
    );
    Fault::whole(FaultCode::Internal, "", reason).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_while_building_is_a_fault_of_ours() {
        let number = 3;
        for faults in [
            contained::<()>(|| panic!("no such bucket: {number}")).unwrap_err(),
            contained::<()>(|| panic!("no such bucket: 3")).unwrap_err(),
        ] {
            let fault = &faults.as_slice()[0];
            assert_eq!(fault.code, FaultCode::Internal);
            assert!(fault.reason.ends_with("no such bucket: 3"), "{fault}");
        }
    }
}
