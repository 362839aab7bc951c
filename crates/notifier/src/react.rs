//! What others' facts and the passing of time make notifier want: commands, never events.

use std::collections::BTreeSet;

use decider::{Micros, Reaction, Tenant};
use ticket::dispatch::DispatchEvent;
use ticket::intake::Accountable;
use ticket::notifier::{NotifierEvent, Recall, Then};
use ticket::sla::{Pinned, SlaEvent};
use ticket::{Event, Recorded};
use uuid::Uuid;

use crate::command::{Aim, Command, Plan};
use crate::document::in_force_at;
use crate::file::File;
use crate::known::{self, Scalars};
use crate::linked;
use crate::plan::{MAX_RECALLED, moot};
use crate::reminder::Reminder;
use crate::rule::{Audience, Rule};
use crate::state::{House, State, earlier};
use crate::subject::Subject;
use crate::topic::{Topic, closed};

/// What an event takes back, and then what the rules want said of it.
pub(crate) fn react(state: &State, cause: &Recorded) -> Vec<Reaction<Command>> {
    let about = Subject::of(&cause.event).map(|subject| subject.id()).or(cause.correlation);
    let (Some(house), Some(ticket)) = (state.house(&cause.tenant), about) else { return Vec::new() };
    if let Event::Notifier(event) = &cause.event {
        return told(house, cause, ticket, event);
    }
    let mut wanted = taken_back(house, cause, ticket);
    wanted.extend(hastened(house, cause, ticket));
    if let Some(file) = house.tickets.get(&ticket) {
        wanted.extend(said(house, file, cause, ticket));
    }
    wanted
}

/// As many commands as it takes: one append holds so many events.
fn taken_back(house: &House, cause: &Recorded, ticket: Uuid) -> Vec<Reaction<Command>> {
    let Some((topic, why)) = closed(&cause.event) else { return Vec::new() };
    let position = cause.position;
    let parts = moot(house, ticket, &topic, position).count().div_ceil(MAX_RECALLED);
    let recall = |part: usize| {
        let command = Command::Recall { ticket, topic: topic.clone(), position, why };
        because(cause, "recall", format!("{ticket}/{part}"), command)
    };
    (0..parts).map(recall).collect()
}

/// What was put off beyond its clock's breach, which has moved forward, waits no longer.
fn hastened(house: &House, cause: &Recorded, ticket: Uuid) -> Vec<Reaction<Command>> {
    let Event::Sla(SlaEvent::ClockStarted { clock, .. } | SlaEvent::ClockResumed { clock, .. }) = &cause.event else {
        return Vec::new();
    };
    let topic = Topic::Clock(clock.clone());
    let theirs = house.reminders_of(ticket).filter(|(_, known)| known.topic() == topic);
    // What a digest tells waits with it.
    let sent_as = theirs.filter_map(|(id, known)| match known.gathered {
        Some(digest) => Some((digest, house.reminders.get(&digest)?)),
        None => Some((id, known)),
    });
    let open = sent_as.filter(|(_, known)| known.end.is_none() && house.overslept(known));
    let resume = |(reminder, known): (Uuid, &Reminder)| {
        because(cause, "resume", format!("{reminder}"), Command::Resume { ticket: known.ticket, reminder })
    };
    open.map(resume).collect()
}

/// A rule speaks of what was recorded while it was in force, in the version in force then: a rule put in force later
/// tells nobody of what is past.
fn said(house: &House, file: &File, cause: &Recorded, ticket: Uuid) -> Vec<Reaction<Command>> {
    if house.rules.is_empty() {
        return Vec::new();
    }
    let Some((kind, told)) = known::scalars(&cause.event, cause.occurred_at) else { return Vec::new() };
    let about = file.facts();
    let mut wanted = Vec::new();
    for (name, editions) in &house.rules {
        let edition = in_force_at(editions, cause.position).and_then(|edition| edition.read());
        let Some((version, rule)) = edition else { continue };
        if !rule.about(&kind) || !rule.holds(&about, &told) {
            continue;
        }
        let Some(aim) = aims(rule, file, &cause.event, &told) else { continue };
        // What is about a queue is told of the ticket that shows it.
        let facts = known::facts(cause.correlation, &about, &told);
        let rule = Pinned { name: name.clone(), version };
        let plan = Plan { ticket, rule, cause: (cause.id, cause.position), aim, facts };
        wanted.push(because(cause, "remind", format!("{ticket}/{name}"), Command::Plan(Box::new(plan))));
    }
    wanted
}

