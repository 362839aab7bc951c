//! What others' facts and the passing of time make dispatch want: commands, never events.
//!
//! What the state already shows to be pointless is not even asked for. That is economy alone: the command decides again,
//! under its guards.

use decider::{Micros, Reaction};
use ticket::condition::TicketFacts;
use ticket::dispatch::{DispatchEvent, Release, StopReason};
use ticket::house::HouseEvent;
use ticket::intake::{IntakeEvent, WaitReason};
use ticket::notifier::NotifierEvent;
use ticket::{Event, Recorded};
use uuid::Uuid;

use crate::board::Board;
use crate::command::{By, Command, Move, Target, Verb};
use crate::document::ENGINEER;
use crate::person::{Held, Person, Stage};
use crate::record::Ticket;
use crate::state::{Due, State};
use crate::work::{Visit, VisitState};

/// Unassigned visits tried again when somebody comes on duty or on the roster, the most urgent first; the others are tried
/// when their time comes.
const MAX_AGAIN: usize = 50;

/// What an event makes dispatch want.
pub(crate) fn react(state: &State, cause: &Recorded) -> Vec<Reaction<Command>> {
    let Some(board) = state.board(&cause.tenant) else { return Vec::new() };
    match &cause.event {
        Event::Intake(intake) => on_ticket(board, cause, intake).into_iter().collect(),
        Event::Dispatch(dispatch) => on_dispatch(board, cause, dispatch),
        Event::House(HouseEvent::ConfigApplied { kind, .. }) if kind == ENGINEER => try_again(board, cause),
        Event::House(HouseEvent::ConfigRetired { kind, name }) if kind == ENGINEER => {
            take_back(board, cause, (name, Release::OffRoster), |_, _| true)
        }
        Event::Notifier(NotifierEvent::OfferTaken { visit, by, .. }) => {
            cause.correlation.map(|ticket| take(cause, (ticket, *visit), by)).into_iter().collect()
        }
        Event::House(_) | Event::Sla(_) | Event::Notifier(_) => Vec::new(),
    }
}

/// Somebody takes an offer by a link in a reminder.
fn take(cause: &Recorded, (ticket, visit): (Uuid, Uuid), by: &str) -> Reaction<Command> {
    let by = By { subject: by.to_owned(), dispatcher: false };
    let asked = Move { ticket, visit, etag: None, by, verb: Verb::Accept };
    reaction("take", cause, (visit, Command::Take(Box::new(asked))))
}

fn on_ticket(board: &Board, cause: &Recorded, intake: &IntakeEvent) -> Option<Reaction<Command>> {
    let id = cause.correlation?;
    match intake {
        IntakeEvent::Received { request, .. } => {
            let ruled = !board.documents.routings.is_empty();
            (ruled || board.documents.job_type_of(&request.ticket_type).is_some()).then(|| {
                let facts = Box::new(TicketFacts::of(request));
                reaction("place", cause, (id, Command::Place { ticket: id, facts }))
            })
        }
        IntakeEvent::Reopened { .. } | IntakeEvent::ConfirmationRejected { .. } => {
            again(board.tickets.get(&id)?, cause)
        }
        IntakeEvent::WaitEnded { reasons, remaining, .. } if remaining.is_empty() => {
            let ticket = board.tickets.get(&id)?;
            let last = ticket.work().and_then(|work| work.visits.last());
            // A visit that stopped for parts is the only one that nothing followed at once, whatever was waited for last.
            // Told of again after a restart, this is not the end of a later wait.
            let before = |last: &Visit| last.ended_at.is_some_and(|ended| ended < cause.position);
            let stopped = last.is_some_and(|last| last.state == VisitState::Incomplete && before(last));
            (stopped || reasons.contains(&WaitReason::Parts)).then(|| again(ticket, cause)).flatten()
        }
        IntakeEvent::Closed { .. }
        | IntakeEvent::Cancelled { .. }
        | IntakeEvent::Resolved { .. }
        | IntakeEvent::Confirmed { .. } => {
            let open = board.tickets.get(&id)?.open_visit()?;
            let command = Command::CallOff { ticket: id, visit: open.id, ended: cause.position };
            Some(reaction("call-off", cause, (open.id, command)))
        }
        _ => None,
    }
}

