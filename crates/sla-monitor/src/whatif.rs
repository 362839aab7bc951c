//! What other documents would have come to: laid under a past period, ticket by ticket, against what was recorded.
//!
//! Deadlines are exact, given recorded behaviour: people did what they did, when they did it. The documents are taken to
//! have been put in force as the period begins: for tickets that became known since, and for open ones where the policy is
//! retroactive, as if they had been applied then. What is compared is what was raised and not taken back, by its instant.

use std::collections::BTreeMap;

use decider::{Micros, Tenant};
use ticket::batch::Draft;
use ticket::intake::Accountable;
use uuid::Uuid;

use crate::command::Refusal;
use crate::documents::SLA_POLICY;
use crate::escalation;
use crate::lens::Trial;
use crate::policy::BREACH_BP;
use crate::record::{Ticket, UNSAID};
use crate::rerun::{Course, Raised};
use crate::shadow;
use crate::state::{Desk, State};

/// A period: from its first instant on (or from the beginning), and before its second.
pub type Period = (Option<Micros>, Micros);

/// Documents ready to be laid under a period.
#[derive(Debug)]
pub struct Plan {
    course: Course,
    /// What was raised earlier is not compared.
    pub start: Micros,
    /// What falls due later is not compared.
    pub end: Micros,
}

/// What a clock would have raised otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The clock.
    pub clock: String,
    /// The share of its budget, basis points.
    pub share_bp: u32,
    /// When it was raised; nothing if it was not.
    pub was: Option<Micros>,
    /// When it would have been; nothing if it would not.
    pub would_be: Option<Micros>,
    /// Whom it concerns by then: who owes the next step, and whom the escalation of a breach calls first.
    pub wakes: Vec<Accountable>,
}

/// A ticket of which something would have been otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The ticket.
    pub ticket: Uuid,
    /// What, in order of clock, share and instant.
    pub changes: Vec<Change>,
}

/// What was raised and what would have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Warnings recorded.
    pub warnings_were: i64,
    /// Warnings there would have been.
    pub warnings_would_be: i64,
    /// Breaches recorded that stand.
    pub breaches_were: i64,
    /// Breaches there would have been.
    pub breaches_would_be: i64,
    /// Warnings and breaches that would have come at another instant.
    pub moved: i64,
}

/// Some tickets compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Those that differ, in order of id.
    pub differences: Vec<Difference>,
    /// By clock.
    pub sums: BTreeMap<String, Sum>,
    /// How many were compared.
    pub tickets: usize,
    /// The last compared, if there are more.
    pub next: Option<Uuid>,
}

impl Plan {
    /// Drafts, which must be readable, laid under a period of a tenant's past; `now` and what has not fired yet bound it.
    pub fn of(state: &State, tenant: &Tenant, drafts: &[Draft], (start, end): Period, now: Micros) -> Self {
        let nothing = Desk::default();
        let desk = state.desk(tenant).unwrap_or(&nothing);
        let at = start.unwrap_or(Micros::MIN);
        let born = start.map_or(0, |start| desk.tickets.first_born(|ticket| ticket.known_at() >= start));
        Self::laid(desk, Trial::of(desk, drafts, (born, at)), (at, end), now)
    }

    /// A shadow beside what was in force, since it was put there and as long as it is, and within a period.
    pub fn of_shadow(
        state: &State,
        tenant: &Tenant,
        name: &str,
        (start, end): Period,
        now: Micros,
    ) -> Result<Self, Refusal> {
        let unknown = || Refusal::ShadowUnknown(name.to_owned());
        let desk = state.desk(tenant).ok_or_else(unknown)?;
        let (edition, shadow) = shadow::find(desk, name).ok_or_else(unknown)?;
        let spec = edition.kept.as_ref().and_then(|kept| serde_json::from_str(&kept.spec).ok()).ok_or_else(unknown)?;
        let draft = Draft { kind: SLA_POLICY.to_owned(), name: name.to_owned(), spec, reason: None };
        let trial = Trial::of(desk, &[draft], (edition.position, edition.at));
        let start = start.map_or(shadow.start, |start| start.max(shadow.start));
        Ok(Self::laid(desk, trial, (start, shadow.end.map_or(end, |ended| ended.min(end))), now))
    }

    fn laid(desk: &Desk, trial: Trial, (start, end): (Micros, Micros), now: Micros) -> Self {
        let end = end.min(now).min(desk.wheel.next().unwrap_or(Micros::MAX));
        Self { course: Course::of(desk, trial), start, end }
    }

    /// So many tickets behind one at the most, compared, up to the one that brings them to so many changes.
    pub fn page(
        &self,
        state: &State,
        tenant: &Tenant,
        after: Option<Uuid>,
        (most, most_changes): (usize, usize),
    ) -> Page {
        let mut page = Page::default();
        let Some(desk) = state.desk(tenant) else { return page };
        let mut tickets = desk.tickets.after(after).peekable();
        let mut differing = 0;
        while let Some((id, ticket)) = tickets.next() {
            page.tickets += 1;
            let changes = self.compare(desk, ticket, &mut page.sums);
            differing += changes.len();
            if !changes.is_empty() {
                page.differences.push(Difference { ticket: id, changes });
            }
            if page.tickets >= most || differing >= most_changes {
                page.next = tickets.peek().map(|_| id);
                break;
            }
        }
        page
    }

