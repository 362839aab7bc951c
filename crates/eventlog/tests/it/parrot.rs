//! A parrot to show the loop with, in which every service runs: it says words, repeats echoes, and rings at an hour.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use decider::{At, Core, Decided, Guards, Micros, Reaction, Read, Recorded, Tenant};
use eventlog::service::Ask;
use eventlog::store::Select;
use eventlog::{Append, Clock, Keys, Log, Memory, NewEvent, Service};
use serde::{Deserialize, Serialize};
use ticket::house::HouseEvent;
use ticket::{Event, stream};
use uuid::Uuid;

pub(crate) const TENANT: &str = "birds";

/// What was said so far, and when to ring.
#[derive(Default, Serialize, Deserialize, PartialEq, Debug)]
pub(crate) struct Words {
    pub(crate) said: BTreeSet<String>,
    rings: BTreeSet<Micros>,
}

#[derive(Debug, thiserror::Error)]
#[error("that word is not said")]
pub(crate) struct Rude;

/// `RULE` stands for a version of the rules: a parrot of rule 1 repeats what begins with `echo`.
#[derive(Debug)]
pub(crate) struct Parrot<const RULE: u8>;

pub(crate) fn word(said: &str) -> decider::Stream {
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
        Ok(vec![(word(command), Event::House(HouseEvent::ConfigApplied { kind, name, spec, reason: None }))])
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

pub(crate) fn log() -> Arc<Log> {
    Log::open(Arc::new(Memory::default()), Keys::memory(7))
}

pub(crate) async fn parrot<const RULE: u8>(log: &Arc<Log>, clock: &Clock) -> Arc<Service<Parrot<RULE>>> {
    Service::start(Arc::clone(log), clock.clone()).await.unwrap()
}

pub(crate) fn ask(request: u128, content: &str) -> Ask {
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

pub(crate) async fn kinds(log: &Log) -> Vec<String> {
    log.read(&Select::All, None, 0, 1_000).await.unwrap().into_iter().map(|row| row.kind).collect()
}

pub(crate) async fn until(holds: impl Fn() -> bool) {
    let patience = tokio::time::timeout(Duration::from_secs(30), async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    patience.await.unwrap();
}

pub(crate) async fn note(log: &Log, kind: &str, name: &str) {
    let body = serde_json::json!({ "kind": kind, "name": name, "spec": null });
    append(log, "ConfigApplied", name, body.to_string().into_bytes()).await;
}

pub(crate) async fn append(log: &Log, kind: &str, name: &str, body: Vec<u8>) {
    let event = NewEvent { stream: word(name), kind: kind.into(), body };
    let request = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
    log.append(foreign(request, vec![event])).await.unwrap();
}

/// What others wrote past the parrot.
pub(crate) fn foreign(request: Uuid, events: Vec<NewEvent>) -> Append {
    Append {
        tenant: Tenant::new(TENANT),
        actor: "user/other".into(),
        request,
        content: Vec::new(),
        causation: None,
        trace: String::new(),
        now: 1,
        occurred_at: 1,
        holds_until: None,
        guards: Guards::new(),
        events,
    }
}
