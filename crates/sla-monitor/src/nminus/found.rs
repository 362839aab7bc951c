//! The failures by which nobody is woken for one ticket any more, each with the last link of its chain and what would close
//! the hole.

use std::cell::OnceCell;

use decider::Micros;
use serde_json::Value;
use ticket::Event;
use ticket::codec::rfc3339;
use ticket::intake::Accountable;
use ticket::scalars::scalars;
use ticket::sla::SlaEvent;
use uuid::Uuid;

use super::Failure;
use super::chain::{Chain, Wake};
use super::house::House;
use super::reach::Told;
use super::telling::{Audience, Telling, known};
use crate::record::Ticket;

/// A hole in the care of one ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) failure: Failure,
    /// Who owes the next step.
    pub(super) owed: String,
    /// When the last link of the chain is.
    pub(super) at: Micros,
    /// That link.
    pub(super) last: String,
    pub(super) remedy: String,
}

/// The last link of a chain that reaches somebody: when, what, by which rule, whom.
struct Link {
    at: Micros,
    kind: &'static str,
    rule: String,
    reached: String,
}

/// Where a chain that reaches nobody breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Broken {
    /// Nothing is ever recorded.
    Still,
    /// No rule tells of it.
    Untold,
    /// It is told, and to nobody who is there.
    Unheard,
}

/// Every failure that opens a hole in a ticket's care; nothing where nobody owes anything.
pub(super) fn find(
    house: &House<'_>,
    (id, ticket): (Uuid, &Ticket),
    (now, end): (Micros, Micros),
) -> Option<Vec<Found>> {
    let mut chain = Chain::of(house, (id, ticket), (now, end))?;
    let facts = OnceCell::new();
    let facts = || facts.get_or_init(|| known(&house.desk.situation(ticket).facts())).clone();
    // The failures by which every wake so far reaches nobody; all of them, as long as none reached anybody. A wake that
    // reaches nobody as things stand may do so where something fails: what arrived is not tried elsewhere, nor told to a
    // queue.
    let (mut left, mut vain): (Option<Vec<Failure>>, Vec<Told<'_>>) = (None, Vec::new());
    let (mut link, mut last, mut broken) = (None, None, Broken::Still);
    while let Some(wake) = chain.next() {
        let told = told(house, &chain, &wake, &facts);
        last = Some((wake.at, kind(&wake.event)));
        broken = broken.max(if told.is_empty() { Broken::Untold } else { Broken::Unheard });
        for one in told {
            let without = |one: &Told<'_>, failure: &Failure| house.reached(one, chain.lies_in, end, failure);
            let reached = without(&one, &Failure::Nothing);
            if left.is_none() && reached.is_some() {
                let mut depends = depends(house, &one);
                depends.retain(|failure| vain.iter().all(|one| without(one, failure).is_none()));
                left = Some(depends);
            }
            if let Some(reached) = reached {
                link = Some(Link { at: wake.at, kind: kind(&wake.event), rule: one.name.to_owned(), reached });
            }
            let Some(failures) = &mut left else {
                vain.push(one);
                continue;
            };
            failures.retain(|failure| without(&one, failure).is_none());
            if failures.is_empty() {
                return Some(Vec::new());
            }
        }
    }
    Some(match (left, link) {
        (Some(failures), Some(link)) => failures.into_iter().map(|one| fallen(&chain, &link, one)).collect(),
        _ => vec![none(house, &chain, last, (broken, now))],
    })
}

/// What a wake is told to whom, by every rule that speaks of it.
fn told<'a>(house: &'a House<'_>, chain: &Chain<'_>, wake: &Wake, facts: &impl Fn() -> Value) -> Vec<Told<'a>> {
    let kind = kind(&wake.event);
    let speaks = house.rules().filter(|(_, rule)| rule.about(kind));
    let event = || scalars(&Event::Sla(wake.event.clone()), wake.due_at).map(|(_, told)| known(&told));
    let holds = |rule: &Telling| rule.holds(|| [("ticket", facts()), ("event", event().unwrap_or_default())]);
    let told = speaks.filter(|(_, rule)| holds(rule)).map(|(name, rule)| {
        let audiences = [&rule.audience].into_iter().chain(&rule.linked);
        let people = audiences.flat_map(|audience| people(house, chain, wake, audience)).collect();
        Told { name, rule, people, at: wake.at, too_late: wake.too_late }
    });
    told.collect()
}

