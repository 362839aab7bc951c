//! A log of each version, kept in `tests/golden/logs`: what was written once opens, verifies and is folded for ever.
//!
//! A version's log holds the example of every kind it knew, its personal data sealed under the keys kept beside it.
//! `UPDATE_EXPECT=1` writes the log of this version, until `tests/golden/RELEASED` exists: then it writes over none.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use decider::{Core, Guards, Stream, Tenant};
use eventlog::store::Select;
use eventlog::{Append, Clock, Keys, Log, Memory, NewEvent, Row, Service, Sqlite, verify};
use serde_json::{Value, json};
use tempfile::TempDir;
use ticket::dispatch::DispatchEvent;
use ticket::house::HouseEvent;
use ticket::intake::IntakeEvent;
use ticket::notifier::NotifierEvent;
use ticket::{Event, codec, stream};
use uuid::Uuid;

use super::events::RELEASED;
use super::examples::{self, CUSTOMER};

const LOGS: &str = "tests/golden/logs";
/// The version whose log the examples of today make.
const THIS: &str = "0.1";
/// 2026-03-02T09:30:00Z; events follow each other by a minute.
const MONDAY: i64 = 1_772_443_800_000_000;
const MINUTE: i64 = 60_000_000;
const OWN: Uuid = Uuid::from_u128(0x0195_5630_0000_7000_8000_0000_0000_0001);
const IMPORTED: Uuid = Uuid::from_u128(0x0195_5630_0000_7000_8000_0000_0000_0002);

/// Where an event of the examples belongs.
fn place(event: &Event) -> (Tenant, Stream) {
    let system = |name| (Tenant::system(), stream::service(name));
    let own = match event {
        Event::Intake(IntakeEvent::TicketImported { .. } | IntakeEvent::ActivityImported { .. }) => {
            stream::ticket(IMPORTED)
        }
        Event::Intake(IntakeEvent::CustomerErased { customer, .. }) => stream::customer(*customer),
        Event::Intake(_) => stream::ticket(OWN),
        Event::Sla(_) => stream::sla(OWN),
        Event::House(HouseEvent::ConfigApplied { kind, name, .. } | HouseEvent::ConfigRetired { kind, name }) => {
            stream::config(ticket::document::owner(kind).unwrap(), kind, name)
        }
        Event::House(HouseEvent::ClockAnchored { .. }) => return system("clock"),
        Event::House(HouseEvent::ReactedThrough { .. } | HouseEvent::ReactionParked { .. }) => return system("intake"),
        Event::Dispatch(event) => field(event),
        Event::Notifier(event) => told(event),
    };
    (Tenant::new("demo"), own)
}

fn field(event: &DispatchEvent) -> Stream {
    match event {
        DispatchEvent::SlotHeld { .. }
        | DispatchEvent::SlotReleased { .. }
        | DispatchEvent::DutyStarted { .. }
        | DispatchEvent::DutyEnded { .. }
        | DispatchEvent::TimeOffBooked { .. }
        | DispatchEvent::TimeOffCancelled { .. } => stream::engineer("eve"),
        DispatchEvent::PositionReported { .. } => stream::track("eve"),
        _ => stream::work(OWN),
    }
}

fn told(event: &NotifierEvent) -> Stream {
    match event {
        NotifierEvent::RecipientSet { .. }
        | NotifierEvent::PresenceReported { .. }
        | NotifierEvent::DoNotDisturbSet { .. } => stream::recipient("ann"),
        _ => stream::reminder(OWN),
    }
}

async fn append(log: &Log, n: u32, event: &Event) {
    let (tenant, stream) = place(event);
    let (kind, body) = codec::encode(event).unwrap();
    let at = MONDAY + i64::from(n) * MINUTE;
    let request = Uuid::from_u128(n.into());
    let append = Append {
        tenant,
        actor: "user/ann".into(),
        request,
        content: kind.as_bytes().to_vec(),
        causation: None,
        trace: String::new(),
        now: at,
        occurred_at: at,
        holds_until: None,
        guards: Guards::new(),
        events: vec![NewEvent { stream, kind, body }],
    };
    log.append(append).await.unwrap();
}

