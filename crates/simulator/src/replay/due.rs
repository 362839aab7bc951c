//! When each threshold of each ticket fired, as sla-monitor's own events in the log say it.

use std::collections::BTreeMap;

use csv::Writer;
use decider::Micros;
use eventlog::Log;
use eventlog::log::MAX_PAGE;
use eventlog::service::recorded;
use eventlog::store::{Select, StoreError};
use serde_json::Value;
use ticket::Event;
use ticket::codec::rfc3339;
use ticket::sla::SlaEvent;
use uuid::Uuid;

use super::ReplayError;

/// The kinds that tell when a threshold fired.
const KINDS: [&str; 3] = ["WarningRaised", "Breached", "BreachRevoked"];
const BREACH_BP: u32 = 10_000;
/// The clocks whose columns bear a shorter name.
const COLUMNS: [(&str, &str); 2] = [("first_response", "resp"), ("resolution", "res")];

/// A threshold: a clock and a share of its budget.
type Threshold = (String, u32);

/// When each threshold of each ticket fired; a breach taken back has not.
pub(super) async fn fired(log: &Log) -> Result<BTreeMap<(Uuid, Threshold), Micros>, StoreError> {
    let mut fired = BTreeMap::new();
    let mut after = 0;
    loop {
        let rows = log.read(&Select::All, Some(&KINDS), after, MAX_PAGE).await?;
        let Some(last) = rows.last() else { return Ok(fired) };
        after = last.position;
        for row in rows.iter().filter(|row| KINDS.contains(&row.kind.as_str())) {
            let Some(ticket) = row.correlation else { continue };
            match recorded(row)?.event {
                Event::Sla(SlaEvent::WarningRaised { clock, share_bp, at, .. }) => {
                    fired.entry((ticket, (clock, share_bp))).or_insert(at);
                }
                Event::Sla(SlaEvent::Breached { clock, at, .. }) => {
                    fired.entry((ticket, (clock, BREACH_BP))).or_insert(at);
                }
                Event::Sla(SlaEvent::BreachRevoked { clock, .. }) => {
                    fired.remove(&(ticket, (clock, BREACH_BP)));
                }
                _ => {}
            }
        }
    }
}

/// The thresholds of a policy in the order of the columns: response, resolution, then other clocks by name.
fn thresholds(policy: &Value) -> Vec<(String, Threshold)> {
    let mut clocks: Vec<_> = policy["clocks"].as_object().into_iter().flatten().collect();
    let rank = |name: &str| COLUMNS.iter().position(|(clock, _)| *clock == name).unwrap_or(COLUMNS.len());
    clocks.sort_by_key(|(name, _)| (rank(name), (*name).clone()));
    let columns = clocks.into_iter().flat_map(|(clock, spec)| {
        let marks = spec["marks"].as_array().into_iter().flatten().filter_map(Value::as_u64);
        let column = COLUMNS.iter().find(|(name, _)| name == clock).map_or(clock.as_str(), |(_, column)| column);
        marks.chain([100]).map(move |percent| {
            let share_bp = u32::try_from(percent * 100).unwrap_or(BREACH_BP);
            (format!("{column}_{percent}"), (clock.clone(), share_bp))
        })
    });
    columns.collect()
}

/// A line for each ticket, given by name and id in the order of the lines; empty where a threshold never fired.
pub(super) fn csv<'a>(
    tickets: impl Iterator<Item = (&'a str, Uuid)>,
    policy: &Value,
    fired: &BTreeMap<(Uuid, Threshold), Micros>,
) -> Result<Vec<u8>, ReplayError> {
    let thresholds = thresholds(policy);
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(["ticket"].into_iter().chain(thresholds.iter().map(|(column, _)| column.as_str())))?;
    for (name, ticket) in tickets {
        let instants = thresholds
            .iter()
            .map(|(_, threshold)| fired.get(&(ticket, threshold.clone())).copied().map(rfc3339).unwrap_or_default());
        writer.write_record([name.to_owned()].into_iter().chain(instants))?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()).into())
}
