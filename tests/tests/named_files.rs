//! The files that documents name: their content reaches every node, and only what lies below the configuration folder is read.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same, stays};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::process::text;

/// The document of a site that names a file for 404.
fn naming(origin: &Origin, path: &str) -> String {
    let site = site("a.test", &[origin.address()]);
    format!("errors: {{404: {path}}}\n{site}")
}

/// Starts a fleet whose document names a file.
async fn fleet(origin: &Origin) -> Fleet {
    let mut fleet = Plan::new(1).lay_out();
    fleet.save(&naming(origin, "pages/404.html"));
    fs::create_dir(fleet.documents().join("pages")).unwrap();
    fs::write(page(&fleet), "<p>1</p>").unwrap();
    fleet.start_control().await;
    fleet.start_proxy(0).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    fleet
}

fn page(fleet: &Fleet) -> PathBuf {
    fleet.documents().join("pages/404.html")
}

/// Returns revision and root of what the proxy runs.
async fn runs(fleet: &Fleet) -> (u64, String) {
    let version = fleet.version(0).await.unwrap();
    let root = version["authored_root"].as_str().unwrap().to_owned();
    (version["revision"].as_u64().unwrap(), root)
}

async fn says(fleet: &Fleet, words: &str) -> Result<(), String> {
    let faults = fleet.document_faults().await?;
    let found = faults.iter().any(|fault| fault.contains(words));
    found.then_some(()).ok_or_else(|| format!("{faults:?}"))
}

#[tokio::test]
async fn a_change_of_a_named_file_alone_is_a_revision_that_reaches_every_node() {
    let origin = Origin::start("a").await;
    let mut fleet = fleet(&origin).await;
    let (first, before) = runs(&fleet).await;
    fs::write(page(&fleet), "<p>two</p>").unwrap();
    eventually(LIVE, "the node runs the change", || async {
        same(&fleet.revision(0).await?, &(first + 1))
    })
    .await;
    let (_, changed) = runs(&fleet).await;
    assert_ne!(changed, before);
    // Control restarts with the files of its ledger: nothing changes.
    fleet.kill_control();
    fleet.start_control().await;
    stays(Duration::from_secs(3), "no other revision", || async {
        same(&fleet.head().await?, &(first + 1))
    })
    .await;
    assert_eq!(runs(&fleet).await, (first + 1, changed));
}

#[tokio::test]
async fn a_named_file_that_disappears_stays_in_use_and_is_shown() {
    let origin = Origin::start("a").await;
    let mut fleet = fleet(&origin).await;
    let before = runs(&fleet).await;
    fs::remove_file(page(&fleet)).unwrap();
    let gone = "pages/404.html:0:0: : was deleted, but documents name it";
    eventually(LIVE, "the deletion is shown", || says(&fleet, gone)).await;
    fleet.kill_control();
    fleet.start_control().await;
    eventually(LIVE, "it is shown again", || says(&fleet, gone)).await;
    assert_eq!(runs(&fleet).await, before);
    fs::write(page(&fleet), "<p>1</p>").unwrap();
    eventually(LIVE, "it is back", || async {
        same(&fleet.document_faults().await?, &Vec::<String>::new())
    })
    .await;
    assert_eq!(fleet.head().await, Ok(before.0));
}

// Row C-07: files of documents.
#[tokio::test]
async fn a_path_out_of_the_folder_is_refused_with_its_place_by_control_and_by_validate() {
    let origin = Origin::start("a").await;
    let fleet = fleet(&origin).await;
    let before = runs(&fleet).await;
    symlink("/proc/self/environ", fleet.documents().join("link")).unwrap();
    let refused = [
        ("../main.yaml", "`../main.yaml` has a segment `..`"),
        ("/etc/passwd", "`/etc/passwd` is absolute"),
        ("link", "the file `link` leaves the configuration folder"),
        ("none", "the file `none` does not exist"),
        ("pages", "the file `pages` is a folder"),
    ];
    for (path, reason) in refused {
        let fault = format!("1:15: errors.404: {reason}");
        let answer = fleet.push(&naming(&origin, path)).await;
        assert_eq!(answer.status, 502);
        let words = answer.text();
        assert!(
            words.contains(&format!("upstreams.yaml:{fault}")),
            "{words}"
        );
        fleet.save(&naming(&origin, path));
        eventually(LIVE, "the file is refused", || {
            let fault = format!("upstreams.yaml:{fault}");
            let fleet = &fleet;
            async move { says(fleet, &fault).await }
        })
        .await;
        let folder = fleet.documents();
        let output = fleet.ctl(&["validate", folder.to_str().unwrap()]).await;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(text(&output).contains(&fault), "{output:?}");
    }
    assert_eq!(runs(&fleet).await, before);
}

#[tokio::test]
async fn a_push_uses_the_files_of_the_folder_of_control() {
    let origin = Origin::start("a").await;
    let fleet = fleet(&origin).await;
    let (first, before) = runs(&fleet).await;
    let named = fleet.documents().join("other.txt");
    fs::write(&named, "other").unwrap();
    let answer = fleet.push(&naming(&origin, "other.txt")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(fleet.follows(first).await, first + 1);
    assert_ne!(runs(&fleet).await.1, before);
    // The set of files names another file. A change of that one is a change of the set, which replaces the push.
    fs::write(page(&fleet), "<p>three</p>").unwrap();
    eventually(LIVE, "the files are in use again", || async {
        same(&fleet.revision(0).await?, &(first + 2))
    })
    .await;
}
