//! What can be asked about clocks: those of a ticket, breaches, deadlines, documents in force. One tenant's at a time.

use decider::{Micros, Tenant};
use ticket::intake::Accountable;
use ticket::sla::BreachCause;
use uuid::Uuid;

use crate::clock::Phase;
use crate::policy::BREACH_BP;
pub use crate::record::Share;
use crate::record::{Clock, Ticket};
pub use crate::state::Slot;
use crate::state::{BreachKey, Desk, Lineage, State};

/// A clock of a ticket, as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockView {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub phase: Phase,
    /// The policy and its version.
    pub policy: (String, u64),
    /// The calendar and its version.
    pub calendar: (String, u64),
    /// Working seconds allowed.
    pub budget_secs: i64,
    /// Working microseconds used when it last changed.
    pub elapsed_us: i64,
    /// How often its deadline was set.
    pub generation: u32,
    /// Reached and ahead, in order of share.
    pub shares: Vec<Share>,
    /// The breach that stands.
    pub breach: Option<BreachView>,
}

/// A breach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreachView {
    /// The ticket.
    pub ticket: Uuid,
    /// The clock.
    pub clock: String,
    /// The instant the budget was used up.
    pub at: Micros,
    /// Whether a late fact took it back.
    pub revoked: bool,
    /// Why, once somebody said, and in words.
    pub explained: Option<(BreachCause, String)>,
    /// Who was accountable then.
    pub accountable: Option<Accountable>,
}

/// Which breaches are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BreachFilter {
    /// This clock's alone; any if empty.
    pub clock: String,
    /// Those that stand and that nobody explained.
    pub unexplained: bool,
    /// Breached at or after.
    pub start: Option<Micros>,
    /// Breached before.
    pub end: Option<Micros>,
}

/// Something that falls due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// When.
    pub at: Micros,
    /// The ticket.
    pub ticket: Uuid,
    /// The clock; `attention` for the next step.
    pub clock: String,
    /// Which share of its budget, basis points.
    pub share_bp: u32,
    /// Its place among what falls due at one instant.
    pub slot: Slot,
}

/// The clocks of a ticket in order of name; nothing if the tenant has no such ticket.
pub fn clocks(state: &State, tenant: &Tenant, id: Uuid) -> Option<Vec<ClockView>> {
    let (desk, ticket) = state.ticket(tenant, id)?;
    let mut clocks: Vec<_> = ticket.clocks.iter().map(|clock| clock_view(desk, id, clock)).collect();
    clocks.sort_by(|a, b| a.name.cmp(&b.name));
    Some(clocks)
}

fn clock_view(desk: &Desk, ticket: Uuid, clock: &Clock) -> ClockView {
    let lineage = usize::try_from(clock.lineage).ok().and_then(|number| desk.lineages.get(number));
    let pinned = |of: fn(&Lineage) -> &ticket::sla::Pinned| {
        lineage.map_or_else(Default::default, |lineage| (of(lineage).name.clone(), of(lineage).version))
    };
    ClockView {
        name: desk.names.text(clock.name).to_owned(),
        phase: clock.phase,
        policy: pinned(|lineage| &lineage.policy),
        calendar: pinned(|lineage| &lineage.calendar),
        budget_secs: clock.budget_secs,
        elapsed_us: clock.elapsed_us,
        generation: clock.generation,
        shares: clock.shares.clone(),
        breach: clock.reached(BREACH_BP).and_then(|at| breach_view(desk, (at, ticket, clock.name))),
    }
}

fn breach_view(desk: &Desk, key: BreachKey) -> Option<BreachView> {
    let breach = desk.breaches.get(&key)?;
    Some(BreachView {
        ticket: key.1,
        clock: desk.names.text(key.2).to_owned(),
        at: key.0,
        revoked: breach.revoked,
        explained: breach.explained.clone(),
        accountable: breach.accountable.clone(),
    })
}

/// The breach of a clock that stands.
pub fn breach(state: &State, tenant: &Tenant, id: Uuid, clock: &str) -> Option<BreachView> {
    let (desk, ticket) = state.ticket(tenant, id)?;
    let record: &Clock = named(desk, ticket, clock)?;
    breach_view(desk, (record.reached(BREACH_BP)?, id, record.name))
}

fn named<'a>(desk: &Desk, ticket: &'a Ticket, clock: &str) -> Option<&'a Clock> {
    ticket.clock(desk.names.find(clock)?)
}

/// Where a list of breaches goes on: behind this instant, ticket and clock.
pub type BreachCursor = (Micros, Uuid, u32);

/// At most `limit` breaches behind `after`, newest first; where to go on, if there are more.
pub fn breaches(
    state: &State,
    tenant: &Tenant,
    filter: &BreachFilter,
    after: Option<BreachCursor>,
    limit: usize,
) -> (Vec<BreachView>, Option<BreachCursor>) {
    let Some(desk) = state.desk(tenant) else { return (Vec::new(), None) };
    let end = filter.end.map_or((Micros::MAX, Uuid::max(), u32::MAX), |end| (end, Uuid::nil(), 0));
    let start = (filter.start.unwrap_or(Micros::MIN), Uuid::nil(), 0);
    let end = after.map_or(end, |after| after.min(end));
    if start >= end {
        return (Vec::new(), None);
    }
    let newest = desk.breaches.range(start..end).rev();
    let wanted = newest.filter(|(key, breach)| {
        (filter.clock.is_empty() || desk.names.text(key.2) == filter.clock)
            && !(filter.unexplained && (breach.revoked || breach.explained.is_some()))
    });
    page(wanted.map(|(key, _)| *key), limit, |key| breach_view(desk, key))
}

/// Where a list of deadlines goes on: behind this instant, ticket and slot.
pub type DeadlineCursor = (Micros, Uuid, Slot);

/// At most `limit` deadlines before `end` and behind `after`, soonest first; where to go on, if there are more.
pub fn deadlines(
    state: &State,
    tenant: &Tenant,
    end: Option<Micros>,
    after: Option<DeadlineCursor>,
    limit: usize,
) -> (Vec<Deadline>, Option<DeadlineCursor>) {
    let Some(desk) = state.desk(tenant) else { return (Vec::new(), None) };
    let ours = state.ahead.iter().filter(|due| due.tenant == *tenant);
    let before = ours.take_while(|due| end.is_none_or(|end| due.at < end));
    let keys = before.map(|due| (due.at, due.ticket, due.slot)).filter(|key| after.is_none_or(|after| *key > after));
    page(keys, limit, |(at, ticket, slot)| {
        let (clock, share_bp) = match slot {
            Slot::Attention => ("attention", BREACH_BP),
            Slot::Mark { clock, share_bp } => (desk.names.text(clock), share_bp),
        };
        Some(Deadline { at, ticket, clock: clock.to_owned(), share_bp, slot })
    })
}

/// Takes a page of keys and one more to see whether there are more; the cursor is the page's last.
fn page<K: Copy, T>(keys: impl Iterator<Item = K>, limit: usize, show: impl Fn(K) -> Option<T>) -> (Vec<T>, Option<K>) {
    let mut keys: Vec<K> = keys.take(limit.saturating_add(1)).collect();
    let more = keys.len() > limit;
    keys.truncate(limit);
    let cursor = keys.last().copied().filter(|_| more);
    (keys.into_iter().filter_map(show).collect(), cursor)
}
