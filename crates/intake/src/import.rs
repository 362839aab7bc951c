//! Taking in tickets of another system: the ticket first, then its history line by line, each when it happened.

use std::fmt;

use decider::{At, Decided, Micros, Read, Tenant};
use ticket::intake::{Accountable, Activity, IntakeEvent, Status};
use ticket::{Event, stream};
use uuid::Uuid;

use crate::opening::{self, Opening};
use crate::refusal::{FieldFault, Refusal};
use crate::state::{House, State};
use crate::{attention, text};

/// Most lines of history a ticket may bring.
pub const MAX_LINES: usize = 60;

/// A ticket of another system.
#[derive(Clone, Debug)]
pub struct Import {
    /// The system it comes from.
    pub source: String,
    /// Its name there.
    pub reference: String,
    /// What it was opened with.
    pub opening: Opening,
    /// Its history, each line when it happened; the first is its creation.
    pub lines: Vec<(Micros, Activity)>,
}

/// One line of its history.
#[derive(Clone, Debug)]
pub struct Line {
    /// The ticket here.
    pub ticket: Uuid,
    /// Counts the ticket's lines from 1.
    pub ordinal: u16,
    /// The system it comes from.
    pub source: String,
    /// The ticket's name there.
    pub reference: String,
    /// The line.
    pub line: Activity,
}

/// The id here of a ticket of another system.
pub fn ticket_id(tenant: &Tenant, source: &str, reference: &str) -> Uuid {
    let name = format!("{tenant}\0{source}\0{reference}");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

/// Whether a ticket of another system may come in.
pub fn check(import: &Import, house: &House, now: Micros) -> Result<(), Refusal> {
    let mut faults = import.opening.faults(house);
    faults.extend(text::required("source", &import.source, text::NAME_MAX_CHARS));
    faults.extend(text::required("reference", &import.reference, text::NAME_MAX_CHARS));
    let count = import.lines.len();
    if !(1..=MAX_LINES).contains(&count) {
        faults.push(FieldFault::new("activities", format!("must be 1 to {MAX_LINES}, not {count}")));
    }
    let mut fault = |n: usize, message: &dyn fmt::Display| {
        faults.push(FieldFault::new(format!("activities[{n}].occur_time"), message.to_string()));
    };
    for (n, (occurred_at, _)) in import.lines.iter().enumerate() {
        if *occurred_at > now {
            fault(n, &"lies in the future");
        }
        if n > 0 && *occurred_at < import.lines[n - 1].0 {
            fault(n, &"lies before the line before it");
        }
    }
    if !faults.is_empty() {
        return Err(Refusal::Invalid(faults));
    }
    match &import.opening.customer {
        Some((customer, _)) if house.erased.contains(customer) => Err(Refusal::CustomerErased),
        _ => Ok(()),
    }
}

/// Goal: the ticket is here.
pub(crate) fn decide(import: &Import, read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
    let id = ticket_id(&at.tenant, &import.source, &import.reference);
    let stream = stream::ticket(id);
    let nothing = House::default();
    let house = read.guard(&stream).house(&at.tenant).unwrap_or(&nothing);
    if house.tickets.contains_key(&id) {
        return Ok(Vec::new());
    }
    opening::guard_documents(&import.opening, house, read);
    check(import, house, at.now)?;
    let request = import.opening.request(id, house);
    let ended = import.lines.last().is_some_and(|(_, line)| line.state == Status::Closed);
    let duty = Accountable::Queue(request.queue.clone());
    let next = (!ended).then(|| attention::next(house, duty, &request.queue, request.priority, at.now));
    let (source, reference) = (import.source.clone(), import.reference.clone());
    let event = IntakeEvent::TicketImported { source, reference, request: Box::new(request), next };
    Ok(vec![(stream, Event::Intake(event))])
}

/// Goal: the line is part of the ticket's history.
pub(crate) fn decide_line(line: &Line, read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
    let stream = stream::ticket(line.ticket);
    let house = read.guard(&stream).house(&at.tenant).ok_or(Refusal::NotFound)?;
    let before = house.tickets.get(&line.ticket).ok_or(Refusal::NotFound)?.imported_lines;
    if line.ordinal <= before {
        return Ok(Vec::new());
    }
    // What was done with the ticket here came after its history: a line behind it would undo it.
    if line.ordinal > before + 1 || read.version(&stream) > u64::from(before) + 1 {
        return Err(Refusal::ImportGap);
    }
    let (source, reference) = (line.source.clone(), line.reference.clone());
    let event = IntakeEvent::ActivityImported { source, reference, line: line.line.clone() };
    Ok(vec![(stream, Event::Intake(event))])
}
