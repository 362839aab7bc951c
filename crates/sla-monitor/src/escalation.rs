//! Who is called, step by step, once a clock is breached: until somebody answers for it, or it ends.
//!
//! A call is known by ticket, clock, generation and step, and made at most once. An acknowledgement stops the calls for a
//! time; if the clock has not ended by then, the next is called. The steps are gone through a bounded number of times;
//! then a queue is called, whoever of it or of those that step in for it is on duty, and the attention of the ticket,
//! which never ends, is left to wake people.

use decider::{At, Decided, Micros, Read};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ticket::document::{Fault, Part, read};
use ticket::intake::Accountable;
use ticket::sla::{Audience, Pinned, SlaEvent};
use ticket::{Event, stream};
use uuid::Uuid;

use crate::clock::Phase;
use crate::command::{Refusal, guarded_with_work};
use crate::documents::in_force;
use crate::record::{Dial, Ticket};
use crate::rota::Rota;
use crate::staff::Staff;
use crate::state::{Desk, State};

/// Most steps.
const MAX_STEPS: usize = 16;
/// Most times they are gone through again.
const MAX_REPEAT: i64 = 10;
/// Longest wait, seconds: 30 days.
const MAX_WAIT_SECS: i64 = 30 * 86_400;

/// The `spec` of a `kind: Escalation` document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// How long after the breach the first is called, microseconds.
    pub(crate) after_us: Micros,
    steps: Vec<Step>,
    /// How often the steps are gone through again.
    repeat: u32,
    /// For how long an acknowledgement holds, microseconds.
    acknowledged_for_us: Micros,
    /// The queue that is called at the end.
    fallback: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    audience: Audience,
    acknowledge_within_us: Micros,
}

/// The calls for a clock's breach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Called {
    /// The generation that breached.
    pub(crate) generation: u32,
    /// Calls so far.
    pub(crate) step: u32,
    /// When the next is due, if one is.
    pub(crate) next_at: Option<Micros>,
    /// Who was called last.
    pub(crate) wakes: Vec<String>,
    /// Who answers for it, as long as that holds.
    pub(crate) acknowledged: Option<String>,
}

impl Escalation {
    /// Reads a spec, or names everything that is wrong with it.
    pub fn read(spec: &Value) -> Result<Self, Vec<Fault>> {
        read(spec, |part| {
            part.only(&["after", "steps", "repeat", "acknowledged_for", "fallback"]);
            let after_us = part.maybe("after").map_or(Some(0), |after| wait_us(&after, 0));
            let items = part.field("steps").map(|steps| steps.items()).unwrap_or_default();
            if items.is_empty() || items.len() > MAX_STEPS {
                part.fault_at("/steps", format!("must be 1 to {MAX_STEPS}"));
            }
            let steps = items.iter().filter_map(read_step).collect();
            let repeat = part.maybe("repeat").map_or(Some(0), |repeat| repeat.number())?;
            if !(0..=MAX_REPEAT).contains(&repeat) {
                part.fault_at("/repeat", format!("must be from 0 to {MAX_REPEAT}"));
            }
            let acknowledged_for_us = part.field("acknowledged_for").and_then(|wait| wait_us(&wait, 60));
            let fallback = part.field("fallback").and_then(|queue| queue.text());
            Some(Self {
                after_us: after_us?,
                steps,
                repeat: u32::try_from(repeat).unwrap_or(0),
                acknowledged_for_us: acknowledged_for_us?,
                fallback: fallback?.to_owned(),
            })
        })
    }

    /// The persons it calls by name.
    pub(crate) fn people(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match &step.audience {
            Audience::Person(subject) => Some(subject.as_str()),
            Audience::Accountable | Audience::Desk | Audience::Queue(_) | Audience::Rota(_) => None,
        })
    }

    /// Who is called at a step (from 1), and within which time an answer is wanted; nobody after the last.
    fn step(&self, step: u32) -> Option<(Audience, Option<Micros>)> {
        let steps = u32::try_from(self.steps.len()).unwrap_or(u32::MAX).max(1);
        let calls = steps.saturating_mul(self.repeat + 1);
        if step > calls {
            return (step == calls + 1).then(|| (Audience::Queue(self.fallback.clone()), None));
        }
        let step = self.steps.get(usize::try_from((step - 1) % steps).ok()?)?;
        Some((step.audience.clone(), Some(step.acknowledge_within_us)))
    }
}

fn wait_us(part: &Part<'_>, least: i64) -> Option<Micros> {
    let secs = part.duration_secs()?;
    if !(least..=MAX_WAIT_SECS).contains(&secs) {
        part.fault(format!("must be from {least}s to 720h"));
    }
    secs.checked_mul(1_000_000)
}

