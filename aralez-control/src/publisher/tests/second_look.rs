//! What takes away in bulk is looked at twice, by whichever way it comes.

use super::*;
use crate::core::loss::Loser;

const SHORT: Duration = Duration::from_millis(200);

fn hosts(count: usize) -> String {
    let host =
        |number| format!("h{number}.example: {{paths: {{/: {{servers: ['10.0.0.1:80']}}}}}}\n");
    (0..count).map(host).collect()
}

fn reading(text: &str) -> Arc<Reading> {
    Arc::new(Reading {
        documents: Some(main_only(text)),
        ..Reading::default()
    })
}

fn held(publisher: &Publisher) -> Option<String> {
    let status = publisher.source_status();
    let status = status.borrow();
    status.held.as_ref().map(ToString::to_string)
}

async fn push_is_refused(publisher: &Publisher, text: &str) {
    match publisher.commit(push(text)).await.unwrap_err() {
        Rejected::Held(held) => assert!(matches!(held.losses[0].from, Loser::Hosts)),
        other => panic!("{other}"),
    }
}

/// Reads files that take nine of twelve hosts away; until when they are held.
async fn hold_nine_of_twelve(publisher: &Publisher) -> Instant {
    let until = publisher.take_reading(reading(&hosts(3))).await.unwrap();
    until.unwrap()
}

#[tokio::test]
async fn files_that_take_most_hosts_away_are_held_told_and_then_taken() {
    let publisher = Disk::default().open_holding(Rules::default(), SHORT);
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
    let publisher = Disk::default().open_holding(Rules::default(), SHORT);
    publisher.take_reading(reading(&hosts(12))).await.unwrap();
    let (tell, readings) = watch::channel(Some(reading(&hosts(3))));
    let follower = publisher.clone();
    let following = tokio::spawn(async move { follower.follow(readings).await });
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
    assert!(publisher.release().await.unwrap().is_none());
    publisher.take_reading(reading(&hosts(12))).await.unwrap();
    assert!(publisher.release().await.unwrap().is_none());
    publisher.take_reading(reading(&hosts(3))).await.unwrap();
    let committed = publisher.release().await.unwrap().unwrap();
    assert_eq!((committed.version.revision, hosts_of(&publisher)), (2, 3));
    assert_eq!(held(&publisher), None);
    assert_eq!(
        publisher.take_reading(reading(&hosts(3))).await.unwrap(),
        None
    );
    assert_eq!(revision(&publisher), 2);
}

#[tokio::test]
async fn a_push_that_takes_most_hosts_away_is_refused_once_or_forced() {
    let publisher = Disk::default().open();
    publisher.commit(push(&hosts(12))).await.unwrap();
    push_is_refused(&publisher, &hosts(3)).await;
    assert_eq!((revision(&publisher), hosts_of(&publisher)), (1, 12));
    publisher.commit(push(&hosts(3))).await.unwrap();
    assert_eq!(hosts_of(&publisher), 3);
    publisher.commit(push(&hosts(12))).await.unwrap();
    let forced = Proposal {
        force: true,
        ..push(&hosts(2))
    };
    publisher.commit(forced).await.unwrap();
    assert_eq!(hosts_of(&publisher), 2);
    let figures = publisher.figures();
    assert_eq!((figures.held, figures.refused), (1, 0));
}

#[tokio::test]
async fn a_push_during_a_hold_is_the_newer_word_also_after_a_restart() {
    let disk = Disk::default();
    let publisher = disk.open_holding(Rules::default(), Duration::ZERO + SHORT);
    publisher.take_reading(reading(&hosts(12))).await.unwrap();
    let until = hold_nine_of_twelve(&publisher).await;
    publisher.commit(push(&hosts(13))).await.unwrap();
    assert_eq!(held(&publisher), None);
    tokio::time::sleep_until(until.into()).await;
    for publisher in [publisher, disk.open_holding(Rules::default(), SHORT)] {
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
