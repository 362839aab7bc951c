//! What holds for a ticket: the policy and the calendar its clocks are made from, and the facts they are run over.

use std::collections::BTreeMap;

use calendar::Calendar;
use ticket::intake::Status;
use ticket::sla::{Pinned, Terms};

use crate::clock::{self, Course, Seen};
use crate::documents::{Edition, Shelf};
use crate::policy::{ClockSpec, Policy, Zone};
use crate::record::{Dial, Moment, Ticket};
use crate::scene::{About, Profile, Situation};
use crate::state::Desk;
use crate::target::Budget;

/// Documents that are only tried: each counts as the newest edition of its name.
#[derive(Debug, Default)]
pub(crate) struct Trial {
    pub(crate) policies: BTreeMap<String, Edition<Policy>>,
    pub(crate) calendars: BTreeMap<String, Edition<Calendar>>,
}

/// The versions that hold for a ticket.
pub(crate) struct InForce<'a> {
    pub(crate) policy: &'a Policy,
    policy_name: &'a str,
    policy_version: u64,
    pub(crate) calendar: Calendar,
    calendar_version: u64,
    /// The zone whose clocks the calendar is read off, where that is not its own.
    zone: Option<String>,
    escalation: Option<Pinned>,
    /// The major event it holds by.
    pub(crate) major: Option<&'a str>,
}

/// The editions of a document, the newest first: the one that is only tried before all others.
fn editions<'a, T>(
    shelf: &'a Shelf<T>,
    tried: Option<&'a BTreeMap<String, Edition<T>>>,
    name: &str,
) -> impl Iterator<Item = &'a Edition<T>> {
    let tried = tried.and_then(|tried| tried.get(name));
    tried.into_iter().chain(shelf.get(name).into_iter().flatten().rev())
}

