//! What would be in force with some documents more: whom a party stands for, who is there, by which rules they are told.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use calendar::Calendar;
use decider::Micros;
use ticket::batch::Draft;
use ticket::intake::Accountable;
use ticket::notifier::Medium;
use ticket::queue::{Queue, Queues};
use ticket::sla::{Audience, Pinned};
use ticket::telling::MAX_PEOPLE;

use super::roster::shift;
use super::somebody::Somebody;
use super::telling::Telling;
use crate::documents::{ROTA, in_force};
use crate::escalation::{self, Escalation};
use crate::lens::{Lens, Trial};
use crate::rota::Rota;
use crate::staff::Staff;
use crate::state::Desk;

/// The kind of who is told what.
pub(crate) const REMINDER_RULE: &str = "ReminderRule";
/// The kind of who is on the roster.
pub(crate) const ENGINEER: &str = "Engineer";

/// A tenant's documents and people, were some drafts in force too.
pub(crate) struct House<'a> {
    pub(crate) desk: &'a Desk,
    pub(crate) trial: Trial,
    queues: Cow<'a, Queues>,
    rules: BTreeMap<String, Telling>,
    rotas: BTreeMap<String, Rota>,
    shifts: BTreeMap<String, String>,
    stranger: Somebody,
}

impl<'a> House<'a> {
    /// The documents in force, and these instead of those of their names. One that cannot be read changes nothing.
    pub(crate) fn with(desk: &'a Desk, drafts: &[Draft]) -> Self {
        let of = |kind: &'static str| drafts.iter().filter(move |draft| draft.kind == kind);
        let mut queues = Cow::Borrowed(&desk.queues);
        for draft in of("Queue") {
            if let Ok(queue) = Queue::read(&draft.spec) {
                queues.to_mut().set(&draft.name, Some(queue));
            }
        }
        let rules = of(REMINDER_RULE).filter_map(|draft| Some((draft.name.clone(), Telling::read(&draft.spec).ok()?)));
        let rotas = of(ROTA).filter_map(|draft| Some((draft.name.clone(), Rota::read(&draft.spec).ok()?)));
        let shifts = of(ENGINEER).filter_map(|draft| Some((draft.name.clone(), shift(&draft.spec)?)));
        Self {
            desk,
            trial: Trial::now(desk, drafts),
            queues,
            rules: rules.collect(),
            rotas: rotas.collect(),
            shifts: shifts.collect(),
            stranger: Somebody::default(),
        }
    }

    /// Under what tickets are looked at.
    pub(crate) fn lens(&self) -> Lens<'_> {
        Lens { trial: Some(&self.trial), ..Lens::NOW }
    }

    /// Every rule, by name.
    pub(crate) fn rules(&self) -> impl Iterator<Item = (&str, &Telling)> {
        let kept = self.desk.reach.telling.iter().filter(|(name, _)| !self.rules.contains_key(*name));
        let kept = kept
            .filter_map(|(name, editions)| Some((name.as_str(), editions.last()?.kept.as_ref()?.get(Telling::read)?)));
        kept.chain(self.rules.iter().map(|(name, rule)| (name.as_str(), rule)))
    }

    /// Somebody, whether we were told how they want to be told or not.
    pub(crate) fn somebody(&self, subject: &str) -> &Somebody {
        self.desk.reach.people.get(subject).unwrap_or(&self.stranger)
    }

    /// Whether somebody is there at an instant: on duty by their own word, on shift by the roster, without time off.
    pub(crate) fn there(&self, subject: &str, at: Micros) -> bool {
        self.desk.duty.on(subject, at) && !self.desk.reach.roster.off(subject, at) && self.on_shift(subject, at)
    }

    fn on_shift(&self, subject: &str, at: Micros) -> bool {
        let Some(name) = self.shifts.get(subject).or_else(|| self.desk.reach.roster.shifts.get(subject)) else {
            return true;
        };
        let tried = self.trial.calendars.get(name).and_then(|edition| edition.read());
        let kept = || in_force(&self.desk.calendars, name)?.get(|spec| Calendar::read(spec));
        tried.or_else(kept).is_none_or(|calendar| calendar.is_open(at))
    }

    /// Who stands behind a ticket of this queue at an instant.
    pub(crate) fn staff<'b>(&'b self, lies_in: &'b str, at: Micros) -> Staff<'b> {
        Staff { queues: &self.queues, duty: &self.desk.duty, lies_in, at }
    }

    /// Those behind a party as notifier has it: where nobody is on duty at all, those who would have been told first.
    pub(crate) fn behind(&self, party: &Accountable, lies_in: &str, at: Micros) -> Vec<String> {
        let mut people = self.staff(lies_in, at).persons(party);
        people.truncate(MAX_PEOPLE);
        if !people.is_empty() {
            return people;
        }
        match party {
            Accountable::Person(subject) => vec![subject.clone()],
            Accountable::Queue(name) => {
                let first = self.queues.chain(name).find(|(_, queue)| !queue.members.is_empty());
                first.map_or_else(Vec::new, |(_, queue)| queue.members.iter().take(MAX_PEOPLE).cloned().collect())
            }
        }
    }

    /// Everybody who may stand behind a queue, whoever steps in for it among them.
    pub(crate) fn everybody(&self, queue: &str) -> Vec<String> {
        self.queues.chain(queue).flat_map(|(_, queue)| &queue.members).cloned().collect()
    }

    /// Who an audience of an escalation is at an instant; by which shift, where a rota says so.
    pub(crate) fn audience(
        &self,
        staff: &Staff<'_>,
        owed: &Accountable,
        audience: &Audience,
    ) -> (Vec<String>, Option<String>) {
        escalation::resolve(staff, Some(owed), |name| self.rota(name), audience)
    }

    fn rota(&self, name: &str) -> Option<&Rota> {
        self.rotas.get(name).or_else(|| in_force(&self.desk.rotas, name).and_then(|kept| kept.get(Rota::read)))
    }

    /// An escalation in a version.
    pub(crate) fn escalation(&self, pinned: &Pinned) -> Option<&Escalation> {
        let tried = self.trial.escalations.get(&pinned.name).filter(|one| one.version() == pinned.version);
        let edition = tried
            .or_else(|| self.desk.escalations.get(&pinned.name)?.iter().find(|one| one.version() == pinned.version));
        edition?.kept.as_ref()?.get(Escalation::read)
    }

    /// Everybody who may be told anything.
    pub(crate) fn people(&self) -> BTreeSet<&str> {
        let members = self.queues.iter().flat_map(|(_, queue)| &queue.members);
        let known = self.desk.reach.people.keys().chain(self.desk.reach.roster.shifts.keys()).chain(self.shifts.keys());
        let rotas = self.desk.rotas.keys().filter_map(|name| self.rota(name));
        let rotas = rotas.chain(self.rotas.values()).flat_map(Rota::people);
        let kept = self.desk.escalations.keys().filter_map(|name| in_force(&self.desk.escalations, name));
        let tried = self.trial.escalations.values().filter_map(|edition| edition.kept.as_ref());
        let called = kept.chain(tried).filter_map(|kept| kept.get(Escalation::read)).flat_map(Escalation::people);
        members.chain(known).map(String::as_str).chain(rotas).chain(called).collect()
    }

    /// Every medium by which somebody is told, and what tells which of their addresses fail together.
    pub(crate) fn ways(&self) -> BTreeSet<(Medium, Option<uuid::Uuid>)> {
        let ways = self.desk.reach.people.values().flat_map(Somebody::ways);
        ways.chain([(Medium::InApp, None)]).collect()
    }
}
