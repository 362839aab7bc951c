//! Leases: one holder at a time, followed when it gives back or falls silent; and the service that lives by one.

use std::sync::Arc;
use std::time::Duration;

use decider::{At, Core, Decided, Micros, Reaction, Read};
use eventlog::lease::Claim;
use eventlog::{Clock, Log, Service};
use serde::{Deserialize, Serialize};
use ticket::intake::IntakeEvent;
use ticket::{Event, Recorded, stream};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::place::{Place, append};

on_every_store!(one_holds_it_until_it_ends, it_is_given_back, leases_of_two_names_do_not_mix, two_replicas_react_once);

fn claim(name: &str, holder: u128, lasts: Duration) -> Claim {
    Claim { name: name.into(), holder: Uuid::from_u128(holder), lasts_us: lasts.as_micros().try_into().unwrap() }
}

const LONG: Duration = Duration::from_hours(1);
const SHORT: Duration = Duration::from_millis(40);

async fn one_holds_it_until_it_ends(place: &Place) {
    let log = place.log().await;
    assert!(log.lease(&claim("a", 1, LONG)).await.unwrap());
    assert!(!log.lease(&claim("a", 2, LONG)).await.unwrap());
    assert!(log.lease(&claim("a", 1, SHORT)).await.unwrap(), "the holder renews, shorter too");
    let taken = async {
        while !log.lease(&claim("a", 2, LONG)).await.unwrap() {
            tokio::time::sleep(SHORT).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), taken).await.unwrap();
    assert!(!log.lease(&claim("a", 1, LONG)).await.unwrap());
}

async fn it_is_given_back(place: &Place) {
    let log = place.log().await;
    assert!(log.lease(&claim("a", 1, LONG)).await.unwrap());
    assert!(log.lease(&claim("a", 1, Duration::ZERO)).await.unwrap());
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert!(log.lease(&claim("a", 2, LONG)).await.unwrap());
    assert!(!log.lease(&claim("a", 1, Duration::ZERO)).await.unwrap(), "nobody gives another's back");
}

async fn leases_of_two_names_do_not_mix(place: &Place) {
    let log = place.log().await;
    assert!(log.lease(&claim("a", 1, LONG)).await.unwrap());
    assert!(log.lease(&claim("b", 2, LONG)).await.unwrap());
}

/// Closes every ticket it hears of, once.
struct Closer;

#[derive(Default, Serialize, Deserialize)]
struct Heard(u64);

#[derive(Debug, thiserror::Error)]
#[error("never")]
struct Never;

impl Core for Closer {
    const NAME: &'static str = "intake";
    const FOLD: u32 = 1;
    type Event = Event;
    type State = Heard;
    type Command = Uuid;
    type Refusal = Never;

    fn wants(kind: &str) -> bool {
        kind == "CustomerErased"
    }

    fn evolve(state: &mut Heard, _: &Recorded) {
        state.0 += 1;
    }

    fn decide(ticket: &Uuid, read: &Read<'_, Heard>, _: &At) -> Result<Decided<Event>, Never> {
        let stream = stream::ticket(*ticket);
        read.guard(&stream);
        Ok(vec![(stream, Event::Intake(IntakeEvent::Closed { review: String::new() }))])
    }

    fn react(_: &Heard, cause: &Recorded) -> Vec<Reaction<Uuid>> {
        vec![Reaction {
            rule: "close",
            tenant: cause.tenant.clone(),
            cause: cause.id.to_string(),
            target: "it".into(),
            occurred_at: cause.occurred_at,
            causation: Some(cause.id),
            command: cause.id,
        }]
    }

    fn due(_: &Heard, _: Micros, _: usize) -> Vec<Reaction<Uuid>> {
        Vec::new()
    }

    fn next_due(_: &Heard) -> Option<Micros> {
        None
    }
}

async fn closed(log: &Log) -> usize {
    let rows = log.read(&eventlog::store::Select::All, None, 0, 1_000).await.unwrap();
    rows.iter().filter(|row| row.kind == "Closed").count()
}

pub(crate) async fn two_replicas_react_once(place: &Place) {
    let log = place.log().await;
    let (first, second) = (CancellationToken::new(), CancellationToken::new());
    let mut replicas = Vec::new();
    for stop in [&first, &second] {
        let service = Service::<Closer>::start(Arc::clone(&log), Clock::machine()).await.unwrap();
        let (running, stop) = (Arc::clone(&service), stop.clone());
        replicas.push((service, tokio::spawn(async move { running.lead(stop).await })));
        while !replicas[0].0.leads() {
            tokio::time::sleep(SHORT).await;
        }
    }
    let told = |n: u128| {
        let mut append = append(n, &["customer/a"]);
        let event = IntakeEvent::CustomerErased { customer: Uuid::from_u128(n), reason: "asked".into() };
        let (kind, body) = ticket::codec::encode(&Event::Intake(event)).unwrap();
        (append.events[0].kind, append.events[0].body) = (kind, body);
        append
    };
    log.append(told(1)).await.unwrap();
    let patience = Duration::from_secs(30);
    let until = async |wanted: usize| {
        while closed(&log).await < wanted {
            tokio::time::sleep(SHORT).await;
        }
    };
    tokio::time::timeout(patience, until(1)).await.unwrap();
    assert!(replicas[0].0.leads() && !replicas[1].0.leads());
    // The holder goes; the other takes over, and reacts to what is new alone.
    first.cancel();
    let (former, running) = replicas.remove(0);
    running.await.unwrap().unwrap();
    log.append(told(2)).await.unwrap();
    tokio::time::timeout(patience, until(2)).await.unwrap();
    assert!(!former.leads() && replicas[0].0.leads());
    second.cancel();
    for (_, running) in replicas {
        running.await.unwrap().unwrap();
    }
    assert_eq!(closed(&log).await, 2);
}
