//! What may be asked of intake, and how it is decided.

use std::collections::BTreeSet;

use decider::{At, Decided, Micros, Read};
use ticket::batch::{self, Draft};
use ticket::intake::{Accountable, Author, Channel, Impact, IntakeEvent, Priority, Urgency, WaitReason};
use ticket::lifecycle::Phase;
use ticket::{Event, stream};
use uuid::Uuid;

use crate::import::{self, Import, Line};
use crate::opening::{self, Opening};
use crate::refusal::{FieldFault, Refusal};
use crate::state::{House, State, Ticket};
use crate::visit::{self, Told};
use crate::{attention, verb};

/// Longest time, microseconds, by which a caller may say that something happened earlier.
pub const MAX_BACKDATE_US: Micros = 72 * 3_600 * 1_000_000;

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Open a ticket.
    Open(Box<Opening>),
    /// Move a ticket, or say something on it.
    Move(Move),
    /// Take silence for consent.
    ConfirmBySilence {
        /// Which ticket.
        ticket: Uuid,
        /// The instant until which there was silence.
        confirm_by: Micros,
    },
    /// Place a ticket where a rule of dispatch's sends it.
    Route {
        /// Which ticket.
        ticket: Uuid,
        /// The queue.
        queue: String,
        /// The rule's name.
        rule: String,
    },
    /// Bring a ticket to what dispatch told of its visit.
    Follow(Box<Told>),
    /// Take a ticket of another system in.
    Import(Box<Import>),
    /// Take the next line of its history in.
    ImportLine(Box<Line>),
    /// Put documents in force: all, or none.
    Apply(Vec<Draft>),
    /// Destroy a customer's keys.
    EraseCustomer {
        /// The customer's pseudonym.
        customer: Uuid,
        /// On whose request or by which rule.
        reason: String,
    },
}

/// A verb for one ticket.
#[derive(Clone, Debug)]
pub struct Move {
    /// Which ticket.
    pub ticket: Uuid,
    /// The version of its stream that the caller saw.
    pub etag: Option<u64>,
    /// Whether the caller may know of tickets opened by others.
    pub reach: Reach,
    /// What to do.
    pub verb: Verb,
}

/// Which tickets a caller may know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every ticket of the tenant.
    All,
    /// Those the caller opened.
    Own,
}

/// What may be done with a ticket.
#[derive(Clone, Debug)]
pub enum Verb {
    /// Confirm priority and queue; as they stand where not said.
    Triage {
        /// The priority.
        priority: Option<Priority>,
        /// The queue.
        queue: Option<String>,
    },
    /// Say something.
    Comment {
        /// By whose side.
        author: Author,
        /// Whether the customer sees it.
        public: bool,
        /// What.
        text: String,
    },
    /// Write down a contact outside of Docket.
    LogContact {
        /// How.
        channel: Channel,
        /// Whether the customer came to us.
        inbound: bool,
        /// Whether anybody was reached.
        reached: bool,
        /// What was said.
        summary: String,
    },
    /// Set the priority by the matrix.
    Weigh {
        /// How many it touches.
        impact: Impact,
        /// How soon it is needed.
        urgency: Urgency,
    },
    /// Set the priority by hand.
    Prioritise {
        /// The priority.
        priority: Priority,
        /// Why.
        reason: String,
    },
    /// Move it to another queue or person.
    Transfer {
        /// The queue; as it stands if not said.
        queue: Option<String>,
        /// The person; the queue's duty if not said.
        person: Option<String>,
        /// Why.
        reason: String,
    },
    /// Work on it from now on.
    Take {
        /// Who, by token subject.
        agent: String,
    },
    /// Wait.
    Hold {
        /// What for.
        reasons: BTreeSet<WaitReason>,
        /// When somebody looks again.
        look_again_at: Option<Micros>,
    },
    /// Wait no longer.
    Resume {
        /// What for; all reasons if none is named.
        reasons: BTreeSet<WaitReason>,
    },
    /// Declare the work done.
    Resolve {
        /// What was done.
        solution: String,
        /// References the template demands.
        evidence: Vec<String>,
    },
    /// Agree, for the customer.
    Confirm,
    /// Disagree, for the customer.
    Reject {
        /// Why.
        reason: String,
    },
    /// Close after review.
    Close {
        /// What the review found.
        review: String,
    },
    /// Open again.
    Reopen {
        /// Why.
        reason: String,
    },
    /// Call off.
    Cancel {
        /// Why.
        reason: String,
        /// Also while an engineer is on site.
        force: bool,
    },
}

