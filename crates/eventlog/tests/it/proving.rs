//! Proof: a whole log is proven, every kind of damage is found at its place, the database itself refuses changes.

use std::sync::Arc;

use eventlog::store::Select;
use eventlog::verify::{Unproven, verify};
use eventlog::{Keys, Log, Memory, Row, Store, chain, copy};
use uuid::Uuid;

use crate::place::{Place, append, written};

on_every_store!(
    a_whole_log_is_proven,
    the_database_refuses_changes,
    changes_past_the_log_are_found,
    a_copy_is_the_same_log
);

async fn filled(place: &Place) -> Arc<Log> {
    let log = place.log().await;
    for request in 1..=5 {
        written(log.append(append(request, &["ticket/a", "ticket/b"])).await.unwrap());
    }
    log
}

async fn a_whole_log_is_proven(place: &Place) {
    let empty = place.log().await;
    assert_eq!(verify(&empty).await.unwrap().head.position, 0);
    drop(empty);
    let log = filled(place).await;
    let proven = verify(&log).await.unwrap();
    assert_eq!((proven.head.clone(), proven.streams), (log.head().await.unwrap(), 2));
    assert_eq!(proven.body_bytes, 5 * 2 * 7);
}

async fn the_database_refuses_changes(place: &Place) {
    let log = filled(place).await;
    for sql in ["UPDATE event SET body = body", "DELETE FROM event WHERE position = 10"] {
        let Some(refused) = place.raw(sql).await else { return };
        assert!(refused.unwrap_err().to_string().contains("an event is never"), "{sql}");
    }
    if matches!(place, Place::Postgres(_)) {
        place.raw("TRUNCATE event CASCADE").await.unwrap().unwrap_err();
    }
    assert_eq!(verify(&log).await.unwrap().head.position, 10);
}

async fn changes_past_the_log_are_found(place: &Place) {
    let log = filled(place).await;
    let triggers = match place {
        Place::Memory(_) => return,
        Place::Sqlite(_) => "DROP TRIGGER event_is_never_changed; DROP TRIGGER event_is_never_deleted",
        Place::Postgres(_) => "DROP TRIGGER event_is_never_changed ON event",
    };
    place.raw(triggers).await.unwrap().unwrap();
    for (damage, repair, position) in [
        ("UPDATE event SET actor = 'user/eve' WHERE position = 4", "UPDATE event SET actor = 'user/ann'", 4),
        ("UPDATE event SET position = 99 WHERE position = 7", "UPDATE event SET position = 7 WHERE position = 99", 7),
        ("DELETE FROM event WHERE position = 10", "", 10),
    ] {
        place.raw(damage).await.unwrap().unwrap();
        assert_eq!(damaged_at(&log).await, position, "{damage}");
        place.raw(repair).await.unwrap().unwrap();
    }
}

async fn damaged_at(log: &Log) -> i64 {
    match verify(log).await {
        Err(Unproven::Damaged { position, .. }) => position,
        other => panic!("{other:?}"),
    }
}

async fn a_copy_is_the_same_log(place: &Place) {
    let log = filled(place).await;
    let copy = Memory::new();
    assert_eq!(copy::copy(log.store().as_ref(), &copy).await.unwrap(), 10);
    assert_eq!(copy.head().await.unwrap(), log.head().await.unwrap());
    copy::copy(log.store().as_ref(), &copy).await.unwrap_err();
    let copy = Log::open(Arc::new(copy), Keys::memory(1));
    assert_eq!(
        copy.read(&Select::All, None, 0, 100).await.unwrap(),
        log.read(&Select::All, None, 0, 100).await.unwrap()
    );
    verify(&copy).await.unwrap();
}

/// A store into which these rows were written past the log.
async fn forged(rows: &[Row]) -> Arc<Log> {
    let store = Memory::new();
    store.begin().await.unwrap().commit(rows).await.unwrap();
    Log::open(Arc::new(store), Keys::memory(1))
}

/// Hashes everything anew, as a forger would who can rewrite all that follows.
fn rehashed(mut rows: Vec<Row>) -> Vec<Row> {
    let mut hash = chain::GENESIS.to_vec();
    for row in &mut rows {
        row.hash = chain::link(&hash, row);
        hash.clone_from(&row.hash);
    }
    rows
}

/// Proves part of: X6, I20
#[tokio::test]
async fn every_kind_of_damage_is_found_at_its_place() {
    let log = filled(&Place::memory()).await;
    let rows = log.read(&Select::All, None, 0, 100).await.unwrap();
    let whole = forged(&rehashed(rows.clone())).await;
    assert_eq!(verify(&whole).await.unwrap(), verify(&log).await.unwrap());
    let one_byte: &dyn Fn(&mut Vec<Row>) = &|rows| rows[4].body[1] ^= 1;
    let hash: &dyn Fn(&mut Vec<Row>) = &|rows| rows[4].hash[0] ^= 1;
    let swapped: &dyn Fn(&mut Vec<Row>) = &|rows| rows.swap(4, 5);
    let missing: &dyn Fn(&mut Vec<Row>) = &|rows| drop(rows.remove(4));
    for damage in [one_byte, hash, swapped, missing] {
        let mut rows = rows.clone();
        damage(&mut rows);
        let forged = forged(&rows).await;
        assert_eq!(damaged_at(&forged).await, 5);
    }
    let version: &dyn Fn(&mut Vec<Row>) = &|rows| rows[4].version += 1;
    let id: &dyn Fn(&mut Vec<Row>) = &|rows| rows[4].id = Uuid::from_u128(1);
    let time: &dyn Fn(&mut Vec<Row>) = &|rows| rows[4].recorded_us -= 1;
    let ticket: &dyn Fn(&mut Vec<Row>) = &|rows| rows[4].correlation = Some(Uuid::from_u128(1));
    let again: &dyn Fn(&mut Vec<Row>) = &|rows| rows[4].request = rows[0].request;
    for damage in [version, id, time, ticket, again] {
        let mut rows = rows.clone();
        damage(&mut rows);
        let forged = forged(&rehashed(rows)).await;
        assert_eq!(damaged_at(&forged).await, 5);
    }
}
