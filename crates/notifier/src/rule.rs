//! Who is told what, when: a `kind: ReminderRule` document.

use decider::Micros;
use serde_json::Value;
use ticket::condition::{Condition, TicketFacts};
use ticket::document::{self, Fault, Part};
use ticket::glob::Globs;
use ticket::notifier::Medium;

use crate::group::Group;
use crate::known::{self, Scalars};
use crate::learn::Learn;

/// Longest time an answer may be waited for, seconds: 30 days.
const MAX_ANSWER_SECS: i64 = 30 * 86_400;

/// What a rule may say.
const FIELDS: [&str; 14] = [
    "on",
    "when",
    "audience",
    "linked",
    "text",
    "acted",
    "urgent",
    "answer_within",
    "again_after",
    "next_medium_after",
    "escalate_to",
    "media",
    "group",
    "learn",
];
/// Most audiences that are told with the first.
const MAX_LINKED: usize = 4;

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Whoever owes the ticket's next step.
    Accountable,
    /// Whoever is woken because nobody took it.
    Woken,
    /// The engineer the event is about.
    Engineer,
    /// The customer, as the ticket says they are reached.
    Customer,
    /// Whoever is on duty for this queue.
    Queue(String),
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    on: Globs,
    when: Option<Condition>,
    /// Who is told.
    pub audience: Audience,
    /// The text's name.
    pub text: String,
    /// Whether it may break quiet hours.
    pub urgent: bool,
    /// Within which time an answer is wanted, microseconds.
    pub answer_within_us: Option<Micros>,
    /// The queue that is told when none comes.
    pub escalate_to: Option<String>,
    /// The media it may use; any if empty.
    pub media: Vec<Medium>,
    /// How medium and instant are learned; they are not if nothing is said.
    pub learn: Option<Learn>,
    /// How long after one medium the next is used though it arrived, as long as nobody saw it, microseconds.
    pub next_medium_after_us: Option<Micros>,
    /// How long after it was sent it comes a second time, as long as nothing was done, microseconds.
    pub again_after_us: Option<Micros>,
    /// What is told together.
    pub group: Option<Group>,
    /// Who is told with the audience; once one of all these acts, it is taken back from the others.
    pub linked: Vec<Audience>,
    /// The text by which those hear who acted from whom it is taken back.
    pub acted: Option<String>,
}

impl Rule {
    /// Reads a spec, or names everything that is wrong with it.
    pub fn read(spec: &Value) -> Result<Self, Vec<Fault>> {
        document::read(spec, |part| {
            part.only(&FIELDS);
            let on = part.field("on").map(|on| Globs::new(&on.texts()));
            if on.as_ref().is_some_and(Globs::matches_nothing) {
                part.fault_at("/on", "must name at least one kind of event");
            }
            let when = part.maybe("when").and_then(|when| condition(&when));
            let audience = part.field("audience").and_then(|audience| audience_of(&audience));
            let wakes = |on: &Globs| ["AttentionMissed", "EscalationRaised"].iter().any(|kind| on.matches(kind));
            if audience == Some(Audience::Woken) && on.as_ref().is_some_and(|on| !wakes(on)) {
                part.fault_at("/audience", "woken is known of AttentionMissed and EscalationRaised: name one in on");
            }
            let text = part.field("text").and_then(|text| text.text()).map(str::to_owned);
            let answer_within_us = part.maybe("answer_within").and_then(|within| waited_us(&within));
            let next_medium_after_us = part.maybe("next_medium_after").and_then(|after| waited_us(&after));
            let urgent = part.maybe("urgent").and_then(|urgent| urgent.flag());
            let media = part.maybe("media").map_or_else(Vec::new, |media| media_of(&media));
            let learn = part.maybe("learn").map(|learn| Learn::read(&learn));
            let to_customer = audience == Some(Audience::Customer);
            let fixed = urgent == Some(true) || to_customer;
            if learn.is_some() && fixed {
                part.fault_at("/learn", "leaves nothing to choose where it is urgent, or of a customer");
            }
            let group = part.maybe("group").map(|group| Group::read(&group));
            if group.is_some() && (fixed || learn.is_some()) {
                part.fault_at(
                    "/group",
                    "holds back what can wait: nothing urgent, nothing of a customer, nothing learned",
                );
            }
            let linked = part.maybe("linked").map_or_else(Vec::new, |linked| linked_of(&linked));
            let acted = part.maybe("acted").and_then(|text| text.text()).map(str::to_owned);
            let again_after_us = part.maybe("again_after").and_then(|after| waited_us(&after));
            let escalate_to = part.maybe("escalate_to").and_then(|queue| queue.text()).map(str::to_owned);
            Some(Self {
                on: on?,
                when,
                audience: audience?,
                text: text?,
                urgent: urgent.unwrap_or_default(),
                answer_within_us,
                escalate_to,
                media,
                learn,
                next_medium_after_us,
                again_after_us,
                group: group.flatten(),
                linked,
                acted,
            })
        })
    }