impl Desk {
    /// What holds for a ticket: what was in force when it became known and, while it is open, what came in force
    /// retroactively or by a major event; once it has closed, what its clocks were made from.
    pub(crate) fn in_force(&self, ticket: &Ticket) -> Option<InForce<'_>> {
        self.in_force_with(ticket, None)
    }

    /// As [`Desk::in_force`], were these documents in force too.
    pub(crate) fn in_force_with<'a>(&'a self, ticket: &Ticket, trial: Option<&'a Trial>) -> Option<InForce<'a>> {
        let made_from = self.terms_of(ticket.terms).filter(|_| !self.open(ticket));
        if let Some(terms) = made_from {
            return self.of_terms(terms);
        }
        let situation = self.situation(ticket);
        if let Some((name, major)) = self.majors.over(&situation) {
            return self.of_major(ticket, name, &major.policy);
        }
        let (tried, product) = (trial.map(|trial| &trial.policies), self.names.text(ticket.product));
        let priority = self.priorities.text(ticket.priority);
        let only_tried = tried.into_iter().flat_map(BTreeMap::keys).filter(|name| !self.policies.contains_key(*name));
        let candidates = self.policies.keys().chain(only_tried).filter_map(|name| {
            let known = |position| position <= ticket.born;
            let holds = editions(&self.policies, tried, name)
                .find(|one| known(one.position) || one.read().is_some_and(|policy| policy.retroactive))?;
            Some((name, holds, holds.read()?))
        });
        let fits = |policy: &Policy| {
            !policy.major
                && policy.matching.fits(product, priority, ticket.imported)
                && policy.matching.when.as_ref().is_none_or(|when| when.holds(&situation.known()))
        };
        let (name, edition, policy) = candidates
            .filter(|(_, _, policy)| fits(policy))
            .min_by_key(|(name, _, policy)| (std::cmp::Reverse((policy.rank, policy.matching.specificity())), *name))?;
        let latest = if policy.retroactive { u64::MAX } else { ticket.born };
        self.assembled(ticket, (name, edition.version(), policy), latest, trial)
    }

    /// A policy with the newest calendar and escalation that came in force up to a position.
    fn assembled<'a>(
        &'a self,
        ticket: &Ticket,
        (policy_name, policy_version, policy): (&'a str, u64, &'a Policy),
        latest: u64,
        trial: Option<&'a Trial>,
    ) -> Option<InForce<'a>> {
        let calendars = editions(&self.calendars, trial.map(|trial| &trial.calendars), &policy.calendar);
        let calendar = calendars.filter(|one| one.position <= latest).find(|one| one.kept.is_some())?;
        let escalation = policy.escalation.as_ref().and_then(|name| {
            let editions = self.escalations.get(name)?.iter().rev();
            let edition = editions.filter(|one| one.position <= latest).find(|one| one.kept.is_some())?;
            Some(Pinned { name: name.clone(), version: edition.version() })
        });
        let held = self.terms_of(ticket.terms).filter(|held| held.policy.is(policy_name, policy_version));
        let zone = held.map_or_else(|| self.zone(ticket, policy.zone), |held| held.zone.as_deref());
        let (calendar_version, (calendar, zone)) = (calendar.version(), read_off(calendar.read()?, zone));
        let major = None;
        Some(InForce { policy, policy_name, policy_version, calendar, calendar_version, zone, escalation, major })
    }

    /// Whose clocks are read when a ticket's own clocks start. From then on their events say it: who is given the ticket
    /// later does not change how the time before counted.
    fn zone(&self, ticket: &Ticket, whose: Zone) -> Option<&str> {
        match whose {
            Zone::Calendar => None,
            Zone::Customer => self.profile(ticket)?.zone(),
            Zone::Queue => self.queues.get(self.names.text(ticket.group))?.zone.as_deref(),
        }
    }

    fn of_major<'a>(&'a self, ticket: &Ticket, major: &'a str, policy: &Pinned) -> Option<InForce<'a>> {
        let (name, versions) = self.policies.get_key_value(&policy.name)?;
        let edition = versions.iter().find(|one| one.version() == policy.version)?;
        let in_force = self.assembled(ticket, (name, edition.version(), edition.read()?), u64::MAX, None)?;
        Some(InForce { major: Some(major), ..in_force })
    }

    fn of_terms<'a>(&'a self, terms: &'a Terms) -> Option<InForce<'a>> {
        let (policy_name, policies) = self.policies.get_key_value(&terms.policy.name)?;
        let policy = policies.iter().find(|one| one.version() == terms.policy.version)?;
        let calendars = self.calendars.get(&terms.calendar.name)?;
        let calendar = calendars.iter().find(|one| one.version() == terms.calendar.version)?;
        let (calendar_version, (calendar, zone)) =
            (calendar.version(), read_off(calendar.read()?, terms.zone.as_deref()));
        Some(InForce {
            policy: policy.read()?,
            policy_name,
            policy_version: policy.version(),
            calendar,
            calendar_version,
            zone,
            escalation: terms.escalation.clone(),
            major: terms.major.as_deref(),
        })
    }

    /// What a number of terms stands for.
    pub(crate) fn terms_of(&self, number: u32) -> Option<&Terms> {
        self.terms.get(usize::try_from(number).ok()?)
    }

    /// Whether a ticket's work is not closed.
    pub(crate) fn open(&self, ticket: &Ticket) -> bool {
        let said = |fact: &Moment| self.scenes.values().get(usize::try_from(fact.scene).ok()?)?.status;
        ticket.facts.iter().rev().find_map(said) != Some(Status::Closed)
    }

    /// The facts of a ticket.
    pub(crate) fn seen(&self, ticket: &Ticket) -> impl Iterator<Item = Seen<'_>> {
        ticket.facts.iter().filter_map(|fact| {
            let scene = self.scenes.values().get(usize::try_from(fact.scene).ok()?)?;
            Some(Seen {
                at: fact.at(),
                activity: self.names.text(scene.activity),
                kind: scene.kind.0,
                status: scene.status,
                priority: scene.priority.map(|priority| self.priorities.text(priority)),
                queue: scene.queue.map(|queue| self.names.text(queue)),
                waiting: scene.waiting,
                touch: scene.touch,
            })
        })
    }

    /// What of a ticket does not change.
    pub(crate) fn about(&self, ticket: &Ticket) -> About<'_> {
        static UNKNOWN: Profile = Profile::unknown();
        let ticket_type = self.names.text(ticket.product);
        About { ticket_type, imported: ticket.imported, profile: self.profile(ticket).unwrap_or(&UNKNOWN) }
    }

    fn profile(&self, ticket: &Ticket) -> Option<&Profile> {
        self.profiles.values().get(usize::try_from(ticket.profile).ok()?)
    }

    /// Where a ticket stands.
    pub(crate) fn situation(&self, ticket: &Ticket) -> Situation<'_> {
        let mut situation = Situation::new(self.about(ticket));
        self.seen(ticket).for_each(|fact| situation.learn(&fact));
        situation
    }

    /// A clock as the ticket's facts have it.
    pub(crate) fn course(&self, ticket: &Ticket, spec: &ClockSpec, calendar: &Calendar) -> Option<Course> {
        clock::run(spec, calendar, self.about(ticket), self.seen(ticket))
    }

    /// Whether a clock was made from what is in force; the escalation held at its start and the time zone database it was
    /// computed with make no other clock of it.
    pub(crate) fn made_from(&self, record: Dial<'_>, now: Terms) -> bool {
        self.terms_of(record.terms).is_some_and(|made_from| {
            let made_from = Terms { budget_secs: self.budget_secs(record), ..made_from.clone() };
            let (escalation, tzdb) = (made_from.escalation.clone(), made_from.tzdb.clone());
            made_from == Terms { escalation, tzdb, ..now }
        })
    }

    /// Working seconds a clock was allowed when it was started.
    pub(crate) fn budget_secs(&self, record: Dial<'_>) -> i64 {
        let of_terms = || self.terms_of(record.terms).map_or(0, |terms| terms.budget_secs);
        record.of_working_days().unwrap_or_else(of_terms)
    }
}

impl InForce<'_> {
    /// What a clock with this budget, so many working microseconds, is made from.
    pub(crate) fn terms(&self, budget: Budget, budget_us: i64) -> Terms {
        Terms {
            policy: Pinned { name: self.policy_name.to_owned(), version: self.policy_version },
            calendar: Pinned { name: self.policy.calendar.clone(), version: self.calendar_version },
            tzdb: calendar::tzdb_version().to_owned(),
            budget_secs: budget_us / 1_000_000,
            working_days: budget.working_days(),
            zone: self.zone.clone(),
            escalation: self.escalation.clone(),
            major: self.major.map(str::to_owned),
        }
    }
}

/// A calendar read off a zone's clocks, and that zone: its own, if it has no working time in another.
fn read_off(calendar: &Calendar, zone: Option<&str>) -> (Calendar, Option<String>) {
    match zone.and_then(|zone| Some((calendar.in_zone(zone)?, zone))) {
        Some((calendar, zone)) => (calendar, Some(zone.to_owned())),
        None => (calendar.clone(), None),
    }
}
