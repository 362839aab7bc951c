//! Reading many rows: the same rows as by page, whatever the store, the range and the kinds.

use std::time::Duration;

use eventlog::store::Select;
use eventlog::{Log, Row};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use crate::place::{Place, append, positions, written};

on_every_store!(
    a_scan_gives_what_reading_gives,
    a_scan_ends_where_it_was_told_to,
    many_scans_broken_off_cost_the_log_nothing,
);

const KINDS: [&str; 6] = ["Noted", "Counted", "it's", "\"quoted\"", "back\\slash", "Größe"];
/// Bytes that make no page full, some, and one alone.
const LENGTHS: [usize; 4] = [0, 40, 9_000, 250_000];
const CASES: usize = 40;

/// Events of mixed kinds and lengths, and the number of them.
async fn filled(log: &Log, runner: &mut TestRunner) -> i64 {
    for request in 0..60 {
        let event = (0..KINDS.len(), prop_oneof![5 => Just(0usize), 20 => Just(1), 2 => Just(2), 1 => Just(3)]);
        let events = vec(event, 1..64).new_tree(runner).unwrap().current();
        let large = events.iter().filter(|(_, length)| *length == 3).count();
        let mut mixed = append(request, &vec!["ticket/a"; events.len()]);
        for (event, (kind, length)) in mixed.events.iter_mut().zip(events) {
            event.kind = KINDS[kind].into();
            event.body = format!(r#"{{"n":"{}"}}"#, "ö".repeat(LENGTHS[length] / 2)).into_bytes();
        }
        mixed.causation = (large > 0).then(|| Uuid::from_u128(request));
        mixed.trace = "x".repeat(large);
        written(log.append(mixed).await.unwrap());
    }
    log.head().await.unwrap().position
}

/// Page by page, but for the body that the first row of a page has all the same.
async fn paged(log: &Log, mut after: i64, to: i64, wanted: Option<&[&str]>) -> Vec<Row> {
    let mut rows = Vec::new();
    while after < to {
        let mut page = log.read(&Select::All, wanted, after, 100).await.unwrap();
        if let (Some(next), Some(kinds)) = (page.first_mut(), wanted)
            && !kinds.contains(&next.kind.as_str())
        {
            assert_ne!(std::mem::take(&mut next.body), b"");
        }
        let Some(last) = page.last() else { break };
        after = last.position;
        rows.extend(page.into_iter().filter(|row| row.position <= to));
    }
    rows
}

async fn scanned(log: &Log, after: i64, to: i64, wanted: Option<&[&str]>) -> Vec<Row> {
    let (mut rows, mut scan) = (Vec::new(), log.scan(after, to, wanted));
    loop {
        let page = scan.next().await.unwrap();
        if page.is_empty() {
            return rows;
        }
        let bytes = page.iter().map(|row| row.body.len()).sum::<usize>();
        assert!(page.len() <= 1_000 && bytes < 2 * 1024 * 1024, "{} rows, {bytes} bytes", page.len());
        rows.extend(page);
    }
}

async fn a_scan_gives_what_reading_gives(place: &Place) {
    let (log, mut runner) = (place.log().await, TestRunner::deterministic());
    let head = filled(&log, &mut runner).await;
    let place = || any::<Index>().prop_map(move |index| i64::try_from(index.index(1_000_000)).unwrap() % (head + 3));
    let kinds = prop::option::of(subsequence(KINDS.to_vec(), 0..=KINDS.len()));
    let cases = (place(), place(), kinds);
    let all = scanned(&log, 0, head, None).await;
    assert_eq!(positions(&all), (1..=head).collect::<Vec<_>>());
    assert!(all == paged(&log, 0, head, None).await);
    for _ in 0..CASES {
        let (after, to, kinds) = cases.new_tree(&mut runner).unwrap().current();
        let wanted = kinds.as_deref();
        let same = scanned(&log, after, to, wanted).await == paged(&log, after, to, wanted).await;
        assert!(same, "{after}..={to} of {kinds:?}");
    }
}

async fn a_scan_ends_where_it_was_told_to(place: &Place) {
    let log = place.log().await;
    assert_eq!(scanned(&log, 0, 5, None).await, []);
    written(log.append(append(1, &["ticket/a"; 9])).await.unwrap());
    let mut scan = log.scan(2, 6, None);
    written(log.append(append(2, &["ticket/a"; 9])).await.unwrap());
    assert_eq!(positions(&scan.next().await.unwrap()), [3, 4, 5, 6]);
    assert_eq!(scan.next().await.unwrap(), []);
    assert_eq!(scan.next().await.unwrap(), [], "the end stays the end");
    assert_eq!(scanned(&log, 7, 3, None).await, []);
}

async fn many_scans_broken_off_cost_the_log_nothing(place: &Place) {
    let (log, mut runner) = (place.log().await, TestRunner::deterministic());
    let head = filled(&log, &mut runner).await;
    for _ in 0..20 {
        let mut scan = log.scan(0, head, None);
        assert!(!scan.next().await.unwrap().is_empty());
    }
    let append = tokio::time::timeout(Duration::from_mins(1), log.append(append(9_999, &["ticket/b"])));
    written(append.await.unwrap().unwrap());
    assert_eq!(scanned(&log, head, head + 1, None).await.len(), 1);
}
