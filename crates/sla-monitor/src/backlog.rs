//! Backlog alerts: too many tickets in a queue, or one too old; and over again only well below that, so that an alarm
//! does not flap.

use std::collections::{BTreeMap, BTreeSet};

use decider::{At, Decided, Micros, Read};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ticket::document::{Fault, Kept, Part, read};
use ticket::sla::{Backlog, Pinned, SlaEvent};
use ticket::{Event, stream};
use uuid::Uuid;

use crate::state::State;

/// Most tickets an alert may count to.
const MAX_COUNT: i64 = 1_000_000;
/// Longest age, seconds: a year.
const MAX_AGE_SECS: i64 = 366 * 86_400;

/// The `spec` of a `kind: BacklogAlert` document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The queue.
    pub queue: String,
    /// How many tickets are too many.
    pub count: Option<Limit>,
    /// How many seconds are too many for the oldest.
    pub age_secs: Option<Limit>,
}

/// A limit with its hysteresis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// More than this raises the alarm.
    pub above: i64,
    /// No more than this ends it.
    pub clear: i64,
}

impl Alert {
    /// Reads a spec, or names everything that is wrong with it.
    pub fn read(spec: &Value) -> Result<Self, Vec<Fault>> {
        read(spec, |part| {
            part.only(&["queue", "count", "age"]);
            let queue = part.field("queue").and_then(|queue| queue.text());
            let count = part.maybe("count").map(|count| limit(&count, Part::number, MAX_COUNT));
            let age_secs = part.maybe("age").map(|age| limit(&age, Part::duration_secs, MAX_AGE_SECS));
            if count.is_none() && age_secs.is_none() {
                part.fault("must say what is too much: count, age or both");
            }
            Some(Self { queue: queue?.to_owned(), count: count.flatten(), age_secs: age_secs.flatten() })
        })
    }

    fn limit(&self, measure: Backlog) -> Option<Limit> {
        match measure {
            Backlog::Count => self.count,
            Backlog::Age => self.age_secs,
        }
    }
}

fn limit<'a>(part: &Part<'a>, number: impl Fn(&Part<'a>) -> Option<i64>, most: i64) -> Option<Limit> {
    part.only(&["above", "clear"]);
    let above = part.field("above").and_then(|above| number(&above))?;
    let clear = part.maybe("clear").map_or(Some(above), |clear| number(&clear))?;
    if !(0..=most).contains(&above) || clear < 0 || clear > above {
        part.fault(format!("above must be from 0 to {most}, and clear from 0 to that"));
    }
    Some(Limit { above, clear })
}

/// The alerts in force, by name, with what lies in their queues.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Backlogs(BTreeMap<String, Watch>);

#[derive(Debug, Serialize, Deserialize)]
struct Watch {
    /// Nothing once it was taken out of force.
    alert: Option<Kept<Alert>>,
    lying: BTreeSet<(Micros, Uuid)>,
    since: BTreeMap<Uuid, Micros>,
    alarms: BTreeMap<Backlog, Alarm>,
}

/// The last alarm of a measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Alarm {
    number: u32,
    /// The ticket it was told of, as long as it lasts.
    on: Option<Uuid>,
}

const MEASURES: [Backlog; 2] = [Backlog::Count, Backlog::Age];

impl Watch {
    fn alert(&self) -> Option<&Alert> {
        self.alert.as_ref()?.get(Alert::read)
    }

    fn alarm(&self, measure: Backlog) -> Alarm {
        self.alarms.get(&measure).copied().unwrap_or_default()
    }

    fn moved(&mut self, ticket: Uuid, since: Option<Micros>) {
        if let Some(before) = self.since.remove(&ticket) {
            self.lying.remove(&(before, ticket));
        }
        if let Some(since) = since {
            self.since.insert(ticket, since);
            self.lying.insert((since, ticket));
        }
    }

