//! The no-drop check: every open ticket has somebody accountable, a deadline within the horizon, and a human on duty who
//! wakes then.
//!
//! Tickets whose history was only replayed are under nobody's care and are not counted.

use decider::{Micros, Tenant};
use ticket::intake::Accountable;
use ticket::queue::HORIZON_US;
use uuid::Uuid;

use crate::attention::Attending;
use crate::policy::BREACH_BP;
use crate::record::Ticket;
use crate::staff::Staff;
use crate::state::{Desk, Slot, State};
use crate::view::Deadline;

/// How long a deadline may lie in the past before the monitor itself is late: 60 s.
const PATIENCE_US: Micros = 60_000_000;

/// What is next for an open ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketCheck {
    /// The ticket.
    pub ticket: Uuid,
    /// Where it stands.
    pub phase: &'static str,
    /// Who owes the next step.
    pub accountable: Accountable,
    /// What falls due next.
    pub next: Deadline,
    /// Who would be woken then, by token subject.
    pub wakes: Vec<String>,
    /// Why nobody would act in time.
    pub hole: Option<String>,
}

/// A ticket that could be dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Whose.
    pub tenant: Tenant,
    /// Which.
    pub ticket: Uuid,
    /// What is missing.
    pub missing: String,
}

/// Every open ticket of a tenant: those with a hole first, then by the next deadline.
pub fn checks(state: &State, tenant: &Tenant, now: Micros) -> Vec<TicketCheck> {
    let tickets = state.desk(tenant).into_iter().flat_map(|desk| desk.tickets.iter().map(move |entry| (desk, entry)));
    let mut checks: Vec<_> = tickets.filter_map(|(desk, (id, ticket))| check(desk, id, ticket, now)).collect();
    checks.sort_by_key(TicketCheck::order);
    checks
}

/// Every ticket of any tenant that could be dropped.
pub fn holes(state: &State, now: Micros) -> Vec<Hole> {
    let tickets = state.desks.iter().flat_map(|(tenant, desk)| {
        desk.tickets.iter().map(move |(id, ticket)| (tenant, id, check(desk, id, ticket, now)))
    });
    let holes = tickets.filter_map(|(tenant, ticket, check)| {
        check?.hole.map(|missing| Hole { tenant: tenant.clone(), ticket, missing })
    });
    holes.collect()
}

impl TicketCheck {
    /// Holes first, then by the next deadline.
    pub fn order(&self) -> (bool, Micros, Uuid) {
        (self.hole.is_none(), self.next.at, self.ticket)
    }
}

fn check(desk: &Desk, id: Uuid, ticket: &Ticket, now: Micros) -> Option<TicketCheck> {
    let attending = ticket.attending.as_ref().filter(|attending| attending.falls_due().is_some())?;
    let owed = attending.owed(&desk.names)?;
    let next = next(desk, id, ticket, attending);
    let staff = desk.staff(ticket, next.at.max(now));
    let wakes = match next.slot {
        Slot::Attention => staff.wakes(&owed, attending.step + 1),
        Slot::Mark { .. } | Slot::Call { .. } => owed.clone(),
    };
    let woken = staff.persons(&wakes);
    let hole = hole(&next, now).or_else(|| unheard(&desk.staff(ticket, attending.due_at.max(now)), attending, &owed));
    Some(TicketCheck { ticket: id, phase: attending.stage.name(), accountable: owed, next, wakes: woken, hole })
}

/// Why nobody would hear the next call for attention: that call alone wakes somebody, whatever falls due before it.
fn unheard(staff: &Staff<'_>, attending: &Attending, owed: &Accountable) -> Option<String> {
    let wakes = staff.wakes(owed, attending.step + 1);
    staff.persons(&wakes).is_empty().then(|| staff.missing(&wakes))
}

/// What falls due first: the next step, or a mark of a clock.
fn next(desk: &Desk, id: Uuid, ticket: &Ticket, attending: &Attending) -> Deadline {
    let marks = ticket.clocks().flat_map(|clock| clock.pending().map(move |mark| (mark, clock.name)));
    let attention = Deadline {
        at: attending.due_at,
        ticket: id,
        clock: "attention".into(),
        share_bp: BREACH_BP,
        slot: Slot::Attention,
    };
    match marks.min_by_key(|(mark, _)| mark.at).filter(|(mark, _)| mark.at < attending.due_at) {
        Some((mark, clock)) => Deadline {
            at: mark.at,
            ticket: id,
            clock: desk.names.text(clock).to_owned(),
            share_bp: mark.share_bp,
            slot: Slot::Mark { clock, share_bp: mark.share_bp },
        },
        None => attention,
    }
}

fn hole(next: &Deadline, now: Micros) -> Option<String> {
    if next.at.saturating_add(PATIENCE_US) < now {
        return Some(format!("the monitor is late: {} should have fired", next.clock));
    }
    if next.at > now.saturating_add(HORIZON_US) {
        return Some(format!("nothing falls due within 72 hours: {} is the first", next.clock));
    }
    None
}
