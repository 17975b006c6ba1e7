//! Changes that remove in bulk need confirmation, from whichever source.

use super::*;
use crate::core::commit::TakeFiles;
use crate::core::hold::HoldId;

const SHORT: Duration = Duration::from_millis(200);

fn hosts(count: usize) -> String {
    let host =
        |number| format!("h{number}.example: {{paths: {{/: {{servers: ['10.0.0.1:80']}}}}}}\n");
    (0..count).map(host).collect()
}

fn reading(text: &str) -> Arc<FilesReading> {
    Arc::new(FilesReading {
        documents: Some(main_only(text)),
        ..FilesReading::default()
    })
}

fn held(publisher: &Publisher) -> Option<String> {
    let status = publisher.source_status();
    let status = status.borrow();
    status.held.as_ref().map(ToString::to_string)
}

/// Reads files that remove nine of twelve hosts. Returns the end of the hold.
async fn hold_nine_of_twelve(publisher: &Publisher) -> Instant {
    let until = publisher.take_reading(reading(&hosts(3))).await.unwrap();
    until.unwrap()
}

#[tokio::test]
async fn files_that_take_most_hosts_away_are_held_told_and_then_taken() {
    let publisher = Disk::default().open_holding(Surroundings::default(), SHORT);
    publisher.take_reading(reading(&hosts(12))).await.unwrap();
    let until = hold_nine_of_twelve(&publisher).await;
    assert_eq!((revision(&publisher), hosts_of(&publisher)), (1, 12));
    assert_eq!(held(&publisher).unwrap(), "removes 9 of 12 hosts");
    let early = publisher.take_reading(reading(&hosts(3))).await.unwrap();
    assert_eq!(early, Some(until), "an early second look changes nothing");
    tokio::time::sleep_until(until.into()).await;
    assert_eq!(
        publisher.take_reading(reading(&hosts(3))).await.unwrap(),
        None
    );
    assert_eq!((revision(&publisher), hosts_of(&publisher)), (2, 3));
    assert_eq!(held(&publisher), None);
    assert_eq!(publisher.figures().held, 1, "each is counted once");
}

fn hosts_of(publisher: &Publisher) -> usize {
    super::hosts(publisher).len()
}

#[tokio::test]
async fn who_follows_the_files_comes_back_for_the_second_look_by_itself() {
    let publisher = Disk::default().open_holding(Surroundings::default(), SHORT);
    publisher.take_reading(reading(&hosts(12))).await.unwrap();
    let (tell, readings) = watch::channel(Some(reading(&hosts(3))));
    let follower = publisher.clone();
    let following = tokio::spawn(async move { follower.follow_files(readings).await });
    let mut views = publisher.views();
    let taken = views.wait_for(|views| views.version().revision == 2);
    tokio::time::timeout(Duration::from_secs(10), taken)
        .await
        .unwrap()
        .unwrap();
    drop(tell);
    following.await.unwrap();
}

#[tokio::test]
async fn files_that_went_back_are_held_no_longer() {
    let publisher = Disk::default().open();
    publisher.take_reading(reading(&hosts(12))).await.unwrap();
    for other in [hosts(12), FAULTY.to_owned(), hosts(11)] {
        hold_nine_of_twelve(&publisher).await;
        assert!(held(&publisher).is_some());
        assert_eq!(publisher.take_reading(reading(&other)).await.unwrap(), None);
        assert_eq!(held(&publisher), None);
    }
}

#[tokio::test]
async fn an_operator_lets_held_files_through() {
    let publisher = Disk::default().open();
    assert!(publisher.release(None).await.unwrap().is_none());
    publisher.take_reading(reading(&hosts(12))).await.unwrap();
    assert!(publisher.release(None).await.unwrap().is_none());
    publisher.take_reading(reading(&hosts(3))).await.unwrap();
    let committed = publisher.release(None).await.unwrap().unwrap();
    assert_eq!((committed.version.revision, hosts_of(&publisher)), (2, 3));
    assert_eq!(held(&publisher), None);
    assert_eq!(
        publisher.take_reading(reading(&hosts(3))).await.unwrap(),
        None
    );
    assert_eq!(revision(&publisher), 2);
}