fn on_dispatch(board: &Board, cause: &Recorded, event: &DispatchEvent) -> Vec<Reaction<Command>> {
    let subject = cause.stream.key();
    let missed = |person: &Person, held: &Held| person.misses(&held.slot);
    match event {
        DispatchEvent::VisitPlanned { visit, .. }
        | DispatchEvent::OfferDeclined { visit, .. }
        | DispatchEvent::OfferExpired { visit, .. }
        | DispatchEvent::VisitReleased { visit, .. } => {
            let found = cause.correlation.and_then(|ticket| Some((ticket, board.visit(ticket, *visit)?.1)));
            // What a dispatcher gave to somebody else in the same append, or what was chosen since, is not chosen again.
            let unchosen = found.filter(|(_, visit)| visit.state == VisitState::Planned && visit.wait_until.is_none());
            unchosen.map(|(ticket, visit)| choose(ticket, visit, cause)).into_iter().collect()
        }
        DispatchEvent::VisitStopped { why, .. } if *why != StopReason::Parts => {
            let ticket = cause.correlation.and_then(|id| board.tickets.get(&id));
            ticket.and_then(|ticket| again(ticket, cause)).into_iter().collect()
        }
        DispatchEvent::DutyStarted { .. } => {
            let mut wanted = take_back(board, cause, (subject, Release::OffDuty), missed);
            wanted.extend(try_again(board, cause));
            wanted
        }
        DispatchEvent::DutyEnded { .. } | DispatchEvent::TimeOffBooked { .. } => {
            take_back(board, cause, (subject, Release::OffDuty), missed)
        }
        DispatchEvent::VisitStopped { .. }
        | DispatchEvent::Routed { .. }
        | DispatchEvent::Offered { .. }
        | DispatchEvent::Recommended { .. }
        | DispatchEvent::NobodyFound { .. }
        | DispatchEvent::OfferAccepted { .. }
        | DispatchEvent::Departed { .. }
        | DispatchEvent::Arrived { .. }
        | DispatchEvent::WorkStarted { .. }
        | DispatchEvent::WorkPaused { .. }
        | DispatchEvent::WorkContinued { .. }
        | DispatchEvent::VisitCompleted { .. }
        | DispatchEvent::VisitCancelled { .. }
        | DispatchEvent::WorkHandedOver { .. }
        | DispatchEvent::SlotHeld { .. }
        | DispatchEvent::SlotReleased { .. }
        | DispatchEvent::TimeOffCancelled { .. }
        | DispatchEvent::PositionReported { .. } => Vec::new(),
    }
}

/// One more visit, if the ticket had some and none is open.
fn again(ticket: &Ticket, cause: &Recorded) -> Option<Reaction<Command>> {
    let id = cause.correlation?;
    let after = ticket.visits();
    (after > 0).then(|| reaction("plan-again", cause, (id, Command::PlanAgain { ticket: id, after })))
}

fn choose(ticket: Uuid, visit: &Visit, cause: &Recorded) -> Reaction<Command> {
    let target = Target { ticket, visit: visit.id, attempt: visit.attempt };
    reaction("choose", cause, (visit.id, Command::Choose(target)))
}

/// Another try for visits that nobody has, but for those that wait for a dispatcher.
fn try_again(board: &Board, cause: &Recorded) -> Vec<Reaction<Command>> {
    let waiting =
        board.unassigned.iter().filter_map(|(ticket, visit)| Some((*ticket, board.visit(*ticket, *visit)?.1)));
    let waiting = waiting.filter(|(_, visit)| visit.recommended.is_none());
    let mut waiting: Vec<_> = waiting.collect();
    waiting.sort_by_key(|(_, visit)| (std::cmp::Reverse(visit.job.priority), visit.job.arrive_by, visit.id));
    waiting.into_iter().take(MAX_AGAIN).map(|(ticket, visit)| choose(ticket, visit, cause)).collect()
}

/// Takes visits that have not begun from somebody; what was given since, in spite of it, stays.
fn take_back(
    board: &Board,
    cause: &Recorded,
    (engineer, why): (&str, Release),
    missed: impl Fn(&Person, &Held) -> bool,
) -> Vec<Reaction<Command>> {
    let Some(person) = board.people.get(engineer) else { return Vec::new() };
    let theirs = person.ahead().filter(|(_, held)| held.stage == Stage::Ahead && held.given_at < cause.position);
    let lost = theirs.filter(|(_, held)| missed(person, held));
    let command = |(visit, held): (Uuid, &Held)| {
        let attempt = board.visit(held.ticket, visit)?.1.attempt;
        let target = Target { ticket: held.ticket, visit, attempt };
        let command = Command::TakeBack { target, engineer: engineer.to_owned(), why };
        Some(reaction("take-back", cause, (visit, command)))
    };
    lost.filter_map(command).collect()
}

fn reaction(rule: &'static str, cause: &Recorded, (target, command): (Uuid, Command)) -> Reaction<Command> {
    Reaction {
        rule,
        tenant: cause.tenant.clone(),
        cause: cause.id.to_string(),
        target: target.to_string(),
        occurred_at: cause.occurred_at,
        causation: Some(cause.id),
        command,
    }
}

/// What the clock stands past: a thing done exactly at its deadline is in time.
pub(crate) fn due(state: &State, now: Micros, limit: usize) -> Vec<Reaction<Command>> {
    let past = state.ahead.iter().take_while(|due| due.at < now);
    past.filter_map(|due| deadline(state.board(&due.tenant)?, due)).take(limit).collect()
}

/// The first instant that stands past a deadline.
pub(crate) fn next_due(state: &State) -> Option<Micros> {
    state.ahead.first().map(|due| due.at.saturating_add(1))
}

fn deadline(board: &Board, due: &Due) -> Option<Reaction<Command>> {
    let (_, visit) = board.visit(due.ticket, due.visit)?;
    let target = Target { ticket: due.ticket, visit: visit.id, attempt: visit.attempt };
    let (rule, command) = match visit.state {
        VisitState::Offered => ("expire", Command::Expire(target)),
        VisitState::Accepted => {
            let engineer = visit.engineer.clone()?;
            ("no-show", Command::TakeBack { target, engineer, why: Release::NoShow })
        }
        _ => ("retry", Command::Choose(target)),
    };
    Some(Reaction {
        rule,
        tenant: due.tenant.clone(),
        cause: format!("{}/{}/{}", visit.id, visit.attempt, due.at),
        target: visit.id.to_string(),
        occurred_at: due.at,
        causation: None,
        command,
    })
}
