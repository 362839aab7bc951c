//! What dispatch's facts and the passing of time make intake want: the ticket follows its visit, silence becomes consent.

use decider::{Micros, Reaction};
use ticket::dispatch::{Destination, DispatchEvent};
use ticket::{Event, Recorded};
use uuid::Uuid;

use crate::command::Command;
use crate::state::State;
use crate::visit::{Step, Told};

/// What a fact of dispatch's asks of the ticket it is about.
pub fn react(state: &State, cause: &Recorded) -> Option<Reaction<Command>> {
    let Event::Dispatch(told) = &cause.event else { return None };
    let id = cause.correlation?;
    state.house(&cause.tenant)?.tickets.get(&id)?;
    let (rule, command) = match told {
        DispatchEvent::Routed { rule, to: Destination::Queue(queue), .. } => {
            ("route", Command::Route { ticket: id, queue: queue.clone(), rule: rule.clone() })
        }
        visited => {
            let (visit, step) = Step::of(visited)?;
            ("follow-visit", Command::Follow(Box::new(Told { ticket: id, visit, step })))
        }
    };
    Some(Reaction {
        rule,
        tenant: cause.tenant.clone(),
        cause: cause.id.to_string(),
        target: id.to_string(),
        occurred_at: cause.occurred_at,
        causation: Some(cause.id),
        command,
    })
}

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

/// The first instant that stands past one at which silence becomes consent.
pub fn next_due(state: &State) -> Option<Micros> {
    state.consents.first().map(|(confirm_by, ..)| confirm_by.saturating_add(1))
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
