//! Moving the folder to another cluster.

use super::*;
use crate::core::sync::cluster::ClusterId;

fn accept(folder: &Path, cluster: &str) -> Result<AcceptedCluster, NotCached> {
    let cluster: ClusterId = cluster.parse().unwrap();
    accept_cluster(&folder.join("proxy"), &cluster, &Limits::default())
}

#[test]
fn all_that_is_kept_belongs_to_the_cluster_that_was_accepted_and_marks_stay_as_they_were() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1, 2, 3]);
    fs::write(file_of(folder.path(), 3), b"damaged").unwrap();
    let accepted = accept(folder.path(), "0909").unwrap();
    assert_eq!(accepted.snapshots, 2);
    assert_eq!(accepted.troubles.len(), 1, "{accepted:?}");
    let mut cache = cache(folder.path());
    let found = cache.boot(&Limits::default());
    assert_eq!(found.cluster, [9, 9]);
    assert_eq!(revision(&found), Some(2));
    assert_eq!(found.replaces_boot_id.len(), 16);
    while cache.examine().is_some() {}
    let names = names(folder.path());
    let whole = names.iter().filter(|name| name.ends_with(".arz")).count();
    assert_eq!(whole, 2, "only the damaged one is set aside: {names:?}");
}

/// The machine crashed between the steps.
#[test]
fn a_change_of_the_cluster_that_was_cut_short_loses_nothing_and_can_be_done_again() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1, 2]);
    let old = fs::read(file_of(folder.path(), 1)).unwrap();
    accept(folder.path(), "0909").unwrap();
    fs::write(file_of(folder.path(), 1), old).unwrap();
    let proxy = folder.path().join("proxy");
    let key = private::load_or_create_key(&proxy.join(KEY_FILE)).unwrap();
    crate::cache::accept::belong(&proxy, &[], &key.key).unwrap();
    assert_eq!(accept(folder.path(), "0909").unwrap().snapshots, 2);
    let found = cache(folder.path()).boot(&Limits::default());
    assert_eq!((found.cluster, found.troubles), (vec![9, 9], Vec::new()));
}

#[test]
fn where_nothing_is_kept_there_is_nothing_to_accept() {
    let folder = TempDir::new().unwrap();
    let NotCached(reason) = accept(folder.path(), "0909").unwrap_err();
    assert!(reason.contains("joins the first cluster"), "{reason}");
    assert!(!folder.path().join("proxy").exists());
}
