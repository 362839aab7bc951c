//! Snapshots: kept whole however large, replaced, never trusted over the log.

use eventlog::snapshot;
use eventlog::store::SnapshotRow;

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
    written(log.append(append(1, &["ticket/a"; 3])).await.unwrap());
    let state = vec![("a".to_owned(), 1u64), ("b".to_owned(), 2)];
    snapshot::save(&log, "intake", 4, 2, snapshot::encode(&state).unwrap()).await.unwrap();
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
    written(log.append(append(1, &["ticket/a"; 3])).await.unwrap());
    let save = async |service: &str, fold: u32| {
        snapshot::save(&log, service, fold, 2, snapshot::encode(&fold).unwrap()).await.unwrap();
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
