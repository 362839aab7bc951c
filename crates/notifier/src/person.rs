//! Somebody who is told things: how they want to be told, whether they are there, and what they got lately.

use std::collections::{BTreeMap, BTreeSet};

use decider::Micros;
use serde::{Deserialize, Serialize};
use ticket::Personal;
use ticket::intake::Priority;
use ticket::notifier::{Address, Device, Medium, NotifierEvent, Presence, Quiet};
use ticket::telling::in_order;
use uuid::Uuid;

/// Most reminders of somebody that their inbox lists; the newest.
pub(crate) const MAX_INBOX: usize = 1_000;
/// Highest hourly cap.
pub(crate) const MAX_CAP: u32 = 200;

/// Where somebody is reached by a medium; the address is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// By which medium; never the inbox, which needs no address.
    pub medium: Medium,
    /// Keyed hash of tenant, address and secret.
    pub digest: Uuid,
    /// A mail address, a URL.
    pub address: Personal<String>,
    /// The webhook's signing secret.
    pub secret: Option<Personal<String>>,
    /// Keyed hash of tenant and host, where it is at a host.
    pub site: Option<Uuid>,
}

/// How somebody wants to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The language of texts.
    pub language: String,
    /// The IANA zone of the quiet hours.
    pub zone: String,
    /// Quiet hours, if any.
    pub quiet: Option<Quiet>,
    /// Most reminders an hour that can wait; no cap if 0.
    pub hourly_cap: u32,
    /// What matters less waits for the next message of many; nothing does if not set.
    pub important_from: Option<Priority>,
    /// Where they are reached, the preferred first.
    pub ways: Vec<Way>,
}

/// Somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    /// Nothing as long as they did not say.
    pub(crate) settings: Option<Settings>,
    /// What they are, and until when that holds.
    pub(crate) presence: Option<(Presence, Micros)>,
    /// What they have before them as long as that holds, if they said so.
    pub(crate) device: Option<Device>,
    /// Until when they want only what cannot wait.
    pub(crate) dnd_until: Option<Micros>,
    /// The addresses that are not used until they are set again: digest, and what said so.
    pub(crate) ended: BTreeMap<Medium, (Uuid, String)>,
    /// The version of their stream.
    pub(crate) version: u64,
    /// When what could wait was or will be sent to them: as many as the highest cap counts.
    pub(crate) sends: BTreeSet<(Micros, Uuid)>,
    /// Their reminders by the position in the log at which each was planned.
    pub(crate) inbox: BTreeSet<(u64, Uuid)>,
    /// The digest that was made for them last.
    pub(crate) digest: Option<Uuid>,
}

impl Way {
    fn of(address: &Address) -> Self {
        let Address { medium, digest, address, secret, site } = address.clone();
        Self { medium, digest, address, secret, site }
    }
}

impl Settings {
    /// Whether somebody wants the very same; addresses are compared by their digests.
    pub(crate) fn same(&self, other: &Self) -> bool {
        let ways = |settings: &Self| settings.ways.iter().map(|way| (way.medium, way.digest)).collect::<Vec<_>>();
        let rest =
            |settings: &Self| (settings.language.clone(), settings.zone.clone(), settings.quiet, settings.hourly_cap);
        let wants = |settings: &Self| (ways(settings), rest(settings), settings.important_from);
        wants(self) == wants(other)
    }

    /// The event that puts this in force.
    pub(crate) fn event(&self) -> NotifierEvent {
        let address = |way: Way| {
            let Way { medium, digest, address, secret, site } = way;
            Address { medium, digest, address, secret, site }
        };
        NotifierEvent::RecipientSet {
            language: self.language.clone(),
            zone: self.zone.clone(),
            quiet: self.quiet,
            hourly_cap: self.hourly_cap,
            important_from: self.important_from,
            addresses: self.ways.iter().cloned().map(address).collect(),
        }
    }
}

impl Person {
    /// Takes an event of their own stream in.
    pub(crate) fn evolve(&mut self, event: &NotifierEvent, version: u64) {
        self.version = version;
        match event {
            NotifierEvent::RecipientSet { language, zone, quiet, hourly_cap, important_from, addresses } => {
                self.settings = Some(Settings {
                    language: language.clone(),
                    zone: zone.clone(),
                    quiet: *quiet,
                    hourly_cap: *hourly_cap,
                    important_from: *important_from,
                    ways: addresses.iter().map(Way::of).collect(),
                });
                self.ended.clear();
            }
            NotifierEvent::AddressEnded { medium, digest, error } => {
                self.ended.insert(*medium, (*digest, error.clone()));
            }
            NotifierEvent::PresenceReported { presence, until, device } => {
                (self.presence, self.device) = (Some((*presence, *until)), *device);
            }
            NotifierEvent::DoNotDisturbSet { until } => self.dnd_until = Some(*until),
            NotifierEvent::ReminderPlanned { .. }
            | NotifierEvent::DigestPlanned { .. }
            | NotifierEvent::ReminderGathered { .. }
            | NotifierEvent::ReminderRepeated { .. }
            | NotifierEvent::ReminderJudged { .. }
            | NotifierEvent::ReminderDeferred { .. }
            | NotifierEvent::AttemptStarted { .. }
            | NotifierEvent::AttemptSucceeded { .. }
            | NotifierEvent::AttemptDelivered { .. }
            | NotifierEvent::AttemptFailed { .. }
            | NotifierEvent::MediumAdded { .. }
            | NotifierEvent::OfferTaken { .. }
            | NotifierEvent::ReminderRead { .. }
            | NotifierEvent::ReminderAcknowledged { .. }
            | NotifierEvent::ReminderSnoozed { .. }
            | NotifierEvent::ReminderResumed { .. }
            | NotifierEvent::ReminderRecalled { .. }
            | NotifierEvent::ReminderUnanswered { .. } => {}
        }
    }

    /// What they are at this instant; nothing if nobody knows.
    pub(crate) fn presence(&self, at: Micros) -> Option<Presence> {
        self.presence.filter(|(_, until)| at < *until).map(|(presence, _)| presence)
    }

    /// Where they are reached, the preferred first.
    fn ways(&self) -> impl Iterator<Item = &Way> {
        let ways = self.settings.iter().flat_map(|settings| &settings.ways);
        ways.filter(|way| !self.ended.contains_key(&way.medium))
    }

    /// Where they are reached by this medium.
    pub(crate) fn way(&self, medium: Medium) -> Option<&Way> {
        self.ways().find(|way| way.medium == medium)
    }

    /// The media by which they can be reached, best first.
    pub(crate) fn media(&self, at: Micros) -> Vec<Medium> {
        in_order(self.ways().map(|way| way.medium).collect(), self.presence(at), self.device)
    }

    /// Keeps a reminder in the inbox; the oldest gives way.
    pub(crate) fn keep(&mut self, position: u64, reminder: Uuid) {
        self.inbox.insert((position, reminder));
        if self.inbox.len() > MAX_INBOX {
            self.inbox.pop_first();
        }
    }

    /// Forgets when something was to be sent: a digest tells it.
    pub(crate) fn sends_no_more(&mut self, reminder: Uuid) {
        self.sends.retain(|(_, known)| *known != reminder);
    }

    /// Notes when something that can wait is sent.
    pub(crate) fn sends(&mut self, at: Micros, reminder: Uuid) {
        self.sends_no_more(reminder);
        self.sends.insert((at, reminder));
        if self.sends.len() > MAX_CAP as usize {
            self.sends.pop_first();
        }
    }
}
