//! Who owes a ticket's next step, and by when: what keeps every open ticket from falling through.

use decider::Micros;
use ticket::intake::{Accountable, Attention, Priority};

use crate::queue::MAX_HORIZON_SECS;
use crate::state::House;
use crate::template::TicketType;

const SECOND_US: Micros = 1_000_000;
/// How long after silence became consent the review may still be found unclaimed.
const CONFIRM_SLACK_US: Micros = 300 * SECOND_US;
const DAY_US: Micros = 86_400 * SECOND_US;

/// The next step of a ticket in this queue, counted from `now`: always ahead, and within the queue's horizon.
pub fn next(house: &House, accountable: Accountable, queue: &str, priority: Priority, now: Micros) -> Attention {
    let horizon = horizon_us(house, queue);
    let attend_by = house.queue(queue).and_then(|queue| {
        let within_us = queue.attend_within_secs(priority).saturating_mul(SECOND_US);
        match &queue.calendar {
            Some(calendar) => house.calendar(calendar)?.deadline(now, within_us),
            None => now.checked_add(within_us),
        }
    });
    let latest = now.saturating_add(horizon);
    Attention { accountable, attend_by: attend_by.unwrap_or(latest).clamp(now.saturating_add(1), latest) }
}

/// The next step of a ticket that waits: somebody looks again at the time named, at the latest when the queue's horizon
/// is reached.
pub fn look_again(house: &House, accountable: Accountable, queue: &str, at: Option<Micros>, now: Micros) -> Attention {
    let latest = now.saturating_add(horizon_us(house, queue));
    Attention { accountable, attend_by: at.unwrap_or(latest).clamp(now.saturating_add(1), latest) }
}

/// The next step of a ticket with a visit: the engineer's until then, or as soon as the priority demands if that is over.
pub fn visit(
    house: &House,
    engineer: &str,
    queue: &str,
    (priority, until): (Priority, Micros),
    now: Micros,
) -> Attention {
    let engineer = Accountable::Person(engineer.to_owned());
    if until > now {
        look_again(house, engineer, queue, Some(until), now)
    } else {
        next(house, engineer, queue, priority, now)
    }
}

/// The next step of a ticket whose work is done: the customer's word, or silence until `confirm_by`. Where that is
/// further away than the longest horizon, somebody asks the customer before.
pub fn consent(accountable: Accountable, confirm_by: Micros, now: Micros) -> Attention {
    let latest = now.saturating_add(MAX_HORIZON_SECS * SECOND_US);
    Attention {
        accountable,
        attend_by: confirm_by.saturating_add(CONFIRM_SLACK_US).clamp(now.saturating_add(1), latest),
    }
}

/// When silence counts as consent: the end of the template's nth working day from `now`.
pub fn confirm_by(house: &House, template: Option<&TicketType>, now: Micros) -> Micros {
    let days = template.map_or(0, |template| template.confirm_working_days);
    let calendar = template.and_then(|template| house.calendar(template.calendar.as_deref()?));
    let end = calendar.and_then(|calendar| calendar.end_of_working_day(now, days));
    end.unwrap_or_else(|| now.saturating_add(Micros::from(days) * DAY_US)).max(now.saturating_add(1))
}

fn horizon_us(house: &House, queue: &str) -> Micros {
    house.queue(queue).map_or(MAX_HORIZON_SECS, |queue| queue.horizon_secs).saturating_mul(SECOND_US)
}
