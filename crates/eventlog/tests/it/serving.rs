//! The loop every service runs in, shown with a parrot.

use std::collections::BTreeSet;
use std::sync::Arc;

use eventlog::service::{Ask, Failure};
use eventlog::store::Select;
use eventlog::{Append, Clock, NewEvent, Service};
use uuid::Uuid;

use crate::parrot::{Parrot, Rude, TENANT, ask, foreign, kinds, log, note, parrot, word};

/// Proves part of: X5
#[tokio::test]
async fn a_request_sent_twice_is_answered_twice_the_same() {
    let (log, clock) = (log(), Clock::by_hand(1));
    let parrot = parrot::<1>(&log, &clock).await;
    let first = parrot.ask(&ask(1, "hello"), &"hello".into()).await.unwrap();
    let again = parrot.ask(&ask(1, "hello"), &"hello".into()).await.unwrap();
    assert_eq!(first.events[0].id, again.events[0].id);
    let other = parrot.ask(&ask(1, "bye"), &"bye".into()).await;
    assert!(matches!(other, Err(Failure::Rejected(eventlog::Rejected::Reused))), "{other:?}");
    let silent = parrot.ask(&ask(2, "hello"), &"hello".into()).await.unwrap();
    assert!(silent.events.is_empty(), "the goal held already");
}

#[tokio::test]
async fn whoever_decided_over_an_old_state_decides_again() {
    let (log, clock) = (log(), Clock::by_hand(1));
    let (left, right) = (parrot::<1>(&log, &clock).await, parrot::<1>(&log, &clock).await);
    left.ask(&ask(1, "hello"), &"hello".into()).await.unwrap();
    assert_eq!(right.position(), 0, "the right one has not heard of it");
    let silent = right.ask(&ask(2, "hello"), &"hello".into()).await.unwrap();
    assert!(silent.events.is_empty());
    assert_eq!(kinds(&log).await, ["ConfigApplied"]);
}

#[tokio::test]
async fn whoever_decided_long_before_the_end_of_the_log_decides_again() {
    let (log, clock) = (log(), Clock::by_hand(1));
    let parrot = parrot::<1>(&log, &clock).await;
    let (hour, event) = (3_600_000_000, NewEvent { stream: word("bye"), kind: "Odd".into(), body: b"{}".to_vec() });
    log.append(Append { now: hour, ..foreign(Uuid::from_u128(2), vec![event]) }).await.unwrap();
    let said = parrot.ask(&ask(1, "hello"), &"hello".into()).await.unwrap();
    assert_eq!(said.events[0].occurred_at, hour, "by the time of the second decision");
}

#[tokio::test]
async fn a_reaction_happens_once_whoever_runs_it_and_however_often() {
    let (log, clock) = (log(), Clock::by_hand(1));
    let first = parrot::<1>(&log, &clock).await;
    first.ask(&ask(1, "echo hello"), &"echo hello".into()).await.unwrap();
    first.step().await.unwrap();
    let second = parrot::<1>(&log, &clock).await;
    second.step().await.unwrap();
    first.step().await.unwrap();
    let said = kinds(&log).await.iter().filter(|kind| *kind == "ConfigApplied").count();
    assert_eq!(said, 2);
    assert!(second.view(|state| state.said.contains("again hello")));
}

#[tokio::test]
async fn what_was_settled_is_not_reacted_to_again_under_new_rules() {
    let (log, clock) = (log(), Clock::by_hand(1));
    let old = parrot::<1>(&log, &clock).await;
    old.ask(&ask(1, "hello"), &"hello".into()).await.unwrap();
    old.step().await.unwrap();
    assert_eq!(kinds(&log).await, ["ConfigApplied", "ReactedThrough"]);
    let new = parrot::<2>(&log, &clock).await;
    new.step().await.unwrap();
    assert_eq!(kinds(&log).await, ["ConfigApplied", "ReactedThrough"], "the old cause stays settled");
    new.ask(&ask(2, "bye"), &"bye".into()).await.unwrap();
    new.step().await.unwrap();
    assert!(new.view(|state| state.said.contains("again bye") && !state.said.contains("again hello")));
}

#[tokio::test]
async fn a_deadline_fires_when_the_clock_stands_past_it_and_not_at_it() {
    let (log, clock) = (log(), Clock::by_hand(1));
    let parrot = parrot::<1>(&log, &clock).await;
    parrot.ask(&ask(1, "x"), &"ring-at-100".into()).await.unwrap();
    assert_eq!(parrot.step().await.unwrap(), Some(101));
    clock.advance(100);
    parrot.step().await.unwrap();
    assert!(parrot.view(|state| !state.said.contains("rang-at-100")));
    clock.advance(101);
    assert_eq!(parrot.step().await.unwrap(), None);
    let select = Select::Stream { tenant: TENANT.into(), stream: word("rang-at-100").as_str().into() };
    let rang = log.read(&select, None, 0, 9).await.unwrap();
    assert_eq!((rang[0].occurred_us, rang[0].recorded_us), (100, 101));
}

