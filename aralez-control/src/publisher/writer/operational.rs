//! Records of the operational layer: durable under their own counter, no revision.

use std::sync::Arc;

use aralez_proto::convert::decode;
use aralez_proto::fault::{Fault, FaultCode, Faults};
use aralez_proto::record::Change;
use tracing::info;

use super::Writer;
use crate::core::commit::{Committed, Rejected};
use crate::core::layers::{Layers, Operational};
use crate::core::store::StoreError;

impl Writer {
    /// Applies records that control stores for the fleet. Records that nodes would refuse are not written.
    pub(super) fn record(&mut self, changes: &[Change]) -> Result<Committed, Rejected> {
        // If the store cannot be read, the following steps report it.
        let _ = self.follow_store();
        let Some(operational) = self.layers.operational.after(changes) else {
            let version = self.outlets.views.borrow().version();
            return Ok(Committed::nothing(version));
        };
        check(changes)?;
        let written = |writer: &mut Self, operational: &Operational| {
            let written = writer.store.write_operational(changes, operational);
            written.map_err(|error| match error {
                StoreError::Unknown(reason) => Rejected::Unknown(reason),
                error => Rejected::Store(error.to_string()),
            })
        };
        let committed = self.take_operational(operational, changes, written)?;
        let operational = self.layers.operational.counter();
        info!(operational, touched = %committed.touched, "operational records written");
        Ok(committed)
    }

    /// Adopts the operational layer of the store, after a write with an unknown outcome.
    pub(super) fn follow_operational(&mut self) -> Result<(), Rejected> {
        let stored = self.store.operational();
        let stored = stored.map_err(|error| Rejected::Store(error.to_string()))?;
        if stored.counter() == self.layers.operational.counter() {
            return Ok(());
        }
        let changes = self.layers.operational.changes_to(&stored);
        self.take_operational(stored, &changes, |_, _| Ok(()))?;
        Ok(())
    }

    /// Makes the next operational layer durable, then publishes views with it.
    fn take_operational(
        &mut self,
        operational: Operational,
        changes: &[Change],
        make_durable: impl FnOnce(&mut Self, &Operational) -> Result<(), Rejected>,
    ) -> Result<Committed, Rejected> {
        let before = Arc::clone(&self.outlets.views.borrow());
        if before.version().revision == 0 {
            // Nothing is published yet. The next commit includes them.
            make_durable(self, &operational)?;
            self.layers.operational = operational;
            return Ok(Committed::nothing(before.version()));
        }
        let layers = Layers {
            operational,
            ..self.layers.clone()
        };
        let views = before.recorded(&layers, changes);
        let views = views.map_err(Rejected::Snapshot)?;
        make_durable(self, &layers.operational)?;
        let committed = Committed {
            touched: views.touched_since(&before),
            ..Committed::nothing(views.version())
        };
        self.layers = layers;
        self.publish_views(views, &committed.touched);
        Ok(committed)
    }
}

/// Verifies that this release serves these records, even if there is no view yet.
fn check(changes: &[Change]) -> Result<(), Rejected> {
    let faults = changes.iter().filter_map(|change| match change {
        change if change.key().kind.is_authored() => {
            let reason = "is a type that only documents define; expected an operational type";
            Some(vec![Fault::of(
                change.key(),
                FaultCode::Invalid,
                "type",
                reason,
            )])
        }
        Change::Put(record) => decode(record).err(),
        Change::Delete(_) => None,
    });
    Faults::check(faults.flatten().collect()).map_err(Rejected::Snapshot)
}
