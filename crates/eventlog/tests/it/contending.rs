//! Several processes at one log, what they suppose of it without asking, and what waits when it stands still.

use std::sync::Arc;

use eventlog::store::{Select, Store, Supposed, Wrote};
use eventlog::verify::verify;
use eventlog::{Committed, Head, Keys, Log, Rejected, Row};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::line::{Breaks, Line};
use crate::place::{Place, append, guarded, positions, written};

on_every_store!(
    rows_are_written_at_the_head_alone,
    what_is_supposed_wrongly_is_refuted,
    logs_that_know_nothing_of_each_other_answer_exactly,
    competing_logs_all_get_on,
);

/// Logs over one store, as processes are: none knows what the others wrote.
async fn logs(place: &Place, store: &Arc<dyn Store>, count: usize) -> Vec<Arc<Log>> {
    let mut logs = Vec::new();
    for _ in 0..count {
        logs.push(Log::open(Arc::clone(store), place.keys().await));
    }
    logs
}

/// The row that would follow this head.
fn next(head: &Head, request: u128, stream: &str, version: i64) -> Row {
    let request = Uuid::from_u128(request);
    let mut row = Row {
        position: head.position + 1,
        id: eventlog::chain::event_id(request, 0),
        tenant: "acme".into(),
        stream: stream.into(),
        version,
        kind: "Noted".into(),
        schema: 1,
        occurred_us: 1,
        recorded_us: 1_000,
        actor: "user/ann".into(),
        request,
        content: vec![1; 32],
        causation: None,
        correlation: None,
        trace: String::new(),
        body: b"{}".to_vec(),
        hash: Vec::new(),
    };
    row.hash = eventlog::chain::link(&head.hash, &row);
    row
}

fn supposed(streams: &[(&str, i64)], absent: &[Uuid]) -> Supposed {
    Supposed {
        streams: streams.iter().map(|(stream, _)| ("acme".to_owned(), (*stream).to_owned())).collect(),
        versions: streams.iter().map(|(_, version)| *version).collect(),
        absent: absent.to_vec(),
    }
}

async fn rows_are_written_at_the_head_alone(place: &Place) {
    let store = place.store().await;
    let empty = store.head().await.unwrap();
    let first = next(&empty, 1, "work/a", 1);
    let wrote = store.write_at(&empty, &supposed(&[("work/a", 0)], &[]), std::slice::from_ref(&first)).await.unwrap();
    assert_eq!(wrote, Wrote::Done);
    let head = store.head().await.unwrap();
    assert_eq!((head.position, &head.hash, head.recorded_us), (1, &first.hash, 1_000));
    assert_eq!(store.read(&Select::All, None, 0, 9).await.unwrap(), [first]);

    let second = [next(&empty, 2, "work/b", 1)];
    assert_eq!(store.write_at(&empty, &Supposed::default(), &second).await.unwrap(), Wrote::Moved(head.clone()));
    store.raise_epoch().await.unwrap();
    let second = [next(&head, 2, "work/b", 1)];
    let Wrote::Moved(raised) = store.write_at(&head, &Supposed::default(), &second).await.unwrap() else {
        panic!("written into another epoch")
    };
    assert_eq!(raised, Head { epoch: head.epoch + 1, ..head });
    assert_eq!(store.write_at(&raised, &Supposed::default(), &second).await.unwrap(), Wrote::Done);
}

async fn what_is_supposed_wrongly_is_refuted(place: &Place) {
    let store = place.store().await;
    let empty = store.head().await.unwrap();
    let first = [next(&empty, 1, "work/a", 1)];
    assert_eq!(store.write_at(&empty, &Supposed::default(), &first).await.unwrap(), Wrote::Done);
    let head = store.head().await.unwrap();
    let stored = first[0].id;
    for (supposed, row) in [
        (supposed(&[("work/a", 0)], &[]), Some(next(&head, 2, "work/b", 1))),
        (supposed(&[("work/b", 0), ("work/a", 2)], &[]), Some(next(&head, 2, "work/b", 1))),
        (supposed(&[("work/a", 1)], &[stored]), Some(next(&head, 2, "work/b", 1))),
        (supposed(&[], &[]), Some(next(&head, 1, "work/b", 1))),
        (supposed(&[("work/a", 2)], &[]), None),
        (supposed(&[], &[Uuid::nil(), stored]), None),
    ] {
        let rows: Vec<_> = row.into_iter().collect();
        assert_eq!(store.write_at(&head, &supposed, &rows).await.unwrap(), Wrote::Refuted, "{supposed:?}");
    }
    assert_eq!(store.head().await.unwrap(), head);
    let right = supposed(&[("work/b", 0), ("work/a", 1)], &[Uuid::nil()]);
    assert_eq!(store.write_at(&head, &right, &[]).await.unwrap(), Wrote::Done);
    assert_eq!(store.write_at(&head, &right, &[next(&head, 2, "work/a", 2)]).await.unwrap(), Wrote::Done);
}

