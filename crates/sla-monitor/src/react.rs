//! What others' facts and the passing of time make sla-monitor want: commands, never events.

use decider::{Micros, Reaction, Tenant};
use ticket::house::HouseEvent;
use ticket::{Event, Recorded};
use uuid::Uuid;

use crate::command::Command;
use crate::documents::{CALENDAR, SLA_POLICY};
use crate::record::Ticket;
use crate::state::{Desk, Due, Slot, State};

/// Reassesses a ticket whose facts moved its clocks, and every open ticket whose policy changed with its past.
pub(crate) fn react(state: &State, cause: &Recorded) -> Vec<Reaction<Command>> {
    let Some(desk) = state.desk(&cause.tenant) else { return Vec::new() };
    let moved = |ticket: &Ticket| !desk.drift(ticket, cause.recorded_at, cause.occurred_at).is_empty();
    match &cause.event {
        Event::Intake(_) | Event::Dispatch(_) => {
            let ticket = cause.correlation.filter(|_| ticket::fact(&cause.event).is_some());
            let moved = ticket.filter(|id| desk.tickets.get(id).is_some_and(moved));
            moved.map(|id| reassess(id, cause)).into_iter().collect()
        }
        Event::House(HouseEvent::ConfigApplied { kind, .. }) if kind == CALENDAR || kind == SLA_POLICY => {
            let open = desk.tickets.iter().filter(|(_, ticket)| ticket.open() && moved(ticket));
            open.map(|(id, _)| reassess(*id, cause)).collect()
        }
        Event::House(_) | Event::Sla(_) | Event::Notifier(_) => Vec::new(),
    }
}

fn reassess(ticket: Uuid, cause: &Recorded) -> Reaction<Command> {
    Reaction {
        rule: "reassess",
        tenant: cause.tenant.clone(),
        cause: cause.id.to_string(),
        target: ticket.to_string(),
        occurred_at: cause.occurred_at,
        causation: Some(cause.id),
        command: Command::Reassess { ticket },
    }
}

/// What the clock stands past: a thing done exactly at its deadline is in time.
pub(crate) fn due(state: &State, now: Micros, limit: usize) -> Vec<Reaction<Command>> {
    let past = state.ahead.iter().take_while(|due| due.at < now);
    past.filter_map(|due| reaction(state.desk(&due.tenant)?, due)).take(limit).collect()
}

/// The first instant that stands past a deadline.
pub(crate) fn next_due(state: &State) -> Option<Micros> {
    state.ahead.first().map(|due| due.at.saturating_add(1))
}

fn reaction(desk: &Desk, due: &Due) -> Option<Reaction<Command>> {
    let ticket = desk.tickets.get(&due.ticket)?;
    let id = due.ticket;
    match due.slot {
        Slot::Attention => {
            let attending = ticket.attending.as_ref()?;
            let (renewed, step) = (attending.renewed, attending.step + 1);
            let cause = format!("{id}/attention/{renewed}/{step}");
            Some(deadline("wake", &due.tenant, due, (cause, Command::Wake { ticket: id, renewed, step })))
        }
        Slot::Mark { clock, share_bp } => {
            let generation = ticket.clock(clock)?.generation;
            let clock = desk.names.text(clock).to_owned();
            let cause = format!("{id}/{clock}/{generation}/{share_bp}");
            let command = Command::Fire { ticket: id, clock, generation, share_bp };
            Some(deadline("fire", &due.tenant, due, (cause, command)))
        }
    }
}

fn deadline(rule: &'static str, tenant: &Tenant, due: &Due, what: (String, Command)) -> Reaction<Command> {
    let (cause, command) = what;
    Reaction {
        rule,
        tenant: tenant.clone(),
        cause,
        target: due.ticket.to_string(),
        occurred_at: due.at,
        causation: None,
        command,
    }
}
