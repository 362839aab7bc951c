//! `docket reminders`: what effect reminders had, what another policy would have come to. `evaluate` and `replay` read the
//! log itself, also beside whoever writes it.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use decider::{Core, Recorded, Tenant};
use eventlog::service::recorded;
use notifier::Notifier;
use notifier::rule::Rule;
use proto::notifier::v1::{GetReminderEffectRequest, Medium, ReminderEnds};
use serde_json::Value;
use ticket::Event;
use ticket::codec::KINDS;
use ticket::yaml::{self, PlacedFault};

use crate::cli::At;
use crate::cli::reminders::{Period, Reminders};
use crate::client::{Client, explain};
use crate::out;
use crate::place::{self, Place};

mod evaluate;
mod replay;

/// Microseconds in a second.
const SECOND_US: i64 = 1_000_000;

pub(crate) async fn run(at: &At, command: &Reminders) -> anyhow::Result<ExitCode> {
    match command {
        Reminders::Effect { period } => effect(at, *period).await?,
        Reminders::Evaluate { policy, period } => evaluate::run(at, policy.as_deref(), *period).await?,
        Reminders::Replay { policy, period } => replay::run(at, policy, *period).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Hands every event of the log that notifier wants to `take`, in order.
async fn each(at: &At, mut take: impl FnMut(&Recorded<Event>)) -> anyhow::Result<()> {
    let log = place::open(&Place::of(at)?, true).await?;
    let wanted: Vec<_> = KINDS.keys().copied().filter(|kind| Notifier::wants(kind)).collect();
    let to = log.head().await?.position;
    let mut scan = log.scan(0, to, Some(&wanted));
    let mut after = 0;
    while after < to {
        let rows = scan.next().await?;
        let Some(last) = rows.last() else { bail!("position {} of the log is missing", after + 1) };
        after = last.position;
        for row in rows.iter().filter(|row| wanted.binary_search(&row.kind.as_str()).is_ok()) {
            take(&recorded(row)?);
        }
    }
    Ok(())
}

fn tenant(at: &At) -> Tenant {
    Tenant::new(&at.tenant)
}

/// The reminder rules of a file by name, or every fault with its place.
fn rules(file: &Path) -> anyhow::Result<Vec<(String, Value, Rule)>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let told = |faults: Vec<PlacedFault>| {
        let place = |fault: PlacedFault| {
            format!("{}:{}:{}: {}", file.display(), fault.place.line, fault.place.column, fault.message)
        };
        anyhow::anyhow!(faults.into_iter().map(place).collect::<Vec<_>>().join("\n"))
    };
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for document in yaml::parse(&text).map_err(told)?.into_iter().filter(|one| one.kind == "ReminderRule") {
        match Rule::read(&document.spec) {
            Ok(rule) => found.push((document.name, document.spec, rule)),
            Err(wrong) => faults.extend(wrong.iter().map(|fault| document.place(fault))),
        }
    }
    if !faults.is_empty() {
        return Err(told(faults));
    }
    if found.is_empty() {
        bail!("{} holds no ReminderRule", file.display());
    }
    Ok(found)
}

async fn effect(at: &At, period: Period) -> anyhow::Result<()> {
    let client = Client::connect(at).await?;
    let stamp = |at: i64| prost_types::Timestamp { seconds: at.div_euclid(SECOND_US), nanos: 0 };
    let (start, end) = period.given();
    let (start_time, end_time) = (start.map(stamp), end.map(stamp));
    let request = GetReminderEffectRequest { start_time, end_time, min_position: String::new() };
    let answer = client.notifier().get_reminder_effect(request).await.map_err(|status| explain(&status))?.into_inner();
    let head = ["RULE", "MEDIUM", "HOURS", "RESPONSE", "ACTED ON", "READ", "UNREAD", "UNDELIVERED", "PUT OFF"];
    let mut rows = vec![
        head.into_iter()
            .chain(["SUPERSEDED", "OPEN", "USEFUL", "NOT USEFUL", "WRONG PERSON"])
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    ];
    for row in &answer.rows {
        let medium = Medium::try_from(row.medium).unwrap_or_default();
        let medium = medium.as_str_name().trim_start_matches("MEDIUM_").to_lowercase();
        let (from, to) = (row.hours * 3, row.hours * 3 + 3);
        rows.push(cells([row.rule.clone(), medium, format!("{from:02}-{to:02}")], row.ends.as_ref()));
    }
    rows.push(cells(["all".into(), String::new(), String::new()], answer.total.as_ref()));
    out::say(out::table(&rows));
    Ok(())
}

fn cells(names: [String; 3], ends: Option<&ReminderEnds>) -> Vec<String> {
    let ends = ends.copied().unwrap_or_default();
    let ignored = [ends.read, ends.unread, ends.never_delivered];
    let settled = ends.acted_on + ignored.iter().sum::<i64>();
    let response = if settled > 0 { format!("{} %", ends.acted_on * 100 / settled) } else { String::new() };
    let rest = [ends.put_off, ends.superseded, ends.open, ends.useful, ends.not_useful, ends.wrong_person];
    let counts = [ends.acted_on].into_iter().chain(ignored).chain(rest);
    names.into_iter().chain([response]).chain(counts.map(|count| count.to_string())).collect()
}