/// Decides a command; no events mean that its goal holds already.
pub fn decide(command: &Command, read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
    match command {
        Command::Open(opening) => opening::decide(opening, read, at),
        Command::Move(asked) => decide_move(asked, read, at),
        Command::ConfirmBySilence { ticket, confirm_by } => Ok(confirm_by_silence(*ticket, *confirm_by, read, at)),
        Command::Route { ticket, queue, rule } => visit::route(*ticket, (queue, rule), read, at),
        Command::Follow(told) => Ok(visit::follow(told, read, at)),
        Command::Import(import) => import::decide(import, read, at),
        Command::ImportLine(line) => import::decide_line(line, read, at),
        Command::Apply(drafts) => apply(drafts, read, at),
        Command::EraseCustomer { customer, reason } => erase(*customer, reason, read, at),
    }
}

/// Checks when the caller says that something happened.
pub(crate) fn untimely(at: &At, opened_at: Micros) -> Option<FieldFault> {
    let message = if at.occurred_at > at.now {
        "lies in the future"
    } else if at.occurred_at < at.now.saturating_sub(MAX_BACKDATE_US) {
        "lies more than 72 hours back"
    } else if at.occurred_at < opened_at {
        "lies before the ticket was opened"
    } else {
        return None;
    };
    Some(FieldFault::new("occur_time", message))
}

/// A ticket as a verb finds it.
pub(crate) struct Scene<'a> {
    pub(crate) id: Uuid,
    pub(crate) house: &'a House,
    pub(crate) ticket: &'a Ticket,
    pub(crate) at: &'a At,
}

impl<'a> Scene<'a> {
    /// The ticket, guarded, if the tenant has it.
    pub(crate) fn guarded(id: Uuid, read: &Read<'a, State>, at: &'a At) -> Option<Self> {
        let house = read.guard(&stream::ticket(id)).house(&at.tenant)?;
        Some(Self { id, house, ticket: house.tickets.get(&id)?, at })
    }

    pub(crate) fn phase(&self) -> &'a Phase {
        &self.ticket.course.phase
    }

    pub(crate) fn queue(&self) -> &'a str {
        self.house.names.text(self.ticket.queue)
    }

    /// The agent who took it in charge, else the queue's duty.
    pub(crate) fn worker(&self) -> Accountable {
        match self.ticket.agent {
            Some(agent) => Accountable::Person(self.house.names.text(agent).to_owned()),
            None => Accountable::Queue(self.queue().to_owned()),
        }
    }

    /// Whom the personal data of the ticket is about.
    pub(crate) fn subject(&self) -> Uuid {
        self.ticket.customer.unwrap_or(self.id)
    }
}

fn decide_move(asked: &Move, read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
    let scene = Scene::guarded(asked.ticket, read, at).ok_or(Refusal::NotFound)?;
    if asked.reach == Reach::Own && scene.house.names.text(scene.ticket.opened_by) != at.actor {
        return Err(Refusal::NotFound);
    }
    // Whether an engineer is on site, and whether one still answers for the ticket, is for dispatch to say.
    if matches!(asked.verb, Verb::Cancel { .. } | Verb::Reject { .. }) {
        read.guard(&stream::work(asked.ticket));
    }
    let decided = verb::decide(&asked.verb, &scene);
    if matches!(&decided, Ok(events) if events.is_empty()) {
        return Ok(Vec::new());
    }
    let current = read.version(&stream::ticket(asked.ticket));
    if asked.etag.is_some_and(|etag| etag != current) {
        return Err(Refusal::EtagMismatch { current });
    }
    if let Some(fault) = untimely(at, scene.ticket.course.opened_at) {
        return Err(Refusal::Invalid(vec![fault]));
    }
    let into = |event| (stream::ticket(asked.ticket), Event::Intake(event));
    Ok(decided?.into_iter().map(into).collect())
}

/// Goal: the ticket no longer waits for the customer's word with this deadline.
fn confirm_by_silence(id: Uuid, until: Micros, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Some(scene) = Scene::guarded(id, read, at) else { return Vec::new() };
    match scene.phase() {
        Phase::WorkDone { confirm_by } if *confirm_by == until && at.now > until => {
            let duty = Accountable::Queue(scene.queue().to_owned());
            let next = attention::next(scene.house, duty, scene.queue(), scene.ticket.priority, at.now);
            vec![(stream::ticket(id), Event::Intake(IntakeEvent::Confirmed { implicit: true, next }))]
        }
        _ => Vec::new(),
    }
}

/// Goal: every draft is in force.
fn apply(drafts: &[Draft], read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
    let nothing = House::default();
    let house = read.look().house(&at.tenant).unwrap_or(&nothing);
    batch::decide(house, drafts, read).map_err(Refusal::Documents)
}

/// Goal: the customer's keys are destroyed.
fn erase(customer: Uuid, reason: &str, read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
    let stream = stream::customer(customer);
    if read.guard(&stream).house(&at.tenant).is_some_and(|house| house.erased.contains(&customer)) {
        return Ok(Vec::new());
    }
    if reason.is_empty() {
        return Err(Refusal::Invalid(vec![FieldFault::new("reason", "is required")]));
    }
    Ok(vec![(stream, Event::Intake(IntakeEvent::CustomerErased { customer, reason: reason.to_owned() }))])
}
