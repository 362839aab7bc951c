//! A long log: tickets that were taken, answered, resolved and closed, all but the last.
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use decider::{Guards, Micros, Stream, Tenant};
use eventlog::{Append, Log, NewEvent};
use ticket::intake::{
    Accountable, Attention, Author, Channel, Impact, IntakeEvent, Priority, Request, Urgency, WaitReason,
};
use ticket::sla::{Mark, Pinned, SlaEvent, Terms};
use ticket::{Event, Personal, codec, stream};
use tokio::task::JoinSet;
use uuid::Uuid;

/// What happens to one ticket.
pub(crate) const KINDS: [&str; 10] = [
    "Received",
    "TakenInCharge",
    "Commented",
    "Resolved",
    "Confirmed",
    "Closed",
    "ClockStarted",
    "ClockStopped",
    "ClockStarted",
    "ClockStopped",
];
/// Tickets written by one append.
const TICKETS_PER_APPEND: u64 = 6;
/// Appends under way at once.
const APPENDS: u64 = 48;
/// The last so many tickets stay open.
const OPEN: u64 = 2_000;
/// When a log begins that is only read: 2025-01-01T00:00:00Z.
pub(crate) const START_US: Micros = 1_735_689_600_000_000;
/// Time between two tickets.
const STEP_US: Micros = 30_000_000;

/// Writes a log of tickets that were taken, answered, resolved and closed, all but the last.
pub(crate) async fn make(log: &Arc<Log>, events: u64, start: Micros) -> anyhow::Result<()> {
    let tickets = events / KINDS.len() as u64;
    let appends: Vec<u64> = (0..tickets).step_by(usize::try_from(TICKETS_PER_APPEND)?).collect();
    for together in appends.chunks(usize::try_from(APPENDS)?) {
        let mut tasks = JoinSet::new();
        for first in together.iter().copied() {
            let log = Arc::clone(log);
            let last = (first + TICKETS_PER_APPEND).min(tickets);
            tasks.spawn(async move { write(&log, first..last, tickets, start).await });
        }
        while let Some(written) = tasks.join_next().await {
            written??;
        }
    }
    Ok(())
}

async fn write(log: &Log, tickets: Range<u64>, all: u64, start: Micros) -> anyhow::Result<()> {
    let at = start + Micros::try_from(tickets.start)? * STEP_US;
    let request = Uuid::new_v5(&Uuid::NAMESPACE_OID, &tickets.start.to_be_bytes());
    let mut events = Vec::new();
    for n in tickets {
        let id = Uuid::new_v5(&request, &n.to_be_bytes());
        for (stream, event) in story(id, at, n + OPEN >= all) {
            let (kind, body) = codec::encode(&event)?;
            events.push(NewEvent { stream, kind, body });
        }
    }
    log.append(append(request, at, events)).await?;
    Ok(())
}

fn append(request: Uuid, at: Micros, events: Vec<NewEvent>) -> Append {
    Append {
        tenant: Tenant::new("bench"),
        actor: "user/bench".into(),
        request,
        content: request.as_bytes().to_vec(),
        causation: None,
        trace: String::new(),
        now: at,
        occurred_at: at,
        holds_until: None,
        guards: Guards::new(),
        events,
    }
}

/// The append that creates one ticket.
pub(crate) fn creation(id: Uuid, at: Micros) -> anyhow::Result<Append> {
    let stream = stream::ticket(id);
    let (kind, body) = codec::encode(&Event::Intake(received(id, at)))?;
    let mut append = append(id, at, vec![NewEvent { stream: stream.clone(), kind, body }]);
    append.guards.insert(stream, 0);
    Ok(append)
}

/// Sealed text, so many times eight letters long.
fn text(subject: Uuid, length: usize) -> Personal<String> {
    Personal::Sealed { subject, data: "AAAAAAAA".repeat(length) }
}

fn attention(at: Micros) -> Attention {
    Attention { accountable: Accountable::Queue("desk".into()), attend_by: at + 3_600_000_000 }
}