/// Whom a rule means, of this event: its audience and those linked with it.
fn aims(rule: &Rule, file: &File, event: &Event, told: &Scalars) -> Option<Aim> {
    let audiences = std::iter::once(&rule.audience).chain(&rule.linked);
    let mut aims: Vec<_> = audiences.filter_map(|audience| aim(audience, file, event, told)).collect();
    if rule.linked.is_empty() { aims.pop() } else { (!aims.is_empty()).then_some(Aim::Linked(aims)) }
}

/// Whom an audience means, of this event.
fn aim(audience: &Audience, file: &File, event: &Event, told: &Scalars) -> Option<Aim> {
    match (audience, event) {
        (Audience::Customer, _) => Some(Aim::Customer),
        (Audience::Queue(name), _) => Some(Aim::Party(Accountable::Queue(name.clone()))),
        (Audience::Woken, Event::Sla(SlaEvent::AttentionMissed { wakes, .. })) => Some(Aim::Party(wakes.clone())),
        (Audience::Woken, Event::Sla(SlaEvent::EscalationRaised { wakes, .. })) => Some(Aim::Persons(wakes.clone())),
        (Audience::Woken, _) => None,
        (Audience::Accountable, Event::Intake(intake)) => {
            let next = intake.next().or(file.next.as_ref());
            next.map(|next| Aim::Party(next.accountable.clone()))
        }
        (Audience::Accountable, _) => file.accountable().map(Aim::Party),
        (Audience::Engineer, Event::Dispatch(DispatchEvent::WorkHandedOver { to, .. })) => {
            Some(Aim::Person(to.clone()))
        }
        (Audience::Engineer, _) => {
            let named = told.get("engineer").and_then(|scalar| match scalar {
                ticket::condition::Scalar::Text(name) => Some(name.clone()),
                _ => None,
            });
            named.or_else(|| file.engineer.clone()).map(Aim::Person)
        }
    }
}

/// What follows from what came of a reminder.
fn told(house: &House, cause: &Recorded, ticket: Uuid, event: &NotifierEvent) -> Vec<Reaction<Command>> {
    let rule = |reminder: &Uuid| linked::rule(house, house.reminders.get(reminder)?);
    match event {
        NotifierEvent::AttemptFailed { reminder, then: Then::GiveUp, .. } => undelivered(house, cause, *reminder),
        NotifierEvent::ReminderAcknowledged { reminder, .. }
            if rule(reminder).is_some_and(|rule| !rule.linked.is_empty()) =>
        {
            let Some(known) = house.reminders.get(reminder) else { return Vec::new() };
            let parts = linked::open(house, (*reminder, known)).count().div_ceil(MAX_RECALLED);
            let settle = |part: usize| {
                let command = Command::Settle { ticket, reminder: *reminder };
                because(cause, "settle", format!("{ticket}/{part}"), command)
            };
            (0..parts).map(settle).collect()
        }
        NotifierEvent::ReminderRecalled { reminder, why: Recall::ActedOn | Recall::Answered }
            if rule(reminder).is_some_and(|rule| rule.acted.is_some()) =>
        {
            let command = Command::TellWhoActed { ticket, reminder: *reminder };
            vec![because(cause, "who-acted", reminder.to_string(), command)]
        }
        _ => Vec::new(),
    }
}

