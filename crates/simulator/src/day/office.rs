//! Dispatchers, supervisors and whoever has an inbox: they look now and then at what waits for them.

use std::sync::Arc;

use anyhow::Context;
use decider::Micros;
use proto::dispatch::v1::{ListUnassignedRequest, Unassigned, Visit};
use proto::notifier::v1::{ListInboxRequest, Reminder, ReminderState};
use proto::sla_monitor::v1::{Breach, ListBreachesRequest};
use tonic::Status;

use super::person::Person;
use super::plan::{MINUTE_US, chance};
use super::stage::{Stage, explain as in_words};
use super::verb::{Verb, Wish};

/// How often a dispatcher looks at what nobody has.
const DISPATCH_US: Micros = 5 * MINUTE_US;
/// How often an inbox is looked at.
const INBOX_US: Micros = 10 * MINUTE_US;
/// How often a supervisor looks at what was late.
const REVIEW_US: Micros = 20 * MINUTE_US;
/// Decisions that found nobody, after which a dispatcher gives the visit to somebody against the rules.
const PATIENCE: u32 = 4;
/// Engineers asked by hand in one look, until one of them can come.
const ASKED: usize = 5;
/// Rules a dispatcher may break: another one guides by telephone, or the way is longer.
const BREAKABLE: [&str; 6] = ["skill", "skill_expired", "region", "team", "person", "distance"];
/// What a supervisor finds when she looks why something was late.
const CAUSES: [(&str, &str); 3] = [
    ("capacity", "Everybody was busy."),
    ("overlooked", "It lay in the queue unseen."),
    ("misrouted", "It was in the wrong queue first."),
];

/// The operator writes down how everybody wants to be told.
pub(crate) async fn introduce(stage: &Stage) -> anyhow::Result<()> {
    let address = |name: &str| -> anyhow::Result<String> {
        let path = stage.setting.sink.join(name);
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(text.trim().to_owned())
    };
    let hooks = (format!("http://{}", address("http")?), address("secret")?);
    for recipient in stage.people.recipients(&hooks) {
        // With other addresses it is another request: the server of a day that was broken off may listen elsewhere now.
        let step = format!("introduce/{}/{}", recipient.subject, hooks.0);
        let verb = Verb::Introduce(Box::new(recipient));
        let wish = Wish { due: 0, step, target: String::new(), occurred_at: None, verb };
        stage.perform(&stage.people.operator, &wish).await?;
    }
    Ok(())
}

/// A dispatcher: follows recommendations, and sends somebody by hand where the rules find nobody for long.
pub(crate) async fn assign(stage: Arc<Stage>, person: Arc<Person>, number: usize) -> anyhow::Result<()> {
    let many = stage.people.dispatchers.len();
    loop {
        let asked = ListUnassignedRequest { page_size: 1_000, ..ListUnassignedRequest::default() };
        let answer = soon(person.dispatch().list_unassigned(asked).await)?;
        let waiting = answer.map(|answer| answer.unassigned).unwrap_or_default();
        for unassigned in waiting.iter().filter(|waiting| share(waiting.visit.as_ref(), many) == number) {
            for wish in by_hand(stage.setting.seed, unassigned) {
                if !stage.is_done(&person.subject, &wish.target, &wish.step)
                    && stage.perform(&person, &wish).await?.is_some()
                {
                    break;
                }
            }
        }
        stage.wait(stage.clock().now() + DISPATCH_US).await;
    }
}

/// Which dispatcher looks after a visit.
fn share(visit: Option<&Visit>, many: usize) -> usize {
    visit.map_or(0, |visit| visit.name.bytes().map(usize::from).sum::<usize>() % many.max(1))
}

/// Whom a dispatcher would send, the preferred first.
fn by_hand(seed: u64, unassigned: &Unassigned) -> Vec<Wish> {
    let Some(visit) = &unassigned.visit else { return Vec::new() };
    let wish = |engineer: &str, override_reason| {
        let (step, target) = (format!("assign/{}/{engineer}", visit.attempt), visit.name.clone());
        let verb = Verb::Assign { engineer: engineer.to_owned(), override_reason };
        Wish { due: 0, step, target, occurred_at: None, verb }
    };
    if !visit.recommended.is_empty() {
        return vec![wish(&visit.recommended, "")];
    }
    if visit.attempt < PATIENCE {
        return Vec::new();
    }
    let breakable = unassigned.dropped.iter().filter(|dropped| BREAKABLE.contains(&dropped.rule.as_str()));
    let mut able: Vec<_> = breakable.map(|dropped| dropped.engineer.as_str()).collect();
    chance(seed, &visit.name).shuffle(&mut able);
    let reason = "The customer cannot wait; a colleague guides by telephone.";
    able.into_iter().take(ASKED).map(|engineer| wish(engineer, reason)).collect()
}