/// Writes the examples as a log into two files of a directory.
async fn write(directory: &Path) {
    let log = Log::open(Arc::new(Memory::new()), Keys::memory(1));
    for (n, event) in (1..).zip(examples::full()) {
        append(&log, n, &event).await;
    }
    let file = directory.join("log.db");
    let kept = Sqlite::create_or_open(&file).await.unwrap();
    eventlog::copy::copy(log.store().as_ref(), &kept).await.unwrap();
    log.keys().export_to(&directory.join("keys.db")).await.unwrap();
    kept.close().await;
}

/// Keeps the log of this version.
async fn keep() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path()).await;
    fs::create_dir_all(tests::path(LOGS)).unwrap();
    for file in ["log", "keys"] {
        let target = tests::path(LOGS).join(format!("{THIS}.{file}.db"));
        fs::copy(directory.path().join(format!("{file}.db")), target).unwrap();
    }
}

/// A copy of a version's log, which may be written to.
fn copied(version: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for file in ["log", "keys"] {
        let kept = tests::path(LOGS).join(format!("{version}.{file}.db"));
        fs::copy(&kept, directory.path().join(format!("{file}.db")))
            .unwrap_or_else(|error| panic!("{}: {error}; UPDATE_EXPECT=1 writes it", kept.display()));
    }
    directory
}

async fn opened(directory: &TempDir) -> Arc<Log> {
    let store = Sqlite::create_or_open(&directory.path().join("log.db")).await.unwrap();
    let keys = Keys::sqlite(&directory.path().join("keys.db")).await.unwrap();
    Log::open(Arc::new(store), keys)
}

async fn folded<C: Core<Event = Event>>(log: &Arc<Log>) -> Arc<Service<C>> {
    let service = Service::<C>::start(Arc::clone(log), Clock::by_hand(MONDAY)).await.unwrap();
    assert_eq!(service.position(), log.head().await.unwrap().position.unsigned_abs(), "{}", C::NAME);
    service
}

/// Every event in the form in which it was decided.
async fn said(log: &Log) -> Vec<Event> {
    let mut events = Vec::new();
    for row in log.read(&Select::All, None, 0, 1_000).await.unwrap() {
        let body = revealed(log, &row).await.to_string();
        events.push(codec::decode(&row.kind, row.schema.try_into().unwrap(), body.as_bytes()).unwrap());
    }
    events
}

async fn revealed(log: &Log, row: &Row) -> Value {
    let mut body: Value = serde_json::from_slice(&row.body).unwrap();
    log.reveal(&Tenant::new(&row.tenant), &mut body).await.unwrap();
    body
}

/// Proves part of: I20, X6
#[tokio::test]
async fn the_log_of_this_version_opens_verifies_and_folds() {
    let released = tests::path(RELEASED).exists() && tests::path(LOGS).join(format!("{THIS}.log.db")).exists();
    if tests::updating() && !released {
        keep().await;
    }
    let directory = copied(THIS);
    let log = opened(&directory).await;
    verify::verify(&log).await.unwrap();
    assert_eq!(said(&log).await, examples::full());

    let intake = folded::<intake::Intake>(&log).await;
    folded::<dispatch::Dispatch>(&log).await;
    folded::<sla_monitor::SlaMonitor>(&log).await;
    folded::<notifier::Notifier>(&log).await;
    folded::<analytics::Analytics>(&log).await;
    let phase = |id| intake.view(|state| state.house(&Tenant::new("demo")).unwrap().tickets[&id].course.phase.name());
    assert_eq!([phase(OWN), phase(IMPORTED)], ["cancelled", "waiting"]);

    intake::grpc::settle_erasures(&intake).await.unwrap();
    let first = log.read(&Select::All, None, 0, 1).await.unwrap();
    assert_eq!(revealed(&log, &first[0]).await["request"]["title"], json!({ "erased": { "subject": CUSTOMER } }));
    append(&log, 1_000, &Event::House(HouseEvent::ReactedThrough { position: 1 })).await;
    verify::verify(&log).await.unwrap();
}
