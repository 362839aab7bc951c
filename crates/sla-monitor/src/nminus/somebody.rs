//! How somebody is reached: by which media, best first, and when they are not to be disturbed; no address of theirs.

use std::collections::BTreeSet;

use decider::Micros;
use serde::{Deserialize, Serialize};
use ticket::notifier::{Device, Medium, NotifierEvent, Presence, Quiet};
use ticket::telling::{in_order, put_off, undisturbed};
use uuid::Uuid;

/// Somebody who is told things.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Somebody {
    zone: String,
    quiet: Option<Quiet>,
    /// The media with an address, the preferred first, each with what tells which addresses fail together.
    ways: Vec<(Medium, Option<Uuid>)>,
    /// Those of them that nothing is taken at.
    ended: BTreeSet<Medium>,
    presence: Option<(Presence, Micros)>,
    device: Option<Device>,
    dnd_until: Option<Micros>,
}

impl Somebody {
    /// Takes an event of their own stream in.
    pub(crate) fn evolve(&mut self, event: &NotifierEvent) {
        match event {
            NotifierEvent::RecipientSet { zone, quiet, addresses, .. } => {
                (self.zone, self.quiet) = (zone.clone(), *quiet);
                self.ways = addresses.iter().map(|one| (one.medium, one.site)).collect();
                self.ended.clear();
            }
            NotifierEvent::AddressEnded { medium, .. } => drop(self.ended.insert(*medium)),
            NotifierEvent::PresenceReported { presence, until, device } => {
                (self.presence, self.device) = (Some((*presence, *until)), *device);
            }
            NotifierEvent::DoNotDisturbSet { until } => self.dnd_until = Some(*until),
            _ => {}
        }
    }

    /// The media by which they can be reached, best first.
    pub(crate) fn media(&self, at: Micros) -> Vec<Medium> {
        let there = self.presence.filter(|(_, until)| at < *until).map(|(presence, _)| presence);
        in_order(self.ways().map(|(medium, _)| medium).collect(), there, self.device)
    }

    /// Their addresses in use: by which medium, and what tells which fail together.
    pub(crate) fn ways(&self) -> impl Iterator<Item = (Medium, Option<Uuid>)> {
        self.ways.iter().filter(|(medium, _)| !self.ended.contains(medium)).copied()
    }

    /// When what can wait is sent to them that comes up at `now`; at once where it would come too late else.
    pub(crate) fn waits(&self, now: Micros, too_late: Option<Micros>) -> Micros {
        let quiet = self.quiet.map(|quiet| (quiet, self.zone.as_str()));
        put_off(now, too_late, |at| undisturbed(self.dnd_until, self.presence, quiet, at)).0
    }
}
