//! What holds for a ticket: the policy and the calendar its clocks are made from, and the facts they are run over.

use std::collections::BTreeMap;

use calendar::Calendar;
use decider::Micros;
use ticket::intake::Status;
use ticket::sla::{Pinned, Terms};

use crate::clock::{self, Course, Seen};
use crate::documents::Edition;
use crate::lens::{Lens, editions};
use crate::major::Major;
use crate::moment::Moment;
use crate::policy::{ClockSpec, Policy, Zone};
use crate::record::{Dial, Ticket};
use crate::scene::{About, Profile, Situation};
use crate::state::Desk;
use crate::target::Budget;

/// The versions that hold for a ticket.
pub(crate) struct InForce<'a> {
    pub(crate) policy: &'a Policy,
    policy_name: &'a str,
    policy_version: u64,
    pub(crate) calendar: Calendar,
    calendar_version: u64,
    /// The zone whose clocks the calendar is read off, where that is not its own.
    zone: Option<String>,
    pub(crate) escalation: Option<Pinned>,
    /// The major event it holds by.
    pub(crate) major: Option<&'a str>,
}

/// A policy that holds for a ticket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice<'a> {
    name: &'a str,
    version: u64,
    pub(crate) policy: &'a Policy,
    /// The major event it holds by.
    major: Option<&'a str>,
}

impl Choice<'_> {
    /// Whether it is the same edition, for the same reason.
    pub(crate) fn is(&self, other: &Self) -> bool {
        (self.name, self.version, self.major) == (other.name, other.version, other.major)
    }
}

