//! Under what a ticket is looked at: the documents in force, or others that are only tried.

use std::collections::BTreeMap;

use calendar::Calendar;
use decider::Micros;
use ticket::batch::Draft;
use ticket::document::Kept;
use ticket::sla::Terms;

use crate::documents::{CALENDAR, ESCALATION, Edition, SLA_POLICY, Shelf};
use crate::escalation::Escalation;
use crate::policy::Policy;
use crate::record::UNSAID;
use crate::state::Desk;

/// Documents that are only tried: each counts as the newest edition of its name.
#[derive(Debug, Default)]
pub(crate) struct Trial {
    pub(crate) policies: BTreeMap<String, Edition<Policy>>,
    pub(crate) calendars: BTreeMap<String, Edition<Calendar>>,
    pub(crate) escalations: BTreeMap<String, Edition<Escalation>>,
}

impl Trial {
    /// Whether nothing is tried.
    pub(crate) fn is_empty(&self) -> bool {
        self.policies.is_empty() && self.calendars.is_empty() && self.escalations.is_empty()
    }

    /// Drafts as if put in force now, escalations among them: those that clocks are started with from then on.
    pub(crate) fn now(desk: &Desk, drafts: &[Draft]) -> Self {
        let since = (u64::MAX, Micros::MAX);
        let escalations = drafts.iter().filter(|draft| draft.kind == ESCALATION);
        Self { escalations: tried(&desk.escalations, escalations, since), ..Self::of(desk, drafts, since) }
    }

    /// Drafts as if put in force at a position and an instant; what said the same all along from then on is no trial.
    pub(crate) fn of(desk: &Desk, drafts: &[Draft], since: (u64, Micros)) -> Self {
        let (policies, calendars) = (&desk.policies, &desk.calendars);
        Self {
            policies: tried(policies, drafts.iter().filter(|draft| draft.kind == SLA_POLICY), since),
            calendars: tried(calendars, drafts.iter().filter(|draft| draft.kind == CALENDAR), since),
            escalations: BTreeMap::new(),
        }
    }
}

fn tried<'a, T>(
    shelf: &Shelf<T>,
    drafts: impl Iterator<Item = &'a Draft>,
    (position, at): (u64, Micros),
) -> BTreeMap<String, Edition<T>> {
    let tried = drafts.filter_map(|Draft { name, spec, .. }| {
        let known = shelf.get(name).map_or(&[][..], Vec::as_slice);
        let first = known.partition_point(|one| one.at <= at).saturating_sub(1);
        let text = spec.to_string();
        let same = |one: &Edition<T>| one.kept.as_ref().is_some_and(|kept| kept.spec == text);
        if !known.is_empty() && known[first..].iter().all(same) {
            return None;
        }
        let version = known.iter().map(Edition::version).max().unwrap_or(0) + 1;
        Some((name.clone(), Edition { position, at, kept: Some(Kept::new(version, spec)) }))
    });
    tried.collect()
}

/// The editions of a document, the newest first: the one that is only tried before all others.
pub(crate) fn editions<'a, T>(
    shelf: &'a Shelf<T>,
    tried: Option<&'a BTreeMap<String, Edition<T>>>,
    name: &str,
) -> impl Iterator<Item = &'a Edition<T>> {
    let tried = tried.and_then(|tried| tried.get(name));
    tried.into_iter().chain(shelf.get(name).into_iter().flatten().rev())
}

/// Under what a ticket is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lens<'a> {
    /// Documents that count as in force too.
    pub(crate) trial: Option<&'a Trial>,
    /// What came in force later takes no ticket over yet.
    pub(crate) as_of: Micros,
    /// What a run beside the record knows by number, behind what the record knows.
    pub(crate) beside: Beside<'a>,
}

/// What a ticket knows that is run beside its record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beside<'a> {
    /// Names of clocks that the record never heard of.
    pub(crate) clocks: &'a [String],
    /// What its clocks were made from.
    pub(crate) terms: &'a [Terms],
    /// What its clocks are made from by the record.
    pub(crate) recorded: u32,
}

impl Lens<'static> {
    /// As things are.
    pub(crate) const NOW: Self =
        Self { trial: None, as_of: Micros::MAX, beside: Beside { clocks: &[], terms: &[], recorded: UNSAID } };
}
