//! However a user or a program writes the file, the last write becomes live.

use std::path::Path;
use std::time::Duration;

use aralez_tests::document::site;
use aralez_tests::eventually::{same, stays};
use aralez_tests::fleet::{LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::stage::{BOUND, Stage};

#[tokio::test]
async fn every_way_of_saving_a_file_is_seen() {
    let stage = Stage::new().await;
    let file = stage.fleet.documents().join("upstreams.yaml");
    let folder = stage.fleet.documents();
    stage
        .change("rename over", "b", async |text| {
            let fresh = folder.join("upstreams.yaml.new");
            std::fs::write(&fresh, text).unwrap();
            std::fs::rename(&fresh, &file).unwrap();
        })
        .await;
    stage
        .change("truncate and write in parts", "a", async |text| {
            in_parts(&file, text).await;
        })
        .await;
    stage
        .change("delete and write again", "b", async |text| {
            std::fs::remove_file(&file).unwrap();
            stays(
                Duration::from_millis(300),
                "a deleted file takes nothing away",
                || async {
                    same(
                        &stage.fleet.get(0, "a.test", "/").await?.text().as_str(),
                        &"a",
                    )
                },
            )
            .await;
            std::fs::write(&file, text).unwrap();
        })
        .await;
}

#[tokio::test]
async fn editors_that_leave_files_beside_it_are_understood() {
    let stage = Stage::new().await;
    let file = stage.fleet.documents().join("upstreams.yaml");
    let folder = stage.fleet.documents();
    stage
        .change("vim: swap file, backup, rename, write", "b", async |text| {
            std::fs::write(folder.join(".upstreams.yaml.swp"), b"b0VIM 9.0\0\0garbage").unwrap();
            std::fs::write(folder.join("4913"), b"").unwrap();
            std::fs::remove_file(folder.join("4913")).unwrap();
            std::fs::rename(&file, folder.join("upstreams.yaml~")).unwrap();
            std::fs::write(&file, text).unwrap();
            std::fs::remove_file(folder.join("upstreams.yaml~")).unwrap();
            std::fs::remove_file(folder.join(".upstreams.yaml.swp")).unwrap();
        })
        .await;
    stage
        .change("emacs: lock, autosave, hard link", "a", async |text| {
            std::os::unix::fs::symlink("me@host.1:2", folder.join(".#upstreams.yaml")).unwrap();
            std::fs::write(folder.join("#upstreams.yaml#"), text).unwrap();
            std::fs::write(&file, text).unwrap();
            std::fs::remove_file(folder.join("#upstreams.yaml#")).unwrap();
            std::fs::remove_file(folder.join(".#upstreams.yaml")).unwrap();
        })
        .await;
    stage
        .change("the last of many quick writes", "b", async |text| {
            for _ in 0..20 {
                std::fs::write(&file, stage.document("a")).unwrap();
                std::fs::write(&file, "a.test: [broken").unwrap();
            }
            std::fs::write(&file, text).unwrap();
        })
        .await;
}

async fn in_parts(file: &Path, text: &str) {
    use tokio::io::AsyncWriteExt;
    let mut open = tokio::fs::File::create(file).await.unwrap();
    for part in text.as_bytes().chunks(16) {
        open.write_all(part).await.unwrap();
        open.flush().await.unwrap();
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

#[tokio::test]
async fn a_mounted_config_map_is_seen_when_its_link_moves() {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let mut fleet = Plan::new(2).lay_out();
    let folder = fleet.documents();
    let write = |name: &str, origin: &Origin| {
        std::fs::create_dir(folder.join(name)).unwrap();
        std::fs::write(
            folder.join(name).join("upstreams.yaml"),
            site("a.test", &[origin.address()]),
        )
        .unwrap();
    };
    write("..2026_01", &a);
    std::os::unix::fs::symlink("..2026_01", folder.join("..data")).unwrap();
    std::os::unix::fs::symlink("..data/upstreams.yaml", folder.join("upstreams.yaml")).unwrap();
    fleet.start_control().await;
    fleet.start_proxy(0).await;
    fleet.start_proxy(1).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    write("..2026_02", &b);
    std::os::unix::fs::symlink("..2026_02", folder.join("..data_tmp")).unwrap();
    std::fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    std::fs::remove_dir_all(folder.join("..2026_01")).unwrap();
    let took = fleet.until_serving(LIVE, "a.test", "b").await;
    println!("config map: live after {took:?}");
    assert!(took < BOUND, "{took:?}");
}