/// How a ticket begins.
pub(crate) fn received(id: Uuid, at: Micros) -> IntakeEvent {
    let request = Box::new(Request {
        ticket_type: "incident".into(),
        type_version: 1,
        channel: Channel::Phone,
        title: text(id, 6),
        description: text(id, 12),
        customer: None,
        contact: None,
        fields: BTreeMap::new(),
        impact: Impact::Person,
        urgency: Urgency::Medium,
        priority: Priority::Medium,
        queue: "desk".into(),
        zone: None,
    });
    IntakeEvent::Received { request, next: attention(at) }
}

/// What happens to one ticket that is answered, put off, taken up again, resolved and closed: eight things.
pub(crate) fn course(id: Uuid, at: Micros) -> [IntakeEvent; 8] {
    let next = attention(at);
    let said = |author| IntakeEvent::Commented { author, public: true, text: text(id, 6), next: None };
    let reasons = BTreeSet::from([WaitReason::Customer]);
    let (solution, confirm_by) = (text(id, 6), at + 86_400_000_000);
    [
        received(id, at),
        IntakeEvent::TakenInCharge { agent: "ann".into(), next: next.clone() },
        said(Author::Agent),
        IntakeEvent::WaitStarted { reasons: reasons.clone(), next: next.clone() },
        said(Author::Customer),
        IntakeEvent::WaitEnded { reasons, remaining: BTreeSet::new(), next: next.clone() },
        IntakeEvent::Resolved { solution, evidence: Vec::new(), confirm_by, next },
        IntakeEvent::Closed { review: "complete".into() },
    ]
}

/// What happens to one ticket: six events of intake, four of sla-monitor.
fn story(id: Uuid, at: Micros, open: bool) -> Vec<(Stream, Event)> {
    let next = attention(at);
    let mut happened = vec![
        received(id, at),
        IntakeEvent::TakenInCharge { agent: "ann".into(), next: next.clone() },
        IntakeEvent::Commented { author: Author::Agent, public: true, text: text(id, 6), next: None },
    ];
    if open {
        let again = || IntakeEvent::Commented { author: Author::Agent, public: false, text: text(id, 3), next: None };
        happened.extend([again(), again(), again()]);
    } else {
        let (solution, confirm_by) = (text(id, 6), at + 86_400_000_000);
        happened.push(IntakeEvent::Resolved { solution, evidence: Vec::new(), confirm_by, next: next.clone() });
        happened.push(IntakeEvent::Confirmed { implicit: false, next });
        happened.push(IntakeEvent::Closed { review: "complete".into() });
    }
    let mut events: Vec<_> = happened.into_iter().map(|event| (stream::ticket(id), Event::Intake(event))).collect();
    events.extend(["acceptance", "resolution"].into_iter().flat_map(|name| clock(id, name, at)));
    events
}

/// A clock that was started and met.
pub(crate) fn clock(id: Uuid, name: &str, at: Micros) -> [(Stream, Event); 2] {
    let clock = || name.to_owned();
    let pinned = |name: &str| Pinned { name: name.into(), version: 1 };
    let terms = Terms {
        policy: pinned("standard"),
        calendar: pinned("desk"),
        tzdb: "bench".into(),
        budget_secs: 3_600,
        working_days: None,
        zone: None,
        escalation: None,
        major: None,
    };
    let marks = vec![Mark { share_bp: 10_000, at: at + 3_600_000_000 }];
    let (generation, since, elapsed_us, began, because) = (1, at, 0, None, None);
    let started =
        SlaEvent::ClockStarted { clock: clock(), generation, terms, since, elapsed_us, marks, began, because };
    let because = None;
    let stopped = SlaEvent::ClockStopped { clock: clock(), generation, since, elapsed_us, met: true, because };
    [started, stopped].map(|event| (stream::sla(id), Event::Sla(event)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_tickets_events_are_of_these_kinds() {
        let story = story(Uuid::nil(), START_US, false);
        let kinds: Vec<_> = story.iter().map(|(_, event)| codec::encode(event).unwrap().0).collect();
        assert_eq!(kinds, KINDS);
    }
}
