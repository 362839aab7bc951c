//! What callers see: visits with the decisions about them, what waits for somebody, who does what.

use std::collections::BTreeMap;

use decider::Micros;
use ticket::dispatch::{Decision, DispatchEvent, Dropped, Place, Ranked};
use ticket::intake::Priority;
use ticket::{Event, Recorded};
use uuid::Uuid;

use crate::board::Board;
use crate::person::{Duty, Person};
use crate::rank::KEPT;
use crate::roster::Engineer;
use crate::work::{Visit, VisitState, Work, visit_of};

/// A ticket's field work with everything its stream says, up to one of its events.
#[derive(Clone, Debug, Default)]
pub struct Dossier {
    /// The version of the stream.
    pub version: u64,
    /// Its visits.
    pub work: Work,
    /// The last decision about each visit.
    pub decisions: BTreeMap<Uuid, Decided>,
}

/// A decision, and the event that recorded it.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The decision.
    pub decision: Decision,
    /// The event.
    pub event: Uuid,
    /// Its position in the log.
    pub position: u64,
}

impl Dossier {
    /// Folds the events of a `work/<ticket>` stream.
    pub fn fold(events: &[Recorded]) -> Self {
        let mut dossier = Self::default();
        for recorded in events {
            dossier.version = recorded.version;
            let Event::Dispatch(event) = &recorded.event else { continue };
            dossier.work.evolve(event, (recorded.position, recorded.occurred_at));
            let (DispatchEvent::Offered { decision, .. }
            | DispatchEvent::Recommended { decision, .. }
            | DispatchEvent::NobodyFound { decision, .. }) = event
            else {
                continue;
            };
            if let Some(visit) = visit_of(event) {
                let mut decision = (**decision).clone();
                // The same were dropped as before: that is where they are named.
                if let (DispatchEvent::NobodyFound { same_as: Some(_), .. }, Some(before)) =
                    (event, dossier.decisions.remove(&visit))
                {
                    decision.dropped = before.decision.dropped;
                }
                let (event, position) = (recorded.id, recorded.position);
                dossier.decisions.insert(visit, Decided { decision, event, position });
            }
        }
        dossier
    }

    /// Why somebody was not chosen for the last visit.
    pub fn why_not(&self, engineer: &str) -> WhyNot {
        let mut answer = WhyNot::default();
        let last = self.work.visits.last();
        let Some(decision) = last.and_then(|visit| self.decisions.get(&visit.id)).map(|decided| &decided.decision)
        else {
            let known = if last.is_some() { "nobody was chosen yet" } else { "no visit is planned" };
            known.clone_into(&mut answer.answer);
            return answer;
        };
        let chosen = decision.ranked.first();
        let kept = u32::try_from(decision.dropped.len() + decision.ranked.len()).unwrap_or(u32::MAX);
        answer.dropped = decision.dropped.iter().find(|dropped| dropped.engineer == engineer).cloned();
        answer.asked = decision.ranked.iter().find(|ranked| ranked.engineer == engineer).cloned();
        answer.answer = match (&answer.dropped, &answer.asked, chosen) {
            (Some(dropped), ..) => {
                format!("{engineer} was dropped by {}: {}", crate::refusal::rule_name(dropped.rule), dropped.detail)
            }
            (None, Some(_), Some(best)) if best.engineer == engineer => format!("{engineer} was chosen"),
            (None, Some(asked), Some(best)) => format!(
                "{engineer} would have cost {} seconds, {} cost {}",
                asked.score_secs, best.engineer, best.score_secs
            ),
            (None, None, best) if kept < decision.candidates => {
                let chosen = best.map_or("nobody", |best| best.engineer.as_str());
                format!("{engineer} was not among the {KEPT} best, or not on the roster; {chosen} was chosen")
            }
            _ => format!("{engineer} was not looked at"),
        };
        answer.chosen = chosen.cloned();
        answer
    }
}

