//! What dispatch does by itself: route, plan, choose, and take back what nobody does.

use decider::{At, Core, Decided, Micros, Read};
use ticket::condition::TicketFacts;
use ticket::dispatch::{Chooser, Decision, Destination, DispatchEvent, Job, Release, Slot, VisitEnd};
use ticket::sla::Pinned;
use ticket::{Event, stream};
use uuid::Uuid;

use crate::Dispatch;
use crate::board::Board;
use crate::command::{Target, on_engineer, on_work};
use crate::document::ENGINEER;
use crate::person::Person;
use crate::policy::{Mode, Policy};
use crate::rank::{self, Choice, Question};
use crate::record::{Standing, Ticket};
use crate::state::State;
use crate::work::{Visit, VisitState};

/// Longest time, microseconds, between two tries while nothing changes, unless the policy's own is longer: 2 h.
const MAX_RETRY_US: Micros = 2 * 3_600 * 1_000_000;
/// A minute, the shortest time between two tries, doubled that often is longer than that.
const MAX_DOUBLINGS: u32 = 7;

/// A ticket, its own stream and that of its field work guarded.
fn guarded<'a>(id: Uuid, read: &Read<'a, State>, at: &At) -> Option<(&'a Board, &'a Ticket)> {
    read.guard(&stream::ticket(id));
    let board = read.guard(&stream::work(id)).board(&at.tenant)?;
    Some((board, board.tickets.get(&id)?))
}

/// A visit as it was found, guarded, if there was no decision about it since.
fn targeted<'a>(target: Target, read: &Read<'a, State>, at: &At) -> Option<(&'a Board, &'a Ticket, &'a Visit)> {
    let (board, ticket) = guarded(target.ticket, read, at)?;
    let visit = ticket.visit(target.visit).filter(|visit| visit.attempt == target.attempt)?;
    read.overrides(visit.moved_at);
    Some((board, ticket, visit))
}

/// Goal: it is said where a new ticket belongs, and its visit is planned if its type needs one.
pub(crate) fn place(id: Uuid, facts: &TicketFacts, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Some((board, ticket)) = guarded(id, read, at) else { return Vec::new() };
    if ticket.version > 0 {
        return Vec::new();
    }
    let mut events = Vec::new();
    let found =
        board.documents.routings().find_map(|(name, version, routing)| Some((name, version, routing.find(facts)?)));
    if let Some((name, version, rule)) = found {
        let routing = Pinned { name: name.to_owned(), version };
        events.push(on_work(id, DispatchEvent::Routed { rule: rule.name.clone(), routing, to: rule.to.clone() }));
    }
    if let Some((name, version, job_type)) = board.documents.job_type_of(&facts.ticket_type) {
        let pinned = Pinned { name: name.to_owned(), version };
        let mut job = job_type.job(pinned, facts, (ticket.priority, at.occurred_at));
        match found.map(|(.., rule)| &rule.to) {
            Some(Destination::Team(team)) => job.team = Some(team.clone()),
            Some(Destination::Person(person)) => job.person = Some(person.clone()),
            Some(Destination::Queue(_)) | None => {}
        }
        events.push(on_work(id, planned(1, job, at)));
        // Its work was done before anybody looked: what a visit would need is kept, should it come back.
        if ticket.standing != Standing::Open {
            let (visit, why) = (at.mint(1), VisitEnd::TicketEnded);
            events.push(on_work(id, DispatchEvent::VisitCancelled { visit, why }));
        }
    }
    events
}