/// Somebody with an inbox: answers for most of what wants an answer.
pub(crate) async fn answer(stage: Arc<Stage>, person: Arc<Person>) -> anyhow::Result<()> {
    loop {
        let asked = ListInboxRequest { unread: true, page_size: 1_000, ..ListInboxRequest::default() };
        let inbox = soon(person.notifier().list_inbox(asked).await)?.map(|answer| answer.reminders).unwrap_or_default();
        for reminder in inbox.iter().filter(|reminder| wants_answer(reminder)) {
            let (step, target) = ("acknowledge".to_owned(), reminder.name.clone());
            // One of two is overlooked by whoever is told first: somebody else is told then.
            let overlooked = reminder.step == 0 && chance(stage.setting.seed, &reminder.cause_id).bool();
            if !overlooked && !stage.is_done(&person.subject, &target, &step) {
                let wish = Wish { due: 0, step, target, occurred_at: None, verb: Verb::Acknowledge };
                stage.perform(&person, &wish).await?;
            }
        }
        stage.wait(stage.clock().now() + INBOX_US).await;
    }
}

fn wants_answer(reminder: &Reminder) -> bool {
    let here = matches!(reminder.state(), ReminderState::Delivered | ReminderState::Sending | ReminderState::Read);
    reminder.answer_by_time.is_some() && here
}

/// A supervisor: says why something was late.
pub(crate) async fn explain(stage: Arc<Stage>, person: Arc<Person>, number: usize) -> anyhow::Result<()> {
    loop {
        explain_once(&stage, &person, Some(number)).await?;
        stage.wait(stage.clock().now() + REVIEW_US).await;
    }
}

/// Explains what nobody explained yet: one supervisor's share of it, or all.
pub(crate) async fn explain_once(stage: &Stage, person: &Person, share: Option<usize>) -> anyhow::Result<()> {
    let asked = ListBreachesRequest { unexplained: true, page_size: 1_000, ..ListBreachesRequest::default() };
    let answer = soon(person.sla().list_breaches(asked).await)?;
    let many = stage.people.supervisors.len();
    for breach in answer.iter().flat_map(|answer| &answer.breaches).filter(|breach| !breach.revoked) {
        let weight = weight(breach);
        if share.is_some_and(|number| weight % many != number) {
            continue;
        }
        let (cause, note) = CAUSES[weight % CAUSES.len()];
        let (step, clock) = (format!("explain/{}", breach.clock), breach.clock.clone());
        let (target, verb) = (breach.ticket.clone(), Verb::Explain { clock, cause, note });
        if !stage.is_done(&person.subject, &target, &step) {
            stage.perform(person, &Wish { due: 0, step, target, occurred_at: None, verb }).await?;
        }
    }
    Ok(())
}

fn weight(breach: &Breach) -> usize {
    breach.ticket.bytes().chain(breach.clock.bytes()).map(usize::from).sum()
}

/// An answer; none if the server asks to come again.
fn soon<T>(answer: Result<tonic::Response<T>, Status>) -> anyhow::Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer.into_inner())),
        Err(status) if super::stage::asks_again(&status) => Ok(None),
        Err(status) => Err(in_words(&status)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proto::dispatch::v1::Dropped;

    use super::*;

    fn unassigned(attempt: u32, recommended: &str) -> Unassigned {
        let dropped = |engineer: &str, rule: &str| Dropped {
            engineer: engineer.into(),
            rule: rule.into(),
            detail: String::new(),
        };
        let visit = Visit { name: "v".into(), attempt, recommended: recommended.into(), ..Visit::default() };
        let dropped = vec![dropped("one", "off_duty"), dropped("two", "skill"), dropped("three", "no_slot")];
        Unassigned { visit: Some(visit), dropped, ..Unassigned::default() }
    }

    fn asked(unassigned: &Unassigned) -> BTreeMap<String, bool> {
        let verb = |wish: Wish| match wish.verb {
            Verb::Assign { engineer, override_reason } => (engineer, !override_reason.is_empty()),
            other => panic!("{other:?}"),
        };
        by_hand(7, unassigned).into_iter().map(verb).collect()
    }

    #[test]
    fn a_recommendation_is_followed_without_breaking_a_rule() {
        assert_eq!(asked(&unassigned(1, "eng-01")), [("eng-01".to_owned(), false)].into());
    }

    #[test]
    fn rules_are_broken_late_and_only_those_that_may_be() {
        assert_eq!(asked(&unassigned(1, "")), BTreeMap::new());
        assert_eq!(asked(&unassigned(PATIENCE, "")), [("two".to_owned(), true)].into());
    }
}
