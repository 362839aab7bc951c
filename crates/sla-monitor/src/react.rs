//! What others' facts and the passing of time make sla-monitor want: commands, never events.

use decider::{Micros, Reaction, Tenant};
use ticket::house::HouseEvent;
use ticket::notifier::NotifierEvent;
use ticket::sla::SlaEvent;
use ticket::{Event, Recorded};
use uuid::Uuid;

use crate::command::Command;
use crate::documents::{BACKLOG_ALERT, CALENDAR, SLA_POLICY};
use crate::escalation::answerable;
use crate::record::Ticket;
use crate::state::{Desk, Slot, State};

/// Reassesses a ticket whose facts moved its clocks, and every open ticket whose policy changed with its past.
pub(crate) fn react(state: &State, cause: &Recorded) -> Vec<Reaction<Command>> {
    let Some(desk) = state.desk(&cause.tenant) else { return Vec::new() };
    let moved = |ticket: &Ticket| !desk.drift(ticket, cause.recorded_at, cause.occurred_at).is_empty();
    let everywhere = || {
        let open = desk.tickets.iter().filter(|(_, ticket)| desk.open(ticket) && moved(ticket));
        open.map(|(id, _)| reassess(id, cause)).collect()
    };
    match &cause.event {
        Event::Intake(_) | Event::Dispatch(_) => {
            let ticket = cause.correlation.filter(|_| ticket::fact(&cause.event).is_some());
            let moved = ticket.filter(|id| desk.tickets.get(id).is_some_and(moved));
            moved.map(|id| reassess(id, cause)).into_iter().chain(measured(desk, cause)).collect()
        }
        Event::House(HouseEvent::ConfigApplied { kind, .. }) if kind == CALENDAR || kind == SLA_POLICY => everywhere(),
        Event::House(HouseEvent::ConfigApplied { kind, .. }) if kind == BACKLOG_ALERT => {
            measured(desk, cause).collect()
        }
        Event::Sla(SlaEvent::MajorEventDeclared { .. } | SlaEvent::MajorEventEnded { .. }) => everywhere(),
        Event::Notifier(NotifierEvent::ReminderAcknowledged { by, .. }) => answered(desk, cause, by),
        Event::House(_) | Event::Sla(_) | Event::Notifier(_) => Vec::new(),
    }
}

fn because(cause: &Recorded, rule: &'static str, target: String, command: Command) -> Reaction<Command> {
    Reaction {
        rule,
        tenant: cause.tenant.clone(),
        cause: cause.id.to_string(),
        target,
        occurred_at: cause.occurred_at,
        causation: Some(cause.id),
        command,
    }
}

fn reassess(ticket: Uuid, cause: &Recorded) -> Reaction<Command> {
    because(cause, "reassess", ticket.to_string(), Command::Reassess { ticket })
}

/// The alerts for which an event made a queue too long, or short enough.
fn measured(desk: &Desk, cause: &Recorded) -> impl Iterator<Item = Reaction<Command>> {
    let stirred = desk.backlogs.stirred(cause.recorded_at);
    stirred.map(|alert| because(cause, "measure", alert.to_owned(), Command::Measure { alert: alert.to_owned() }))
}

/// Whoever was called for a clock and answers a reminder of its ticket, answers for the clock.
fn answered(desk: &Desk, cause: &Recorded, by: &str) -> Vec<Reaction<Command>> {
    let called = cause
        .correlation
        .filter(|id| desk.tickets.get(id).is_some_and(|ticket| answerable(ticket, by).next().is_some()));
    let answer = |ticket: Uuid| Command::Answer { ticket, by: by.to_owned() };
    called.map(|id| because(cause, "answer", id.to_string(), answer(id))).into_iter().collect()
}

/// Something that falls due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due<'a> {
    at: Micros,
    tenant: &'a Tenant,
    of: Of<'a>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Of<'a> {
    Ticket(Uuid, Slot),
    Alert(&'a str, u32),
}

/// What the clock stands past, earliest first: a thing done exactly at its deadline is in time.
pub(crate) fn due(state: &State, now: Micros, limit: usize) -> Vec<Reaction<Command>> {
    let tenants = state
        .fronts
        .iter()
        .take_while(|(at, _)| *at < now)
        .filter_map(|(_, tenant)| Some((tenant, state.desk(tenant)?)));
    let mut due: Vec<_> = tenants.flat_map(|(tenant, desk)| of_desk(tenant, desk, now, limit)).collect();
    due.sort_unstable();
    due.truncate(limit);
    due.iter().filter_map(|due| reaction(state.desk(due.tenant)?, due)).collect()
}

/// The first of a tenant's: of as many tickets as are asked for, so that whatever is left out comes later.
fn of_desk<'a>(tenant: &'a Tenant, desk: &'a Desk, now: Micros, limit: usize) -> Vec<Due<'a>> {
    let tickets = desk.wheel.due(now).take(limit).filter_map(|(_, place)| desk.tickets.at(place));
    let slots = tickets.flat_map(|(id, ticket)| ticket.ahead().map(move |(at, slot)| (at, Of::Ticket(id, slot))));
    let alerts = desk.backlogs.ahead().map(|(at, name, alarm)| (at, Of::Alert(name, alarm)));
    slots.chain(alerts).filter(|(at, _)| *at < now).map(|(at, of)| Due { at, tenant, of }).collect()
}

/// The first instant that stands past a deadline.
pub(crate) fn next_due(state: &State) -> Option<Micros> {
    state.fronts.first().map(|(at, _)| at.saturating_add(1))
}

fn reaction(desk: &Desk, due: &Due<'_>) -> Option<Reaction<Command>> {
    let (id, slot) = match &due.of {
        Of::Ticket(id, slot) => (*id, *slot),
        Of::Alert(name, alarm) => {
            let command = Command::Measure { alert: (*name).to_owned() };
            return Some(deadline("measure", due, (*name).to_owned(), (format!("{name}/age/{alarm}"), command)));
        }
    };
    let ticket = desk.tickets.get(&id)?;
    let (rule, what) = match slot {
        Slot::Attention => {
            let attending = ticket.attending.as_ref()?;
            let (renewed, step) = (u64::from(attending.renewed), attending.step + 1);
            ("wake", (format!("{id}/attention/{renewed}/{step}"), Command::Wake { ticket: id, renewed, step }))
        }
        Slot::Mark { clock, share_bp } => {
            let generation = ticket.clock(clock)?.generation;
            let clock = desk.names.text(clock).to_owned();
            let cause = format!("{id}/{clock}/{generation}/{share_bp}");
            ("fire", (cause, Command::Fire { ticket: id, clock, generation, share_bp }))
        }
        Slot::Call { clock } => {
            let called = ticket.called(clock)?;
            let (generation, step) = (called.generation, called.step + 1);
            let clock = desk.names.text(clock).to_owned();
            let cause = format!("{id}/{clock}/{generation}/call/{step}");
            ("call", (cause, Command::Call { ticket: id, clock, generation, step }))
        }
    };
    Some(deadline(rule, due, id.to_string(), what))
}

fn deadline(rule: &'static str, due: &Due<'_>, target: String, what: (String, Command)) -> Reaction<Command> {
    let (cause, command) = what;
    let (tenant, occurred_at) = (due.tenant.clone(), due.at);
    Reaction { rule, tenant, cause, target, occurred_at, causation: None, command }
}
