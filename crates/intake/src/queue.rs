//! A queue: who is in it, how soon somebody attends to a ticket that lies there, who helps when nobody does.

use serde_json::Value;
use ticket::document::{self, Fault, Part};
use ticket::intake::Priority;

/// Longest time, seconds, after which every open ticket reaches a human again.
pub const MAX_HORIZON_SECS: i64 = 72 * 3_600;

/// The spec of a `kind: Queue` document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Token subjects of the people on duty for it.
    pub members: Vec<String>,
    /// Seconds within which somebody attends, by priority from low to critical: working time if there is a calendar.
    attend_within_secs: [i64; 4],
    /// The calendar in which `attend_within` counts.
    pub calendar: Option<String>,
    /// The queue that is asked when this one does not answer.
    pub fallback: Option<String>,
    /// Seconds after which somebody looks again in any case.
    pub horizon_secs: i64,
}

impl Queue {
    /// Seconds within which somebody attends to a ticket of this priority.
    pub fn attend_within_secs(&self, priority: Priority) -> i64 {
        self.attend_within_secs[priority as usize]
    }

    /// Reads a spec, or names everything that is wrong with it.
    pub fn read(spec: &Value) -> Result<Self, Vec<Fault>> {
        document::read(spec, |part| {
            part.only(&["members", "attend_within", "calendar", "fallback", "horizon", "zone"]);
            let members = part.field("members").map(|members| members.texts());
            if members.as_ref().is_some_and(Vec::is_empty) {
                part.fault_at("/members", "must name at least one person");
            }
            let attend_within = part.field("attend_within").and_then(|within| attend_within_secs(&within));
            let horizon = match part.maybe("horizon") {
                Some(horizon) => horizon.duration_secs(),
                None => Some(MAX_HORIZON_SECS),
            };
            if horizon.is_some_and(|secs| !(1..=MAX_HORIZON_SECS).contains(&secs)) {
                part.fault_at("/horizon", "must be at least 1s and at most 72h");
            }
            if let Some(zone) = part.maybe("zone")
                && zone.text().is_some_and(|zone| !calendar::is_zone(zone))
            {
                zone.fault("must be an IANA time zone such as Europe/Rome");
            }
            let name = |field| part.maybe(field).and_then(|part| part.text()).map(str::to_owned);
            Some(Self {
                members: members?,
                attend_within_secs: attend_within?,
                calendar: name("calendar"),
                fallback: name("fallback"),
                horizon_secs: horizon?,
            })
        })
    }
}

/// One duration for all priorities, or a map with one for each.
fn attend_within_secs(part: &Part<'_>) -> Option<[i64; 4]> {
    let each = if part.json().is_object() {
        let names = [Priority::Low, Priority::Medium, Priority::High, Priority::Critical].map(Priority::name);
        part.only(&names);
        names.map(|name| part.field(name)?.duration_secs())
    } else {
        [part.duration_secs(); 4]
    };
    if each.iter().flatten().any(|secs| *secs < 1) {
        part.fault("must be at least 1s");
    }
    let [low, medium, high, critical] = each;
    Some([low?, medium?, high?, critical?])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(spec: &Value) -> Vec<String> {
        Queue::read(spec).unwrap_err().into_iter().map(|fault| format!("{} {}", fault.path, fault.message)).collect()
    }

    #[test]
    fn one_duration_serves_all_priorities() {
        let queue = Queue::read(&json!({"members": ["ann"], "attend_within": "4h"})).unwrap();
        assert_eq!(queue.attend_within_secs(Priority::Low), 14_400);
        assert_eq!(queue.attend_within_secs(Priority::Critical), 14_400);
        assert_eq!(queue.horizon_secs, MAX_HORIZON_SECS);
    }

    #[test]
    fn each_priority_may_have_its_own() {
        let within = json!({"critical": "15m", "high": "1h", "medium": "4h", "low": "8h"});
        let queue = Queue::read(&json!({"members": ["ann"], "attend_within": within, "horizon": "24h"})).unwrap();
        assert_eq!(queue.attend_within_secs(Priority::Critical), 900);
        assert_eq!(queue.attend_within_secs(Priority::Low), 28_800);
    }

    #[test]
    fn every_fault_is_named() {
        let within = json!({"critical": "15m", "high": "soon", "medium": "4h"});
        let spec = json!({"members": [], "attend_within": within, "horizon": "73h", "colour": "red"});
        let paths: Vec<_> = Queue::read(&spec).unwrap_err().into_iter().map(|fault| fault.path).collect();
        assert_eq!(paths, ["/attend_within/high", "/attend_within/low", "/colour", "/horizon", "/members"]);
        assert_eq!(faults(&json!({"members": ["a"], "attend_within": "0s"})), ["/attend_within must be at least 1s"]);
    }
}
