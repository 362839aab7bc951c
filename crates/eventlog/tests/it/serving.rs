//! The loop every service runs in, shown with a parrot: it says words, repeats echoes, and rings at an hour.

use std::collections::BTreeSet;
use std::sync::Arc;

use decider::{At, Core, Decided, Guards, Micros, Reaction, Read, Recorded, Tenant};
use eventlog::service::{Ask, Failure};
use eventlog::store::Select;
use eventlog::{Append, Clock, Keys, Log, Memory, NewEvent, Service};
use serde::{Deserialize, Serialize};
use ticket::house::HouseEvent;
use ticket::{Event, stream};
use uuid::Uuid;

const TENANT: &str = "birds";

/// What was said so far, and when to ring.
#[derive(Default, Serialize, Deserialize, PartialEq, Debug)]
struct Words {
    said: BTreeSet<String>,
    rings: BTreeSet<Micros>,
}

#[derive(Debug, thiserror::Error)]
#[error("that word is not said")]
struct Rude;

/// `RULE` stands for a version of the rules: a parrot of rule 1 repeats what begins with `echo`.
#[derive(Debug)]
struct Parrot<const RULE: u8>;

fn word(said: &str) -> decider::Stream {
    stream::config("parrot", "word", said)
}

fn say(rule: &'static str, cause: String, word: &str, at: Micros) -> Reaction<String> {
    Reaction {
        rule,
        tenant: Tenant::new(TENANT),
        cause,
        target: word.into(),
        occurred_at: at,
        causation: None,
        command: word.into(),
    }
}

impl<const RULE: u8> Core for Parrot<RULE> {
    const NAME: &'static str = "parrot";
    const FOLD: u32 = 1;
    type Event = Event;
    type State = Words;
    type Command = String;
    type Refusal = Rude;

    fn wants(kind: &str) -> bool {
        kind == "ConfigApplied"
    }

    fn evolve(state: &mut Words, event: &Recorded<Event>) {
        if let Event::House(HouseEvent::ConfigApplied { name, .. }) = &event.event {
            if let Some(at) = name.strip_prefix("ring-at-") {
                state.rings.extend(at.parse::<Micros>());
            }
            if let Some(at) = name.strip_prefix("rang-at-") {
                at.parse::<Micros>().ok().map(|at| state.rings.remove(&at));
            }
            state.said.insert(name.clone());
        }
    }

    fn decide(command: &String, read: &Read<'_, Words>, _: &At) -> Result<Decided<Event>, Rude> {
        if command.contains("rude") {
            return Err(Rude);
        }
        if let Some(theirs) = command.strip_prefix("steal ") {
            let retired = HouseEvent::ConfigRetired { kind: "word".into(), name: theirs.into() };
            return Ok(vec![(stream::config("crow", "word", theirs), Event::House(retired))]);
        }
        if read.guard(&word(command)).said.contains(command) {
            return Ok(Vec::new());
        }
        let (kind, name, spec) = ("word".into(), command.clone(), serde_json::Value::Null);
        Ok(vec![(word(command), Event::House(HouseEvent::ConfigApplied { kind, name, spec }))])
    }

    fn react(_: &Words, cause: &Recorded<Event>) -> Vec<Reaction<String>> {
        let Event::House(HouseEvent::ConfigApplied { name, .. }) = &cause.event else { return Vec::new() };
        let prefix = if RULE == 1 { "echo " } else { "" };
        let heard = name.strip_prefix(prefix).filter(|_| RULE == 1 || !name.starts_with("again"));
        let repeated =
            heard.map(|rest| say("repeat", cause.id.to_string(), &format!("again {rest}"), cause.occurred_at));
        repeated.into_iter().collect()
    }

    fn due(state: &Words, now: Micros, limit: usize) -> Vec<Reaction<String>> {
        let due = state.rings.range(..now).take(limit);
        due.map(|at| say("ring", at.to_string(), &format!("rang-at-{at}"), *at)).collect()
    }

    fn next_due(state: &Words) -> Option<Micros> {
        state.rings.first().map(|at| at + 1)
    }
}

fn log() -> Arc<Log> {
    Log::open(Arc::new(Memory::default()), Keys::memory(7))
}

async fn parrot<const RULE: u8>(log: &Arc<Log>, clock: &Clock) -> Arc<Service<Parrot<RULE>>> {
    Service::start(Arc::clone(log), clock.clone()).await.unwrap()
}

fn ask(request: u128, content: &str) -> Ask {
    Ask {
        tenant: Tenant::new(TENANT),
        actor: "user/polly".into(),
        request: Uuid::from_u128(request),
        content: content.into(),
        occurred_at: None,
        causation: None,
        trace: String::new(),
    }
}

async fn kinds(log: &Log) -> Vec<String> {
    log.read(&Select::All, None, 0, 1_000).await.unwrap().into_iter().map(|row| row.kind).collect()
}

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
async fn a_kind_of_a_newer_program_makes_its_stream_undecidable_and_stops_reactions() {
    let (log, clock) = (log(), Clock::by_hand(1));
    let parrot = parrot::<1>(&log, &clock).await;
    append(&log, "WordSungInChorus", "hello", b"{}".to_vec()).await;
    parrot.catch_up().await.unwrap();
    let blind = parrot.ask(&ask(1, "x"), &"hello".into()).await;
    assert!(matches!(blind, Err(Failure::Undecidable(_))), "{blind:?}");
    parrot.ask(&ask(2, "x"), &"echo other".into()).await.unwrap();
    parrot.step().await.unwrap();
    assert!(!parrot.view(|state| state.said.contains("again other")), "the lease is surrendered");
}

async fn note(log: &Log, kind: &str, name: &str) {
    let body = serde_json::json!({ "kind": kind, "name": name, "spec": null });
    append(log, "ConfigApplied", name, body.to_string().into_bytes()).await;
}

async fn append(log: &Log, kind: &str, name: &str, body: Vec<u8>) {
    let event = NewEvent { stream: word(name), kind: kind.into(), body };
    let append = Append {
        tenant: Tenant::new(TENANT),
        actor: "user/other".into(),
        request: Uuid::from_u128(777),
        content: Vec::new(),
        causation: None,
        trace: String::new(),
        now: 1,
        occurred_at: 1,
        guards: Guards::new(),
        events: vec![event],
    };
    log.append(append).await.unwrap();
}