fn read_step(part: &Part<'_>) -> Option<Step> {
    part.only(&["accountable", "desk", "person", "queue", "rota", "acknowledge_within"]);
    let flag = |name| part.maybe(name).and_then(|flag| flag.flag()).unwrap_or_default();
    let named = |name| part.maybe(name).and_then(|of| of.text()).map(str::to_owned);
    let audiences = [
        flag("accountable").then_some(Audience::Accountable),
        flag("desk").then_some(Audience::Desk),
        named("person").map(Audience::Person),
        named("queue").map(Audience::Queue),
        named("rota").map(Audience::Rota),
    ];
    let mut audiences: Vec<_> = audiences.into_iter().flatten().collect();
    if audiences.len() != 1 {
        part.fault("must call exactly one of accountable, desk, person, queue, rota");
    }
    let acknowledge_within_us = part.field("acknowledge_within").and_then(|within| wait_us(&within, 60))?;
    Some(Step { audience: audiences.pop()?, acknowledge_within_us })
}

/// When the first is called for a clock that is breached at this instant, if anybody is.
pub(crate) fn begins(desk: &Desk, dial: Dial<'_>, breached_at: Micros) -> Option<Micros> {
    let going = matches!(dial.phase, Phase::Running | Phase::Paused);
    let escalation = policy(desk, dial).filter(|_| going)?;
    Some(breached_at.saturating_add(escalation.after_us))
}

/// The escalation a clock was started with.
fn policy<'a>(desk: &'a Desk, dial: Dial<'_>) -> Option<&'a Escalation> {
    edition(desk, desk.terms_of(dial.terms)?.escalation.as_ref()?)
}

fn edition<'a>(desk: &'a Desk, pinned: &Pinned) -> Option<&'a Escalation> {
    let editions = desk.escalations.get(&pinned.name)?;
    editions.iter().find(|one| one.version() == pinned.version)?.kept.as_ref()?.get(Escalation::read)
}

/// Who an audience is now; by which shift, where a rota says so.
pub(crate) fn resolve<'r>(
    staff: &Staff<'_>,
    owed: Option<&Accountable>,
    rota: impl Fn(&str) -> Option<&'r Rota>,
    audience: &Audience,
) -> (Vec<String>, Option<String>) {
    let persons = |party: &Accountable| (staff.persons(party), None);
    match audience {
        Audience::Accountable => owed.map(persons).unwrap_or_default(),
        Audience::Desk => persons(&Accountable::Queue(staff.lies_in.to_owned())),
        Audience::Person(subject) => persons(&Accountable::Person(subject.clone())),
        Audience::Queue(name) => persons(&Accountable::Queue(name.clone())),
        Audience::Rota(name) => {
            let on_call = rota(name).and_then(|rota| rota.who(staff.at));
            let on_call = on_call.filter(|on_call| staff.duty.on(on_call.person, staff.at));
            on_call.map(|on| (vec![on.person.to_owned()], Some(on.shift.to_owned()))).unwrap_or_default()
        }
    }
}

/// Whom something concerns that is raised of a ticket at an instant: who owes the next step by then, and whom an escalation
/// calls first. Nobody asks here who is on duty.
pub(crate) fn first_woken(desk: &Desk, ticket: &Ticket, by: Option<&Pinned>, at: Micros) -> Vec<Accountable> {
    let (mut owed, mut queue) = (None, None);
    for scene in ticket.facts.iter().take_while(|fact| fact.at() <= at).filter_map(|fact| desk.said(*fact)) {
        (owed, queue) = (scene.owed.or(owed), scene.queue.or(queue));
    }
    let lies_in = queue.map(|queue| Accountable::Queue(desk.names.text(queue).to_owned()));
    let owed = owed.map(|owed| owed.party(&desk.names)).or_else(|| lies_in.clone());
    let called = by.and_then(|pinned| edition(desk, pinned)).and_then(|escalation| match escalation.step(1)?.0 {
        Audience::Accountable => owed.clone(),
        Audience::Desk => lies_in,
        Audience::Person(subject) => Some(Accountable::Person(subject)),
        Audience::Queue(name) => Some(Accountable::Queue(name)),
        Audience::Rota(name) => {
            let rota = in_force(&desk.rotas, &name)?.get(Rota::read)?;
            let on_call = rota.who(at.saturating_add(escalation.after_us))?;
            Some(Accountable::Person(on_call.person.to_owned()))
        }
    });
    let called = called.filter(|called| Some(called) != owed.as_ref());
    owed.into_iter().chain(called).collect()
}

/// A call that is due.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) clock: String,
    pub(crate) generation: u32,
    pub(crate) step: u32,
    pub(crate) due_at: Micros,
    pub(crate) major: Option<String>,
}

/// What is recorded of a call that is made now: where nobody is there, the one after follows at once.
pub(crate) fn raised(
    call: Call,
    escalation: Option<&Escalation>,
    who: impl FnOnce(&Audience) -> (Vec<String>, Option<String>),
    now: Micros,
) -> SlaEvent {
    let Call { clock, generation, step, due_at, major } = call;
    let (audience, within_us) =
        escalation.and_then(|escalation| escalation.step(step)).unwrap_or((Audience::Desk, None));
    let (wakes, shift) = who(&audience);
    let next_at = within_us.map(|within| if wakes.is_empty() { due_at } else { now.saturating_add(within) });
    SlaEvent::EscalationRaised { clock, generation, step, due_at, audience, wakes, shift, next_at, major }
}

