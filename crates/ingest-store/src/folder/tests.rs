//! A folder before a real door over a log in memory.

mod world;

use std::{fs, time::Duration};

use futures::FutureExt as _;
use serde_json::{Value, json};

use self::world::World;
use super::{Outcome, Stopped};

const GOOD: &str =
    "id,at,place\n1,2026-01-20T09:31:00+02:00,Kamppi\n2,2026-01-20T09:32:00+02:00,Itis\n";

#[tokio::test]
async fn a_file_is_taken_once_and_moved_to_done() {
    let mut world = World::new("");
    world.put("orders.csv", GOOD);
    world.put(
        "more.ndjson",
        "{\"id\":3,\"at\":\"2026-01-20T09:33:00Z\",\"place\":\"Turku\"}\n",
    );
    world.rest().await;
    assert_eq!(world.ids(), ["1", "2", "3"]);
    assert_eq!(world.files("inbox"), [""; 0]);
    assert_eq!(world.files("done"), ["more.ndjson", "orders.csv"]);
    assert_eq!(world.files("rejected"), [""; 0]);
    assert_eq!(world.counted(Outcome::Done), 2);
    assert_eq!(
        fs::read_to_string(world.path("done/orders.csv")).unwrap(),
        GOOD
    );
    world.rest().await;
    assert_eq!(world.counted(Outcome::Done), 2);
}

#[tokio::test]
async fn a_file_with_bad_rows_gives_its_good_ones_and_a_report_beside_it() {
    let mut world = World::new("");
    world.put(
        "orders.csv",
        "id,at,place\n1,2026-01-20T09:31:00+02:00,Kamppi\n2,yesterday,Kamppi\n3\n4,1912-01-01T00:00:00Z,Itis\n",
    );
    world.rest().await;
    assert_eq!(world.ids(), ["1"]);
    assert_eq!(world.rejects(), 3);
    assert_eq!(
        world.files("rejected"),
        ["orders.csv", "orders.csv.report.json"]
    );
    let text = fs::read_to_string(world.path("rejected/orders.csv.report.json")).unwrap();
    assert!(!text.contains("yesterday"), "a report holds no value");
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        report,
        json!({
            "file": "orders.csv", "source": "shop",
            "rows": 4, "events": 4, "accepted": 1, "duplicate": 0, "rejected": 3,
            "refused": [
                {
                    "row": 2, "field": "time",
                    "reason": "row 2, event `seen`, field `time` from `at`: a text of the shape `aaaaaaaaa` is no moment with an \
                               offset, like 2026-11-20T09:31:00+02:00; set `time_format` and `zone`"
                },
                {"row": 3, "field": "", "reason": "row 3: 1 cells where the header has 3; quote cells that hold the delimiter"},
                {"row": 4, "field": "time", "reason": "lies before 1970; leave out what has no known time"},
            ],
        })
    );
    assert_eq!(world.counted(Outcome::Rejected), 1);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_as_a_whole_is_rejected_with_the_reason() {
    for (name, text, reason) in [
        ("orders.xlsx", GOOD, "the name ends in none of"),
        ("orders.csv", "id,at\n1,2026-01-20T09:31:00Z\n", "`place`"),
        ("orders.csv", "", "the file does not have"),
        (
            "orders.csv",
            "id,id\n",
            "the header: column 2 repeats a name",
        ),
    ] {
        let mut world = World::new("");
        world.put(name, text);
        world.rest().await;
        assert_eq!(
            world.files("rejected"),
            [name.to_owned(), format!("{name}.report.json")]
        );
        let report =
            fs::read_to_string(world.path(&format!("rejected/{name}.report.json"))).unwrap();
        let report: Value = serde_json::from_str(&report).unwrap();
        let said = report["ended_by"].as_str().unwrap();
        assert!(said.contains(reason), "{said}");
        assert_eq!(world.ids(), [""; 0]);
    }
}