/// Goal: a ticket that had visits, and needs one more, has it.
pub(crate) fn again(id: Uuid, after: u32, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Some((board, ticket)) = guarded(id, read, at) else { return Vec::new() };
    let needed = ticket.standing == Standing::Open && ticket.open_visit().is_none() && ticket.visits() == after;
    let last = board.last_job(ticket).filter(|_| needed);
    let job = last.and_then(|last| {
        let name = &last.job_type.name;
        let (version, job_type) = (board.documents.job_types.get(name)?.version, board.documents.job_type(name)?);
        let job_type_pin = Pinned { name: name.clone(), version };
        let arrive_by = job_type.arrive_by(ticket.priority, at.occurred_at);
        Some(Job { job_type: job_type_pin, arrive_by, priority: ticket.priority, ..last })
    });
    job.map(|job| on_work(id, planned(after + 1, job, at))).into_iter().collect()
}

fn planned(number: u32, job: Job, at: &At) -> DispatchEvent {
    DispatchEvent::VisitPlanned { visit: at.mint(number), number, job: Box::new(job) }
}

/// Goal: somebody is asked, or a dispatcher is, or it is known that nobody can be, until that is tried again.
pub(crate) fn choose(target: Target, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Some((board, ticket, visit)) = targeted(target, read, at) else { return Vec::new() };
    if ticket.standing != Standing::Open || visit.state != VisitState::Planned {
        return Vec::new();
    }
    let (pinned, policy) = board.policy(&visit.job.job_type.name);
    let (idle, crew) = (Person::default(), board.crew(ticket));
    let asked = Question {
        visit: visit.id,
        job: &visit.job,
        policy: &policy,
        now: at.now,
        refused: &visit.refused,
        crew: &crew,
    };
    let choice = rank::choose(board.candidates(&idle), &asked);
    if visit.waits(at.now) && (choice.ranked.is_empty() || visit.recommended.is_some()) {
        return Vec::new();
    }
    let best = choice.ranked.first().map(|best| (best.engineer.clone(), best.slot));
    let decision = decision(choice, (pinned, &policy), at);
    let attempt = visit.attempt + 1;
    match (best, policy.mode) {
        (None, _) => vec![on_work(target.ticket, nobody(visit, decision, policy.retry_every_us))],
        (Some(_), Mode::Recommend) => {
            let decide_by = at.now.saturating_add(policy.decide_within_us);
            vec![on_work(target.ticket, DispatchEvent::Recommended { visit: visit.id, attempt, decide_by, decision })]
        }
        (Some(best), Mode::Automatic) => {
            guard_chosen(&best.0, read);
            let candidate = board.candidate(&best.0, &idle);
            let asked_at = candidate.map_or(at.now, |candidate| candidate.diary.answers_from(at.now));
            let respond_by = asked_at.saturating_add(policy.respond_within_us);
            offer(target.ticket, visit, best, (decision, respond_by))
        }
    }
}

/// That nobody can be asked. As long as the same are dropped for the same reasons they are not named again, and every try
/// waits twice as long as the one before.
fn nobody(visit: &Visit, mut decision: Box<Decision>, retry_every_us: Micros) -> DispatchEvent {
    let same = visit.findings.as_ref().filter(|findings| findings.are(&decision.dropped));
    if same.is_some() {
        decision.dropped.clear();
    }
    let doublings = same.map_or(0, |findings| findings.tries.min(MAX_DOUBLINGS));
    let wait_us = (retry_every_us << doublings).min(retry_every_us.max(MAX_RETRY_US));
    let (same_as, retry_at) = (same.map(|findings| findings.attempt), decision.at.saturating_add(wait_us));
    DispatchEvent::NobodyFound { visit: visit.id, attempt: visit.attempt + 1, retry_at, decision, same_as }
}

/// Notes what may speak against whoever was chosen: their time, and what the roster says of them.
pub(crate) fn guard_chosen(engineer: &str, read: &Read<'_, State>) {
    read.guard(&stream::engineer(engineer));
    read.guard(&stream::config(Dispatch::NAME, ENGINEER, engineer));
}

