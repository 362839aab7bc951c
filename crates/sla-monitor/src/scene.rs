//! What a fact tells clocks beside its instant, and where a ticket stands after some of them: what conditions read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ticket::condition::{Scalar, TicketFacts, plain};
use ticket::fact::{Fact, Touch, Waits};
use ticket::intake::{ActivityKind, Channel, Impact, Request, Status, Urgency, WaitReason};
use uuid::Uuid;

use crate::attention::Owed;
use crate::clock::Seen;

/// The reasons a ticket may wait for, with their words and their places in a set.
const REASONS: [(WaitReason, &str); 5] = [
    (WaitReason::Customer, "customer"),
    (WaitReason::Parts, "parts"),
    (WaitReason::ThirdParty, "third_party"),
    (WaitReason::Approval, "approval"),
    (WaitReason::Unstated, "unstated"),
];

/// A set of wait reasons in a byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WaitSet(u8);

impl WaitSet {
    fn of<'a>(reasons: impl IntoIterator<Item = &'a WaitReason>) -> Self {
        let bit = |reason: &WaitReason| {
            REASONS.iter().zip(0..).filter(|((known, _), _)| known == reason).fold(0, |bits, (_, n)| bits | (1 << n))
        };
        Self(reasons.into_iter().fold(0, |bits, reason| bits | bit(reason)))
    }

    fn words(self) -> Vec<&'static str> {
        REASONS.iter().zip(0..).filter(|(_, n)| self.0 & (1 << n) != 0).map(|((_, word), _)| *word).collect()
    }
}

/// What a fact says of the reasons a ticket waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Waiting {
    /// Nothing.
    #[default]
    Unsaid,
    /// These too.
    More(WaitSet),
    /// These alone.
    Only(WaitSet),
}

impl From<Waits<'_>> for Waiting {
    fn from(waits: Waits<'_>) -> Self {
        match waits {
            Waits::Unsaid => Self::Unsaid,
            Waits::More(reasons) => Self::More(WaitSet::of(reasons)),
            Waits::Only(reasons) => Self::Only(WaitSet::of(reasons)),
        }
    }
}

/// What a fact tells, names as numbers: kept once, however often it occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Scene {
    pub(crate) activity: u32,
    pub(crate) kind: Word,
    pub(crate) status: Option<Status>,
    pub(crate) priority: Option<u32>,
    pub(crate) queue: Option<u32>,
    pub(crate) waiting: Waiting,
    pub(crate) touch: Option<Touch>,
    /// Who owes the next step from then on, if that is said.
    pub(crate) owed: Option<Owed>,
}

impl From<&Self> for Scene {
    fn from(scene: &Self) -> Self {
        *scene
    }
}

impl Scene {
    /// What a fact tells; the names it says, as their numbers.
    pub(crate) fn of(fact: &Fact<'_>, activity: u32, priority: Option<u32>, queue: Option<u32>) -> Self {
        let (waiting, touch) = (Waiting::from(fact.waits), fact.touch);
        let (kind, status) = (Word(fact.kind), fact.state);
        Self { activity, kind, status, priority, queue, waiting, touch, owed: None }
    }
}

/// The kind of an activity, in the order of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Word(pub(crate) ActivityKind);

impl Ord for Word {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.name().cmp(other.0.name())
    }
}

impl PartialOrd for Word {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// What a ticket was opened with, as far as policies may know: kept once for all tickets it is the same of.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Profile {
    impact: Option<Impact>,
    urgency: Option<Urgency>,
    channel: Option<Channel>,
    customer: Option<Uuid>,
    /// The customer's time zone.
    zone: Option<String>,
    fields: BTreeMap<String, Scalar>,
}

impl From<&Self> for Profile {
    fn from(profile: &Self) -> Self {
        profile.clone()
    }
}

impl Profile {
    /// Of a ticket that nobody opened with us.
    pub(crate) const fn unknown() -> Self {
        Self { impact: None, urgency: None, channel: None, customer: None, zone: None, fields: BTreeMap::new() }
    }

    /// What a request says.
    pub(crate) fn of(request: &Request) -> Self {
        Self {
            impact: Some(request.impact),
            urgency: Some(request.urgency),
            channel: Some(request.channel),
            customer: request.customer.as_ref().map(|customer| customer.id),
            zone: request.zone.clone(),
            fields: plain(&request.fields),
        }
    }

    /// The IANA name of the customer's time zone, if it was said.
    pub(crate) fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }
}

/// What of a ticket does not change.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Its first type or product.
    pub ticket_type: &'a str,
    /// Whether it came from another system.
    pub imported: bool,
    /// What it was opened with.
    pub profile: &'a Profile,
}

/// Where a ticket stands, by what happened so far.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    about: About<'a>,
    /// Where it stands.
    pub status: Status,
    priority: &'a str,
    queue: &'a str,
    waits: WaitSet,
    unanswered: bool,
    /// What happened last.
    pub activity: &'a str,
    kind: ActivityKind,
    touch: Option<Touch>,
}

