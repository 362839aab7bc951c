//! Snapshots: kept whole however large, replaced, never trusted over the log.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use eventlog::store::{SnapshotRow, StoreError};
use eventlog::{Clock, snapshot};
use tokio_util::sync::CancellationToken;

use crate::parrot::{Words, ask};
use crate::place::{Place, append, written};

on_every_store!(
    a_state_comes_back_as_it_was,
    a_large_one_is_kept_in_chunks,
    a_newer_one_replaces_an_older_and_not_the_other_way_round,
    one_of_another_history_is_ignored,
    two_versions_of_a_fold_keep_theirs_side_by_side,
);

async fn a_state_comes_back_as_it_was(place: &Place) {
    let log = place.log().await;
    let rows = written(log.append(append(1, &["ticket/a"; 3])).await.unwrap());
    let state = vec![("a".to_owned(), 1u64), ("b".to_owned(), 2)];
    let bytes = snapshot::encode(&state).unwrap();
    snapshot::save(&log, ("intake", 4), (2, rows[1].hash.clone()), bytes).await.unwrap();
    assert_eq!(snapshot::load(&log, "intake", 4).await.unwrap(), Some(state));
    assert_eq!(snapshot::load::<Vec<(String, u64)>>(&log, "intake", 5).await.unwrap(), None, "another fold");
    assert_eq!(snapshot::load::<Vec<(String, u64)>>(&log, "analytics", 4).await.unwrap(), None);
    assert_eq!(snapshot::load::<String>(&log, "intake", 4).await.unwrap_or(None), None, "another form");
}

async fn a_large_one_is_kept_in_chunks(place: &Place) {
    let log = place.log().await;
    written(log.append(append(1, &["ticket/a"])).await.unwrap());
    let bytes: Vec<u8> = (0..9_000_001u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[2]).collect();
    let large = SnapshotRow { name: "x/1".into(), position: 1, epoch: 1, hash: vec![1; 32], bytes };
    log.keep(large.clone()).await.unwrap();
    assert!(log.snapshot("x/1").await.unwrap() == Some(large));
}

pub(crate) async fn a_newer_one_replaces_an_older_and_not_the_other_way_round(place: &Place) {
    let log = place.log().await;
    let at = |epoch, position, bytes: &[u8]| SnapshotRow {
        name: "x/1".into(),
        position,
        epoch,
        hash: vec![1; 32],
        bytes: bytes.to_vec(),
    };
    for (kept, latest) in [
        (at(1, 5, b"five"), at(1, 5, b"five")),
        (at(1, 9, b"nine"), at(1, 9, b"nine")),
        (at(1, 7, b"seven, late"), at(1, 9, b"nine")),
        (at(2, 3, b"three of the next epoch"), at(2, 3, b"three of the next epoch")),
        (at(2, 3, b"again"), at(2, 3, b"again")),
    ] {
        log.keep(kept).await.unwrap();
        assert_eq!(log.snapshot("x/1").await.unwrap(), Some(latest));
    }
}

async fn one_of_another_history_is_ignored(place: &Place) {
    let log = place.log().await;
    let rows = written(log.append(append(1, &["ticket/a"; 3])).await.unwrap());
    let bytes = snapshot::encode(&7u64).unwrap();
    let name = "intake/1".to_owned();
    let whole = SnapshotRow { name, position: 2, epoch: 1, hash: rows[1].hash.clone(), bytes };
    log.keep(whole.clone()).await.unwrap();
    assert_eq!(snapshot::load(&log, "intake", 1).await.unwrap(), Some(7u64));
    for other in [
        SnapshotRow { hash: rows[2].hash.clone(), ..whole.clone() },
        SnapshotRow { position: 4, ..whole.clone() },
        SnapshotRow { epoch: 2, ..whole },
    ] {
        log.keep(other).await.unwrap();
        assert_eq!(snapshot::load::<u64>(&log, "intake", 1).await.unwrap(), None);
    }
}

/// The next version's is built while the present one's serves; what nobody runs any more goes away.
async fn two_versions_of_a_fold_keep_theirs_side_by_side(place: &Place) {
    let log = place.log().await;
    let rows = written(log.append(append(1, &["ticket/a"; 3])).await.unwrap());
    let save = async |service: &str, fold: u32| {
        let (at, bytes) = ((2, rows[1].hash.clone()), snapshot::encode(&fold).unwrap());
        snapshot::save(&log, (service, fold), at, bytes).await.unwrap();
    };
    let kept = async |service: &str| {
        let mut kept = Vec::new();
        for fold in 1..=12 {
            kept.extend(snapshot::load::<u32>(&log, service, fold).await.unwrap());
        }
        kept
    };
    for (saved, left) in [(9, vec![9]), (10, vec![9, 10]), (9, vec![9, 10]), (11, vec![10, 11]), (1, vec![10, 11])] {
        save("sla", saved).await;
        assert_eq!(kept("sla").await, left);
        save("sla-monitor", 3).await;
        assert_eq!(kept("sla-monitor").await, [3], "another service's are its own");
    }
    let chunks = place.raw("SELECT 1 / (CASE WHEN count(*) = 3 THEN 1 ELSE 0 END) FROM snapshot_chunk").await;
    assert!(chunks.is_none_or(|counted| counted.is_ok()), "their bytes are gone as well");
}

/// The database failed over to a standby that had not got the last event, or was restored, while a service ran on.
#[tokio::test]
async fn a_service_ends_where_the_log_lost_what_it_had_folded() {
    let Some(place) = Place::postgres().await else { return };
    let (log, clock) = (place.log().await, Clock::machine());
    let parrot = crate::parrot::parrot::<1>(&log, &clock).await;
    for (request, word) in [(1, "one"), (2, "two")] {
        parrot.ask(&ask(request, word), &word.into()).await.unwrap();
    }
    let running = tokio::spawn({
        let parrot = Arc::clone(&parrot);
        async move { parrot.lead(CancellationToken::new()).await }
    });
    while !parrot.leads() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let lost = "ALTER TABLE event DISABLE TRIGGER ALL; DELETE FROM event WHERE position > 1;
                UPDATE head SET (position, hash) = (SELECT position, hash FROM event);
                ALTER TABLE event ENABLE TRIGGER ALL";
    place.raw(lost).await.unwrap().unwrap();
    let other = place.log().await;
    for n in 7..12 {
        written(other.append(append(n, &["ticket/a"])).await.unwrap());
    }
    let ended = tokio::time::timeout(Duration::from_secs(30), running).await.expect("it ends").unwrap();
    assert!(matches!(&ended, Err(StoreError::Damaged(why)) if why.contains("no longer in the log")), "{ended:?}");
    assert_eq!(snapshot::load::<Words>(&log, "parrot", 1).await.unwrap(), None, "of another history");
    let again = crate::parrot::parrot::<1>(&log, &clock).await;
    assert_eq!(again.view(|state| state.said.clone()), BTreeSet::from(["one".to_owned()]));
}
