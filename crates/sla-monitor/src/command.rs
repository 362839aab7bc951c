//! What sla-monitor may be asked, by its own rules or by a person, and what it decides.

use decider::{At, Core, Decided, Micros, Reaction, Read, Stream};
use ticket::batch::{self, DocumentFault, Draft};
use ticket::codec::{Family, KINDS};
use ticket::document::Fault;
use ticket::sla::{BreachCause, Mark, SlaEvent};
use ticket::{Event, Recorded, stream};
use uuid::Uuid;

use crate::attention::{Attending, missed};
use crate::clock::Phase;
use crate::documents::{CALENDAR, SLA_POLICY};
use crate::major::Declaration;
use crate::policy::{ATTENTION_EVERY_US, BREACH_BP};
use crate::record::{Dial, Ticket};
use crate::state::{Desk, State};
use crate::{backlog, escalation, major, react, shadow};

/// Most letters an explanation may have.
pub const MAX_NOTE: usize = 1_000;

/// The kinds of dispatch's events that clocks read, and those that say who comes and who is there.
const FIELD: [&str; 12] = [
    "OfferAccepted",
    "Departed",
    "Arrived",
    "VisitCompleted",
    "VisitStopped",
    "WorkHandedOver",
    "VisitReleased",
    "VisitCancelled",
    "DutyStarted",
    "DutyEnded",
    "TimeOffBooked",
    "TimeOffCancelled",
];
/// The kinds of notifier's events that say how somebody is reached.
const REACHED: [&str; 4] = ["RecipientSet", "AddressEnded", "PresenceReported", "DoNotDisturbSet"];

/// The core: clocks, deadlines and the promise that no ticket is dropped.
pub struct SlaMonitor;

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Bring a ticket's recorded clocks to what its facts say.
    Reassess {
        /// The ticket.
        ticket: Uuid,
    },
    /// Record that a share of a clock's budget is used up.
    Fire {
        /// The ticket.
        ticket: Uuid,
        /// The clock.
        clock: String,
        /// The generation that set the mark.
        generation: u32,
        /// Which share, basis points.
        share_bp: u32,
    },
    /// Record that nobody took the next step in time, and wake somebody else.
    Wake {
        /// The ticket.
        ticket: Uuid,
        /// The version of the ticket's stream that named the next step.
        renewed: u64,
        /// The miss, counted from 1 since then.
        step: u32,
    },
    /// Record why a clock was late.
    Explain {
        /// The ticket.
        ticket: Uuid,
        /// The clock.
        clock: String,
        /// The class.
        cause: BreachCause,
        /// In words.
        note: String,
    },
    /// Call the next for a breached clock.
    Call {
        /// The ticket.
        ticket: Uuid,
        /// The clock.
        clock: String,
        /// The generation that breached.
        generation: u32,
        /// The step, from 1.
        step: u32,
    },
    /// Somebody answers for a breached clock.
    Acknowledge {
        /// The ticket.
        ticket: Uuid,
        /// The clock.
        clock: String,
        /// Who, by token subject.
        by: String,
    },
    /// Somebody who was called for clocks of a ticket answered a reminder of it.
    Answer {
        /// The ticket.
        ticket: Uuid,
        /// Who, by token subject.
        by: String,
    },
    /// Record that a backlog alarm is raised or over.
    Measure {
        /// The alert.
        alert: String,
    },
    /// Declare a major event.
    Declare(Declaration),
    /// End a major event.
    End {
        /// Its name.
        name: String,
        /// How it ended.
        reason: String,
    },
    /// End the shadow of a policy.
    Withdraw {
        /// The policy's name.
        name: String,
    },
    /// Put documents in force: all, or none.
    Apply(Vec<Draft>),
}

/// Why it may be refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The tenant has no such ticket.
    #[error("there is no such ticket")]
    TicketUnknown,
    /// The ticket has no such clock.
    #[error("the ticket has no clock {0}")]
    ClockUnknown(String),
    /// The clock was not late, or a late fact took its breach back.
    #[error("clock {0} was not late")]
    NotBreached(String),
    /// The explanation is too long.
    #[error("a note has at most {MAX_NOTE} letters")]
    NoteTooLong,
    /// There is no rota of this name.
    #[error("there is no rota {0}")]
    RotaUnknown(String),
    /// Nobody is called for the clock.
    #[error("nobody is called for clock {0}")]
    NotEscalated(String),
    /// There never was a major event of this name.
    #[error("there is no major event {0}")]
    MajorUnknown(String),
    /// A major event of this name goes on, and was declared otherwise.
    #[error("major event {0} goes on: end it first")]
    MajorOngoing(String),
    /// There never was a shadow of this name.
    #[error("there is no ShadowPolicy {0}")]
    ShadowUnknown(String),
    /// Fields are wrong: all of them.
    #[error("{} fields are wrong", .0.len())]
    Fields(Vec<Fault>),
    /// Documents cannot be put in force: every fault of every one.
    #[error("{} faults in the documents", .0.len())]
    Documents(Vec<DocumentFault>),
}

