//! The earliest time an engineer is free for a job: within shift and duty, around time off and other visits, the way there
//! before it and the way to the next one after it.

use calendar::Calendar;
use decider::Micros;
use ticket::dispatch::{Place, Slot};
use uuid::Uuid;

use crate::distance::{metres, travel_secs};
use crate::person::{Held, Person, Stage};
use crate::policy::SECOND_US;

/// Stretches looked at before a search is given up.
const MAX_STEPS: usize = 512;

/// What time is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The visit; its own time is no obstacle.
    pub visit: Uuid,
    /// Where, if known.
    pub site: Option<Place>,
    /// Work on site, microseconds.
    pub work_us: Micros,
    /// Speed on the way.
    pub speed_kmh: i64,
    /// Now: nothing begins before.
    pub now: Micros,
    /// Nothing begins after.
    pub until: Micros,
}

/// An engineer's time, and where their day begins.
#[derive(Clone, Copy, Debug)]
pub struct Diary<'a> {
    /// Visits, duty, time off, position.
    pub person: &'a Person,
    /// Where their day begins, if it is known.
    pub home: Option<Place>,
    /// Their shifts.
    pub shift: &'a Calendar,
    /// Most visits of one local day.
    pub max_visits: usize,
}

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The earliest.
    Free(Slot),
    /// Only on days that have as many visits as the roster allows; the earliest of those.
    Full(Slot),
    /// None.
    Nothing,
}

