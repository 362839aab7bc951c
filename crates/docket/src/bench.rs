//! `docket bench`: how long a service takes to rebuild from a long log, and to start from its snapshot.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use analytics::Analytics;
use anyhow::Context;
use decider::{Core, Guards, Micros, Stream, Tenant};
use eventlog::clock::machine_now;
use eventlog::store::Select;
use eventlog::{Append, Clock, Log, NewEvent, Service};
use intake::Intake;
use sla_monitor::SlaMonitor;
use ticket::intake::{Accountable, Attention, Author, Channel, Impact, IntakeEvent, Priority, Request, Urgency};
use ticket::sla::{Mark, Pinned, SlaEvent, Terms};
use ticket::{Event, Personal, codec, stream};
use uuid::Uuid;

use crate::cli::Bench;
use crate::{cluster, out};

/// Events of one ticket in the made log.
const EVENTS_PER_TICKET: u64 = 10;
/// Tickets written by one append.
const TICKETS_PER_APPEND: u64 = 6;
/// Appends under way at once.
const APPENDS: u64 = 48;
/// The last so many tickets stay open.
const OPEN: u64 = 2_000;
/// When the made log begins: 2025-01-01T00:00:00Z.
const START_US: Micros = 1_735_689_600_000_000;
/// Time between two tickets.
const STEP_US: Micros = 30_000_000;

pub(crate) async fn run(args: &Bench) -> anyhow::Result<ExitCode> {
    let dir = std::env::temp_dir().join(format!("docket-bench-{}", std::process::id()));
    let mut rows = vec![["LOG", "WHAT", "OURS", "READ ALONE", "RATIO"].map(str::to_owned).to_vec()];
    let sizes = if args.short { vec![args.events] } else { vec![args.events, args.events * 10] };
    for events in sizes {
        let measured = measure(&dir, events, &mut rows).await;
        std::fs::remove_dir_all(&dir).with_context(|| format!("removing {}", dir.display()))?;
        measured?;
    }
    out::say(out::table(&rows));
    Ok(ExitCode::SUCCESS)
}

async fn measure(dir: &Path, events: u64, rows: &mut Vec<Vec<String>>) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir)?;
    let log = cluster::open(&dir.join("log.db"), dir, false).await?;
    let began = machine_now();
    make(&log, events).await?;
    out::note(format!("made a log of {events} events in {:.1} s", secs(began)));
    let began = machine_now();
    read(&log).await?;
    let alone = secs(began);
    service::<Intake>(&log, events, alone, rows).await?;
    service::<SlaMonitor>(&log, events, alone, rows).await?;
    service::<Analytics>(&log, events, alone, rows).await?;
    Ok(())
}

/// Rebuilds a service, keeps its snapshot and starts it again from there.
async fn service<C: Core<Event = Event>>(
    log: &Arc<Log>,
    events: u64,
    alone: f64,
    rows: &mut Vec<Vec<String>>,
) -> anyhow::Result<()> {
    let clock = Clock::by_hand(START_US);
    let began = machine_now();
    let cold = Service::<C>::start(Arc::clone(log), clock.clone()).await?;
    let rebuilt = secs(began);
    cold.snapshot().await?;
    drop(cold);
    let began = machine_now();
    let warm = Service::<C>::start(Arc::clone(log), clock).await?;
    let started = secs(began);
    anyhow::ensure!(warm.position() >= events, "the snapshot was not used whole");
    rows.push(row(events, &format!("{} rebuilt", C::NAME), rebuilt, alone));
    rows.push(row(events, &format!("{} from snapshot", C::NAME), started, alone));
    Ok(())
}

fn row(events: u64, what: &str, ours: f64, alone: f64) -> Vec<String> {
    let seconds = |value: f64| format!("{value:.2} s");
    vec![format!("{events} events"), what.to_owned(), seconds(ours), seconds(alone), format!("{:.2}", alone / ours)]
}

fn secs(began: Micros) -> f64 {
    Duration::from_micros((machine_now() - began).unsigned_abs()).as_secs_f64()
}

/// Reads the whole log without decoding it: what no rebuild can be quicker than.
async fn read(log: &Log) -> anyhow::Result<()> {
    let mut after = 0;
    while let Some(last) = log.read(&Select::All, None, after, 1_000).await?.last() {
        after = last.position;
    }
    Ok(())
}