/// Calls the next for a clock.
pub(crate) fn call(
    id: Uuid,
    name: &str,
    (generation, step): (u32, u32),
    read: &Read<'_, State>,
    at: &At,
) -> Decided<Event> {
    let raised = guarded_with_work(id, read, at).and_then(|(desk, ticket)| {
        let number = desk.names.find(name)?;
        let (dial, called) = (ticket.clock(number)?, ticket.called(number)?);
        let due_at = called.next_at.filter(|due_at| *due_at < at.now)?;
        ((called.generation, called.step + 1) == (generation, step)).then_some(())?;
        let owed = ticket.attending.as_ref().and_then(|attending| attending.owed(&desk.names));
        let staff = desk.staff(ticket, at.now);
        let rota = |name: &str| in_force(&desk.rotas, name).and_then(|kept| kept.get(Rota::read));
        let who = |audience: &Audience| resolve(&staff, owed.as_ref(), rota, audience);
        let major = desk.terms_of(dial.terms).and_then(|terms| terms.major.clone());
        let call = Call { clock: name.to_owned(), generation, step, due_at, major };
        Some(raised(call, policy(desk, dial), who, at.now))
    });
    raised.into_iter().map(|event| (stream::sla(id), Event::Sla(event))).collect()
}

/// A person answers for a breached clock.
pub(crate) fn acknowledge(
    id: Uuid,
    name: &str,
    by: &str,
    read: &Read<'_, State>,
    at: &At,
) -> Result<Decided<Event>, Refusal> {
    let (desk, ticket) = read.guard(&stream::sla(id)).ticket(&at.tenant, id).ok_or(Refusal::TicketUnknown)?;
    let number = desk.names.find(name).filter(|number| ticket.clock(*number).is_some());
    let number = number.ok_or_else(|| Refusal::ClockUnknown(name.to_owned()))?;
    let called = ticket.called(number).ok_or_else(|| Refusal::NotEscalated(name.to_owned()))?;
    Ok(acknowledged(desk, ticket, (id, number, called), by, at).into_iter().collect())
}

/// Somebody who was called answered on another way: that stands for every clock they were called for.
pub(crate) fn answer(id: Uuid, by: &str, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Some((desk, ticket)) = read.guard(&stream::sla(id)).ticket(&at.tenant, id) else { return Vec::new() };
    let of = answerable(ticket, by);
    of.filter_map(|(number, called)| acknowledged(desk, ticket, (id, *number, called), by, at)).collect()
}

/// The clocks for which somebody was called and nobody answers.
pub(crate) fn answerable<'a>(ticket: &'a Ticket, by: &'a str) -> impl Iterator<Item = &'a (u32, Called)> {
    let called = move |called: &Called| called.acknowledged.is_none() && called.wakes.iter().any(|woken| woken == by);
    ticket.calls().filter(move |(_, one)| called(one))
}

fn acknowledged(
    desk: &Desk,
    ticket: &Ticket,
    (id, number, called): (Uuid, u32, &Called),
    by: &str,
    at: &At,
) -> Option<(decider::Stream, Event)> {
    if called.acknowledged.is_some() {
        return None;
    }
    let escalation = ticket.clock(number).and_then(|dial| policy(desk, dial));
    let holds_us = escalation.map_or(crate::policy::ATTENTION_EVERY_US, |escalation| escalation.acknowledged_for_us);
    let (clock, generation, step) = (desk.names.text(number).to_owned(), called.generation, called.step);
    let (by, rearms_at) = (by.to_owned(), at.now.saturating_add(holds_us));
    let event = SlaEvent::EscalationAcknowledged { clock, generation, step, by, rearms_at };
    Some((stream::sla(id), Event::Sla(event)))
}

/// Takes an event about a clock in: what it means for those who are called for it.
pub(crate) fn evolve(ticket: &mut Ticket, clock: u32, event: &SlaEvent) {
    match event {
        SlaEvent::Breached { generation, escalates_at: Some(at), .. } => {
            let (generation, next_at) = (*generation, Some(*at));
            let called = Called { generation, step: 0, next_at, wakes: Vec::new(), acknowledged: None };
            ticket.call(clock, Some(called));
        }
        SlaEvent::EscalationRaised { generation, step, wakes, next_at, .. } => {
            let (generation, step, next_at, wakes) = (*generation, *step, *next_at, wakes.clone());
            ticket.call(clock, Some(Called { generation, step, next_at, wakes, acknowledged: None }));
        }
        SlaEvent::EscalationAcknowledged { by, rearms_at, .. } => {
            let known = ticket.called(clock).cloned();
            let (next_at, acknowledged) = (Some(*rearms_at), Some(by.clone()));
            ticket.call(clock, known.map(|known| Called { next_at, acknowledged, ..known }));
        }
        SlaEvent::ClockStopped { .. } | SlaEvent::ClockCancelled { .. } | SlaEvent::BreachRevoked { .. } => {
            ticket.call(clock, None);
        }
        SlaEvent::ClockStarted { began, .. } if ticket.clock(clock).is_some_and(|dial| dial.began() != *began) => {
            ticket.call(clock, None);
        }
        _ => {}
    }
}
