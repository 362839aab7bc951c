//! What notifier may be asked, by its own rules, by its sender or by a person, and what it decides.

use std::collections::BTreeMap;

use decider::{At, Core, Decided, Micros, Reaction, Read};
use ticket::batch::{self, Draft};
use ticket::codec::{Family, KINDS};
use ticket::intake::Accountable;
use ticket::notifier::{Device, Medium, NotifierEvent, Presence, Recall, Verdict};
use ticket::sla::Pinned;
use ticket::{Event, Recorded, stream};
use uuid::Uuid;

use crate::person::Settings;
use crate::refusal::Refusal;
use crate::retry::{Fate, Outcome};
use crate::state::{House, State};
use crate::topic::Topic;
use crate::{answer, attempt, lately, linked, plan, react};

/// The core: people are told what they must know.
pub struct Notifier;

/// Whom a rule aims at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aim {
    /// Whoever is on duty for this party.
    Party(Accountable),
    /// One person, on duty or not.
    Person(String),
    /// These persons, on duty or not.
    Persons(Vec<String>),
    /// The ticket's customer.
    Customer,
    /// All of these, each person once.
    Linked(Vec<Aim>),
}

/// What a rule wants said because of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The ticket.
    pub ticket: Uuid,
    /// The rule, in the version in force when the event was recorded.
    pub rule: Pinned,
    /// The event, and its place in the log.
    pub cause: (Uuid, u64),
    /// Who is told.
    pub aim: Aim,
    /// What the text may say.
    pub facts: BTreeMap<String, String>,
}

/// An attempt to reach somebody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt {
    /// The ticket.
    pub ticket: Uuid,
    /// The reminder.
    pub reminder: Uuid,
    /// By which medium.
    pub medium: Medium,
    /// Counts the tries by this medium from 1.
    pub number: u32,
}

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Plan the reminders that a rule wants because of an event.
    Plan(Box<Plan>),
    /// Take back the reminders of a topic that were planned before this position.
    Recall {
        /// The ticket.
        ticket: Uuid,
        /// What no longer needs to be said.
        topic: Topic,
        /// The place in the log of the event that closed it.
        position: u64,
        /// Why.
        why: Recall,
    },
    /// Record that nobody answered in time, or that it did not arrive, and tell the next.
    Escalate {
        /// The ticket.
        ticket: Uuid,
        /// The reminder.
        reminder: Uuid,
    },
    /// End the waiting of a reminder that was put off and is due, or would come too late by now.
    Resume {
        /// The ticket.
        ticket: Uuid,
        /// The reminder.
        reminder: Uuid,
    },
    /// Begin an attempt, unless it has to be put off.
    Start(Attempt),
    /// Put a reminder off that is to be sent now and has to wait.
    Defer {
        /// The ticket.
        ticket: Uuid,
        /// The reminder.
        reminder: Uuid,
    },
    /// Record how an attempt ended.
    Finish(Attempt, Outcome),
    /// Record what became of what the other side took.
    Hear(Attempt, Fate),
    /// Use one more medium for what arrived and nobody saw in time.
    AddMedium {
        /// The ticket.
        ticket: Uuid,
        /// The reminder.
        reminder: Uuid,
    },
    /// Say a reminder a second time, since nothing was done about it.
    Repeat {
        /// The ticket.
        ticket: Uuid,
        /// The reminder.
        reminder: Uuid,
    },
    /// Take back what others were told with a reminder that its recipient answers for.
    Settle {
        /// The ticket.
        ticket: Uuid,
        /// The reminder that was acknowledged.
        reminder: Uuid,
    },
    /// Tell whoever had been told a reminder that is taken back who acted.
    TellWhoActed {
        /// The ticket.
        ticket: Uuid,
        /// The reminder that was taken back.
        reminder: Uuid,
    },
    /// Use an address no more: the other side said that nothing will ever be taken there.
    EndAddress {
        /// Whose, by token subject.
        subject: String,
        /// By which medium.
        medium: Medium,
        /// The digest of the address that was used.
        digest: Uuid,
        /// What kind of failure said so.
        error: String,
    },
    /// The caller takes the offer that a reminder is about.
    TakeOffer {
        /// The ticket.
        ticket: Uuid,
        /// The reminder.
        reminder: Uuid,
    },
    /// The caller saw a reminder.
    Read {
        /// The ticket.
        ticket: Uuid,
        /// The reminder.
        reminder: Uuid,
    },
    /// The caller answers for a reminder.
    Acknowledge {
        /// The ticket.
        ticket: Uuid,
        /// The reminder.
        reminder: Uuid,
    },
    /// The caller wants a reminder again later.
    Snooze {
        /// The ticket.
        ticket: Uuid,
        /// The reminder.
        reminder: Uuid,
        /// When.
        until: Micros,
    },
    /// The caller says what a reminder was worth.
    Judge {
        /// The ticket.
        ticket: Uuid,
        /// The reminder.
        reminder: Uuid,
        /// What it was.
        verdict: Verdict,
    },
    /// Say how somebody wants to be told.
    SetRecipient {
        /// Who, by token subject.
        subject: String,
        /// How.
        settings: Settings,
    },
    /// Say whether the caller is there.
    ReportPresence {
        /// What they are.
        presence: Presence,
        /// Until when that holds.
        until: Micros,
        /// What they have before them, if that is said.
        device: Option<Device>,
    },
    /// Say until when the caller wants only what cannot wait; ended if nothing.
    SetDoNotDisturb {
        /// Until when.
        until: Option<Micros>,
    },
    /// Put documents in force: all, or none.
    Apply(Vec<Draft>),
}