impl Core for SlaMonitor {
    const NAME: &'static str = "sla-monitor";
    const FOLD: u32 = 8;
    type Event = Event;
    type State = State;
    type Command = Command;
    type Refusal = Refusal;

    fn wants(kind: &str) -> bool {
        matches!(KINDS.get(kind), Some(Family::Intake | Family::Sla))
            || FIELD.contains(&kind)
            || REACHED.contains(&kind)
            || ["ConfigApplied", "ConfigRetired", "ReminderAcknowledged"].contains(&kind)
    }

    fn evolve(state: &mut State, event: &Recorded) {
        state.evolve(event);
    }

    fn decide(command: &Command, read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
        match command {
            Command::Reassess { ticket } => Ok(reassess(*ticket, read, at)),
            Command::Fire { ticket, clock, generation, share_bp } => {
                Ok(fire(*ticket, clock, (*generation, *share_bp), read, at))
            }
            Command::Wake { ticket, renewed, step } => Ok(wake(*ticket, (*renewed, *step), read, at)),
            Command::Explain { ticket, clock, cause, note } => explain(*ticket, clock, (*cause, note), read, at),
            Command::Call { ticket, clock, generation, step } => {
                Ok(escalation::call(*ticket, clock, (*generation, *step), read, at))
            }
            Command::Acknowledge { ticket, clock, by } => escalation::acknowledge(*ticket, clock, by, read, at),
            Command::Answer { ticket, by } => Ok(escalation::answer(*ticket, by, read, at)),
            Command::Measure { alert } => Ok(backlog::measure(alert, read, at)),
            Command::Declare(said) => major::declare(said, read, at),
            Command::End { name, reason } => major::end(name, reason, read, at),
            Command::Withdraw { name } => shadow::withdraw(name, read, at),
            Command::Apply(drafts) => apply(drafts, read, at),
        }
    }

    fn react(state: &State, cause: &Recorded) -> Vec<Reaction<Command>> {
        react::react(state, cause)
    }

    fn alone(_state: &State, reaction: &Reaction<Command>, _now: Micros) -> bool {
        // An alert is about all that lies in its queue.
        matches!(reaction.command, Command::Measure { .. })
    }

    fn due(state: &State, now: Micros, limit: usize) -> Vec<Reaction<Command>> {
        react::due(state, now, limit)
    }

    fn next_due(state: &State) -> Option<Micros> {
        react::next_due(state)
    }
}

/// A ticket with every stream its clocks read guarded, and that of the clocks themselves.
pub(crate) fn guarded_with_work<'a>(id: Uuid, read: &Read<'a, State>, at: &At) -> Option<(&'a Desk, &'a Ticket)> {
    read.guard(&stream::work(id));
    guarded(id, read, at)
}

/// A ticket, its own stream and that of its clocks guarded.
fn guarded<'a>(id: Uuid, read: &Read<'a, State>, at: &At) -> Option<(&'a Desk, &'a Ticket)> {
    read.guard(&stream::ticket(id));
    read.guard(&stream::sla(id)).ticket(&at.tenant, id)
}

fn recorded(id: Uuid, events: Vec<SlaEvent>) -> Decided<Event> {
    events.into_iter().map(|event| (stream::sla(id), Event::Sla(event))).collect()
}

fn config(kind: &str, name: &str) -> Stream {
    stream::config(SlaMonitor::NAME, kind, name)
}

fn reassess(id: Uuid, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Some((desk, ticket)) = guarded_with_work(id, read, at) else { return Vec::new() };
    let events = desk.drift(ticket, at.now, at.occurred_at);
    for event in &events {
        if let SlaEvent::ClockStarted { terms, .. } = event {
            read.guard(&config(SLA_POLICY, &terms.policy.name));
            read.guard(&config(CALENDAR, &terms.calendar.name));
            if let Some(name) = &terms.major {
                read.guard(&stream::major(name));
            }
        }
    }
    recorded(id, events)
}

