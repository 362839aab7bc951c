//! The log against a model of a few lines: whatever is asked, in whatever order and batches, both answer the same.

use std::collections::BTreeMap;

use eventlog::store::Select;
use eventlog::verify::verify;
use eventlog::{Append, Committed, Log, Rejected, Row};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Builder;
use uuid::Uuid;

use crate::place::{Place, append, guarded, positions};

const STREAMS: [&str; 4] = ["ticket/a", "ticket/b", "work/a", "name/x/y"];

/// One request: its number, what it says, what it guards and writes by the numbers of streams.
#[derive(Clone, Debug)]
struct Asked {
    request: u8,
    content: u8,
    guards: BTreeMap<usize, u64>,
    writes: Vec<usize>,
    now: i64,
}

/// What is done in one step.
#[derive(Clone, Debug)]
enum Step {
    /// These at the same time.
    Append(Vec<Asked>),
    /// A page of a stream, or of everything.
    Read(Option<usize>, i64, i64),
    /// The request is looked up.
    Request(u8, u8),
}

/// What was written: request, content and stream of each event, in order.
#[derive(Default)]
struct Model {
    events: Vec<(u8, u8, usize)>,
    recorded_us: i64,
}

#[derive(Debug, PartialEq)]
enum Answer {
    Written(Vec<i64>),
    Repeated(Vec<i64>),
    Moved,
    Reused,
}

impl Model {
    fn positions(&self, of: impl Fn(&(u8, u8, usize)) -> bool) -> Vec<i64> {
        (1..).zip(&self.events).filter(|(_, event)| of(event)).map(|(position, _)| position).collect()
    }

    fn request(&self, request: u8, content: u8) -> Option<Answer> {
        let before = self.events.iter().find(|event| event.0 == request)?;
        Some(if before.1 == content {
            Answer::Repeated(self.positions(|event| event.0 == request))
        } else {
            Answer::Reused
        })
    }

    fn append(&mut self, asked: &Asked) -> Answer {
        if let Some(answer) = self.request(asked.request, asked.content) {
            return answer;
        }
        let version = |stream: usize| self.events.iter().filter(|event| event.2 == stream).count() as u64;
        if asked.guards.iter().any(|(stream, expected)| version(*stream) != *expected) {
            return Answer::Moved;
        }
        let first = self.events.len();
        self.events.extend(asked.writes.iter().map(|stream| (asked.request, asked.content, *stream)));
        if !asked.writes.is_empty() {
            self.recorded_us = self.recorded_us.max(asked.now);
        }
        Answer::Written((1..).take(self.events.len()).skip(first).collect())
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let guards = prop::collection::btree_map(0..STREAMS.len(), prop_oneof![3 => Just(0u64), 2 => 1..4u64], 0..2);
    (0..12u8, 0..10u8, guards, prop::collection::vec(0..STREAMS.len(), 0..4), 0..1_000i64).prop_map(
        // One in ten sends something else under its number.
        |(request, content, guards, writes, now)| Asked { request, content: content / 9, guards, writes, now },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(asked(), 1..6).prop_map(Step::Append),
        2 => (prop::option::of(0..STREAMS.len()), 0..20i64, 1..10i64).prop_map(|(stream, after, limit)| Step::Read(stream, after, limit)),
        1 => (0..12u8, 0..2u8).prop_map(|(request, content)| Step::Request(request, content)),
    ]
}

fn to_append(asked: &Asked) -> Append {
    let writes: Vec<_> = asked.writes.iter().map(|stream| STREAMS[*stream]).collect();
    let guards: Vec<_> = asked.guards.iter().map(|(stream, version)| (STREAMS[*stream], *version)).collect();
    let mut append = guarded(append(u128::from(asked.request), &writes), &guards);
    append.content = vec![asked.content];
    append.now = asked.now;
    append
}

fn answer(result: Result<Committed, Rejected>) -> Answer {
    match result {
        Ok(Committed::Written(rows)) => Answer::Written(positions(&rows)),
        Ok(Committed::Repeated(rows)) => Answer::Repeated(positions(&rows)),
        Err(Rejected::Moved { .. }) => Answer::Moved,
        Err(Rejected::Reused) => Answer::Reused,
        Err(other) => panic!("{other}"),
    }
}

/// Appends all at once, on one thread: the writer finds them in this order.
async fn append_all(log: &std::sync::Arc<Log>, batch: &[Asked]) -> Vec<Answer> {
    let mut callers = Vec::new();
    for asked in batch {
        let (log, append) = (log.clone(), to_append(asked));
        callers.push(tokio::spawn(async move { log.append(append).await }));
    }
    let mut answers = Vec::new();
    for caller in callers {
        answers.push(answer(caller.await.unwrap()));
    }
    answers
}

async fn check(place: &Place, steps: &[Step]) {
    // Two processes, neither of which knows what the other wrote.
    let store = place.store().await;
    let logs = [Log::open(store.clone(), place.keys().await), Log::open(store, place.keys().await)];
    let mut model = Model::default();
    for (step, log) in steps.iter().zip(logs.iter().cycle()) {
        match step {
            Step::Append(batch) => {
                let expected: Vec<_> = batch.iter().map(|asked| model.append(asked)).collect();
                assert_eq!(append_all(log, batch).await, expected, "{batch:?}");
            }
            Step::Read(stream, after, limit) => {
                let select = stream.map_or(Select::All, |stream| Select::Stream {
                    tenant: "acme".into(),
                    stream: STREAMS[stream].into(),
                });
                let rows = log.read(&select, None, *after, *limit).await.unwrap();
                let all = model.positions(|event| stream.is_none_or(|stream| event.2 == stream)).into_iter();
                let limit = usize::try_from(*limit).unwrap();
                assert_eq!(positions(&rows), all.filter(|position| position > after).take(limit).collect::<Vec<_>>());
            }
            Step::Request(request, content) => {
                let found = log.request(Uuid::from_u128(u128::from(*request)), &[*content]).await;
                let found = found.map(|rows: Option<Vec<Row>>| rows.map(Committed::Repeated)).transpose();
                assert_eq!(found.map(answer), model.request(*request, *content));
            }
        }
    }
    let proven = verify(&logs[0]).await.unwrap();
    assert_eq!(proven.head.position, i64::try_from(model.events.len()).unwrap());
    assert_eq!(proven.head.recorded_us, model.recorded_us);
}

/// Runs random histories, each in a place of its own.
fn run(cases: u32, place: impl AsyncFn() -> Option<Place>) {
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let steps = prop::collection::vec(step(), 1..20);
    let outcome = runner.run(&steps, |steps| {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            if let Some(place) = place().await {
                check(&place, &steps).await;
            }
        });
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn memory_is_as_the_model() {
    run(300, async || Some(Place::memory()));
}

#[test]
fn sqlite_is_as_the_model() {
    run(24, async || Some(Place::sqlite()));
}

#[test]
fn postgres_is_as_the_model() {
    run(12, Place::postgres);
}
