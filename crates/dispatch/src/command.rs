//! What may be asked of dispatch, by people and by its own rules, and where each is decided.

use decider::{At, Decided, Micros, Read};
use ticket::batch::{self, Draft};
use ticket::condition::TicketFacts;
use ticket::dispatch::{DispatchEvent, Place, Release, StopReason};
use ticket::{Event, stream};
use uuid::Uuid;

use crate::board::Board;
use crate::refusal::Refusal;
use crate::state::State;
use crate::{duty, plan, visit};

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Say where a new ticket belongs, and plan its visit if its type needs one.
    Place {
        /// The ticket.
        ticket: Uuid,
        /// What it was opened with.
        facts: Box<TicketFacts>,
    },
    /// Plan one more visit of a ticket that had some.
    PlanAgain {
        /// The ticket.
        ticket: Uuid,
        /// How many visits there were.
        after: u32,
    },
    /// Choose who is asked.
    Choose(Target),
    /// Take an offer back that was not answered in time.
    Expire(Target),
    /// Take a visit from somebody by a rule of ours: off duty, off the roster, not set out.
    TakeBack {
        /// Which visit.
        target: Target,
        /// Who has it.
        engineer: String,
        /// Why.
        why: Release,
    },
    /// End the visit of a ticket that ended.
    CallOff {
        /// The ticket.
        ticket: Uuid,
        /// The visit.
        visit: Uuid,
        /// Where in the log the ticket ended.
        ended: u64,
    },
    /// Move a visit.
    Move(Box<Move>),
    /// The same, asked for by a link: where the rules refuse it, nothing happens, and nobody is left to be told.
    Take(Box<Move>),
    /// Say something about somebody's time.
    Duty {
        /// Whose, by token subject.
        subject: String,
        /// Who says it.
        by: By,
        /// What.
        verb: duty::Verb,
    },
    /// Put documents in force: all, or none.
    Apply(Vec<Draft>),
}

/// A visit as a rule of ours found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The ticket.
    pub ticket: Uuid,
    /// The visit.
    pub visit: Uuid,
    /// How many decisions there were about it.
    pub attempt: u32,
}

/// A verb for one visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The ticket.
    pub ticket: Uuid,
    /// The visit.
    pub visit: Uuid,
    /// The version of the field work that the caller saw.
    pub etag: Option<u64>,
    /// Who asks.
    pub by: By,
    /// What to do.
    pub verb: Verb,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// Token subject.
    pub subject: String,
    /// Whether they decide for others too.
    pub dispatcher: bool,
}

/// What may be done with a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Take the offer.
    Accept,
    /// Turn the offer down.
    Decline {
        /// Why.
        reason: String,
    },
    /// Set out.
    Depart,
    /// Be on site.
    Arrive {
        /// Where the phone is.
        place: Option<Place>,
    },
    /// Begin to work.
    Start,
    /// Stop for a while.
    Pause {
        /// Why.
        reason: String,
    },
    /// Go on.
    Continue,
    /// Be done.
    Complete {
        /// What was done.
        report: String,
        /// References.
        evidence: Vec<String>,
    },
    /// End it, the work not done.
    Stop {
        /// Why.
        why: StopReason,
        /// In words.
        note: String,
    },
    /// Give it to an engineer by hand.
    Assign {
        /// Who.
        engineer: String,
        /// When on site; the earliest possible if not said.
        arrive_at: Option<Micros>,
        /// Why hard rules may be broken; they hold if empty.
        override_reason: String,
    },
    /// Take it from an engineer.
    Release {
        /// Why.
        reason: String,
    },
    /// Pass it on with a note.
    HandOver {
        /// To whom.
        engineer: String,
        /// What they must know.
        note: String,
        /// Why hard rules may be broken; they hold if empty.
        override_reason: String,
    },
}

/// Decides a command; no events mean that its goal holds already.
pub fn decide(command: &Command, read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
    match command {
        Command::Place { ticket, facts } => Ok(plan::place(*ticket, facts, read, at)),
        Command::PlanAgain { ticket, after } => Ok(plan::again(*ticket, *after, read, at)),
        Command::Choose(target) => Ok(plan::choose(*target, read, at)),
        Command::Expire(target) => Ok(plan::expire(*target, read, at)),
        Command::TakeBack { target, engineer, why } => Ok(plan::take_back(*target, (engineer, *why), read, at)),
        Command::CallOff { ticket, visit, ended } => Ok(plan::call_off((*ticket, *visit), *ended, read, at)),
        Command::Move(asked) => {
            let scene = visit::Scene::guarded(asked, read, at)?;
            scene.timely(visit::decide(&scene))
        }
        Command::Take(asked) => {
            let taken = visit::Scene::guarded(asked, read, at).and_then(|scene| scene.timely(visit::decide(&scene)));
            Ok(taken.unwrap_or_default())
        }
        Command::Duty { subject, by, verb } => duty::decide((subject, by), verb, read, at),
        Command::Apply(drafts) => apply(drafts, read, at),
    }
}

/// An event of a ticket's field work.
pub(crate) fn on_work(ticket: Uuid, event: DispatchEvent) -> (decider::Stream, Event) {
    (stream::work(ticket), Event::Dispatch(event))
}

/// An event of an engineer's time.
pub(crate) fn on_engineer(subject: &str, event: DispatchEvent) -> (decider::Stream, Event) {
    (stream::engineer(subject), Event::Dispatch(event))
}

/// Goal: every draft is in force.
fn apply(drafts: &[Draft], read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
    let nothing = Board::default();
    let board = read.look().board(&at.tenant).unwrap_or(&nothing);
    batch::decide(board, drafts, read).map_err(Refusal::Documents)
}