/// Proves part of: X5
pub(crate) async fn logs_that_know_nothing_of_each_other_answer_exactly(place: &Place) {
    let store = place.store().await;
    let [one, two] = &logs(place, &store, 2).await[..] else { panic!("not two") };
    let first = written(one.append(append(1, &["ticket/a", "work/a"])).await.unwrap());
    written(two.append(append(2, &["ticket/b"])).await.unwrap());
    written(one.append(append(3, &["ticket/a"])).await.unwrap());
    // Of what the other wrote, nothing is known here: neither the head nor a version nor a request.
    for (expected, actual) in [(0, 2), (1, 2), (3, 2)] {
        let stale = two.append(guarded(append(4, &["ticket/a"]), &[("ticket/a", expected)])).await;
        let Err(Rejected::Moved { expected: told, actual: found, .. }) = stale else { panic!("{stale:?}") };
        assert_eq!((told, found), (expected, actual));
    }
    assert_eq!(written(two.append(append(5, &["ticket/a"])).await.unwrap())[0].version, 3, "not guarded");
    assert_eq!(written(two.append(append(6, &["ticket/a"])).await.unwrap())[0].version, 4);
    assert_eq!(written(one.append(append(7, &["ticket/a"])).await.unwrap())[0].version, 5);
    for again in [append(1, &["ticket/a"]), append(1, &[]), guarded(append(1, &["ticket/c"]), &[("ticket/a", 0)])] {
        assert_eq!(two.append(again).await.unwrap(), Committed::Repeated(first.clone()));
    }
    let mut reused = append(1, &["ticket/c"]);
    reused.content = b"something else".to_vec();
    assert!(matches!(two.append(reused).await, Err(Rejected::Reused)));
    // What is right and what is not, in one batch: each gets its own answer.
    let (right, moved, again, check) = tokio::join!(
        two.append(guarded(append(8, &["ticket/b"]), &[("ticket/b", 1)])),
        two.append(guarded(append(9, &["ticket/c"]), &[("work/a", 0)])),
        two.append(append(3, &["ticket/a"])),
        two.append(guarded(append(10, &[]), &[("ticket/b", 2), ("ticket/a", 5)])),
    );
    assert_eq!(written(right.unwrap())[0].version, 2);
    assert!(matches!(moved, Err(Rejected::Moved { expected: 0, actual: 1, .. })), "{moved:?}");
    assert!(matches!(again.unwrap(), Committed::Repeated(_)));
    assert_eq!(check.unwrap(), Committed::Written(vec![]));
    verify(one).await.unwrap();
}

async fn competing_logs_all_get_on(place: &Place) {
    let store = place.store().await;
    let mut writers = JoinSet::new();
    for (n, log) in (0u128..).zip(logs(place, &store, 3).await) {
        for writer in 0..4u128 {
            let (log, base) = (Arc::clone(&log), (n * 4 + writer) * 100);
            let own = format!("ticket/{base}");
            writers.spawn(async move {
                for turn in 0..15u128 {
                    let request = append(base + turn, &[&own, "work/shared"]);
                    written(log.append(guarded(request, &[(&own, u64::try_from(turn).unwrap())])).await.unwrap());
                }
            });
        }
    }
    writers.join_all().await;
    let log = Log::open(store, place.keys().await);
    let rows = log.read(&Select::All, None, 0, 1_000).await.unwrap();
    assert_eq!(positions(&rows), (1..=360).collect::<Vec<_>>());
    verify(&log).await.unwrap();
}

/// A lone process supposes rightly: the lock decides nothing, so nothing is done twice.
#[tokio::test]
async fn what_is_supposed_rightly_is_written_at_once() {
    let line = Arc::new(Line::new());
    let log = Log::open(line.clone(), Keys::memory(1));
    for turn in 0..10 {
        let request = guarded(append(turn, &["ticket/a", "track/b"]), &[("ticket/a", u64::try_from(turn).unwrap())]);
        written(log.append(request).await.unwrap());
    }
    assert_eq!(line.began(), 10);
}