async fn held_push(publisher: &Publisher, text: &str) -> HoldId {
    match publisher.commit(push(text)).await.unwrap_err() {
        Rejected::Held(held) => held.id,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_push_that_takes_most_hosts_away_is_confirmed_by_its_id_or_by_force_and_never_by_repetition()
 {
    let publisher = Disk::default().open();
    publisher.commit(push(&hosts(12))).await.unwrap();
    let id = held_push(&publisher, &hosts(3)).await;
    for _ in 0..5 {
        assert_eq!(held_push(&publisher, &hosts(3)).await, id);
    }
    let confirmed = |text: &str, confirmation| Proposal {
        confirmation,
        ..push(text)
    };
    let other = confirmed(&hosts(2), Confirmation::Held(id));
    assert!(matches!(
        publisher.commit(other).await,
        Err(Rejected::Held(_))
    ));
    assert_eq!((revision(&publisher), hosts_of(&publisher)), (1, 12));
    let shown = confirmed(&hosts(3), Confirmation::Held(id));
    publisher.commit(shown).await.unwrap();
    assert_eq!(hosts_of(&publisher), 3);
    publisher.commit(push(&hosts(12))).await.unwrap();
    let forced = confirmed(&hosts(2), Confirmation::Force);
    publisher.commit(forced).await.unwrap();
    assert_eq!(hosts_of(&publisher), 2);
    let figures = publisher.figures();
    assert_eq!((figures.held, figures.refused), (2, 0));
}

fn set(documents: &[(&str, &str)]) -> DocumentSet {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned().into());
    documents.iter().map(owned).collect()
}

fn some_hosts(prefix: &str, count: usize) -> String {
    let host = |number| {
        format!("{prefix}{number}.example: {{paths: {{/: {{servers: ['10.0.0.1:80']}}}}}}\n")
    };
    (0..count).map(host).collect()
}

async fn read(publisher: &Publisher, documents: &DocumentSet, gone: &[&str]) -> Option<Instant> {
    let reading = FilesReading {
        documents: Some(documents.clone()),
        gone: gone.iter().map(ToString::to_string).collect(),
        ..FilesReading::default()
    };
    publisher.take_reading(Arc::new(reading)).await.unwrap()
}

#[tokio::test]
async fn deleted_files_and_emptied_files_that_take_most_hosts_away_wait_for_an_operator() {
    let publisher = Disk::default().open_holding(Surroundings::default(), Duration::ZERO);
    let both = set(&[
        ("upstreams.yaml", &hosts(3)),
        ("conf.d/a.yaml", &some_hosts("a", 9)),
    ]);
    read(&publisher, &both, &[]).await;
    let deleted = set(&[("upstreams.yaml", &hosts(3))]);
    let emptied = set(&[("upstreams.yaml", ""), ("conf.d/a.yaml", "")]);
    for lost in [&deleted, &emptied, &deleted] {
        assert_eq!(
            read(&publisher, lost, &[]).await,
            None,
            "time does not confirm it"
        );
        assert!(held(&publisher).is_some());
        assert_eq!(hosts_of(&publisher), 12);
    }
    // With a hold time of zero, an edit is confirmed immediately.
    let edited = set(&[("upstreams.yaml", &hosts(3)), ("conf.d/a.yaml", "")]);
    read(&publisher, &edited, &[]).await;
    assert_eq!(hosts_of(&publisher), 3);
}

#[tokio::test]
async fn files_that_are_gone_stay_until_they_are_released_and_then_do_not_come_back_by_themselves()
{
    let publisher = Disk::default().open_holding(Surroundings::default(), Duration::ZERO);
    let parts = [
        ("conf.d/a.yaml", some_hosts("a", 2)),
        ("conf.d/b.yaml", some_hosts("b", 1)),
    ];
    let main = |text: &str| {
        let parts = parts.iter().map(|(name, text)| (*name, text.as_str()));
        set(&parts.chain([("upstreams.yaml", text)]).collect::<Vec<_>>())
    };
    let gone = ["conf.d/a.yaml", "conf.d/b.yaml"];
    read(&publisher, &main(&hosts(6)), &[]).await;
    read(&publisher, &main(&hosts(6)), &gone).await;
    assert_eq!(
        held(&publisher).unwrap(),
        "lacks conf.d/a.yaml, lacks conf.d/b.yaml"
    );
    // Other changes are committed in the meantime.
    read(&publisher, &main(&hosts(7)), &gone).await;
    assert_eq!((revision(&publisher), hosts_of(&publisher)), (2, 10));
    assert!(held(&publisher).is_some());
    let other = "000000000000".parse().unwrap();
    assert!(matches!(
        publisher.release(Some(other)).await,
        Err(Rejected::Held(_))
    ));
    let id = publisher.source_status().borrow().held.as_ref().unwrap().id;
    let released = publisher.release(Some(id)).await.unwrap().unwrap();
    assert_eq!(released.dropped.len(), 2);
    assert_eq!((hosts_of(&publisher), held(&publisher)), (7, None));
    // The source still keeps them until it is restarted.
    read(&publisher, &main(&hosts(8)), &gone).await;
    assert_eq!((hosts_of(&publisher), held(&publisher)), (8, None));
    read(&publisher, &main(&hosts(8)), &[]).await;
    assert_eq!(hosts_of(&publisher), 11, "they are back on disk");
}

#[tokio::test]
async fn a_push_says_which_hosts_of_conf_d_it_drops_and_the_files_can_be_taken_again() {
    let disk = Disk::default();
    let publisher = disk.open();
    let both = set(&[
        ("upstreams.yaml", &hosts(6)),
        ("conf.d/a.yaml", &some_hosts("a", 5)),
    ]);
    read(&publisher, &both, &[]).await;
    let pushed = publisher.commit(push(&hosts(6))).await.unwrap();
    let words: Vec<String> = pushed.dropped.iter().map(ToString::to_string).collect();
    let five =
        "drops 5 hosts defined in conf.d/a.yaml: a0.example, a1.example, a2.example and 2 more";
    assert_eq!(words, [five]);
    read(&publisher, &both, &[]).await;
    assert_eq!(
        hosts_of(&publisher),
        6,
        "the push stays until the files change"
    );
    disk.0.lock().unwrap().on_disk = Some(Ok(both.clone()));
    let take = || TakeFiles {
        message: String::new(),
        confirmation: Confirmation::Missing,
    };
    let taken = publisher.take_files(take()).await.unwrap();
    assert!(taken.changed && taken.dropped.is_empty());
    assert_eq!(hosts_of(&publisher), 11);
    let origin = publisher.source_status().borrow().head_origin.clone();
    assert_eq!(origin, Some(CommitOrigin::File));
    assert!(!publisher.take_files(take()).await.unwrap().changed);
}

#[tokio::test]
async fn files_that_are_taken_by_hand_pass_reader_and_guard() {
    let disk = Disk::default();
    let publisher = disk.open();
    publisher.commit(push(&hosts(12))).await.unwrap();
    let take = |confirmation| TakeFiles {
        message: String::new(),
        confirmation,
    };
    disk.0.lock().unwrap().on_disk = Some(Ok(main_only(FAULTY)));
    let faulty = publisher.take_files(take(Confirmation::Missing)).await;
    assert!(matches!(faulty, Err(Rejected::Documents(_))));
    disk.0.lock().unwrap().on_disk = Some(Ok(main_only(&hosts(3))));
    let held = publisher.take_files(take(Confirmation::Missing)).await;
    let Err(Rejected::Held(held)) = held else {
        panic!("not held");
    };
    assert_eq!(hosts_of(&publisher), 12);
    publisher
        .take_files(take(Confirmation::Held(held.id)))
        .await
        .unwrap();
    assert_eq!(hosts_of(&publisher), 3);
}

#[tokio::test]
async fn a_push_during_a_hold_is_the_newer_word_also_after_a_restart() {
    let disk = Disk::default();
    let publisher = disk.open_holding(Surroundings::default(), Duration::ZERO + SHORT);
    publisher.take_reading(reading(&hosts(12))).await.unwrap();
    let until = hold_nine_of_twelve(&publisher).await;
    publisher.commit(push(&hosts(13))).await.unwrap();
    assert_eq!(held(&publisher), None);
    tokio::time::sleep_until(until.into()).await;
    for publisher in [publisher, disk.open_holding(Surroundings::default(), SHORT)] {
        assert_eq!(
            publisher.take_reading(reading(&hosts(3))).await.unwrap(),
            None
        );
        assert_eq!((revision(&publisher), hosts_of(&publisher)), (2, 13));
    }
}

#[tokio::test]
async fn files_are_held_again_after_a_restart_of_control() {
    let disk = Disk::default();
    let publisher = disk.open();
    publisher.take_reading(reading(&hosts(12))).await.unwrap();
    hold_nine_of_twelve(&publisher).await;
    let publisher = disk.open();
    assert!(
        publisher
            .take_reading(reading(&hosts(3)))
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(hosts_of(&publisher), 12);
}