    /// What is recorded now, and of which ticket.
    fn moves(&self, name: &str, now: Micros) -> Vec<(Uuid, SlaEvent)> {
        let (Some(kept), Some(alert)) = (&self.alert, self.alert()) else { return Vec::new() };
        let waiting = u32::try_from(self.lying.len()).unwrap_or(u32::MAX);
        let oldest = self.lying.first().copied();
        let named = || (Pinned { name: name.to_owned(), version: kept.version }, alert.queue.clone());
        let change = |measure: Backlog| {
            let (limit, known) = (alert.limit(measure)?, self.alarm(measure));
            let over_us = |secs: i64| oldest.is_some_and(|(since, _)| now - since > secs.saturating_mul(1_000_000));
            let more_than = |limit: i64| match measure {
                Backlog::Count => i64::from(waiting) > limit,
                Backlog::Age => over_us(limit),
            };
            let (alert, queue) = named();
            match (known.on, oldest) {
                (None, Some((oldest_at, ticket))) if more_than(limit.above) => {
                    let (alarm, limit) = (known.number + 1, limit.above);
                    Some((ticket, SlaEvent::BacklogRaised { alert, queue, alarm, measure, waiting, oldest_at, limit }))
                }
                (Some(ticket), _) if !more_than(limit.clear) => {
                    let alarm = known.number;
                    Some((ticket, SlaEvent::BacklogCleared { alert, queue, alarm, measure, waiting }))
                }
                _ => None,
            }
        };
        MEASURES.into_iter().filter_map(change).collect()
    }

    /// When the oldest gets too old.
    fn falls_due(&self) -> Option<Micros> {
        let limit = self.alert()?.age_secs.filter(|_| self.alarm(Backlog::Age).on.is_none())?;
        Some(self.lying.first()?.0.saturating_add(limit.above.saturating_mul(1_000_000)))
    }
}

impl Backlogs {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts an alert in force, or takes it out of force; answers its queue, of which it wants to know what lies there.
    pub(crate) fn apply(&mut self, name: &str, version: u64, spec: Option<&Value>) -> Option<String> {
        let alert = spec.map(|spec| Kept::new(version, spec));
        let alarms = self.0.remove(name).map(|watch| watch.alarms).unwrap_or_default();
        let watch = Watch { alert, lying: BTreeSet::new(), since: BTreeMap::new(), alarms };
        let queue = watch.alert().map(|alert| alert.queue.clone());
        self.0.insert(name.to_owned(), watch);
        queue
    }

    /// Where a ticket lies now, and since when, if anywhere; `only` for one alert.
    pub(crate) fn moved(&mut self, ticket: Uuid, lies: Option<(&str, Micros)>, only: Option<&str>) {
        for (name, watch) in &mut self.0 {
            if only.is_none_or(|only| only == name) {
                let since = lies.filter(|(queue, _)| watch.alert().is_some_and(|alert| alert.queue == *queue));
                watch.moved(ticket, since.map(|(_, since)| since));
            }
        }
    }

    /// Takes an event in that was recorded of this ticket.
    pub(crate) fn evolve(&mut self, ticket: Uuid, event: &SlaEvent) {
        let (name, measure, alarm) = match event {
            SlaEvent::BacklogRaised { alert, measure, alarm, .. } => {
                (&alert.name, measure, Alarm { number: *alarm, on: Some(ticket) })
            }
            SlaEvent::BacklogCleared { alert, measure, alarm, .. } => {
                (&alert.name, measure, Alarm { number: *alarm, on: None })
            }
            _ => return,
        };
        if let Some(watch) = self.0.get_mut(name) {
            watch.alarms.insert(*measure, alarm);
        }
    }

    /// The alerts that have something to say now.
    pub(crate) fn stirred(&self, now: Micros) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(name, watch)| !watch.moves(name, now).is_empty()).map(|(name, _)| name.as_str())
    }

    /// What falls due, with the alert and the number its alarm will have.
    pub(crate) fn ahead(&self) -> impl Iterator<Item = (Micros, &str, u32)> {
        self.0
            .iter()
            .filter_map(|(name, watch)| Some((watch.falls_due()?, name.as_str(), watch.alarm(Backlog::Age).number + 1)))
    }
}

/// Records that an alarm is raised or over.
pub(crate) fn measure(name: &str, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let watch = read.look().desk(&at.tenant).and_then(|desk| desk.backlogs.0.get(name));
    let moves = watch.map(|watch| watch.moves(name, at.now)).unwrap_or_default();
    for (ticket, _) in &moves {
        read.guard(&stream::ticket(*ticket));
        read.guard(&stream::sla(*ticket));
    }
    moves.into_iter().map(|(ticket, event)| (stream::sla(ticket), Event::Sla(event))).collect()
}