#[tokio::test]
async fn a_reaction_that_is_refused_is_parked_where_one_sees_it() {
    let (log, clock) = (log(), Clock::by_hand(1));
    let parrot = parrot::<2>(&log, &clock).await;
    parrot.ask(&ask(1, "x"), &"hello".into()).await.unwrap();
    parrot.step().await.unwrap();
    assert!(parrot.view(|state| state.said.contains("again hello")));
    let refused = parrot.ask(&ask(2, "x"), &"rude".into()).await;
    assert!(matches!(refused, Err(Failure::Refused(Rude))));
    note(&log, "word", "hello rude").await;
    clock.advance(100_000_000);
    parrot.step().await.unwrap();
    let kinds = kinds(&log).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "ReactionParked").count(), 1, "{kinds:?}");
    assert_eq!(kinds.last().map(String::as_str), Some("ReactedThrough"), "a parked reaction holds nothing up");
}

#[tokio::test]
async fn nobody_writes_into_a_stream_of_another_service() {
    let (log, clock) = (log(), Clock::by_hand(1));
    let parrot = parrot::<1>(&log, &clock).await;
    let stolen = parrot.ask(&ask(1, "x"), &"steal nut".into()).await.unwrap_err();
    assert!(stolen.to_string().contains("config/crow/word/nut"), "{stolen}");
    assert!(stolen.told().is_none(), "a fault of ours, which is logged and not told");
    assert!(kinds(&log).await.is_empty());
}

#[tokio::test]
async fn a_snapshot_starts_where_it_was_taken() {
    let (log, clock) = (log(), Clock::by_hand(1));
    let whole = parrot::<1>(&log, &clock).await;
    for n in 0..50 {
        whole.ask(&ask(n, "x"), &format!("word {n}")).await.unwrap();
    }
    whole.snapshot().await.unwrap();
    whole.ask(&ask(99, "x"), &"after".into()).await.unwrap();
    let from_snapshot = parrot::<1>(&log, &clock).await;
    assert_eq!(from_snapshot.position(), 51);
    assert!(whole.view(|one| from_snapshot.view(|other| one == other)));
    let silent = from_snapshot.ask(&ask(100, "x"), &"word 3".into()).await.unwrap();
    assert!(silent.events.is_empty(), "versions came with it");
}

#[tokio::test]
async fn a_caller_whose_replica_lags_another_clock_is_told_the_later_time() {
    let (log, early, late) = (log(), Clock::by_hand(1_000), Clock::by_hand(1_050));
    let (here, ahead) = (parrot::<1>(&log, &early).await, parrot::<1>(&log, &late).await);
    ahead.ask(&ask(1, "x"), &"hello".into()).await.unwrap();
    here.catch_up().await.unwrap();
    let done = here.ask(&ask(2, "x"), &"bye".into()).await.unwrap();
    assert_eq!((done.events[0].occurred_at, done.events[0].recorded_at), (1_050, 1_050));
    let said = Ask { occurred_at: Some(990), ..ask(3, "x") };
    let done = here.ask(&said, &"before".into()).await.unwrap();
    assert_eq!((done.events[0].occurred_at, done.events[0].recorded_at), (990, 1_050), "what is said counts");
    here.snapshot().await.unwrap();
    let resumed = parrot::<1>(&log, &early).await;
    let done = resumed.ask(&ask(4, "x"), &"again".into()).await.unwrap();
    assert_eq!(done.events[0].occurred_at, 1_050, "known from a snapshot, too");
}

#[tokio::test]
async fn an_opened_service_is_ready_once_it_folded_what_the_log_held_then() {
    let (log, clock) = (log(), Clock::by_hand(1));
    let writer = parrot::<1>(&log, &clock).await;
    assert!(writer.ready(), "of an empty log nothing is missing");
    for n in 0..3 {
        writer.ask(&ask(n, "x"), &format!("word {n}")).await.unwrap();
    }
    let opened = Service::<Parrot<1>>::open(Arc::clone(&log), clock.clone()).await.unwrap();
    assert_eq!((opened.position(), opened.goal(), opened.ready()), (0, 3, false));
    writer.ask(&ask(9, "x"), &"later".into()).await.unwrap();
    opened.catch_up().await.unwrap();
    assert_eq!((opened.position(), opened.goal(), opened.ready()), (4, 3, true));
}

/// Far behind, the log is scanned: in pages, and whoever asks meanwhile is answered.
#[tokio::test]
async fn a_service_far_behind_folds_the_same_as_one_close_behind() {
    let (log, clock) = (log(), Clock::by_hand(1));
    let close = parrot::<1>(&log, &clock).await;
    for request in 0..100 {
        let event = |n| {
            let name = format!("word {request} {n}");
            let body = serde_json::json!({ "kind": "word", "name": name, "spec": null }).to_string().into_bytes();
            NewEvent { stream: word(&name), kind: "ConfigApplied".into(), body }
        };
        log.append(foreign(Uuid::from_u128(request), (0..64).map(event).collect())).await.unwrap();
        close.catch_up().await.unwrap();
    }
    let far = Service::<Parrot<1>>::open(Arc::clone(&log), clock.clone()).await.unwrap();
    let catching = tokio::spawn({
        let far = Arc::clone(&far);
        async move { far.catch_up().await }
    });
    let mut seen = BTreeSet::new();
    while !far.ready() {
        seen.insert(far.position());
        tokio::task::yield_now().await;
    }
    assert_eq!(catching.await.unwrap().unwrap(), 6_400);
    assert!(seen.len() > 2, "how far it is can be seen meanwhile: {seen:?}");
    assert!(close.view(|one| far.view(|other| one == other)));
}