impl<'a> Situation<'a> {
    /// Before anything happened.
    pub fn new(about: About<'a>) -> Self {
        let (waits, kind) = (WaitSet::default(), ActivityKind::Note);
        let (priority, queue, activity) = ("", "", "");
        Self { about, status: Status::Open, priority, queue, waits, unanswered: false, activity, kind, touch: None }
    }

    /// Takes the next fact in.
    pub fn learn(&mut self, fact: &Seen<'a>) {
        self.status = fact.status.unwrap_or(self.status);
        self.priority = fact.priority.unwrap_or(self.priority);
        self.queue = fact.queue.unwrap_or(self.queue);
        self.waits = match fact.waiting {
            Waiting::More(WaitSet(bits)) => WaitSet(self.waits.0 | bits),
            Waiting::Only(set) => set,
            Waiting::Unsaid => self.waits,
        };
        if self.status != Status::Waiting {
            self.waits = WaitSet::default();
        }
        self.unanswered = fact.touch.map_or(self.unanswered, |touch| touch == Touch::Inbound);
        (self.activity, self.kind, self.touch) = (fact.activity, fact.kind, fact.touch);
    }

    /// Whether the ticket's work is not closed.
    pub fn open(&self) -> bool {
        self.status != Status::Closed
    }

    /// Whether the customer spoke last.
    pub fn unanswered(&self) -> bool {
        self.unanswered
    }

    /// Everything conditions know but for the customer and the fields it was opened with: the same for the same situation.
    pub(crate) fn key(&self) -> Vec<u8> {
        let Profile { impact, urgency, channel, customer, .. } = self.about.profile;
        let words = [self.about.ticket_type, self.priority, self.queue, self.activity];
        let said = [
            impact.map_or(0, |impact| impact as u8 + 1),
            urgency.map_or(0, |urgency| urgency as u8 + 1),
            channel.map_or(0, |channel| channel as u8 + 1),
            self.touch.map_or(0, |touch| touch as u8 + 1),
            self.status as u8,
            self.kind as u8,
            self.waits.0,
            u8::from(self.about.imported),
            u8::from(customer.is_some()),
            u8::from(self.unanswered),
        ];
        words.iter().flat_map(|word| word.len().to_be_bytes().into_iter().chain(word.bytes())).chain(said).collect()
    }

    /// What rules for reminders know of the ticket: its impact and urgency as it was opened with them.
    pub(crate) fn facts(&self) -> TicketFacts {
        let profile = self.about.profile;
        TicketFacts {
            ticket_type: self.about.ticket_type.to_owned(),
            priority: self.priority.to_owned(),
            impact: profile.impact.unwrap_or(Impact::Person),
            urgency: profile.urgency.unwrap_or(Urgency::Medium),
            queue: self.queue.to_owned(),
            channel: profile.channel.unwrap_or(Channel::Api),
            has_customer: profile.customer.is_some(),
            fields: profile.fields.clone(),
        }
    }

    /// What conditions know, by variable.
    pub(crate) fn known(&self) -> [(&'static str, Known<'_>); 2] {
        let profile = self.about.profile;
        let ticket = TicketNow {
            ticket_type: self.about.ticket_type,
            imported: self.about.imported,
            impact: profile.impact,
            urgency: profile.urgency,
            channel: profile.channel,
            has_customer: profile.customer.is_some(),
            customer: profile.customer.map(|id| id.to_string()).unwrap_or_default(),
            fields: &profile.fields,
            status: self.status.name(),
            priority: self.priority,
            queue: self.queue,
            waiting_for: self.waits.words(),
            unanswered: self.unanswered,
        };
        let touch = match self.touch {
            Some(Touch::Inbound) => "inbound",
            Some(Touch::Outbound) => "outbound",
            None => "",
        };
        let event = EventNow { activity: self.activity, kind: self.kind.name(), touch };
        [("ticket", Known::Ticket(ticket)), ("event", Known::Event(event))]
    }
}

/// What conditions of clocks and policies know.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Known<'a> {
    Ticket(TicketNow<'a>),
    Event(EventNow<'a>),
}

/// `ticket`: what it was opened with, and where it stands after the fact.
#[derive(Debug, Serialize)]
pub(crate) struct TicketNow<'a> {
    ticket_type: &'a str,
    imported: bool,
    impact: Option<Impact>,
    urgency: Option<Urgency>,
    channel: Option<Channel>,
    has_customer: bool,
    customer: String,
    fields: &'a BTreeMap<String, Scalar>,
    status: &'static str,
    priority: &'a str,
    queue: &'a str,
    waiting_for: Vec<&'static str>,
    unanswered: bool,
}

/// `event`: the fact itself.
#[derive(Debug, Serialize)]
pub(crate) struct EventNow<'a> {
    activity: &'a str,
    kind: &'static str,
    touch: &'static str,
}

/// Runs something on a situation to try conditions on when they are put in force.
pub(crate) fn sampled<T>(try_on: impl FnOnce(&[(&'static str, Known<'_>)]) -> T) -> T {
    let profile = Profile {
        impact: Some(Impact::Person),
        urgency: Some(Urgency::Medium),
        channel: Some(Channel::Phone),
        ..Profile::default()
    };
    let about = About { ticket_type: "incident", imported: false, profile: &profile };
    try_on(&Situation::new(about).known())
}
