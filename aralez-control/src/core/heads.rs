//! Who is told when the views change: once for each change, by the one that made it, before anybody can see them.

use crate::core::fleet::SharedFleet;
use crate::core::touched::TouchedGroups;
use crate::core::views::Views;

/// Takes note of new views. Called by the writer while nobody else can write, so it must not wait.
pub trait Heads: Send + Sync {
    /// `after` takes the place of `before`. `touched` are the groups that see another configuration.
    fn advanced(&self, before: &Views, after: &Views, touched: &TouchedGroups);
}

/// A new version begins its proof here and nowhere else: no session knows it yet, so that all that nodes say of it is counted.
impl Heads for SharedFleet {
    fn advanced(&self, before: &Views, after: &Views, touched: &TouchedGroups) {
        let (before, after) = (before.version(), after.version());
        // Discovered endpoints and operational records come and go under the version of the head.
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
        Views::default().renamed(version)
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
