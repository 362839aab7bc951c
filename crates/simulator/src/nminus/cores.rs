//! The cores of sla-monitor and notifier over one log under a clock moved by hand. Nobody does anything; some letters do not
//! arrive.

use std::collections::{BTreeMap, BTreeSet};

use decider::{At, Core, Micros, Reaction, Read, Recorded, Stream, Versions};
use notifier::alone::Alone;
use sla_monitor::{SlaMonitor, State};
use ticket::notifier::{Medium, NotifierEvent, Recipient, Then};
use ticket::{Event, stream};
use uuid::Uuid;

use super::world::tenant;

/// Both cores.
pub(super) struct Cores {
    pub(super) sla: State,
    versions: Versions,
    notifier: Alone,
    now: Micros,
    position: u64,
    /// Of each reminder to one of ours: the ticket, the person, whether it may be shown yet, the media in use.
    reminders: BTreeMap<Uuid, (Uuid, String, bool, Vec<Medium>)>,
    /// Of each digest: whom it is sent, and the tickets it tells of.
    digests: BTreeMap<Uuid, (String, BTreeSet<Uuid>)>,
}

/// Something came before somebody's eyes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) ticket: Uuid,
    pub(super) person: String,
    pub(super) medium: Medium,
    pub(super) at: Micros,
}

impl Cores {
    /// The cores after these events, which made them do nothing but set clocks; letters to these persons by these media do
    /// not arrive.
    pub(super) fn of(events: &[(Micros, Stream, Event)], broken: BTreeSet<(String, Medium)>) -> Self {
        let mut notifier = Alone::default();
        notifier.breaks(broken);
        let (sla, versions) = (State::default(), Versions::default());
        let (reminders, digests) = (BTreeMap::new(), BTreeMap::new());
        let mut cores = Self { sla, versions, notifier, now: 0, position: 0, reminders, digests };
        for (at, stream, event) in events {
            cores.now = cores.now.max(*at);
            let recorded = cores.record(*at, stream.clone(), event.clone());
            cores.notifier.fold(&recorded);
            for reaction in SlaMonitor::react(&cores.sla, &recorded) {
                for recorded in cores.decide(&reaction) {
                    cores.notifier.fold(&recorded);
                }
            }
        }
        cores
    }

    /// Lets time pass; what came before whose eyes.
    pub(super) fn run(&mut self, until: Micros) -> Vec<Arrival> {
        let mut arrivals = Vec::new();
        loop {
            let due = SlaMonitor::next_due(&self.sla).map(|at| at.max(self.now));
            let Some(at) = due.into_iter().chain(self.notifier.next()).min().filter(|at| *at <= until) else {
                self.notifier.pass(until);
                self.notice(&mut arrivals);
                return arrivals;
            };
            self.now = at;
            self.notifier.pass(at);
            for reaction in SlaMonitor::due(&self.sla, at, 1) {
                for recorded in self.decide(&reaction) {
                    self.notifier.happen(&recorded);
                }
            }
            self.notifier.pass(at);
            self.notice(&mut arrivals);
        }
    }

    fn decide(&mut self, reaction: &Reaction<sla_monitor::Command>) -> Vec<Recorded<Event>> {
        let (now, occurred_at, request) = (self.now, reaction.occurred_at, reaction.claim(SlaMonitor::NAME));
        let at = At { now, occurred_at, tenant: tenant(), actor: "service/sla-monitor".into(), request };
        let read = Read::new(&self.sla, &self.versions, &at.tenant);
        let decided = SlaMonitor::decide(&reaction.command, &read, &at).unwrap_or_default();
        decided.into_iter().map(|(stream, event)| self.record(occurred_at, stream, event)).collect()
    }

    fn record(&mut self, occurred_at: Micros, stream: Stream, event: Event) -> Recorded<Event> {
        self.position += 1;
        let (tenant, position) = (tenant(), self.position);
        let version = self.versions.of(&tenant, &stream) + 1;
        self.versions.note(tenant.as_str(), stream.as_str(), version);
        let recorded = Recorded {
            id: Uuid::new_v5(&Uuid::NAMESPACE_OID, &position.to_be_bytes()),
            correlation: stream::correlation(&stream),
            tenant,
            stream,
            version,
            position,
            occurred_at,
            recorded_at: self.now,
            actor: "user/desk".into(),
            request: Uuid::nil(),
            causation: None,
            event,
        };
        SlaMonitor::evolve(&mut self.sla, &recorded);
        recorded
    }

    fn notice(&mut self, arrivals: &mut Vec<Arrival>) {
        for event in self.notifier.recorded() {
            let Event::Notifier(said) = &event.event else { continue };
            if let (
                NotifierEvent::ReminderPlanned {
                    reminder, recipient: Recipient::Person(person), media, deferred, ..
                },
                Some(ticket),
            ) = (said, event.correlation)
            {
                self.reminders.insert(*reminder, (ticket, person.clone(), deferred.is_none(), media.clone()));
            }
            self.notice_digest(said, event.recorded_at, arrivals);
            let Some(known) = said.reminder().and_then(|reminder| self.reminders.get_mut(&reminder)) else { continue };
            let (ticket, person, shown, media) = known;
            let was_shown = *shown;
            let inbox = |media: &[Medium]| media.contains(&Medium::InApp);
            let medium = match said {
                NotifierEvent::ReminderPlanned { .. } => (*shown && inbox(media)).then_some(Medium::InApp),
                NotifierEvent::ReminderResumed { .. }
                | NotifierEvent::ReminderGathered { .. }
                | NotifierEvent::AttemptStarted { .. } => {
                    *shown = true;
                    (!was_shown && inbox(media)).then_some(Medium::InApp)
                }
                NotifierEvent::MediumAdded { medium, .. }
                | NotifierEvent::AttemptFailed { then: Then::FallThrough { medium }, .. } => {
                    media.push(*medium);
                    (*medium == Medium::InApp).then_some(Medium::InApp)
                }
                NotifierEvent::AttemptSucceeded { medium, .. } => Some(*medium),
                _ => None,
            };
            let at = event.recorded_at;
            arrivals.extend(medium.map(|medium| Arrival { ticket: *ticket, person: person.clone(), medium, at }));
        }
    }

    /// What a digest tells of has arrived with it.
    fn notice_digest(&mut self, said: &NotifierEvent, at: Micros, arrivals: &mut Vec<Arrival>) {
        match said {
            NotifierEvent::DigestPlanned { digest, recipient, .. } => {
                self.digests.insert(*digest, (recipient.clone(), BTreeSet::new()));
            }
            NotifierEvent::ReminderGathered { reminder, digest } => {
                let ticket = self.reminders.get(reminder).map(|(ticket, ..)| *ticket);
                self.digests.entry(*digest).or_default().1.extend(ticket);
            }
            NotifierEvent::AttemptSucceeded { reminder, medium, .. } => {
                let Some((person, tickets)) = self.digests.get(reminder) else { return };
                let arrival = |ticket: &Uuid| Arrival { ticket: *ticket, person: person.clone(), medium: *medium, at };
                arrivals.extend(tickets.iter().map(arrival));
            }
            _ => {}
        }
    }
}
