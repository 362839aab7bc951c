//! Why somebody was sent: who was looked at, which rule dropped whom, what each of the best would have cost.

use proto::dispatch::v1::{Decision, Dropped, ExplainAssignmentRequest, Ranked, WhyNotRequest};

use crate::client::{Client, explain};
use crate::out;
use crate::tickets::moment;

/// Tells the last decision about a visit.
pub(super) async fn explain_visit(client: &Client, visit: &str) -> anyhow::Result<()> {
    let request = ExplainAssignmentRequest { visit: visit.to_owned(), min_position: String::new() };
    let answer = client.dispatch().explain_assignment(request).await.map_err(|status| explain(&status))?.into_inner();
    let Some(decision) = answer.decision else {
        out::say(format!("{visit}: nothing was decided yet"));
        return Ok(());
    };
    out::say(visit);
    head(&decision).iter().for_each(out::say);
    ranked(&decision.ranked.iter().collect::<Vec<_>>());
    dropped(&decision.dropped);
    Ok(())
}

/// Tells why an engineer was not chosen for a ticket's last visit.
pub(super) async fn why_not(client: &Client, ticket: &str, engineer: &str) -> anyhow::Result<()> {
    let request =
        WhyNotRequest { ticket: ticket.to_owned(), engineer: engineer.to_owned(), min_position: String::new() };
    let answer = client.dispatch().why_not(request).await.map_err(|status| explain(&status))?.into_inner();
    out::say(&answer.answer);
    dropped(answer.dropped.as_slice());
    let both: Vec<_> = answer.asked.iter().chain(&answer.chosen).collect();
    if !both.is_empty() {
        ranked(&both);
    }
    Ok(())
}

/// Who decided, by which policy, from how many.
fn head(decision: &Decision) -> Vec<String> {
    let (all, dropped) = (decision.candidates as usize, decision.dropped.len());
    let mut lines = vec![
        format!("decided {} by {}", moment(decision.decide_time.as_ref()), decision.chooser),
        format!("policy {} v{}, event {}", decision.policy, decision.policy_version, decision.event_id),
        format!("{all} candidates, {} passed, {dropped} dropped", all.saturating_sub(dropped)),
    ];
    if !decision.overridden.is_empty() {
        lines.push(format!("against {}: {}", decision.overridden.join(", "), decision.reason));
    }
    lines
}

/// The best with each term: amount × weight = cost, in seconds.
fn ranked(all: &[&Ranked]) {
    let mut rows = vec![["", "ENGINEER", "SCORE", "ON SITE", "METRES", "TERMS"].map(str::to_owned).to_vec()];
    for (place, one) in all.iter().enumerate() {
        let term = |cost: &proto::dispatch::v1::Cost| {
            format!("{} {} ({} s × {} ‰)", cost.term, cost.cost_secs, cost.amount_secs, cost.weight_permille)
        };
        rows.push(vec![
            (place + 1).to_string(),
            one.engineer.clone(),
            one.score_secs.to_string(),
            moment(one.arrive_time.as_ref()),
            one.distance_m.to_string(),
            one.costs.iter().map(term).collect::<Vec<_>>().join(", "),
        ]);
    }
    out::say(format!("\n{}", out::table(&rows)));
}

/// Who was dropped, by which rule.
fn dropped(all: &[Dropped]) {
    if all.is_empty() {
        return;
    }
    let mut rows = vec![["DROPPED", "RULE", "FOUND"].map(str::to_owned).to_vec()];
    rows.extend(all.iter().map(|one| vec![one.engineer.clone(), one.rule.clone(), one.detail.clone()]));
    out::say(format!("\n{}", out::table(&rows)));
}