/// Writes a log of tickets that were taken, answered, resolved and closed, all but the last.
async fn make(log: &Arc<Log>, events: u64) -> anyhow::Result<()> {
    let tickets = events / EVENTS_PER_TICKET;
    let appends: Vec<u64> = (0..tickets).step_by(usize::try_from(TICKETS_PER_APPEND)?).collect();
    for together in appends.chunks(usize::try_from(APPENDS)?) {
        let mut tasks = tokio::task::JoinSet::new();
        for first in together.iter().copied() {
            let log = Arc::clone(log);
            let last = (first + TICKETS_PER_APPEND).min(tickets);
            tasks.spawn(async move { write(&log, first..last, tickets).await });
        }
        while let Some(written) = tasks.join_next().await {
            written??;
        }
    }
    Ok(())
}

async fn write(log: &Log, tickets: std::ops::Range<u64>, all: u64) -> anyhow::Result<()> {
    let at = START_US + Micros::try_from(tickets.start)? * STEP_US;
    let request = Uuid::new_v5(&Uuid::NAMESPACE_OID, &tickets.start.to_be_bytes());
    let mut events = Vec::new();
    for n in tickets {
        let id = Uuid::new_v5(&request, &n.to_be_bytes());
        for (stream, event) in story(id, at, n + OPEN >= all) {
            let (kind, body) = codec::encode(&event)?;
            events.push(NewEvent { stream, kind, body });
        }
    }
    log.append(Append {
        tenant: Tenant::new("bench"),
        actor: "user/bench".into(),
        request,
        content: Vec::new(),
        causation: None,
        trace: String::new(),
        now: at,
        occurred_at: at,
        guards: Guards::new(),
        events,
    })
    .await?;
    Ok(())
}

/// What happens to one ticket: six events of intake, four of sla-monitor.
fn story(id: Uuid, at: Micros, open: bool) -> Vec<(Stream, Event)> {
    let next = Attention { accountable: Accountable::Queue("desk".into()), attend_by: at + 3_600_000_000 };
    let text = |text: &str| Personal::Sealed { subject: id, data: text.repeat(6) };
    let request = Box::new(Request {
        ticket_type: "incident".into(),
        type_version: 1,
        channel: Channel::Phone,
        title: text("AAAAAAAA"),
        description: text("AAAAAAAAAAAAAAAA"),
        customer: None,
        contact: None,
        fields: std::collections::BTreeMap::new(),
        impact: Impact::Person,
        urgency: Urgency::Medium,
        priority: Priority::Medium,
        queue: "desk".into(),
    });
    let mut happened = vec![
        IntakeEvent::Received { request, next: next.clone() },
        IntakeEvent::TakenInCharge { agent: "ann".into(), next: next.clone() },
        IntakeEvent::Commented { author: Author::Agent, public: true, text: text("AAAAAAAA"), next: None },
    ];
    if open {
        let again = || IntakeEvent::Commented { author: Author::Agent, public: false, text: text("AAAA"), next: None };
        happened.extend([again(), again(), again()]);
    } else {
        let (solution, confirm_by) = (text("AAAAAAAA"), at + 86_400_000_000);
        happened.push(IntakeEvent::Resolved { solution, evidence: Vec::new(), confirm_by, next: next.clone() });
        happened.push(IntakeEvent::Confirmed { implicit: false, next });
        happened.push(IntakeEvent::Closed { review: "complete".into() });
    }
    let mut events: Vec<_> = happened.into_iter().map(|event| (stream::ticket(id), Event::Intake(event))).collect();
    events.extend(["acceptance", "resolution"].into_iter().flat_map(|name| clock(id, name, at)));
    events
}

/// A clock that was started and met.
fn clock(id: Uuid, name: &str, at: Micros) -> [(Stream, Event); 2] {
    let clock = || name.to_owned();
    let pinned = |name: &str| Pinned { name: name.into(), version: 1 };
    let terms =
        Terms { policy: pinned("standard"), calendar: pinned("desk"), tzdb: "bench".into(), budget_secs: 3_600 };
    let marks = vec![Mark { share_bp: 10_000, at: at + 3_600_000_000 }];
    let started = SlaEvent::ClockStarted { clock: clock(), generation: 1, terms, since: at, elapsed_us: 0, marks };
    let stopped = SlaEvent::ClockStopped { clock: clock(), generation: 1, since: at, elapsed_us: 0, met: true };
    [started, stopped].map(|event| (stream::sla(id), Event::Sla(event)))
}