impl Diary<'_> {
    /// The earliest time that is free, within shift, duty and days that are not full.
    pub fn earliest(&self, wanted: &Wanted) -> Found {
        let Some((from, off_at)) = self.person.duty.window(wanted.now) else { return Found::Nothing };
        let (mut at, mut full) = (from, None);
        for _ in 0..MAX_STEPS {
            let Some(opens) = self.shift.next_open(at).filter(|opens| *opens <= wanted.until) else { break };
            let slot = self.leaving(opens, wanted);
            if off_at.is_some_and(|off_at| slot.to > off_at) {
                break;
            }
            let closes = self.shift.next_change(opens).unwrap_or(opens);
            let next = match self.obstacle(&slot, wanted) {
                Some(free_at) => Some(free_at),
                None if slot.to > closes => Some(closes),
                None if self.full(&slot, wanted.visit) => {
                    full = full.or(Some(slot));
                    self.shift.end_of_working_day(opens, 0)
                }
                None => return Found::Free(slot),
            };
            // Each of these lies after `opens`: the search moves on at every step.
            let Some(next) = next else { break };
            at = next;
        }
        full.map_or(Found::Nothing, Found::Full)
    }

    /// From when on somebody asked now can be expected to answer: on duty and within their shift.
    pub fn answers_from(&self, now: Micros) -> Micros {
        let on_duty = self.person.duty.window(now).map_or(now, |(from, _)| from);
        self.shift.next_open(on_duty).unwrap_or(now)
    }

    /// The earliest time without another visit, whatever shift, duty and roster say: a dispatcher's word.
    pub fn gap(&self, wanted: &Wanted) -> Option<Slot> {
        let mut at = wanted.now;
        for _ in 0..MAX_STEPS {
            let slot = self.leaving(at, wanted);
            match self
                .visits(wanted.visit, wanted.now)
                .filter(|(_, held)| collides(&slot, held, wanted))
                .map(|(to, _)| to)
                .max()
            {
                Some(free_at) => at = free_at,
                None => return Some(slot),
            }
        }
        None
    }

    /// The time that brings the engineer on site at an instant.
    pub fn arriving(&self, arrive: Micros, wanted: &Wanted) -> Slot {
        let travel_us = self.travel_us(arrive, wanted);
        Slot { from: arrive - travel_us, arrive, to: arrive + wanted.work_us }
    }

    /// Whether another visit is in the way of this time: never allowed.
    pub fn overlaps(&self, slot: &Slot, wanted: &Wanted) -> bool {
        self.visits(wanted.visit, wanted.now).any(|(_, held)| collides(slot, &held, wanted))
    }

    /// Whether this time lies within shift and time off allows it.
    pub fn at_work(&self, slot: &Slot) -> bool {
        self.shift.worked(slot.from, slot.to) == slot.to - slot.from && self.time_off(slot).is_none()
    }

    /// Whether the day of this time has as many visits as the roster allows.
    pub fn full(&self, slot: &Slot, visit: Uuid) -> bool {
        self.day(slot.arrive, visit).count() >= self.max_visits
    }

    /// Seconds of visits on the local day of an instant.
    pub fn load_secs(&self, at: Micros, visit: Uuid) -> i64 {
        self.day(at, visit).map(|held| (held.slot.to - held.slot.from) / SECOND_US).sum()
    }

    /// Where a way that begins then begins: the site before on that day, the last position of that day, home.
    pub fn start(&self, at: Micros, visit: Uuid) -> Option<Place> {
        let before = self.day(at, visit).filter(|held| held.slot.to <= at || held.stage != Stage::Ahead);
        let before = before.max_by_key(|held| held.slot.to).and_then(|held| held.site);
        let day = self.shift.day(at);
        let position = self.person.position.filter(|(_, since)| self.shift.day(*since) == day);
        before.or(position.map(|(place, _)| place)).or(self.home)
    }

    fn leaving(&self, from: Micros, wanted: &Wanted) -> Slot {
        let arrive = from + self.travel_us(from, wanted);
        Slot { from, arrive, to: arrive + wanted.work_us }
    }

    fn travel_us(&self, at: Micros, wanted: &Wanted) -> Micros {
        way_us(self.start(at, wanted.visit), wanted.site, wanted.speed_kmh)
    }

    /// What is in the way of a time, and until when.
    fn obstacle(&self, slot: &Slot, wanted: &Wanted) -> Option<Micros> {
        let visits = self.visits(wanted.visit, wanted.now).filter(|(_, held)| collides(slot, held, wanted));
        visits.map(|(to, _)| to).max().max(self.time_off(slot))
    }

    fn time_off(&self, slot: &Slot) -> Option<Micros> {
        let booked = self.person.time_off.iter().filter(|(from, to)| **from < slot.to && slot.from < **to);
        booked.map(|(_, to)| *to).max()
    }

    /// Other visits that are not over, each with the instant from which on the engineer is free of it.
    fn visits(&self, but: Uuid, now: Micros) -> impl Iterator<Item = (Micros, Held)> {
        self.person.ahead().filter(move |(visit, _)| *visit != but).map(move |(_, held)| {
            let mut held = *held;
            if held.stage == Stage::Begun {
                held.slot.to = held.slot.to.max(now);
            }
            (held.slot.to, held)
        })
    }

    fn day(&self, at: Micros, but: Uuid) -> impl Iterator<Item = &Held> {
        let day = self.shift.day(at);
        let others = self.person.held.iter().filter(move |(visit, _)| **visit != but).map(|(_, held)| held);
        others.filter(move |held| self.shift.day(held.slot.arrive) == day)
    }
}

/// Whether a time leaves no room for a visit: it overlaps, or the way from here to there is too long.
fn collides(slot: &Slot, held: &Held, wanted: &Wanted) -> bool {
    let way_us = if held.slot.from >= slot.to && held.stage == Stage::Ahead {
        way_us(wanted.site, held.site, wanted.speed_kmh)
    } else {
        0
    };
    slot.overlaps(&held.slot) || held.slot.from >= slot.to && slot.to + way_us > held.slot.arrive
}

/// Microseconds on the way; none if either end is unknown.
pub(crate) fn way_us(from: Option<Place>, to: Option<Place>, speed_kmh: i64) -> Micros {
    let ends = from.zip(to);
    ends.map_or(0, |(from, to)| travel_secs(metres(from, to), speed_kmh) * SECOND_US)
}
