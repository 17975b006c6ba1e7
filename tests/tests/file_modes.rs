//! File modes that kubelet's `fsGroup`, `cp -r`, `rsync` or ACL masks change do no harm to the state of the daemons.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{LIVE, Plan};
use aralez_tests::origin::Origin;
use rustix::process::Signal;

/// Changes modes as kubelet does at each mount of a volume with `fsGroup`: g+rw on files, g+rwxs on folders.
fn like_kubelet(path: &Path) {
    let metadata = fs::symlink_metadata(path).unwrap();
    let mode = metadata.permissions().mode();
    if metadata.is_dir() {
        fs::set_permissions(path, Permissions::from_mode(mode | 0o2070)).unwrap();
        for entry in fs::read_dir(path).unwrap() {
            like_kubelet(&entry.unwrap().path());
        }
    } else if metadata.is_file() {
        fs::set_permissions(path, Permissions::from_mode(mode | 0o060)).unwrap();
    }
}

/// Returns the files below a folder that the group can access.
fn open_to_the_group(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true => open_to_the_group(&path),
        false => vec![path.display().to_string()],
    });
    let open = |path: &String| fs::metadata(path).unwrap().permissions().mode() & 0o060 != 0;
    files.filter(open).collect()
}

#[tokio::test]
async fn state_with_group_bits_serves_starts_and_is_closed_again() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .document(&site("a.test", &[origin.address()]))
        .start()
        .await;
    let head = fleet.until_current(LIVE).await;
    eventually(LIVE * 2, "the version is safe on disk", || async {
        let node = fleet.node(0).await?;
        same(&node.all["persisted"]["revision"].as_u64(), &Some(head))
    })
    .await;
    let mut control = fleet.control.take().unwrap();
    control.signal(Signal::TERM);
    control.end(LIVE).await.unwrap();
    let mut proxy = fleet.proxies[0].take().unwrap();
    proxy.signal(Signal::TERM);
    proxy.end(LIVE).await.unwrap();
    like_kubelet(&fleet.state());

    fleet.start_proxy(0).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    let version = fleet.version(0).await.unwrap();
    assert_eq!(version["origin"], "cache");

    fleet.start_control().await;
    assert_eq!(fleet.until_current(LIVE * 2).await, head);
    let told = eventually(LIVE, "the proxy reports what it found", || async {
        let told = fleet.node(0).await?.troubles.join("\n");
        match told.contains("seal.key") && told.contains("content-") && told.contains("marks") {
            true => Ok(told),
            false => Err(told),
        }
    })
    .await;
    println!("{told}");
    assert!(fleet.log("control").contains("control/seal.key"));
    // These two files hold nothing secret: their modes are not checked here.
    let public = ["/lock", "/pseudonym"];
    let sealed = |path: &String| !public.iter().any(|name| path.ends_with(name));
    let open = open_to_the_group(&fleet.state());
    let open: Vec<_> = open.iter().filter(|path| sealed(path)).collect();
    assert!(open.is_empty(), "{open:?}");
}
