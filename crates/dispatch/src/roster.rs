//! Engineers as the roster has them: the `kind: Engineer` documents.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use ticket::dispatch::Place;
use ticket::document::{self, Fault, Part};

/// Visits a day, unless said.
const DEFAULT_VISITS: i64 = 8;
/// Most visits a day that a roster may allow.
const MAX_VISITS: i64 = 48;
/// Highest level of a skill.
const MAX_LEVEL: i64 = 9;
/// Greatest latitude and longitude, millionths of a degree.
const MAX_LAT_UDEG: i64 = 90_000_000;
const MAX_LON_UDEG: i64 = 180_000_000;

/// The spec of a `kind: Engineer` document; its name is the token subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engineer {
    /// What they are certified for.
    pub skills: BTreeMap<String, Skill>,
    /// Where their day begins, if it is known.
    pub home: Option<Place>,
    /// Where they work; anywhere if empty.
    pub regions: BTreeSet<String>,
    /// Their teams.
    pub teams: BTreeSet<String>,
    /// The calendar of their shifts.
    pub shift: String,
    /// Most visits of one local day.
    pub max_visits_per_day: u32,
}

/// A certified skill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skill {
    /// From 1.
    pub level: u8,
    /// The last local day on which it is valid, in days since 1970-01-01; for good if nothing.
    pub until_day: Option<i64>,
}

impl Engineer {
    /// Reads a spec, or names everything that is wrong with it.
    pub fn read(spec: &Value) -> Result<Self, Vec<Fault>> {
        document::read(spec, |part| {
            part.only(&["skills", "home", "regions", "teams", "shift", "max_visits_per_day"]);
            let texts = |name| part.maybe(name).map_or_else(BTreeSet::new, |list| list.texts().into_iter().collect());
            let skills = part.maybe("skills").map_or_else(Vec::new, |skills| skills.entries());
            let skills = skills.into_iter().filter_map(|(name, skill)| Some((name.to_owned(), read_skill(&skill)?)));
            let skills = skills.collect();
            let home = part.maybe("home").and_then(|home| place(&home));
            let (regions, teams) = (texts("regions"), texts("teams"));
            let visits = within(part.maybe("max_visits_per_day").as_ref(), DEFAULT_VISITS, 1, MAX_VISITS);
            let shift = part.field("shift").and_then(|shift| shift.text().map(str::to_owned));
            let max_visits_per_day = u32::try_from(visits?).ok()?;
            Some(Self { skills, home, regions, teams, shift: shift?, max_visits_per_day })
        })
    }
}

/// A level, or a level and the last day of its certificate.
fn read_skill(part: &Part<'_>) -> Option<Skill> {
    if !part.json().is_object() {
        return Some(Skill { level: level(part)?, until_day: None });
    }
    part.only(&["level", "until"]);
    let until = part.maybe("until").map(|until| {
        let read = calendar::read_date(until.text()?);
        read.map_err(|message| until.fault(message)).ok()
    });
    let level = part.field("level").and_then(|part| level(&part));
    Some(Skill { level: level?, until_day: until.flatten() })
}

/// A level of skill.
pub(crate) fn level(part: &Part<'_>) -> Option<u8> {
    u8::try_from(within(Some(part), 1, 1, MAX_LEVEL)?).ok()
}

/// A whole number within bounds, both included; `default` if it is not there.
pub(crate) fn within(part: Option<&Part<'_>>, default: i64, min: i64, max: i64) -> Option<i64> {
    let Some(part) = part else { return Some(default) };
    let number = part.number()?;
    if !(min..=max).contains(&number) {
        part.fault(format!("must lie between {min} and {max}"));
        return None;
    }
    Some(number)
}

/// Whether a point lies on the earth.
pub fn on_earth(place: Place) -> bool {
    (-MAX_LAT_UDEG..=MAX_LAT_UDEG).contains(&place.lat_udeg) && (-MAX_LON_UDEG..=MAX_LON_UDEG).contains(&place.lon_udeg)
}

fn place(part: &Part<'_>) -> Option<Place> {
    part.only(&["lat_udeg", "lon_udeg"]);
    let degrees = |name, max: i64| within(Some(&part.field(name)?), 0, -max, max);
    let (lat_udeg, lon_udeg) = (degrees("lat_udeg", MAX_LAT_UDEG), degrees("lon_udeg", MAX_LON_UDEG));
    Some(Place { lat_udeg: lat_udeg?, lon_udeg: lon_udeg? })
}
