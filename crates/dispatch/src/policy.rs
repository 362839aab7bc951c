//! How dispatch chooses: the `kind: DispatchPolicy` documents.

use decider::Micros;
use serde_json::Value;
use ticket::dispatch::Weights;
use ticket::document::{self, Fault, Part};

use crate::roster::within;

pub(crate) const SECOND_US: Micros = 1_000_000;
const MINUTE_SECS: i64 = 60;
const HOUR_SECS: i64 = 3_600;
/// Farthest ahead free time is looked for: 14 days.
const MAX_SEARCH_SECS: i64 = 14 * 24 * HOUR_SECS;
const MAX_WAIT_SECS: i64 = 24 * HOUR_SECS;
/// Largest weight, permille.
const MAX_WEIGHT: i64 = 1_000_000;
const MAX_SPEED_KMH: i64 = 300;
const MAX_DISTANCE_KM: i64 = 20_000;
const MODES: [(&str, Mode); 2] = [("automatic", Mode::Automatic), ("recommend", Mode::Recommend)];

/// Who has the last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The best is asked at once.
    Automatic,
    /// A dispatcher decides.
    Recommend,
}

/// The spec of a `kind: DispatchPolicy` document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Who has the last word.
    pub mode: Mode,
    /// Time to answer an offer, microseconds.
    pub respond_within_us: Micros,
    /// Time a dispatcher has before the choice is made anew, microseconds.
    pub decide_within_us: Micros,
    /// Time between two tries while nobody passes, microseconds.
    pub retry_every_us: Micros,
    /// How far ahead free time is looked for, microseconds.
    pub search_us: Micros,
    /// Speed on the way.
    pub speed_kmh: i64,
    /// Farthest straight line to the site; any if nothing.
    pub max_distance_m: Option<i64>,
    /// How much later than planned somebody may set out, microseconds.
    pub depart_grace_us: Micros,
    /// What the terms cost.
    pub weights: Weights,
}

impl Default for Policy {
    fn default() -> Self {
        let minutes = |count: i64| count * MINUTE_SECS * SECOND_US;
        Self {
            mode: Mode::Automatic,
            respond_within_us: minutes(10),
            decide_within_us: minutes(15),
            retry_every_us: minutes(15),
            search_us: 72 * HOUR_SECS * SECOND_US,
            speed_kmh: 40,
            max_distance_m: None,
            depart_grace_us: minutes(15),
            weights: Weights {
                travel_permille: 1_000,
                wait_permille: 200,
                late_permille: 3_000,
                load_permille: 300,
                overskill_permille: 1_000,
                stranger_permille: 500,
            },
        }
    }
}

impl Policy {
    /// Reads a spec, or names everything that is wrong with it.
    pub fn read(spec: &Value) -> Result<Self, Vec<Fault>> {
        document::read(spec, |part| {
            part.only(&[
                "mode",
                "respond_within",
                "decide_within",
                "retry_every",
                "search",
                "speed_kmh",
                "max_distance_km",
                "depart_grace",
                "weights",
            ]);
            let usual = Self::default();
            let time = |name, usual_us, max_secs| time_us(part.maybe(name).as_ref(), usual_us, max_secs);
            let mode = part.maybe("mode").map_or(Some(usual.mode), |mode| mode.one_of(&MODES));
            let respond_within_us = time("respond_within", usual.respond_within_us, MAX_WAIT_SECS);
            let decide_within_us = time("decide_within", usual.decide_within_us, MAX_WAIT_SECS);
            let retry_every_us = time("retry_every", usual.retry_every_us, MAX_WAIT_SECS);
            let search_us = time("search", usual.search_us, MAX_SEARCH_SECS);
            let depart_grace_us = time("depart_grace", usual.depart_grace_us, MAX_WAIT_SECS);
            let speed_kmh = within(part.maybe("speed_kmh").as_ref(), usual.speed_kmh, 1, MAX_SPEED_KMH);
            let farthest = part.maybe("max_distance_km").map(|km| within(Some(&km), 0, 1, MAX_DISTANCE_KM));
            let weights = part.maybe("weights").map_or(Some(usual.weights.clone()), |part| weights(&part));
            Some(Self {
                mode: mode?,
                respond_within_us: respond_within_us?,
                decide_within_us: decide_within_us?,
                retry_every_us: retry_every_us?,
                search_us: search_us?,
                speed_kmh: speed_kmh?,
                max_distance_m: farthest.flatten().map(|km| km * 1_000),
                depart_grace_us: depart_grace_us?,
                weights: weights?,
            })
        })
    }
}

/// A stretch of time from a minute up to a bound, microseconds.
pub(crate) fn time_us(part: Option<&Part<'_>>, usual_us: Micros, max_secs: i64) -> Option<Micros> {
    let Some(part) = part else { return Some(usual_us) };
    let secs = part.duration_secs()?;
    if !(MINUTE_SECS..=max_secs).contains(&secs) {
        part.fault(format!("must lie between 1m and {}h", max_secs / HOUR_SECS));
        return None;
    }
    Some(secs * SECOND_US)
}

fn weights(part: &Part<'_>) -> Option<Weights> {
    part.only(&["travel", "wait", "late", "load", "overskill", "stranger"]);
    let usual = Policy::default().weights;
    let weight = |name, usual| within(part.maybe(name).as_ref(), usual, 0, MAX_WEIGHT);
    let travel_permille = weight("travel", usual.travel_permille);
    let wait_permille = weight("wait", usual.wait_permille);
    let late_permille = weight("late", usual.late_permille);
    let load_permille = weight("load", usual.load_permille);
    let overskill_permille = weight("overskill", usual.overskill_permille);
    let stranger_permille = weight("stranger", usual.stranger_permille);
    Some(Weights {
        travel_permille: travel_permille?,
        wait_permille: wait_permille?,
        late_permille: late_permille?,
        load_permille: load_permille?,
        overskill_permille: overskill_permille?,
        stranger_permille: stranger_permille?,
    })
}