/// Why somebody was not chosen.
#[derive(Clone, Debug, Default)]
pub struct WhyNot {
    /// In words.
    pub answer: String,
    /// The rule that dropped them.
    pub dropped: Option<Dropped>,
    /// What they would have cost.
    pub asked: Option<Ranked>,
    /// What the one chosen cost.
    pub chosen: Option<Ranked>,
}

/// A visit with its ticket.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The ticket.
    pub ticket: Uuid,
    /// The version of its field work.
    pub version: u64,
    /// The visit.
    pub visit: Visit,
    /// Whether it is pinned to the top.
    pub urgent: bool,
}

/// Whether a visit is pinned to the top: its ticket is critical, or nobody was there in time.
pub fn urgent(visit: &Visit, priority: Priority, now: Micros) -> bool {
    let late = visit.arrived_at.is_none() && visit.job.arrive_by < now;
    !visit.state.ended() && (priority == Priority::Critical || late)
}

/// What is offered to somebody, accepted or under way: urgent ones first, then by arrival.
pub fn my_work(board: &Board, subject: &str, now: Micros) -> Vec<Shown> {
    let held = board.people.get(subject).into_iter().flat_map(Person::ahead);
    let shown = held.filter_map(|(visit, held)| {
        let (ticket, visit) = board.visit(held.ticket, visit)?;
        let urgent = urgent(visit, ticket.priority, now);
        Some(Shown { ticket: held.ticket, version: ticket.version, visit: visit.clone(), urgent })
    });
    let mut shown: Vec<_> = shown.collect();
    shown.sort_by_key(|shown| (!shown.urgent, shown.visit.slot.map(|slot| slot.arrive), shown.visit.id));
    shown
}

/// Whether a change of a visit is somebody's business: they have it after it, or had it before.
pub fn concerned(event: &DispatchEvent, visit: &Visit, subject: &str) -> bool {
    let before = match event {
        DispatchEvent::OfferDeclined { engineer, .. }
        | DispatchEvent::OfferExpired { engineer, .. }
        | DispatchEvent::VisitReleased { engineer, .. }
        | DispatchEvent::WorkHandedOver { from: engineer, .. } => Some(engineer.as_str()),
        _ => None,
    };
    visit.engineer.as_deref() == Some(subject) || before == Some(subject)
}

/// Whether an event may be somebody's business by itself: it names them, or nobody who has the visit.
pub fn named(event: &DispatchEvent, subject: &str) -> bool {
    match event {
        DispatchEvent::Offered { engineer, .. }
        | DispatchEvent::OfferAccepted { engineer, .. }
        | DispatchEvent::OfferDeclined { engineer, .. }
        | DispatchEvent::OfferExpired { engineer, .. }
        | DispatchEvent::VisitReleased { engineer, .. }
        | DispatchEvent::Departed { engineer, .. }
        | DispatchEvent::Arrived { engineer, .. }
        | DispatchEvent::VisitCompleted { engineer, .. }
        | DispatchEvent::VisitStopped { engineer, .. } => engineer == subject,
        DispatchEvent::WorkHandedOver { from, to, .. } => from == subject || to == subject,
        DispatchEvent::Routed { .. }
        | DispatchEvent::VisitPlanned { .. }
        | DispatchEvent::Recommended { .. }
        | DispatchEvent::NobodyFound { .. }
        | DispatchEvent::SlotHeld { .. }
        | DispatchEvent::SlotReleased { .. }
        | DispatchEvent::DutyStarted { .. }
        | DispatchEvent::DutyEnded { .. }
        | DispatchEvent::TimeOffBooked { .. }
        | DispatchEvent::TimeOffCancelled { .. }
        | DispatchEvent::PositionReported { .. } => false,
        DispatchEvent::WorkStarted { .. }
        | DispatchEvent::WorkPaused { .. }
        | DispatchEvent::WorkContinued { .. }
        | DispatchEvent::VisitCancelled { .. } => true,
    }
}

/// Where a list of unassigned visits goes on: behind this one.
pub type UnassignedCursor = (bool, Micros, Uuid, Uuid);