/// Fires a mark that is still on record, that the facts still bear out, and that the clock stands past.
fn fire(id: Uuid, name: &str, mark: (u32, u32), read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let (generation, share_bp) = mark;
    let fired = guarded_with_work(id, read, at).and_then(|(desk, ticket)| {
        let record = ticket.clock(desk.names.find(name)?).filter(|record| record.generation == generation)?;
        let mark = record.pending().find(|mark| mark.share_bp == share_bp && mark.at < at.now)?;
        passes(desk, ticket, record, &mark).then_some(())?;
        let clock = name.to_owned();
        Some(if share_bp == BREACH_BP {
            let accountable = ticket.attending.as_ref().and_then(|attending| attending.owed(&desk.names));
            let (began, escalates_at) = (record.began(), escalation::begins(desk, record, mark.at));
            let major = desk.terms_of(record.terms).and_then(|terms| terms.major.clone());
            SlaEvent::Breached { clock, generation, at: mark.at, accountable, began, escalates_at, major }
        } else {
            SlaEvent::WarningRaised { clock, generation, share_bp, at: mark.at }
        })
    });
    recorded(id, fired.into_iter().collect())
}

/// Whether the facts bear a mark out: a fact not yet reassessed may have moved it, or begun another round. A clock that
/// had ended before its policy dropped it stays as it ended, and what it had run past by then it ran past.
fn passes(desk: &Desk, ticket: &Ticket, record: Dial<'_>, mark: &Mark) -> bool {
    let Some(in_force) = desk.in_force(ticket) else { return false };
    let Some(spec) = in_force.policy.clocks.iter().find(|spec| spec.name == desk.names.text(record.name)) else {
        return matches!(record.phase, Phase::Stopped { .. } | Phase::Cancelled);
    };
    let course = desk.course(ticket, spec, &in_force.calendar);
    course.is_some_and(|course| course.began == record.began() && course.marks.contains(mark))
}

fn wake(id: Uuid, miss: (u64, u32), read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let missed = guarded(id, read, at).and_then(|(desk, ticket)| {
        let attending = ticket.attending.as_ref()?;
        let this = (u64::from(attending.renewed), attending.step + 1) == miss
            && attending.falls_due().is_some_and(|due_at| due_at < at.now);
        this.then(|| attention_missed(desk, ticket, attending, at.now)).flatten()
    });
    recorded(id, missed.into_iter().collect())
}

fn attention_missed(desk: &Desk, ticket: &Ticket, attending: &Attending, now: Micros) -> Option<SlaEvent> {
    let owed = attending.owed(&desk.names)?;
    let every_us = desk.in_force(ticket).map_or(ATTENTION_EVERY_US, |in_force| in_force.policy.attention_every_us);
    Some(missed(owed, (attending.step + 1, attending.due_at), &desk.staff(ticket, now), every_us))
}

fn explain(
    id: Uuid,
    name: &str,
    why: (BreachCause, &String),
    read: &Read<'_, State>,
    at: &At,
) -> Result<Decided<Event>, Refusal> {
    let (cause, note) = why;
    if note.chars().count() > MAX_NOTE {
        return Err(Refusal::NoteTooLong);
    }
    let (desk, ticket) = read.guard(&stream::sla(id)).ticket(&at.tenant, id).ok_or(Refusal::TicketUnknown)?;
    let unknown = || Refusal::ClockUnknown(name.to_owned());
    let number = desk.names.find(name).ok_or_else(unknown)?;
    let record = ticket.clock(number).ok_or_else(unknown)?;
    let breach = record.breach().and_then(|at| desk.breaches.get(&(at, id, number)));
    let breach = breach.ok_or_else(|| Refusal::NotBreached(name.to_owned()))?;
    if breach.explained.as_ref().is_some_and(|known| (known.0, &known.1) == (cause, note)) {
        return Ok(Vec::new());
    }
    Ok(recorded(id, vec![SlaEvent::BreachExplained { clock: name.to_owned(), cause, note: note.clone() }]))
}

fn apply(drafts: &[Draft], read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
    let nothing = Desk::default();
    let desk = read.look().desk(&at.tenant).unwrap_or(&nothing);
    batch::decide(desk, drafts, read).map_err(Refusal::Documents)
}