    /// What of a ticket differs; adds to the sums what was and what would have been.
    fn compare(&self, desk: &Desk, ticket: &Ticket, sums: &mut BTreeMap<String, Sum>) -> Vec<Change> {
        let within = |raised: &Raised| (self.start..self.end).contains(&raised.2);
        let mut was: Vec<_> = ticket.raised().filter(within).collect();
        let mut would_be = self.course.raised(desk, ticket, self.end);
        would_be.retain(within);
        was.sort_unstable();
        would_be.sort_unstable();
        let lens = self.course.lens(Micros::MAX, &[], UNSAID);
        for (raised, recorded) in was.iter().map(|one| (one, true)).chain(would_be.iter().map(|one| (one, false))) {
            let name = desk.clock_name(raised.0, lens);
            if !sums.contains_key(name) {
                sums.insert(name.to_owned(), Sum::default());
            }
            if let Some(sum) = sums.get_mut(name) {
                sum.count(raised.1, recorded);
            }
        }
        if was == would_be {
            return Vec::new();
        }
        let changes = paired(&without(&was, &would_be), without(&would_be, &was));
        let change = |(clock, share_bp, was, would_be): (u32, u32, Option<Micros>, Option<Micros>)| {
            let name = desk.clock_name(clock, lens).to_owned();
            if let (Some(_), Some(_), Some(sum)) = (was, would_be, sums.get_mut(&name)) {
                sum.moved += 1;
            }
            let at = would_be.or(was).unwrap_or_default();
            let wakes = self.wakes(desk, ticket, (clock, share_bp, at), would_be.is_some());
            Change { clock: name, share_bp, was, would_be, wakes }
        };
        changes.into_iter().map(change).collect()
    }

    /// Whom something raised concerns: by the documents laid, or by the record.
    fn wakes(&self, desk: &Desk, ticket: &Ticket, (clock, share_bp, at): Raised, laid: bool) -> Vec<Accountable> {
        let lens = self.course.lens(Micros::MAX, &[], ticket.terms);
        let by_record = || desk.terms_of(ticket.clock(clock)?.terms)?.escalation.clone();
        let by_laid = || desk.assembled(ticket, desk.choice(ticket, &desk.situation(ticket), lens)?, lens)?.escalation;
        let escalation = if laid { by_laid() } else { by_record() };
        let escalation = escalation.filter(|_| share_bp == BREACH_BP);
        escalation::first_woken(desk, ticket, escalation.as_ref(), at)
    }
}

impl Sum {
    fn count(&mut self, share_bp: u32, recorded: bool) {
        let of = match (share_bp == BREACH_BP, recorded) {
            (false, true) => &mut self.warnings_were,
            (false, false) => &mut self.warnings_would_be,
            (true, true) => &mut self.breaches_were,
            (true, false) => &mut self.breaches_would_be,
        };
        *of += 1;
    }

    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        self.warnings_were += other.warnings_were;
        self.warnings_would_be += other.warnings_would_be;
        self.breaches_were += other.breaches_were;
        self.breaches_would_be += other.breaches_would_be;
        self.moved += other.moved;
    }
}

impl Page {
    /// Adds what follows.
    pub fn add(&mut self, next: Self) {
        self.differences.extend(next.differences);
        for (clock, sum) in next.sums {
            self.sums.entry(clock).or_default().add(&sum);
        }
        self.tickets += next.tickets;
        self.next = next.next;
    }
}

/// What of the first, in order, is not in the second: as often as it is more there.
fn without(these: &[Raised], others: &[Raised]) -> Vec<Raised> {
    let mut others = others.iter().peekable();
    let missing = |one: &&Raised| {
        while others.next_if(|other| other < one).is_some() {}
        others.next_if(|other| other == one).is_none()
    };
    these.iter().filter(missing).copied().collect()
}

/// What went and what came, those of one clock and share together, in order.
fn paired(gone: &[Raised], mut come: Vec<Raised>) -> Vec<(u32, u32, Option<Micros>, Option<Micros>)> {
    let mut changes = Vec::new();
    for (clock, share_bp, was) in gone {
        let place = come.iter().position(|other| (other.0, other.1) == (*clock, *share_bp));
        let would_be = place.map(|place| come.remove(place).2);
        changes.push((*clock, *share_bp, Some(*was), would_be));
    }
    changes.extend(come.into_iter().map(|(clock, share_bp, at)| (clock, share_bp, None, Some(at))));
    changes.sort_by_key(|(clock, share_bp, was, would_be)| (*clock, *share_bp, would_be.or(*was)));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_and_what_comes_is_paired_by_clock_and_share() {
        let was = [(1, 7_500, 10), (1, 10_000, 20), (2, 10_000, 5), (2, 10_000, 5)];
        let would_be = [(1, 7_500, 12), (2, 10_000, 5), (2, 10_000, 9), (3, 10_000, 1)];
        let (gone, come) = (without(&was, &would_be), without(&would_be, &was));
        assert_eq!(gone, [(1, 7_500, 10), (1, 10_000, 20), (2, 10_000, 5)]);
        assert_eq!(come, [(1, 7_500, 12), (2, 10_000, 9), (3, 10_000, 1)]);
        let changes = [
            (1, 7_500, Some(10), Some(12)),
            (1, 10_000, Some(20), None),
            (2, 10_000, Some(5), Some(9)),
            (3, 10_000, None, Some(1)),
        ];
        assert_eq!(paired(&gone, come), changes);
        assert!(without(&was, &was).is_empty());
    }
}