/// What did not arrive by any medium is told to the next; of a digest, each reminder in it.
fn undelivered(house: &House, cause: &Recorded, reminder: Uuid) -> Vec<Reaction<Command>> {
    let held = house.reminders.get(&reminder).and_then(|known| known.holds.as_ref());
    let lost = held.map_or_else(|| vec![reminder], |held| held.reminders.clone());
    let lost = lost.into_iter().filter_map(|id| Some((id, house.reminders.get(&id)?)));
    let lost = lost.filter(|(_, known)| known.end.is_none() && known.exhausted());
    let escalated = |(id, known): (Uuid, &Reminder)| Reaction {
        causation: Some(cause.id),
        ..escalation(cause.tenant.clone(), known.ticket, id, cause.occurred_at)
    };
    lost.map(escalated).collect()
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

/// However it comes to it, a reminder escalates once.
fn escalation(tenant: Tenant, ticket: Uuid, reminder: Uuid, at: Micros) -> Reaction<Command> {
    Reaction {
        rule: "escalate",
        tenant,
        cause: format!("{reminder}/unanswered"),
        target: ticket.to_string(),
        occurred_at: at,
        causation: None,
        command: Command::Escalate { ticket, reminder },
    }
}

/// What comes due by this instant, and what was not answered by one that the clock stands past.
pub(crate) fn due(state: &State, now: Micros, limit: usize) -> Vec<Reaction<Command>> {
    let over = needed(state, &state.waiting).take_while(|(at, ..)| *at <= now);
    let over = over.map(|(at, tenant, ticket, reminder)| Reaction {
        rule: "resume",
        tenant,
        cause: format!("{reminder}/{at}"),
        target: ticket.to_string(),
        occurred_at: at,
        causation: None,
        command: Command::Resume { ticket, reminder },
    });
    let unmoved = needed(state, &state.unmoved).take_while(|(at, ..)| *at <= now);
    let unmoved = unmoved.map(|(at, tenant, ticket, reminder)| Reaction {
        rule: "next-medium",
        tenant,
        cause: format!("{reminder}/{at}"),
        target: ticket.to_string(),
        occurred_at: at,
        causation: None,
        command: Command::AddMedium { ticket, reminder },
    });
    let again = needed(state, &state.repeats).take_while(|(at, ..)| *at <= now);
    let again = again.map(|(at, tenant, ticket, reminder)| Reaction {
        rule: "repeat",
        tenant,
        cause: reminder.to_string(),
        target: ticket.to_string(),
        occurred_at: at,
        causation: None,
        command: Command::Repeat { ticket, reminder },
    });
    let past = needed(state, &state.answers).take_while(|(at, ..)| *at < now);
    over.chain(unmoved)
        .chain(again)
        .chain(past.map(|(at, tenant, ticket, reminder)| escalation(tenant, ticket, reminder, at)))
        .take(limit)
        .collect()
}

/// The first instant at which something comes due, or that stands past an answer's.
pub(crate) fn next_due(state: &State) -> Option<Micros> {
    let over = needed(state, &state.waiting).next().map(|(at, ..)| at);
    let unmoved = needed(state, &state.unmoved).next().map(|(at, ..)| at);
    let again = needed(state, &state.repeats).next().map(|(at, ..)| at);
    earlier(
        earlier(earlier(over, unmoved), again),
        needed(state, &state.answers).next().map(|(at, ..)| at.saturating_add(1)),
    )
}

/// Those of a queue, soonest first, that still need to be said.
fn needed(
    state: &State,
    queue: &BTreeSet<(Micros, Tenant, Uuid)>,
) -> impl Iterator<Item = (Micros, Tenant, Uuid, Uuid)> {
    queue.iter().filter_map(|(at, tenant, reminder)| {
        let house = state.house(tenant)?;
        let known = house.reminders.get(reminder).filter(|known| !house.moot(known))?;
        Some((*at, tenant.clone(), known.ticket, *reminder))
    })
}