#[tokio::test]
async fn a_file_that_is_written_to_is_left_alone_until_it_rests() {
    let mut world = World::new("");
    let (head, tail) = GOOD.split_at(60);
    world.put("orders.csv", head);
    world.look().await;
    world.look().await;
    world.put("orders.csv", GOOD);
    world.look().await;
    world.look().await;
    assert_eq!(world.ids(), [""; 0], "{tail}");
    world.look().await;
    assert_eq!(world.ids(), ["1", "2"]);
    assert_eq!(world.rejects(), 0);
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_read_stays_and_is_read_again() {
    let mut world = World::new("");
    world.put("orders.csv", GOOD);
    let found = world.found().await;
    let mut longer = GOOD.to_owned();
    longer.push_str("3,2026-01-20T09:33:00+02:00,Turku\n");
    world.put("orders.csv", &longer);
    let stopped = world.folder.send(&world.door, &found).await;
    assert!(matches!(stopped, Err(Stopped::Changed)));
    assert_eq!(world.files("inbox"), ["orders.csv"]);
    world.rest().await;
    assert_eq!(world.ids(), ["1", "2", "3"]);
    assert_eq!(world.files("done"), ["orders.csv"]);
}

#[tokio::test]
async fn the_same_name_again_is_numbered_and_its_rows_are_duplicates() {
    let mut world = World::new("");
    for _ in 0..3 {
        world.put("orders.csv", GOOD);
        world.rest().await;
    }
    assert_eq!(
        world.files("done"),
        ["orders-2.csv", "orders-3.csv", "orders.csv"]
    );
    assert_eq!(world.ids(), ["1", "2"]);
}

/// After each step a crash, and a new process on what is left: nothing is lost, nothing is twice, and the file ends where it
/// should, with one report.
#[tokio::test]
async fn a_crash_between_any_two_steps_loses_nothing_and_doubles_nothing() {
    let bad = format!("{GOOD}3,never,Turku\n");
    for (text, directory, left) in [
        (GOOD, "done", &["orders.csv"][..]),
        (&bad, "rejected", &["orders.csv", "orders.csv.report.json"]),
    ] {
        for step in 0..4 {
            let mut world = World::new("");
            world.put("orders.csv", text);
            let found = world.found().await;
            match step {
                // Found, and nothing done.
                0 => {}
                // The rows are on their way: the future is dropped at its first wait.
                1 => assert!(
                    world
                        .folder
                        .take(&world.door, &found)
                        .now_or_never()
                        .is_none()
                ),
                // All is acknowledged, nothing is moved.
                2 => drop(world.folder.send(&world.door, &found).await.unwrap()),
                // The report lies there, the file does not yet: it is still in the inbox.
                _ => {
                    let sent = world.folder.send(&world.door, &found).await.unwrap();
                    world.folder.put_away(&found, sent).await.unwrap();
                    let away = world.path(directory).join("orders.csv");
                    fs::rename(away, world.path("inbox/orders.csv")).unwrap();
                }
            }
            world.restart();
            world.rest().await;
            assert_eq!(world.ids(), ["1", "2"], "{directory} after step {step}");
            assert_eq!(
                world.files("inbox"),
                [""; 0],
                "{directory} after step {step}"
            );
            assert_eq!(
                world.files(directory),
                left,
                "{directory} after step {step}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_that_takes_nothing_is_asked_again_and_the_file_waits() {
    let mut world = World::new("");
    world.put("orders.csv", GOOD);
    let found = world.found().await;
    world.log_is_away(3);
    let sent = world.folder.send(&world.door, &found).await.unwrap();
    assert_eq!(sent.report.accepted, 2);
    assert_eq!(world.refusals_left(), 0);
    assert_eq!(world.ids(), ["1", "2"]);

    world.put("more.csv", "id,at,place\n3,2026-01-20T09:33:00Z,Turku\n");
    world.log_is_away(u32::MAX);
    let never = tokio::time::timeout(Duration::from_secs(600), world.rest()).await;
    assert!(never.is_err());
    // What the door knows already asks nothing of the log.
    assert_eq!(world.files("inbox"), ["more.csv"]);
}

#[tokio::test(start_paused = true)]
async fn a_watched_folder_takes_files_until_it_is_told_to_stop() {
    let world = World::new("");
    world.put("orders.csv", GOOD);
    let (stop, stopping) = tokio::sync::oneshot::channel::<()>();
    let World { folder, door, .. } = &world;
    let (folder, door) = (folder.reopened(), door.clone());
    let watched = tokio::spawn(folder.watch(door, async { drop(stopping.await) }));
    world
        .until(|world| world.files("done") == ["orders.csv"])
        .await;
    stop.send(()).unwrap();
    watched.await.unwrap();
    assert_eq!(world.ids(), ["1", "2"]);
}

#[tokio::test]
async fn what_cannot_be_moved_is_tried_again_and_counted() {
    let mut world = World::new("");
    world.put("orders.csv", GOOD);
    fs::remove_dir(world.path("done")).unwrap();
    world.rest().await;
    assert_eq!(world.files("inbox"), ["orders.csv"]);
    assert!(world.counted(Outcome::Failed) > 0);
    fs::create_dir(world.path("done")).unwrap();
    world.rest().await;
    assert_eq!(world.files("done"), ["orders.csv"]);
    assert_eq!(world.ids(), ["1", "2"]);
}

#[tokio::test]
async fn a_file_of_many_batches_is_taken_whole_and_bad_names_are_tamed() {
    let mut world = World::new("");
    let mut text = "id,at,place\n".to_owned();
    for number in 0..1_700 {
        text.push_str(&format!("R{number:05},2026-01-20T09:31:00Z,Kamppi\n"));
    }
    world.put("yön tilaukset (1).csv", &text);
    world.rest().await;
    assert_eq!(world.ids().len(), 1_700);
    assert_eq!(world.files("done"), ["yön_tilaukset__1_.csv"]);
}

#[test]
fn a_folder_without_its_mapping_is_no_folder() {
    let world = World::new("");
    let error = world.open("channel = 'store'\nfolder = { inbox = 'inbox' }\n");
    assert_eq!(error, "`sources.shop.folder` needs a mapping");
    let error = world.open("channel = 'store'\n");
    assert_eq!(error, "`sources.shop` has no folder");
}
