//! `docket reminders evaluate`: what a policy that learns is worth, told from the choices on record.

use std::path::Path;

use decider::Core;
use notifier::learn::estimate::Estimate;
use notifier::learn::evaluate::{Choices, Evaluation, in_force};
use notifier::{Notifier, State};

use super::{each, rules, tenant};
use crate::cli::At;
use crate::cli::reminders::Period;
use crate::out;

pub(super) async fn run(at: &At, policy: Option<&Path>, period: Period) -> anyhow::Result<()> {
    let given = policy.map(rules).transpose()?;
    let mut state = State::default();
    let mut choices = Choices::new(tenant(at), period.ends());
    each(at, |event| {
        choices.take(event);
        Notifier::evolve(&mut state, event);
    })
    .await?;
    let policy = match given {
        Some(rules) => rules.into_iter().map(|(name, _, rule)| (name, rule.learn)).collect(),
        None => in_force(&state, &tenant(at)),
    };
    out::say(out::table(&table(&choices.evaluate(&state, &policy))));
    Ok(())
}

fn table(found: &Evaluation) -> Vec<Vec<String>> {
    let row = |name: &str, share: Option<Estimate>| {
        let cells = share.map_or_else(|| ["-".to_owned(), "-".into(), "0".into(), "-".into()], shown);
        [name.to_owned()].into_iter().chain(cells).collect::<Vec<_>>()
    };
    let plain = found.plain.map_or_else(|| "-".to_owned(), percent);
    let left_out = found.left_out.to_string();
    vec![
        ["", "ACTED ON", "95 %", "CHOICES", "WORTH"].map(str::to_owned).to_vec(),
        row("the policy, estimated by trajectories", found.policy),
        row("chosen by what was learned, counted", found.learned),
        row("held out, counted", found.held_out),
        vec!["plain weighing (errs where reminders tire)".into(), plain],
        vec!["left out: open, superseded, no alternative".into(), String::new(), String::new(), left_out],
    ]
}

/// The share, its interval, the choices it rests on, and how many unweighted ones would say as much.
fn shown(share: Estimate) -> [String; 4] {
    let interval = format!("{} to {}", percent(share.low), percent(share.high));
    [percent(share.rate), interval, share.decisions.to_string(), format!("{:.0}", share.effective)]
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
