//! Notification about changed views: once for each change, by its writer, before the views become visible to others.

use crate::core::fleet::SharedFleet;
use crate::core::touched::TouchedGroups;
use crate::core::views::Views;

/// Receives new views. The writer calls it while it holds off all other writes, so it must not block.
pub trait Heads: Send + Sync {
    /// Called when `after` replaces `before`. `touched` are the groups whose configuration changed.
    fn advanced(&self, before: &Views, after: &Views, touched: &TouchedGroups);
}

/// Begins the proof of a new version. This is the only place that does: no session knows the version yet, so every report about it is
/// counted.
impl Heads for SharedFleet {
    fn advanced(&self, before: &Views, after: &Views, touched: &TouchedGroups) {
        let (before, after) = (before.version(), after.version());
        // Discovered endpoints and operational records change without a new revision of the head.
        if after.revision > 0 && !before.order(&after).is_eq() {
            self.lock().committed(after, touched);
        }
    }
}

#[cfg(test)]
mod tests {
    use aralez_proto::version::Version;

    use super::*;

    fn views(generation: u64, revision: u64) -> Views {
        let version = Version {
            generation,
            revision,
            ..Version::default()
        };
        Views::default().with_version(version)
    }

    #[test]
    fn a_proof_begins_with_a_commit_or_a_generation_and_with_nothing_else() {
        let cases = [
            ("a history without a commit", (1, 0), (2, 0), false),
            ("endpoints were found", (2, 7), (2, 7), false),
            ("a commit", (2, 7), (2, 8), true),
            ("a generation", (2, 7), (3, 7), true),
        ];
        for (what, before, after, begins) in cases {
            let fleet = SharedFleet::default();
            let (before, after) = (views(before.0, before.1), views(after.0, after.1));
            fleet.advanced(&before, &after, &TouchedGroups::default());
            let proof = fleet.lock().proof(after.version().revision).is_some();
            assert_eq!(proof, begins, "{what}");
        }
    }
}