/// At most `limit` visits that nobody has, urgent ones first, then by when somebody should be there; where to go on, if
/// there are more.
pub fn unassigned(
    board: &Board,
    now: Micros,
    after: Option<UnassignedCursor>,
    limit: usize,
) -> (Vec<Shown>, Option<UnassignedCursor>) {
    let shown = board.unassigned.iter().filter_map(|(id, visit)| {
        let (ticket, visit) = board.visit(*id, *visit)?;
        let urgent = urgent(visit, ticket.priority, now);
        let key = (!urgent, visit.job.arrive_by, *id, visit.id);
        let shown = Shown { ticket: *id, version: ticket.version, visit: visit.clone(), urgent };
        after.is_none_or(|after| key > after).then_some((key, shown))
    });
    let mut shown: Vec<_> = shown.collect();
    shown.sort_by_key(|(key, _)| *key);
    let more = shown.len() > limit;
    shown.truncate(limit);
    let next = shown.last().filter(|_| more).map(|(key, _)| *key);
    (shown.into_iter().map(|(_, shown)| shown).collect(), next)
}

/// Why nobody has a visit, in words.
pub fn why_unassigned(visit: &Visit) -> String {
    match (&visit.recommended, visit.wait_until) {
        (Some(engineer), _) => format!("waits for a dispatcher: {engineer} is recommended"),
        (None, Some(_)) => "nobody passes the rules".to_owned(),
        (None, None) => "somebody is being chosen".to_owned(),
    }
}

/// What somebody does right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// On duty, on no visit.
    Idle,
    /// On the way.
    Travelling,
    /// On site.
    Serving,
    /// Off duty.
    Off,
}

/// Somebody on the roster.
#[derive(Clone, Debug)]
pub struct EngineerView {
    /// By token subject.
    pub subject: String,
    /// What they do right now.
    pub status: Status,
    /// What the roster says.
    pub roster: Engineer,
    /// The last position and when, else home.
    pub position: Option<(Place, Option<Micros>)>,
    /// Visits offered, accepted or under way.
    pub visits_ahead: usize,
    /// When they are back, if off duty until then.
    pub off_until: Option<Micros>,
    /// The version of their stream.
    pub version: u64,
}

/// Somebody on the roster.
pub fn engineer(board: &Board, subject: &str, now: Micros) -> Option<EngineerView> {
    let roster = board.documents.engineer(subject)?.clone();
    let person = board.people.get(subject).cloned().unwrap_or_default();
    let under_way = person.under_way().and_then(|(visit, held)| Some(board.visit(held.ticket, visit)?.1.state));
    let status = match under_way {
        Some(VisitState::EnRoute) => Status::Travelling,
        Some(_) => Status::Serving,
        None if person.duty.on(now) => Status::Idle,
        None => Status::Off,
    };
    let off_until = match person.duty {
        Duty::Off { back_at } if !person.duty.on(now) => back_at,
        _ => None,
    };
    let position = person.position.map(|(place, since)| (place, Some(since)));
    Some(EngineerView {
        subject: subject.to_owned(),
        status,
        position: position.or(roster.home.map(|home| (home, None))),
        visits_ahead: person.ahead().count(),
        off_until,
        version: person.version,
        roster,
    })
}

/// At most `limit` engineers behind a name, by name; where to go on, if there are more.
pub fn engineers(
    board: &Board,
    now: Micros,
    after: Option<String>,
    limit: usize,
) -> (Vec<EngineerView>, Option<String>) {
    let behind = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
    let names = board.documents.engineers.range((behind, std::ops::Bound::Unbounded)).map(|(name, _)| name);
    let mut names: Vec<_> = names.take(limit.saturating_add(1)).collect();
    let more = names.len() > limit;
    names.truncate(limit);
    let next = names.last().filter(|_| more).map(|name| (*name).clone());
    (names.into_iter().filter_map(|name| engineer(board, name, now)).collect(), next)
}
