//! An autopsy written out: as JSON, and as a line for every missed promise.

use csv::Writer;
use serde::Serialize;
use serde_json::{Map, Value, json};
use ticket::codec::rfc3339;

use super::{Autopsy, Missed, Rule};
use crate::replay::ReplayError;

impl Autopsy {
    /// The sums and every missed promise as JSON. The same log gives the same bytes.
    pub fn json(&self) -> Result<String, ReplayError> {
        let mut clocks = Map::new();
        for ((clock, rule), count) in self.sums() {
            let (class, rule) = (word(rule.class())?, word(rule)?);
            let of_clock = clocks.entry(clock).or_insert_with(|| json!({}));
            of_clock[class.as_str()][rule.as_str()] = json!(count);
        }
        let missed = self.missed.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        let all = json!({
            "log": self.log,
            "tickets": self.tickets,
            "tickets_missed": self.tickets_missed(),
            "promises_missed": missed.len(),
            "clocks": clocks,
            "missed": missed,
        });
        Ok(serde_json::to_string_pretty(&all)?)
    }

    /// A line for every missed promise, with a head.
    pub fn csv(&self) -> Result<Vec<u8>, ReplayError> {
        let mut writer = Writer::from_writer(Vec::new());
        writer.write_record(["ticket", "clock", "missed_at", "class", "rule", "holder", "woken"])?;
        for missed in &self.missed {
            let woken: Vec<_> = missed.woken.iter().map(ToString::to_string).collect();
            writer.write_record([
                &missed.ticket,
                &missed.clock,
                &rfc3339(missed.at),
                &word(missed.rule.class())?,
                &word(missed.rule)?,
                &missed.holder.to_string(),
                &woken.join("; "),
            ])?;
        }
        writer.into_inner().map_err(|error| csv::Error::from(error.into_error()).into())
    }

    /// Clock, class, rule and how many promises were missed by it.
    pub fn counts(&self) -> Result<Vec<[String; 4]>, ReplayError> {
        let row = |((clock, rule), count): ((&str, Rule), usize)| {
            Ok([clock.to_owned(), word(rule.class())?, word(rule)?, count.to_string()])
        };
        self.sums().into_iter().map(row).collect()
    }
}

fn entry(missed: &Missed) -> Result<Value, ReplayError> {
    let woken =
        |one: &super::Woken| json!({"share_bp": one.share_bp, "at": rfc3339(one.at), "whom": one.whom.to_string()});
    Ok(json!({
        "ticket": missed.ticket,
        "clock": missed.clock,
        "missed_at": rfc3339(missed.at),
        "class": word(missed.rule.class())?,
        "rule": word(missed.rule)?,
        "holder": missed.holder.to_string(),
        "woken": missed.woken.iter().map(woken).collect::<Vec<_>>(),
    }))
}

/// The name of a class or a rule.
fn word(named: impl Serialize) -> Result<String, ReplayError> {
    Ok(serde_json::to_value(named)?.as_str().unwrap_or_default().to_owned())
}