impl Core for Notifier {
    const NAME: &'static str = "notifier";
    const FOLD: u32 = 6;
    type Event = Event;
    type State = State;
    type Command = Command;
    type Refusal = Refusal;

    fn wants(kind: &str) -> bool {
        let families = [Family::Intake, Family::Dispatch, Family::Sla, Family::Notifier];
        KINDS.get(kind).is_some_and(|family| families.contains(family))
            || ["ConfigApplied", "ConfigRetired"].contains(&kind)
    }

    fn evolve(state: &mut State, event: &Recorded) {
        state.evolve(event);
    }

    fn decide(command: &Command, read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
        match command {
            Command::Plan(plan) => Ok(plan::plan(plan, read, at)),
            Command::Recall { ticket, topic, position, why } => {
                Ok(plan::recall(*ticket, (topic, *position, *why), read, at))
            }
            Command::Escalate { ticket, reminder } => Ok(plan::escalate(*ticket, *reminder, read, at)),
            Command::Resume { ticket, reminder } => Ok(attempt::resume(*ticket, *reminder, read, at)),
            Command::Start(attempt) => Ok(attempt::start(attempt, read, at)),
            Command::Defer { ticket, reminder } => Ok(attempt::defer(*ticket, *reminder, read, at)),
            Command::Finish(attempt, outcome) => Ok(attempt::finish(attempt, outcome, read, at)),
            Command::Hear(attempt, fate) => Ok(attempt::heard(attempt, fate, read, at)),
            Command::AddMedium { ticket, reminder } => Ok(attempt::add_medium(*ticket, *reminder, read, at)),
            Command::Repeat { ticket, reminder } => Ok(attempt::repeat(*ticket, *reminder, read, at)),
            Command::Settle { ticket, reminder } => Ok(linked::settle(*ticket, *reminder, read, at)),
            Command::TellWhoActed { ticket, reminder } => Ok(linked::tell_who_acted(*ticket, *reminder, read, at)),
            Command::Judge { ticket, reminder, verdict } => answer::judge((*ticket, *reminder), *verdict, read, at),
            Command::EndAddress { subject, medium, digest, error } => {
                Ok(answer::end_address(subject, (*medium, *digest, error), read, at))
            }
            Command::TakeOffer { ticket, reminder } => answer::take_offer(*ticket, *reminder, read, at),
            Command::Read { ticket, reminder } => answer::read(*ticket, *reminder, read, at),
            Command::Acknowledge { ticket, reminder } => answer::acknowledge(*ticket, *reminder, read, at),
            Command::Snooze { ticket, reminder, until } => answer::snooze(*ticket, *reminder, *until, read, at),
            Command::SetRecipient { subject, settings } => Ok(answer::set_recipient(subject, settings, read, at)),
            Command::ReportPresence { presence, until, device } => {
                answer::report_presence((*presence, *until, *device), read, at)
            }
            Command::SetDoNotDisturb { until } => answer::set_do_not_disturb(*until, read, at),
            Command::Apply(drafts) => apply(drafts, read, at),
        }
    }

    fn react(state: &State, cause: &Recorded) -> Vec<Reaction<Command>> {
        react::react(state, cause)
    }

    fn alone(state: &State, reaction: &Reaction<Command>, now: Micros) -> bool {
        let Some(house) = state.house(&reaction.tenant) else { return false };
        match &reaction.command {
            Command::Plan(plan) => lately::plan(plan, house, now),
            Command::Escalate { ticket, reminder } => lately::escalate(*ticket, *reminder, house, now),
            Command::TellWhoActed { .. } => true,
            _ => false,
        }
    }

    fn due(state: &State, now: Micros, limit: usize) -> Vec<Reaction<Command>> {
        react::due(state, now, limit)
    }

    fn next_due(state: &State) -> Option<Micros> {
        react::next_due(state)
    }
}

/// Events of a ticket's reminders, in their stream.
pub(crate) fn recorded(ticket: Uuid, events: impl IntoIterator<Item = NotifierEvent>) -> Decided<Event> {
    events.into_iter().map(|event| (stream::reminder(ticket), Event::Notifier(event))).collect()
}

fn apply(drafts: &[Draft], read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
    let nothing = House::default();
    let house = read.look().house(&at.tenant).unwrap_or(&nothing);
    batch::decide(house, drafts, read).map_err(Refusal::Documents)
}