fn decision(choice: Choice, (policy, terms): (Pinned, &Policy), at: &At) -> Box<Decision> {
    Box::new(Decision {
        chooser: Chooser::Policy,
        policy,
        weights: terms.weights.clone(),
        at: at.now,
        candidates: choice.candidates,
        dropped: choice.dropped,
        ranked: choice.ranked,
    })
}

/// The events of an offer: the question, and the time held.
pub(crate) fn offer(
    ticket: Uuid,
    visit: &Visit,
    (engineer, slot): (String, Slot),
    (decision, respond_by): (Box<Decision>, Micros),
) -> Decided<Event> {
    let held = on_engineer(&engineer, DispatchEvent::SlotHeld { ticket, visit: visit.id, slot });
    let attempt = visit.attempt + 1;
    let offered = DispatchEvent::Offered { visit: visit.id, engineer, slot, respond_by, attempt, decision };
    vec![on_work(ticket, offered), held]
}

/// The event that frees an engineer's time.
pub(crate) fn free(ticket: Uuid, visit: Uuid, engineer: &str) -> (decider::Stream, Event) {
    on_engineer(engineer, DispatchEvent::SlotReleased { ticket, visit })
}

/// Goal: an offer that was not answered in time is nobody's.
pub(crate) fn expire(target: Target, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Some((_, _, visit)) = targeted(target, read, at) else { return Vec::new() };
    let over = visit.state == VisitState::Offered && visit.wait_until.is_some_and(|until| until < at.now);
    let Some(engineer) = visit.engineer.clone().filter(|_| over) else { return Vec::new() };
    read.guard(&stream::engineer(&engineer));
    let freed = free(target.ticket, visit.id, &engineer);
    vec![on_work(target.ticket, DispatchEvent::OfferExpired { visit: visit.id, engineer }), freed]
}

/// Goal: a visit that has not begun is not this engineer's, if the reason still holds.
pub(crate) fn take_back(
    target: Target,
    (engineer, why): (&str, Release),
    read: &Read<'_, State>,
    at: &At,
) -> Decided<Event> {
    let Some((board, _, visit)) = targeted(target, read, at) else { return Vec::new() };
    read.guard(&stream::engineer(engineer));
    if !visit.given() || visit.engineer.as_deref() != Some(engineer) {
        return Vec::new();
    }
    let holds = match why {
        Release::NoShow => visit.state == VisitState::Accepted && visit.wait_until.is_some_and(|until| until < at.now),
        Release::OffDuty => {
            board.people.get(engineer).zip(visit.slot).is_some_and(|(person, slot)| person.misses(&slot))
        }
        Release::OffRoster => {
            read.guard(&stream::config(Dispatch::NAME, ENGINEER, engineer));
            board.documents.engineer(engineer).is_none()
        }
        // These are a dispatcher's word, no rule's.
        Release::Withdrawn | Release::Reassigned => false,
    };
    if !holds {
        return Vec::new();
    }
    let (visit, engineer, note) = (visit.id, engineer.to_owned(), String::new());
    let freed = free(target.ticket, visit, &engineer);
    vec![on_work(target.ticket, DispatchEvent::VisitReleased { visit, engineer, why, note }), freed]
}

/// Goal: the visit is over, if it was planned before the ticket ended at position `ended`: one that was planned since is
/// for the ticket that came back.
pub(crate) fn call_off((id, visit): (Uuid, Uuid), ended: u64, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Some((_, ticket)) = guarded(id, read, at) else { return Vec::new() };
    let open = ticket.visit(visit).filter(|visit| !visit.state.ended() && visit.planned_at < ended);
    let Some(open) = open else { return Vec::new() };
    // A late report of the ticket's end does not undo what the visit came to since.
    read.overrides(open.moved_at);
    let why = VisitEnd::TicketEnded;
    let mut events = vec![on_work(id, DispatchEvent::VisitCancelled { visit, why })];
    if let Some(engineer) = &open.engineer {
        read.guard(&stream::engineer(engineer));
        events.push(free(id, visit, engineer));
    }
    events
}
