//! What can be asked about clocks: those of a ticket, breaches, deadlines, documents in force. One tenant's at a time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use decider::{Micros, Tenant};
use ticket::intake::Accountable;
use ticket::sla::{BreachCause, Pinned, Terms};
use uuid::Uuid;

use crate::clock::Phase;
use crate::documents::in_force;
use crate::figures::paused_though_replied_us;
use crate::major::Major;
use crate::policy::BREACH_BP;
pub use crate::record::Share;
use crate::record::{Dial, Ticket};
use crate::rota::Rota;
pub use crate::state::Slot;
use crate::state::{BreachKey, Desk, State};

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
    /// Working microseconds it stood still though the customer had spoken last.
    pub paused_though_replied_us: i64,
    /// Who is called for its breach: the step, who was called last, who answers for it.
    pub called: Option<(u32, Vec<String>, Option<String>)>,
    /// The major event it was made under.
    pub major: Option<String>,
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
    let mut clocks: Vec<_> = ticket.clocks().map(|clock| clock_view(desk, (id, ticket), clock)).collect();
    clocks.sort_by(|a, b| a.name.cmp(&b.name));
    Some(clocks)
}

fn clock_view(desk: &Desk, (id, ticket): (Uuid, &Ticket), clock: Dial<'_>) -> ClockView {
    let terms = desk.terms_of(clock.terms);
    let pinned = |of: fn(&Terms) -> &Pinned| {
        terms.map_or_else(Default::default, |terms| (of(terms).name.clone(), of(terms).version))
    };
    ClockView {
        name: desk.names.text(clock.name).to_owned(),
        phase: clock.phase,
        policy: pinned(|terms| &terms.policy),
        calendar: pinned(|terms| &terms.calendar),
        budget_secs: desk.budget_secs(clock),
        elapsed_us: clock.elapsed_us,
        generation: clock.generation,
        shares: clock.shares().collect(),
        breach: clock.breach().and_then(|at| breach_view(desk, (at, id, clock.name))),
        paused_though_replied_us: paused_though_replied_us(desk, ticket, desk.names.text(clock.name)),
        called: ticket.called(clock.name).map(|one| (one.step, one.wakes.clone(), one.acknowledged.clone())),
        major: terms.and_then(|terms| terms.major.clone()),
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

/// Most major events that are listed: the last declared.
const MAJORS_MAX: usize = 1_000;

/// Runs something on every major event a tenant had, in order of name.
pub fn majors<T>(state: &State, tenant: &Tenant, show: impl Fn(&str, &Major) -> T) -> Vec<T> {
    let mut all: Vec<_> = state.desk(tenant).into_iter().flat_map(|desk| desk.majors.iter()).collect();
    all.sort_by_key(|(_, major)| Reverse(major.declared_at));
    all.truncate(MAJORS_MAX);
    all.sort_by_key(|(name, _)| *name);
    all.into_iter().map(|(name, major)| show(name, major)).collect()
}

/// Who is on call by a rota at an instant, and by which shift; nothing if there is no such rota.
pub fn on_call(state: &State, tenant: &Tenant, rota: &str, at: Micros) -> Option<Option<(String, String)>> {
    let rota = in_force(&state.desk(tenant)?.rotas, rota)?.get(Rota::read)?;
    Some(rota.who(at).map(|on| (on.person.to_owned(), on.shift.to_owned())))
}

/// The breach of a clock that stands.
pub fn breach(state: &State, tenant: &Tenant, id: Uuid, clock: &str) -> Option<BreachView> {
    let (desk, ticket) = state.ticket(tenant, id)?;
    let record = ticket.clock(desk.names.find(clock)?)?;
    breach_view(desk, (record.breach()?, id, record.name))
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
    let before = |at: Micros| end.is_none_or(|end| at < end);
    let keys = in_order(desk).take_while(|(at, ..)| before(*at)).filter(|key| after.is_none_or(|after| *key > after));
    page(keys, limit, |(at, ticket, slot)| {
        let (clock, share_bp) = match slot {
            Slot::Attention => ("attention", BREACH_BP),
            Slot::Mark { clock, share_bp } => (desk.names.text(clock), share_bp),
            Slot::Call { .. } => ("escalation", BREACH_BP),
        };
        Some(Deadline { at, ticket, clock: clock.to_owned(), share_bp, slot })
    })
}

/// Everything a tenant's tickets have ahead, soonest first: the wheel knows each ticket's first, and what lies behind it
/// is taken up with that.
fn in_order(desk: &Desk) -> impl Iterator<Item = DeadlineCursor> {
    let mut firsts = desk.wheel.due(Micros::MAX).peekable();
    let mut known = BinaryHeap::new();
    std::iter::from_fn(move || {
        let may_come_first = |at: Micros, known: &BinaryHeap<Reverse<DeadlineCursor>>| {
            known.peek().is_none_or(|Reverse((first, ..))| at <= *first)
        };
        while let Some((_, place)) = firsts.next_if(|(at, _)| may_come_first(*at, &known)) {
            let ticket = desk.tickets.at(place);
            known.extend(
                ticket.iter().flat_map(|(id, ticket)| ticket.ahead().map(|(at, slot)| Reverse((at, *id, slot)))),
            );
        }
        known.pop().map(|Reverse(key)| key)
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
