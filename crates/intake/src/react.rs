//! What falls due: silence becomes consent.

use decider::{Micros, Reaction};
use uuid::Uuid;

use crate::command::Command;
use crate::state::State;

/// Tickets whose customer was silent until before `now`, earliest first, at most `limit`.
pub fn due(state: &State, now: Micros, limit: usize) -> Vec<Reaction<Command>> {
    let passed = state.consents.iter().take_while(|(confirm_by, ..)| *confirm_by < now).take(limit);
    passed
        .map(|(confirm_by, tenant, id)| {
            let house = state.house(tenant);
            let generation = house.and_then(|house| house.tickets.get(id)).map_or(0, |ticket| ticket.course.reopened);
            silence(*confirm_by, tenant.clone(), *id, generation)
        })
        .collect()
}

/// The next instant at which silence becomes consent.
pub fn next_due(state: &State) -> Option<Micros> {
    state.consents.first().map(|(confirm_by, ..)| *confirm_by)
}

fn silence(confirm_by: Micros, tenant: decider::Tenant, ticket: Uuid, generation: u32) -> Reaction<Command> {
    Reaction {
        rule: "confirm-by-silence",
        tenant,
        cause: format!("{ticket}/confirm/{generation}"),
        target: ticket.to_string(),
        occurred_at: confirm_by,
        causation: None,
        command: Command::ConfirmBySilence { ticket, confirm_by },
    }
}
