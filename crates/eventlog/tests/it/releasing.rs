//! Which history effects may be carried out for, and what holds them in one process.

use std::sync::Arc;

use eventlog::{Keys, Log, Memory, Postgres, Sqlite, copy};
use sqlx::{AssertSqlSafe, Connection};

use crate::place::{Place, append, written};

on_every_store!(
    a_log_is_released_when_it_is_made,
    a_raised_epoch_is_not_released_until_somebody_says_so,
    a_copy_is_not
);

async fn a_log_is_released_when_it_is_made(place: &Place) {
    assert!(place.log().await.released().await.unwrap());
    assert!(place.log().await.released().await.unwrap(), "and found so again");
}

async fn a_raised_epoch_is_not_released_until_somebody_says_so(place: &Place) {
    let log = place.log().await;
    written(log.append(append(1, &["ticket/a"])).await.unwrap());
    let before = log.head().await.unwrap();
    assert_eq!(log.raise_epoch().await.unwrap(), 2);
    assert!(!log.released().await.unwrap());
    let head = log.head().await.unwrap();
    assert_eq!((head.epoch, &head.hash), (2, &before.hash));
    assert_eq!(written(log.append(append(2, &["ticket/a"])).await.unwrap())[0].position, 2, "commands go on");
    for _ in 0..2 {
        log.release().await.unwrap();
        assert!(log.released().await.unwrap());
    }
    assert_eq!(log.raise_epoch().await.unwrap(), 3);
    assert!(!log.released().await.unwrap());
}

async fn a_copy_is_not(place: &Place) {
    let original = Log::open(Arc::new(Memory::new()), Keys::memory(1));
    written(original.append(append(1, &["ticket/a"])).await.unwrap());
    original.raise_epoch().await.unwrap();
    original.release().await.unwrap();
    let log = place.log().await;
    copy::copy(original.store().as_ref(), log.store().as_ref()).await.unwrap();
    assert!(original.released().await.unwrap() && !log.released().await.unwrap());
    log.release().await.unwrap();
    assert!(log.released().await.unwrap());
}

#[tokio::test]
async fn effects_are_held_as_long_as_anything_holds_them() {
    let log = Place::memory().log().await;
    assert_eq!(log.held(), None);
    let first = log.hold("the stream is ahead");
    let second = log.hold("another stream is ahead");
    assert_eq!(log.held().as_deref(), Some("the stream is ahead"));
    drop(first);
    assert_eq!(log.held().as_deref(), Some("another stream is ahead"));
    drop(second);
    assert_eq!(log.held(), None);
}

const FORM_2: [[&str; 2]; 2] = [
    [include_str!("../../schema/sqlite/log_1.sql"), include_str!("../../schema/sqlite/log_2.sql")],
    [include_str!("../../schema/postgres/log_1.sql"), include_str!("../../schema/postgres/log_2.sql")],
];

/// A file of the form before there was a release: its effects ran, so they go on.
#[tokio::test]
async fn a_file_of_the_former_form_is_released() {
    let place = Place::sqlite();
    let url = format!("sqlite://{}?mode=rwc", place.file("log.db").display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let head = "INSERT INTO head VALUES (1, randomblob(16), 4, 0, zeroblob(32), 0); PRAGMA user_version = 2";
    sqlx::raw_sql(AssertSqlSafe(format!("{};{head}", FORM_2[0].join("\n")))).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let log = Log::open(Arc::new(Sqlite::create_or_open(&place.file("log.db")).await.unwrap()), Keys::memory(1));
    assert!(log.released().await.unwrap());
    assert_eq!(log.head().await.unwrap().epoch, 4);
    written(log.append(append(1, &["ticket/a"])).await.unwrap());
}

#[tokio::test]
async fn a_database_of_the_former_form_is_released() {
    let Some(place) = Place::postgres().await else { return };
    let Place::Postgres(url) = &place else { panic!("not in PostgreSQL") };
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let former = format!(
        "DROP SCHEMA docket CASCADE; CREATE SCHEMA docket; CREATE TABLE docket.migration (version BIGINT PRIMARY KEY);
         INSERT INTO docket.migration VALUES (1), (2); {}
         INSERT INTO docket.head VALUES (1, gen_random_uuid(), 4, 0, decode(repeat('00', 32), 'hex'), 0)",
        FORM_2[1].join("\n")
    );
    sqlx::raw_sql(AssertSqlSafe(former)).execute(&mut connection).await.unwrap();
    Postgres::open(url).await.unwrap_err();
    for _ in 0..2 {
        Postgres::migrate(url).await.unwrap();
        let log = place.log().await;
        assert!(log.released().await.unwrap());
        assert_eq!(log.head().await.unwrap().epoch, 4);
    }
    written(place.log().await.append(append(1, &["ticket/a"])).await.unwrap());
}