impl Desk {
    /// What holds for a ticket: what was in force when it became known and, while it is open, what came in force
    /// retroactively or by a major event; once it has closed, what its clocks were made from.
    pub(crate) fn in_force(&self, ticket: &Ticket) -> Option<InForce<'_>> {
        self.in_force_with(ticket, Lens::NOW)
    }

    /// As [`Desk::in_force`], as it is seen through a lens.
    pub(crate) fn in_force_with<'a>(&'a self, ticket: &Ticket, lens: Lens<'a>) -> Option<InForce<'a>> {
        let made_from = self.terms_with(ticket.terms, lens).filter(|_| !self.open(ticket));
        if let Some(terms) = made_from {
            return self.of_terms(terms, lens);
        }
        self.assembled(ticket, self.choice(ticket, &self.situation(ticket), lens)?, lens)
    }

    /// The policy that holds for a ticket as it stands: that of a major event before all others.
    pub(crate) fn choice<'a>(&'a self, ticket: &Ticket, now: &Situation<'_>, lens: Lens<'a>) -> Option<Choice<'a>> {
        if let Some((major, declared)) = self.majors.over(now, lens.as_of) {
            let (name, edition) = self.declared(declared, lens)?;
            return Some(Choice { name, version: edition.version(), policy: edition.read()?, major: Some(major) });
        }
        let (tried, product) = (lens.trial.map(|trial| &trial.policies), self.names.text(ticket.product));
        let priority = self.priorities.text(ticket.priority);
        let only_tried = tried.into_iter().flat_map(BTreeMap::keys).filter(|name| !self.policies.contains_key(*name));
        let candidates = self.policies.keys().chain(only_tried).filter_map(|name| {
            let holds = editions(&self.policies, tried, name).find(|one| {
                let taken_over = || one.at <= lens.as_of && one.read().is_some_and(|policy| policy.retroactive);
                one.position <= ticket.born || taken_over()
            })?;
            Some((name, holds, holds.read()?))
        });
        let fits = |policy: &Policy| {
            !policy.major
                && policy.matching.fits(product, priority, ticket.imported)
                && policy.matching.when.as_ref().is_none_or(|when| when.holds(now))
        };
        let (name, edition, policy) = candidates
            .filter(|(_, _, policy)| fits(policy))
            .min_by_key(|(name, _, policy)| (std::cmp::Reverse((policy.rank, policy.matching.specificity())), *name))?;
        Some(Choice { name, version: edition.version(), policy, major: None })
    }

    /// A policy with the newest calendar and escalation: for what takes open tickets over, of all there are; else of those
    /// in force when the ticket became known.
    pub(crate) fn assembled<'a>(&'a self, ticket: &Ticket, choice: Choice<'a>, lens: Lens<'a>) -> Option<InForce<'a>> {
        let Choice { name: policy_name, version: policy_version, policy, major } = choice;
        let takes_over = policy.retroactive || major.is_some();
        let there = |position: u64, at: Micros| position <= ticket.born || (takes_over && at <= lens.as_of);
        let calendars = editions(&self.calendars, lens.trial.map(|trial| &trial.calendars), &policy.calendar);
        let calendar = calendars.filter(|one| there(one.position, one.at)).find(|one| one.kept.is_some())?;
        let escalation = policy.escalation.as_ref().and_then(|name| {
            let tried = lens.trial.map(|trial| &trial.escalations);
            let mut editions = editions(&self.escalations, tried, name).filter(|one| there(one.position, one.at));
            let edition = editions.find(|one| one.kept.is_some())?;
            Some(Pinned { name: name.clone(), version: edition.version() })
        });
        let held = |number| self.terms_with(number, lens).filter(|held| held.policy.is(policy_name, policy_version));
        let held = held(ticket.terms).or_else(|| held(lens.beside.recorded));
        let zone = held.map_or_else(|| self.zone(ticket, policy.zone), |held| held.zone.as_deref());
        let (calendar_version, (calendar, zone)) = (calendar.version(), read_off(calendar.read()?, zone));
        Some(InForce { policy, policy_name, policy_version, calendar, calendar_version, zone, escalation, major })
    }

    /// The policy of a major event: the edition in force when it was declared.
    fn declared<'a>(&'a self, major: &Major, lens: Lens<'a>) -> Option<(&'a str, &'a Edition<Policy>)> {
        let Pinned { name, version } = &major.policy;
        let tried = lens.trial.and_then(|trial| trial.policies.get_key_value(name));
        if let Some((name, edition)) = tried.filter(|(_, edition)| edition.at <= major.declared_at) {
            return Some((name, edition));
        }
        let (name, versions) = self.policies.get_key_value(name)?;
        Some((name, versions.iter().find(|one| one.version() == *version)?))
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

    fn of_terms<'a>(&'a self, terms: &'a Terms, lens: Lens<'a>) -> Option<InForce<'a>> {
        let (tried, Pinned { name, version }) = (lens.trial, &terms.policy);
        let mut policies = editions(&self.policies, tried.map(|tried| &tried.policies), name);
        let policy = policies.find(|one| one.version() == *version)?;
        let mut calendars = editions(&self.calendars, tried.map(|tried| &tried.calendars), &terms.calendar.name);
        let calendar = calendars.find(|one| one.version() == terms.calendar.version)?;
        let (calendar_version, (calendar, zone)) =
            (calendar.version(), read_off(calendar.read()?, terms.zone.as_deref()));
        Some(InForce {
            policy: policy.read()?,
            policy_name: name,
            policy_version: *version,
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

    /// As [`Desk::terms_of`], of a ticket run beside the record too.
    fn terms_with<'a>(&'a self, number: u32, lens: Lens<'a>) -> Option<&'a Terms> {
        let beside = || lens.beside.terms.get(usize::try_from(number).ok()?.checked_sub(self.terms.len())?);
        self.terms_of(number).or_else(beside)
    }

    /// The number of a clock by its name, if it is known.
    pub(crate) fn clock_number(&self, name: &str, lens: Lens<'_>) -> Option<u32> {
        let beside = || lens.beside.clocks.iter().position(|known| known == name);
        let number = || u32::try_from(self.names.values().len() + beside()?).ok();
        self.names.find(name).or_else(number)
    }

    /// The name of a clock by its number.
    pub(crate) fn clock_name<'a>(&'a self, number: u32, lens: Lens<'a>) -> &'a str {
        let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(self.names.values().len()));
        place.and_then(|place| lens.beside.clocks.get(place)).map_or_else(|| self.names.text(number), String::as_str)
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
    pub(crate) fn made_from(&self, record: Dial<'_>, now: Terms, lens: Lens<'_>) -> bool {
        self.terms_with(record.terms, lens).is_some_and(|made_from| {
            let budget_secs = record.of_working_days().unwrap_or(made_from.budget_secs);
            let made_from = Terms { budget_secs, ..made_from.clone() };
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
