//! Appending: one total order without gaps, guards, request ids, bounds; alone, together, cancelled and broken off.

use eventlog::append::{MAX_BODY_BYTES, MAX_EVENTS};
use eventlog::chain::event_id;
use eventlog::store::Select;
use eventlog::verify::verify;
use eventlog::{Append, Committed, Rejected};
use sqlx::Connection;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::place::{Place, append, guarded, positions, written};

on_every_store!(
    positions_and_versions_are_dense,
    a_moved_guard_refuses_the_whole_append,
    what_was_decided_too_long_ago_is_refused,
    a_check_without_events_writes_nothing,
    a_repeated_request_is_answered_by_its_rows,
    a_reused_request_is_refused,
    appends_of_one_batch_see_each_other,
    too_many_or_too_large_is_refused_before_it_is_written,
    many_appenders_lose_nothing,
    a_crowd_larger_than_a_batch_is_served_in_turn,
    a_cancelled_caller_hurts_nobody,
    an_append_broken_off_leaves_nothing,
    recorded_time_never_goes_back,
);

async fn positions_and_versions_are_dense(place: &Place) {
    let log = place.log().await;
    let first = written(log.append(append(1, &["ticket/a", "work/a", "ticket/a"])).await.unwrap());
    let second = written(log.append(append(2, &["ticket/a"])).await.unwrap());
    let rows: Vec<_> = first.iter().chain(&second).collect();
    assert_eq!(rows.iter().map(|row| row.position).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(rows.iter().map(|row| row.version).collect::<Vec<_>>(), [1, 1, 2, 3]);
    assert_eq!(first[1].id, event_id(Uuid::from_u128(1), 1));
    assert_eq!((first[0].occurred_us, first[0].recorded_us, first[0].schema), (900, 1_000, 1));
    let head = log.head().await.unwrap();
    assert_eq!((head.position, head.hash), (4, second[0].hash.clone()));
    assert_eq!(log.read(&Select::All, None, 0, 10).await.unwrap(), [first, second].concat());
}

/// Proves part of: X5
async fn a_moved_guard_refuses_the_whole_append(place: &Place) {
    let log = place.log().await;
    written(log.append(guarded(append(1, &["ticket/a"]), &[("ticket/a", 0), ("name/x", 0)])).await.unwrap());
    let late = log.append(guarded(append(2, &["ticket/b"]), &[("ticket/a", 0)])).await;
    assert!(matches!(late, Err(Rejected::Moved { expected: 0, actual: 1, .. })), "{late:?}");
    let ahead = log.append(guarded(append(3, &["ticket/b"]), &[("ticket/a", 2)])).await;
    assert!(matches!(ahead, Err(Rejected::Moved { expected: 2, actual: 1, .. })), "{ahead:?}");
    let mut other = guarded(append(4, &["ticket/a"]), &[("ticket/a", 0)]);
    other.tenant = decider::Tenant::new("other");
    assert_eq!(written(log.append(other).await.unwrap())[0].version, 1, "tenants are apart");
    assert_eq!(log.head().await.unwrap().position, 2);
}

async fn what_was_decided_too_long_ago_is_refused(place: &Place) {
    let log = place.log().await;
    written(log.append(Append { now: 5_000, ..append(1, &["ticket/a"]) }).await.unwrap());
    let held = |request, streams: &[&str], until| Append { holds_until: Some(until), ..append(request, streams) };
    let late = log.append(held(2, &["ticket/b"], 4_999)).await;
    assert!(matches!(late, Err(Rejected::Overtaken { holds_until: 4_999, recorded: 5_000 })), "{late:?}");
    assert_eq!(log.head().await.unwrap().position, 1);
    assert_eq!(log.append(held(3, &[], 4_999)).await.unwrap(), Committed::Written(vec![]), "it promises nothing");
    assert_eq!(written(log.append(held(2, &["ticket/b"], 5_000)).await.unwrap())[0].recorded_us, 5_000);
}

async fn a_check_without_events_writes_nothing(place: &Place) {
    let log = place.log().await;
    written(log.append(append(1, &["ticket/a"])).await.unwrap());
    let holds = log.append(guarded(append(2, &[]), &[("ticket/a", 1), ("ticket/b", 0)])).await.unwrap();
    assert_eq!(holds, Committed::Written(vec![]));
    let moved = log.append(guarded(append(3, &[]), &[("ticket/a", 0)])).await;
    assert!(matches!(moved, Err(Rejected::Moved { .. })));
    assert_eq!(log.request(Uuid::from_u128(2), &2u128.to_be_bytes()).await.unwrap(), None, "and leaves no trace");
    assert_eq!(log.head().await.unwrap().position, 1);
}

/// Proves part of: X5
async fn a_repeated_request_is_answered_by_its_rows(place: &Place) {
    let log = place.log().await;
    let rows = written(log.append(append(1, &["ticket/a", "work/a"])).await.unwrap());
    written(log.append(append(2, &["ticket/a"])).await.unwrap());
    // Its guards do not hold any more and it decided something else: what counts is what it did the first time.
    let again = log.append(guarded(append(1, &["ticket/b"]), &[("ticket/a", 0)])).await.unwrap();
    assert_eq!(again, Committed::Repeated(rows.clone()));
    assert_eq!(log.append(append(1, &[])).await.unwrap(), Committed::Repeated(rows.clone()));
    assert_eq!(log.request(Uuid::from_u128(1), &1u128.to_be_bytes()).await.unwrap(), Some(rows));
    assert_eq!(log.head().await.unwrap().position, 3);
}

/// Proves part of: X5
async fn a_reused_request_is_refused(place: &Place) {
    let log = place.log().await;
    written(log.append(append(1, &["ticket/a"])).await.unwrap());
    let mut other = append(1, &["ticket/a"]);
    other.content = b"something else".to_vec();
    assert!(matches!(log.append(other).await, Err(Rejected::Reused)));
    assert!(matches!(log.request(Uuid::from_u128(1), b"something else").await, Err(Rejected::Reused)));
    assert_eq!(log.head().await.unwrap().position, 1);
}

async fn appends_of_one_batch_see_each_other(place: &Place) {
    let log = place.log().await;
    let mut reused = append(1, &["ticket/c"]);
    reused.content = b"something else".to_vec();
    // On one thread all of them are queued before the writer gets its turn.
    let (first, twin, reused, rival, last) = tokio::join!(
        log.append(guarded(append(1, &["ticket/a"]), &[("ticket/a", 0)])),
        log.append(guarded(append(1, &["ticket/a"]), &[("ticket/a", 0)])),
        log.append(reused),
        log.append(guarded(append(2, &["ticket/a"]), &[("ticket/a", 0)])),
        log.append(guarded(append(3, &["ticket/a"]), &[("ticket/a", 1)])),
    );
    let first = written(first.unwrap());
    assert_eq!(twin.unwrap(), Committed::Repeated(first));
    assert!(matches!(reused, Err(Rejected::Reused)));
    assert!(matches!(rival, Err(Rejected::Moved { expected: 0, actual: 1, .. })));
    let last = written(last.unwrap());
    assert_eq!((last[0].position, last[0].version), (2, 2));
    verify(&log).await.unwrap();
}

async fn too_many_or_too_large_is_refused_before_it_is_written(place: &Place) {
    let log = place.log().await;
    let full = append(1, &["ticket/a"; MAX_EVENTS]);
    assert_eq!(written(log.append(full).await.unwrap()).len(), MAX_EVENTS);
    let over = log.append(append(2, &["ticket/a"; MAX_EVENTS + 1])).await;
    assert!(matches!(over, Err(Rejected::TooLarge(_))));

    let mut large = append(3, &["ticket/b"]);
    large.events[0].body = vec![b' '; MAX_BODY_BYTES];
    written(log.append(large.clone()).await.unwrap());
    large.request = Uuid::from_u128(4);
    large.events[0].body.push(b' ');
    assert!(matches!(log.append(large).await, Err(Rejected::TooLarge(_))));

    // It fits as it was decided, but not once it is sealed.
    let mut swollen = append(5, &["ticket/b"]);
    let value = "x".repeat(MAX_BODY_BYTES - 100);
    let subject = Uuid::from_u128(9);
    swollen.events[0].body = format!(r#"{{"personal":{{"subject":"{subject}","value":"{value}"}}}}"#).into_bytes();
    assert!(swollen.events[0].body.len() <= MAX_BODY_BYTES);
    assert!(matches!(log.append(swollen).await, Err(Rejected::TooLarge(_))));
    assert_eq!(log.head().await.unwrap().position, 65);
}

pub(crate) async fn many_appenders_lose_nothing(place: &Place) {
    let log = place.log().await;
    let mut appenders = JoinSet::new();
    for appender in 0..40u128 {
        let log = log.clone();
        appenders.spawn(async move {
            let own = format!("ticket/{appender}");
            for n in 0..10u128 {
                let request = append(appender * 100 + n, &[&own, "work/shared"]);
                written(log.append(guarded(request, &[(&own, u64::try_from(n).unwrap())])).await.unwrap());
            }
        });
    }
    appenders.join_all().await;
    let rows = log.read(&Select::All, None, 0, 1_000).await.unwrap();
    assert_eq!(positions(&rows), (1..=800).collect::<Vec<_>>());
    let shared: Vec<_> = rows.iter().filter(|row| row.stream == "work/shared").map(|row| row.version).collect();
    assert_eq!(shared, (1..=400).collect::<Vec<_>>());
    verify(&log).await.unwrap();
}

async fn a_crowd_larger_than_a_batch_is_served_in_turn(place: &Place) {
    let log = place.log().await;
    let mut crowd = Vec::new();
    for request in 0..600u128 {
        let log = log.clone();
        let streams = vec!["ticket/a"; if request % 50 == 0 { MAX_EVENTS } else { 1 }];
        crowd.push(tokio::spawn(async move { written(log.append(append(request, &streams)).await.unwrap()) }));
    }
    let mut next = 1;
    for caller in crowd {
        let rows = caller.await.unwrap();
        assert_eq!(rows[0].position, next, "in the order in which they came");
        next += i64::try_from(rows.len()).unwrap();
    }
    verify(&log).await.unwrap();
}

async fn a_cancelled_caller_hurts_nobody(place: &Place) {
    let log = place.log().await;
    let mut others = JoinSet::new();
    for request in 0..20u128 {
        let log = log.clone();
        let caller = tokio::spawn(async move { log.append(append(request, &["ticket/a"])).await });
        if request % 2 == 0 {
            others.spawn(async move {
                tokio::task::yield_now().await;
                caller.abort();
            });
        } else {
            others.spawn(async move { drop(written(caller.await.unwrap().unwrap())) });
        }
    }
    others.join_all().await;
    let proven = verify(&log).await.unwrap();
    assert!((10..=20).contains(&proven.head.position), "{proven:?}");
    for request in 0..20u128 {
        let committed = log.append(append(request, &["ticket/a"])).await.unwrap();
        assert_eq!(committed.rows().len(), 1);
    }
    assert_eq!(log.head().await.unwrap().position, 20, "each once, whether its caller waited or not");
}

async fn an_append_broken_off_leaves_nothing(place: &Place) {
    let store = place.store().await;
    let log = eventlog::Log::open(store.clone(), place.keys().await);
    let transaction = store.begin().await.unwrap();
    assert_eq!(transaction.head().position, 0);
    drop(transaction);
    assert_eq!(positions(&written(log.append(append(1, &["ticket/a"])).await.unwrap())), [1]);
}

async fn recorded_time_never_goes_back(place: &Place) {
    let log = place.log().await;
    for (request, now, recorded) in [(1, 5_000, 5_000), (2, 4_000, 5_000), (3, 6_000, 6_000)] {
        let mut append = append(request, &["ticket/a"]);
        append.now = now;
        assert_eq!(written(log.append(append).await.unwrap())[0].recorded_us, recorded);
    }
}

/// While one batch commits, the next gathers: few transactions for many callers, and one each for lone ones.
#[tokio::test]
async fn concurrent_appends_share_transactions() {
    let Some(place) = Place::postgres().await else { return };
    let Place::Postgres(url) = &place else { panic!("not in PostgreSQL") };
    let log = place.log().await;
    let mut crowd = JoinSet::new();
    for request in 0..100u128 {
        let log = log.clone();
        crowd.spawn(async move { drop(written(log.append(append(request, &["ticket/crowd"])).await.unwrap())) });
    }
    crowd.join_all().await;
    for request in 100..103 {
        written(log.append(append(request, &["ticket/lone"])).await.unwrap());
    }
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let query = "SELECT count(DISTINCT xmin::text) FROM docket.event WHERE stream = $1";
    let mut transactions = async |stream: &str| {
        let (count,): (i64,) = sqlx::query_as(query).bind(stream).fetch_one(&mut connection).await.unwrap();
        count
    };
    assert!(transactions("ticket/crowd").await <= 3);
    assert_eq!(transactions("ticket/lone").await, 3);
}