/// Those an audience means.
fn people(house: &House<'_>, chain: &Chain<'_>, wake: &Wake, audience: &Audience) -> Vec<String> {
    let behind = |party: &Accountable| house.behind(party, chain.lies_in, wake.at);
    match (audience, &wake.event) {
        (Audience::Accountable, _) => behind(&chain.owed),
        (Audience::Queue(name), _) => behind(&Accountable::Queue(name.clone())),
        (Audience::Woken, SlaEvent::AttentionMissed { wakes, .. }) => behind(wakes),
        (Audience::Woken, SlaEvent::EscalationRaised { wakes, .. }) => wakes.clone(),
        (Audience::Engineer, _) => chain.engineer.map(str::to_owned).into_iter().collect(),
        (Audience::Woken | Audience::Customer, _) => Vec::new(),
    }
}

/// Every failure that something told may depend on: those told, whoever is told when they do not answer, their media.
fn depends(house: &House<'_>, told: &Told<'_>) -> Vec<Failure> {
    let next = told.rule.escalate_to.iter().flat_map(|queue| house.everybody(queue));
    let mut found = vec![Failure::Channel(ticket::notifier::Medium::InApp)];
    for subject in told.people.iter().cloned().chain(next) {
        let ways = house.somebody(&subject).ways().flat_map(|(medium, site)| Failure::of_way(medium, site));
        found.extend(ways.collect::<Vec<_>>());
        found.push(Failure::Person(subject));
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn kind(event: &SlaEvent) -> &'static str {
    match event {
        SlaEvent::WarningRaised { .. } => "WarningRaised",
        SlaEvent::Breached { .. } => "Breached",
        SlaEvent::EscalationRaised { .. } => "EscalationRaised",
        _ => "AttentionMissed",
    }
}

fn party(owed: &Accountable) -> String {
    match owed {
        Accountable::Queue(name) => format!("queue/{name}"),
        Accountable::Person(subject) => format!("person/{subject}"),
    }
}

/// A hole that a failure opens.
fn fallen(chain: &Chain<'_>, link: &Link, failure: Failure) -> Found {
    let Link { at, kind, rule, reached } = link;
    let remedy = match &failure {
        Failure::Person(subject) => format!(
            "somebody beside {subject} who is there: in queue {} or one that steps in for it, or told by another rule",
            chain.lies_in
        ),
        Failure::Nothing | Failure::Channel(_) | Failure::Telephone | Failure::Site(_) => {
            format!("somebody with an address that does not depend on {failure}, and rules that may use it ({rule})")
        }
    };
    let last = format!("{kind} at {} reaches {reached} by rule {rule}", rfc3339(*at));
    Found { failure, owed: party(&chain.owed), at: *at, last, remedy }
}

/// A hole that is there as things stand.
fn none(
    house: &House<'_>,
    chain: &Chain<'_>,
    last: Option<(Micros, &'static str)>,
    (broken, now): (Broken, Micros),
) -> Found {
    let remedy = match broken {
        Broken::Still => "a next step within 72 hours: a shorter horizon of the queue".to_owned(),
        Broken::Untold => "a ReminderRule on AttentionMissed with audience woken: true".to_owned(),
        Broken::Unheard => {
            let queue = chain.lies_in;
            let empty = house.everybody(queue).is_empty();
            let what = if empty { "a member" } else { "a member who is there then, by a channel that works" };
            format!("{what} in queue {queue} or in one that steps in for it")
        }
    };
    let (at, last) = match last {
        Some((at, kind)) => {
            let heard = if broken == Broken::Unheard { "is told to nobody who is there" } else { "is told by no rule" };
            (at, format!("{kind} at {} {heard}", rfc3339(at)))
        }
        None => (now, "nothing falls due".to_owned()),
    };
    Found { failure: Failure::Nothing, owed: party(&chain.owed), at, last, remedy }
}
