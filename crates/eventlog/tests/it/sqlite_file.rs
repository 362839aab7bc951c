//! The files: one owner, readers beside it, found as they were left, and nothing left of what was erased.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use eventlog::store::Select;
use eventlog::verify::verify;
use eventlog::{Keys, Log, Memory, Rejected, Sqlite, StoreError, copy};
use serde_json::json;
use sqlx::Connection;
use uuid::Uuid;

use crate::place::{Place, acme, append, positions, written};

#[tokio::test]
async fn a_log_is_found_as_it_was_left() {
    let place = Place::sqlite();
    let log = place.log().await;
    written(log.append(append(1, &["ticket/a", "ticket/b"])).await.unwrap());
    let (head, name) = (log.head().await.unwrap(), log.pseudonym(&acme(), "name", "x"));
    drop(log);
    let log = place.log().await;
    assert_eq!((log.head().await.unwrap(), log.pseudonym(&acme(), "name", "x")), (head, name));
    assert_eq!(positions(&written(log.append(append(2, &["ticket/a"])).await.unwrap())), [3]);
    verify(&log).await.unwrap();
}

/// What lies on the disk at any moment is what a crash leaves: every acknowledged append is in it.
#[tokio::test]
async fn a_crash_loses_nothing_acknowledged() {
    let (place, crashed) = (Place::sqlite(), Place::sqlite());
    let log = place.log().await;
    for request in 1..=20u128 {
        written(log.append(append(request, &["ticket/a"])).await.unwrap());
    }
    for name in ["log.db", "log.db-wal"] {
        std::fs::copy(place.file(name), crashed.file(name)).unwrap();
    }
    let restarted = crashed.log().await;
    assert_eq!(restarted.head().await.unwrap(), log.head().await.unwrap());
    assert_eq!(verify(&restarted).await.unwrap().head.position, 20);
}

#[tokio::test]
async fn a_second_owner_is_refused() {
    let place = Place::sqlite();
    let owner = place.log().await;
    let second = Sqlite::create_or_open(&place.file("log.db")).await;
    assert!(matches!(second, Err(StoreError::Unavailable(_))), "{second:?}");
    drop(owner);
    Sqlite::create_or_open(&place.file("log.db")).await.unwrap();
}

#[tokio::test]
async fn a_reader_beside_the_owner_sees_what_is_committed_and_writes_nothing() {
    let place = Place::sqlite();
    let owner = place.log().await;
    let beside = Arc::new(Sqlite::open_read_only(&place.file("log.db")).await.unwrap());
    let reader = Log::open(beside, Keys::memory(1));
    for request in 1..=3 {
        written(owner.append(append(request, &["ticket/a"])).await.unwrap());
        let seen = reader.read(&Select::All, None, 0, 10).await.unwrap();
        assert_eq!(seen.len(), usize::try_from(request).unwrap());
    }
    let refused = reader.append(append(9, &["ticket/a"])).await;
    assert!(matches!(refused, Err(Rejected::Store(StoreError::Unavailable(_)))), "{refused:?}");
    verify(&reader).await.unwrap();
}

#[tokio::test]
async fn a_replayed_log_and_its_keys_are_kept_in_files() {
    let place = Place::sqlite();
    let log = Log::open(Arc::new(Memory::new()), Keys::memory(3));
    let mut secret = append(1, &["ticket/a"]);
    let (ann, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let plain =
        json!([{ "personal": { "subject": ann, "value": "Ann" } }, { "personal": { "subject": bob, "value": "Bob" } }]);
    secret.events[0].body = plain.to_string().into_bytes();
    written(log.append(secret).await.unwrap());
    log.erase(&acme(), bob).await.unwrap();

    let file = Sqlite::create_or_open(&place.file("log.db")).await.unwrap();
    assert_eq!(copy::copy(log.store().as_ref(), &file).await.unwrap(), 1);
    log.keys().export_to(&place.file("keys.db")).await.unwrap();
    log.keys().export_to(&place.file("keys.db")).await.unwrap_err();

    let kept = Log::open(Arc::new(file), place.keys().await);
    assert_eq!(kept.head().await.unwrap(), log.head().await.unwrap());
    let mut body = serde_json::from_slice(&kept.read(&Select::All, None, 0, 1).await.unwrap()[0].body).unwrap();
    kept.reveal(&acme(), &mut body).await.unwrap();
    assert_eq!(body, json!([{ "personal": { "subject": ann, "value": "Ann" } }, { "erased": { "subject": bob } }]));
    assert_eq!(kept.pseudonym(&acme(), "name", "x"), log.pseudonym(&acme(), "name", "x"));
}

/// All bytes of the files whose names start so, WAL and journals too.
fn bytes_of(place: &Place, start: &str) -> Vec<u8> {
    let dir = place.file("log.db").parent().unwrap().to_owned();
    let entries = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
    let ours = entries.filter(|entry| entry.file_name().to_str().unwrap().starts_with(start));
    ours.flat_map(|entry| std::fs::read(entry.path()).unwrap()).collect()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Proves part of: X6
#[tokio::test]
async fn no_file_holds_plain_text_or_a_destroyed_key() {
    let place = Place::sqlite();
    let log = place.log().await;
    let subjects: Vec<_> = (1..=150).map(Uuid::from_u128).collect();
    for (request, subject) in (1..).zip(&subjects) {
        let mut about = append(request, &["ticket/a"]);
        let plain = json!({ "x": { "personal": { "subject": subject, "value": format!("Pseudonymia {request}") } } });
        about.events[0].body = plain.to_string().into_bytes();
        written(log.append(about).await.unwrap());
    }
    let mode = std::fs::metadata(place.file("keys.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let url = format!("sqlite://{}", place.file("keys.db").display());
    let mut keys = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let all: Vec<(Uuid, Vec<u8>)> =
        sqlx::query_as("SELECT subject, key FROM subject").fetch_all(&mut keys).await.unwrap();
    assert_eq!(all.len(), 150);
    let before = bytes_of(&place, "keys");
    assert!(!holds(&bytes_of(&place, ""), b"Pseudonymia") && all.iter().all(|(_, key)| holds(&before, key)));

    for subject in subjects.iter().step_by(3) {
        log.erase(&acme(), *subject).await.unwrap();
    }
    let after = bytes_of(&place, "keys");
    for (subject, key) in all {
        let erased = subjects.iter().position(|other| *other == subject).unwrap() % 3 == 0;
        assert_eq!(holds(&after, &key), !erased, "{subject}");
    }
    verify(&log).await.unwrap();
}
