//! Cycles: groups of files that depend on each other.

use std::collections::{BTreeMap, BTreeSet};

/// Returns the groups of files that depend on each other, directly or indirectly. `needs` holds the dependencies of each file.
pub(crate) fn circles(needs: &[BTreeMap<usize, usize>]) -> Vec<BTreeSet<usize>> {
    let reached: Vec<_> = (0..needs.len()).map(|from| reach(needs, from)).collect();
    let mut found = Vec::new();
    let mut known: BTreeSet<usize> = BTreeSet::new();
    for file in 0..needs.len() {
        if !reached[file].contains(&file) || known.contains(&file) {
            continue;
        }
        let circle = reached[file].iter().copied();
        let circle: BTreeSet<_> = circle
            .filter(|other| reached[*other].contains(&file))
            .collect();
        known.extend(&circle);
        found.push(circle);
    }
    found
}

fn reach(needs: &[BTreeMap<usize, usize>], from: usize) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<_> = needs[from].keys().copied().collect();
    while let Some(file) = open.pop() {
        if reached.insert(file) {
            open.extend(needs[file].keys());
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_found_whatever_its_length_and_a_chain_is_none() {
        let edges: [&[usize]; 7] = [&[1], &[2], &[0, 3], &[4], &[], &[6], &[5, 4]];
        let needs: Vec<_> = edges
            .iter()
            .map(|to| to.iter().map(|file| (*file, 1)).collect())
            .collect();
        assert_eq!(
            circles(&needs),
            [BTreeSet::from([0, 1, 2]), BTreeSet::from([5, 6])]
        );
    }
}