    /// Whether the rule is about events of this kind.
    pub(crate) fn about(&self, kind: &str) -> bool {
        self.on.matches(kind)
    }

    /// Whether its condition holds of this ticket and this event.
    pub(crate) fn holds(&self, ticket: &TicketFacts, told: &Scalars) -> bool {
        let values = || Some([("ticket", json(ticket)?), ("event", json(told)?)]);
        self.when.as_ref().is_none_or(|when| values().is_some_and(|values| when.holds(&values)))
    }
}

fn json(value: &impl serde::Serialize) -> Option<Value> {
    serde_json::to_value(value).ok()
}

fn condition(part: &Part<'_>) -> Option<Condition> {
    let sample = [("ticket", json(&TicketFacts::sample())?), ("event", json(&known::sample())?)];
    match Condition::compile(part.text()?, &sample) {
        Ok(condition) => Some(condition),
        Err(why) => {
            part.fault(why);
            None
        }
    }
}

fn audience_of(part: &Part<'_>) -> Option<Audience> {
    let flags = [
        ("accountable", Audience::Accountable),
        ("woken", Audience::Woken),
        ("engineer", Audience::Engineer),
        ("customer", Audience::Customer),
    ];
    part.only(&["accountable", "woken", "engineer", "customer", "queue"]);
    let flagged = flags.into_iter().filter_map(|(name, audience)| part.maybe(name)?.flag()?.then_some(audience));
    let mut found: Vec<_> = flagged.collect();
    found.extend(part.maybe("queue").and_then(|queue| queue.text()).map(|queue| Audience::Queue(queue.to_owned())));
    if found.len() != 1 {
        part.fault("must name exactly one of accountable, woken, engineer, customer, queue");
    }
    found.pop()
}

fn linked_of(part: &Part<'_>) -> Vec<Audience> {
    let items = part.items();
    if items.len() > MAX_LINKED {
        part.fault(format!("must name at most {MAX_LINKED} audiences"));
    }
    items.iter().filter_map(audience_of).collect()
}

fn waited_us(part: &Part<'_>) -> Option<Micros> {
    let secs = part.duration_secs()?;
    if !(1..=MAX_ANSWER_SECS).contains(&secs) {
        part.fault("must be at least 1s and at most 720h");
    }
    secs.checked_mul(1_000_000)
}

fn media_of(part: &Part<'_>) -> Vec<Medium> {
    let words = Medium::ALL.map(|medium| (medium.name(), medium));
    let items = part.items();
    if items.is_empty() {
        part.fault("must name at least one medium");
    }
    items.iter().filter_map(|item| item.one_of(&words)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(spec: &Value) -> Vec<String> {
        Rule::read(spec).unwrap_err().into_iter().map(|fault| fault.path).collect()
    }

    /// Proves part of: X1, N2
    #[test]
    fn every_fault_of_a_rule_is_named() {
        let spec = json!({"on": [], "when": "event.colour == 1", "audience": {"engineer": true, "queue": "q"},
            "urgent": "yes", "answer_within": "0s", "media": ["pigeon"], "text": 7});
        assert_eq!(faults(&spec), ["/answer_within", "/audience", "/media/0", "/on", "/text", "/urgent", "/when"]);
        let woken = json!({"on": ["Breached"], "audience": {"woken": true}, "text": "t"});
        assert_eq!(faults(&woken), ["/audience"]);
    }

    #[test]
    fn a_condition_reads_the_ticket_and_the_event() {
        let spec = json!({"on": ["Warning*"], "audience": {"accountable": true}, "text": "t",
            "when": "ticket.priority == 'medium' && event.share_bp >= 8000 && event.clock != 'reply'"});
        let rule = Rule::read(&spec).unwrap();
        assert!(rule.about("WarningRaised") && !rule.about("Breached"));
        let told = |share_bp, clock: &str| {
            let mut told = known::sample();
            told.insert("share_bp".into(), ticket::condition::Scalar::Number(share_bp));
            told.insert("clock".into(), ticket::condition::Scalar::Text(clock.into()));
            told
        };
        let ticket = TicketFacts::sample();
        assert!(rule.holds(&ticket, &told(8_000, "repair")));
        assert!(!rule.holds(&ticket, &told(5_000, "repair")) && !rule.holds(&ticket, &told(8_000, "reply")));
        assert!(!rule.holds(&ticket, &Scalars::new()), "what the event does not say does not hold");
    }
}
