//! `docket reminders replay`: other reminder rules over a period of the log.

use std::path::Path;

use notifier::replay::{AtRisk, Difference, Messages, Replay};
use ticket::notifier::Medium;

use super::{each, rules, tenant};
use crate::cli::At;
use crate::cli::reminders::Period;
use crate::out;

pub(super) async fn run(at: &At, policy: &Path, period: Period) -> anyhow::Result<()> {
    let rules = rules(policy)?.into_iter().map(|(name, spec, _)| (name, spec)).collect();
    let mut replay = Replay::new(tenant(at), period.ends(), rules);
    each(at, |event| replay.take(event)).await?;
    out::say(shown(&replay.finish()));
    Ok(())
}

fn shown(found: &Difference) -> String {
    let mut rows = vec![["RULE", "MEDIUM", "WAS", "WOULD BE", "DIFFERENCE"].map(str::to_owned).to_vec()];
    let mut sum = Messages::default();
    for ((rule, medium), messages) in &found.messages {
        sum = Messages { was: sum.was + messages.was, would_be: sum.would_be + messages.would_be };
        rows.push(row(rule, &name(*medium), *messages));
    }
    rows.push(row("all messages", "", sum));
    rows.push(row("reminders", "", found.planned));
    let mut lines = vec![
        out::table(&rows),
        String::new(),
        format!("recorded reminders of the period: {}", found.recorded),
        format!("tickets reminded in time: {}, of which without one then: {}", found.reminded, found.risks),
    ];
    let risk = |one: &AtRisk| format!("at risk: {} was told in time by {}", one.ticket, one.rules.join(", "));
    lines.extend(found.at_risk.iter().map(risk));
    lines.join("\n")
}

fn row(rule: &str, medium: &str, Messages { was, would_be }: Messages) -> Vec<String> {
    let sign = if would_be < was { "-" } else { "+" };
    let difference = format!("{sign}{}", would_be.abs_diff(was));
    vec![rule.to_owned(), medium.to_owned(), was.to_string(), would_be.to_string(), difference]
}

fn name(medium: Medium) -> String {
    serde_json::to_value(medium).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
