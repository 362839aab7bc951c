//! What people say about their time: duty, time off, where they are. Duty holds for everybody, on a roster or not.

use decider::{At, Decided, Micros, Read};
use ticket::dispatch::{DispatchEvent, OffDuty, Place};
use ticket::{Event, stream};

use crate::command::{By, on_engineer};
use crate::person::{Duty, Person};
use crate::refusal::{FieldFault, NAME_MAX_CHARS, Refusal, check, required};
use crate::roster::on_earth;
use crate::state::State;

/// Shortest time between two positions that are kept: five minutes.
const POSITION_EVERY_US: Micros = 300 * 1_000_000;
/// Longest time off: 366 days.
const MAX_TIME_OFF_US: Micros = 366 * 86_400 * 1_000_000;
/// Most stretches of time off somebody may have booked at once.
const MAX_BOOKED: usize = 100;

/// What may be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// On duty.
    Start {
        /// When it ends by itself.
        until: Option<Micros>,
    },
    /// Off duty.
    End {
        /// Why.
        why: OffDuty,
        /// When they are back.
        back_at: Option<Micros>,
    },
    /// Time off.
    Book {
        /// From.
        from: Micros,
        /// To, exclusive.
        to: Micros,
    },
    /// No time off.
    Cancel {
        /// From, as booked.
        from: Micros,
    },
    /// Where they are.
    Report {
        /// Where.
        place: Place,
    },
}

/// Goal: it is known of this person.
pub(crate) fn decide(
    (subject, by): (&str, &By),
    verb: &Verb,
    read: &Read<'_, State>,
    at: &At,
) -> Result<Decided<Event>, Refusal> {
    if !by.dispatcher && subject != by.subject {
        return Err(Refusal::NotYours);
    }
    check([required("engineer", subject, NAME_MAX_CHARS)])?;
    let nobody = Person::default();
    let person = |state: &'_ State| state.board(&at.tenant).and_then(|board| board.people.get(subject)).cloned();
    if let Verb::Report { place } = verb {
        // Nothing guards where somebody is: it is kept coarse in time, and the last word counts.
        let person = person(read.look()).unwrap_or(nobody);
        return report(&person, subject, *place, at);
    }
    let person = person(read.guard(&stream::engineer(subject))).unwrap_or(nobody);
    let event = timed(&person, verb, at.now)?;
    Ok(event.map(|event| on_engineer(subject, event)).into_iter().collect())
}

/// The event that makes it so, if it is not so yet.
fn timed(person: &Person, verb: &Verb, now: Micros) -> Result<Option<DispatchEvent>, Refusal> {
    let past = |field, at: Micros| (at <= now).then(|| FieldFault::new(field, "must lie in the future"));
    match verb {
        Verb::Start { until } => {
            let ends_at = if let Duty::On { until } = person.duty { until } else { None };
            if person.duty.on(now) && ends_at == *until {
                return Ok(None);
            }
            check([until.and_then(|until| past("until_time", until))])?;
            Ok(Some(DispatchEvent::DutyStarted { until: *until }))
        }
        Verb::End { why, back_at } => {
            if person.duty == (Duty::Off { back_at: *back_at }) && !person.duty.on(now) {
                return Ok(None);
            }
            check([back_at.and_then(|back_at| past("back_time", back_at))])?;
            Ok(Some(DispatchEvent::DutyEnded { why: *why, back_at: *back_at }))
        }
        Verb::Book { from, to } => {
            if person.time_off.get(from) == Some(to) {
                return Ok(None);
            }
            let length = to.saturating_sub(*from);
            let odd =
                (!(1..=MAX_TIME_OFF_US).contains(&length)).then_some("must lie after start_time, by at most 366 days");
            let many = (person.time_off.len() >= MAX_BOOKED).then_some("is one too many: 100 are booked");
            let fault = |field, message| FieldFault::new(field, message);
            check([
                odd.map(|message| fault("end_time", message)),
                past("end_time", *to),
                many.map(|message| fault("start_time", message)),
            ])?;
            Ok(Some(DispatchEvent::TimeOffBooked { from: *from, to: *to }))
        }
        Verb::Cancel { from } => {
            let booked = person.time_off.contains_key(from);
            Ok(booked.then_some(DispatchEvent::TimeOffCancelled { from: *from }))
        }
        // Positions go to a stream of their own.
        Verb::Report { .. } => Ok(None),
    }
}

fn report(person: &Person, subject: &str, place: Place, at: &At) -> Result<Decided<Event>, Refusal> {
    check([(!on_earth(place)).then(|| FieldFault::new("place", "does not lie on the earth"))])?;
    if person.position.is_some_and(|(_, since)| at.occurred_at < since.saturating_add(POSITION_EVERY_US)) {
        return Ok(Vec::new());
    }
    Ok(vec![(stream::track(subject), Event::Dispatch(DispatchEvent::PositionReported { place }))])
}
