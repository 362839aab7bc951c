//! Which plans depend on what their recipients were told lately, in reminders of whatever ticket: caps count it, groups wait
//! for it, learning weighs it.

use decider::Micros;
use ticket::intake::Accountable;
use uuid::Uuid;

use crate::command::{Aim, Plan};
use crate::document::pinned;
use crate::linked;
use crate::plan::{Told, told};
use crate::rule::Rule;
use crate::state::House;

/// Whether what a rule says of an event does.
pub(crate) fn plan(plan: &Plan, house: &House, now: Micros) -> bool {
    let edition = pinned(&house.rules, &plan.rule.name, plan.rule.version).and_then(|edition| edition.read());
    edition.is_some_and(|(_, rule)| depends(rule, &plan.aim, (plan.ticket, house), now))
}

/// Whether what the next queue is told does, where nobody answered.
pub(crate) fn escalate(ticket: Uuid, reminder: Uuid, house: &House, now: Micros) -> bool {
    let rule = house.reminders.get(&reminder).and_then(|known| linked::rule(house, known));
    let queue = rule.and_then(|rule| Some((rule, rule.escalate_to.clone()?)));
    queue.is_some_and(|(rule, queue)| depends(rule, &Aim::Party(Accountable::Queue(queue)), (ticket, house), now))
}

fn depends(rule: &Rule, aim: &Aim, (ticket, house): (Uuid, &House), now: Micros) -> bool {
    let Some(file) = house.tickets.get(&ticket) else { return false };
    let recalled = rule.group.is_some() || rule.learn.is_some();
    let capped = |subject: &str| {
        let settings = house.people.get(subject).and_then(|person| person.settings.as_ref());
        settings.is_some_and(|settings| settings.hourly_cap > 0)
    };
    let told = told(aim, (house, file), now);
    let mut people = told.iter().filter_map(Told::subject);
    people.any(|subject| recalled || (capped(subject) && !rule.urgent))
}