/// Whether a try was written or not before the line broke: it is written once, and one caller is told so.
///
/// Proves part of: X5
#[tokio::test]
async fn an_unknown_outcome_is_found_out() {
    for breaks in [Breaks::After, Breaks::Before] {
        let line = Arc::new(Line::new());
        let log = Log::open(line.clone(), Keys::memory(1));
        written(log.append(append(1, &["ticket/a"])).await.unwrap());
        line.break_off(&[breaks]);
        let (first, twin, stale, other) = tokio::join!(
            log.append(guarded(append(2, &["ticket/a", "ticket/b"]), &[("ticket/a", 1)])),
            log.append(guarded(append(2, &["ticket/a", "ticket/b"]), &[("ticket/a", 1)])),
            log.append(guarded(append(3, &["ticket/c"]), &[("ticket/a", 1)])),
            log.append(guarded(append(4, &["ticket/c"]), &[("ticket/a", 2)])),
        );
        let told = [first.unwrap(), twin.unwrap()];
        assert_eq!(told.iter().filter(|told| matches!(told, Committed::Written(_))).count(), 1, "{breaks:?}");
        assert_eq!(told[0].rows(), told[1].rows());
        assert!(matches!(stale, Err(Rejected::Moved { expected: 1, actual: 2, .. })));
        assert_eq!(positions(&written(other.unwrap())), [4]);
        assert!(matches!(log.append(append(2, &[])).await.unwrap(), Committed::Repeated(_)), "nobody else wrote it");
        assert_eq!(verify(&log).await.unwrap().head.position, 4);
    }
}

/// Another process wrote the very request between the two tries: this one did not, and does not say so.
#[tokio::test]
async fn what_another_wrote_meanwhile_is_repeated() {
    let line = Arc::new(Line::new());
    let log = Log::open(line.clone(), Keys::memory(1));
    line.break_off(&[Breaks::ByAnother]);
    let told = log.append(append(1, &["ticket/a"])).await.unwrap();
    assert!(matches!(&told, Committed::Repeated(rows) if rows[0].trace == "another's"), "{told:?}");
    assert_eq!(verify(&log).await.unwrap().head.position, 1);
}

/// A line that breaks again is not tried for ever: the caller hears that nobody knows.
#[tokio::test]
async fn it_is_tried_once_more_and_not_for_ever() {
    let line = Arc::new(Line::new());
    let log = Log::open(line.clone(), Keys::memory(1));
    line.break_off(&[Breaks::Before, Breaks::After]);
    let unknown = log.append(append(1, &["ticket/a"])).await;
    assert!(matches!(unknown, Err(Rejected::Store(_))), "{unknown:?}");
    assert_eq!(line.began(), 2);
    assert_eq!(log.append(append(1, &["ticket/a"])).await.unwrap().rows().len(), 1);
    assert_eq!(verify(&log).await.unwrap().head.position, 1);
}

/// One tenant floods a log that stands still: it is refused at once when it has its share, another is not, and is served
/// before the flood is.
#[tokio::test]
async fn a_flood_is_refused_and_delays_nobody() {
    let line = Arc::new(Line::still());
    let log = Log::open(line.clone(), Keys::memory(1));
    let everybody_had_a_turn = async || {
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
    };
    let mut flood = JoinSet::new();
    // The first is under way, and stands still; the others wait behind it.
    for requests in [0..1, 1..10_000u128] {
        for request in requests {
            let log = Arc::clone(&log);
            flood.spawn(async move { log.append(append(request, &["ticket/a"])).await });
        }
        everybody_had_a_turn().await;
    }
    let mut other = append(20_000, &["ticket/b"]);
    other.tenant = decider::Tenant::new("other");
    let (late, own) = (Arc::clone(&log), append(30_000, &["ticket/a"]));
    let other = tokio::spawn(async move { late.append(other).await });
    everybody_had_a_turn().await;
    let refused = log.append(own).await;
    assert!(matches!(refused, Err(Rejected::Busy)), "{refused:?}");
    line.open(1_000_000);
    let position = written(other.await.unwrap().unwrap())[0].position;
    assert!(position <= 4, "{position}: only what was under way was before it, and one in turn");
    let outcomes = flood.join_all().await;
    let taken = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(_) | Err(Rejected::Busy))));
    assert_eq!(taken, 1 + 4_096, "what was under way, and half of the room");
    assert_eq!(verify(&log).await.unwrap().head.position, 4_098);
}
