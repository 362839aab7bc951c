//! The figures of tickets as CSV, a line each.

use csv::Writer;
use decider::Micros;
use ticket::codec::rfc3339;

use crate::definition::Definition;
use crate::figures::{CalendarFigures, Figures};

/// The columns that need no calendar.
const COLUMNS: [&str; 17] = [
    "ticket",
    "events",
    "created_at",
    "first_response",
    "first_resolved",
    "last_resolved",
    "closed_at",
    "final_state",
    "reopens",
    "handovers",
    "group_handovers",
    "pingpong",
    "agents",
    "waiting_s",
    "priority",
    "group",
    "agent",
];
/// The columns of each calendar, before its suffix.
const BY_CALENDAR: [&str; 6] = ["resp_bs", "res_bs", "res_bs_net", "resp_breach", "res_breach", "res_breach_net"];

/// Most bytes of a piece; a single line may be longer.
pub const MAX_PIECE_BYTES: usize = 64 * 1024;

/// CSV in pieces of whole lines, the header in the first.
///
/// A column of seconds in which a ticket has none, or a fraction, is written with a decimal point throughout.
pub fn pieces(tickets: &[Figures], definition: &Definition) -> Result<Vec<Vec<u8>>, csv::Error> {
    let decimal: Vec<_> = (0..definition.calendars.len()).map(|place| decimals(tickets, place)).collect();
    let waiting = tickets.iter().any(|ticket| fraction(ticket.waiting_us));
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    let mut take = |line: Vec<u8>| {
        if !piece.is_empty() && piece.len() + line.len() > MAX_PIECE_BYTES {
            pieces.push(std::mem::take(&mut piece));
        }
        piece.extend(line);
    };
    take(header(definition)?);
    for ticket in tickets {
        take(line(ticket, &decimal, waiting)?);
    }
    pieces.push(piece);
    Ok(pieces)
}

fn header(definition: &Definition) -> Result<Vec<u8>, csv::Error> {
    let suffixes = definition.calendars.iter().map(|(suffix, _)| suffix);
    let calendars = suffixes.flat_map(|suffix| BY_CALENDAR.map(|column| format!("{column}{suffix}")));
    record(COLUMNS.iter().map(|column| (*column).to_owned()).chain(calendars))
}

fn line(ticket: &Figures, decimal: &[[bool; 3]], waiting: bool) -> Result<Vec<u8>, csv::Error> {
    let instant = |at: Option<Micros>| at.map(rfc3339).unwrap_or_default();
    let name = if ticket.reference.is_empty() { ticket.ticket.to_string() } else { ticket.reference.to_string() };
    let fields = [
        name,
        ticket.events.to_string(),
        rfc3339(ticket.created_at),
        instant(ticket.first_response),
        instant(ticket.first_resolved),
        instant(ticket.last_resolved),
        instant(ticket.closed_at),
        ticket.final_state.name().to_owned(),
        ticket.reopens.to_string(),
        ticket.handovers.to_string(),
        ticket.group_handovers.to_string(),
        ticket.pingpong.to_string(),
        ticket.agents.to_string(),
        seconds(ticket.waiting_us, waiting),
        ticket.priority.to_string(),
        ticket.group.to_string(),
        ticket.agent.to_string(),
    ];
    let calendars = ticket.by_calendar.iter().zip(decimal).flat_map(|(by, decimal)| {
        let [response, resolution, net] = durations(by);
        let shown = |us: Option<i64>, decimal| us.map(|us| seconds(us, decimal)).unwrap_or_default();
        let flag = |breached: bool| if breached { "True" } else { "False" }.to_owned();
        [
            shown(response, decimal[0]),
            shown(resolution, decimal[1]),
            shown(net, decimal[2]),
            flag(by.resp_breach),
            flag(by.res_breach),
            flag(by.res_breach_net),
        ]
    });
    record(fields.into_iter().chain(calendars))
}

fn record(fields: impl Iterator<Item = String>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(fields)?;
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn durations(by: &CalendarFigures) -> [Option<i64>; 3] {
    [by.response_us, by.resolution_us, by.resolution_net_us]
}

/// Which of a calendar's columns are written with a decimal point.
fn decimals(tickets: &[Figures], place: usize) -> [bool; 3] {
    let columns = tickets.iter().filter_map(|ticket| ticket.by_calendar.get(place)).map(durations);
    columns.fold([false; 3], |mut decimal, column| {
        for (decimal, us) in decimal.iter_mut().zip(column) {
            *decimal |= us.is_none_or(fraction);
        }
        decimal
    })
}

fn fraction(us: i64) -> bool {
    us % 1_000_000 != 0
}

fn seconds(us: i64, decimal: bool) -> String {
    let (whole, rest) = (us / 1_000_000, us % 1_000_000);
    match (decimal, rest) {
        (false, _) => whole.to_string(),
        (true, 0) => format!("{whole}.0"),
        (true, _) => format!("{whole}.{rest:06}").trim_end_matches('0').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_exact() {
        let written = [(44_000_000, false), (44_000_000, true), (44_250_000, true), (1, true), (0, true)];
        assert_eq!(written.map(|(us, decimal)| seconds(us, decimal)), ["44", "44.0", "44.25", "0.000001", "0.0"]);
    }
}
