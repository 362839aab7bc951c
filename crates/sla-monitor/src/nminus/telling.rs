//! What a `kind: ReminderRule` document, which notifier owns and checks, says of whom it reaches and how.

use decider::Micros;
use serde_json::Value;
use ticket::condition::{Condition, TicketFacts};
use ticket::document::{Fault, Part, read};
use ticket::glob::Globs;
use ticket::notifier::Medium;
use ticket::scalars;

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Whoever owes the next step.
    Accountable,
    /// Whoever is woken.
    Woken,
    /// The engineer.
    Engineer,
    /// Whoever is on duty for this queue.
    Queue(String),
    /// Nobody of ours.
    Customer,
}

/// A rule, as far as it says who is reached.
#[derive(Debug)]
pub(crate) struct Telling {
    on: Globs,
    when: Option<Condition>,
    pub(crate) audience: Audience,
    /// Who is told with them.
    pub(crate) linked: Vec<Audience>,
    pub(crate) urgent: bool,
    pub(crate) answer_within_us: Option<Micros>,
    pub(crate) next_medium_after_us: Option<Micros>,
    /// The queue that is told when nobody answers.
    pub(crate) escalate_to: Option<String>,
    /// The media it may use; any if empty.
    pub(crate) media: Vec<Medium>,
}

impl Telling {
    /// Reads a spec, or names what of it cannot be read.
    pub(crate) fn read(spec: &Value) -> Result<Self, Vec<Fault>> {
        read(spec, |part| {
            let on = Globs::new(&part.field("on")?.texts());
            let when = part.maybe("when").map(|when| condition(&when));
            let wait_us = |name| part.maybe(name).and_then(|wait| wait.duration_secs()?.checked_mul(1_000_000));
            let items = |name| part.maybe(name).map_or_else(Vec::new, |items| items.items());
            let (media, linked) = (items("media"), items("linked"));
            Some(Self {
                on,
                when: match when {
                    Some(when) => Some(when?),
                    None => None,
                },
                audience: part.field("audience").and_then(|audience| audience_of(&audience))?,
                linked: linked.iter().filter_map(audience_of).collect(),
                urgent: part.maybe("urgent").and_then(|urgent| urgent.flag()).unwrap_or_default(),
                answer_within_us: wait_us("answer_within"),
                next_medium_after_us: wait_us("next_medium_after"),
                escalate_to: part.maybe("escalate_to").and_then(|queue| queue.text()).map(str::to_owned),
                media: media.iter().filter_map(|one| one.one_of(&Medium::ALL.map(|one| (one.name(), one)))).collect(),
            })
        })
    }

    /// Whether it speaks of events of this kind.
    pub(crate) fn about(&self, kind: &str) -> bool {
        self.on.matches(kind)
    }

    /// Whether it speaks of this event of this ticket; what it asks for is made only where it asks for something.
    pub(crate) fn holds(&self, known: impl FnOnce() -> [(&'static str, Value); 2]) -> bool {
        self.when.as_ref().is_none_or(|when| when.holds(&known()))
    }
}

/// A value as conditions read it.
pub(crate) fn known(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn condition(part: &Part<'_>) -> Option<Condition> {
    let sample = [("ticket", known(&TicketFacts::sample())), ("event", known(&scalars::sample()))];
    Condition::compile(part.text()?, &sample).map_err(|why| part.fault(why)).ok()
}

fn audience_of(part: &Part<'_>) -> Option<Audience> {
    let flag = |name| part.maybe(name).and_then(|flag| flag.flag()).unwrap_or_default();
    let flags = [
        ("accountable", Audience::Accountable),
        ("woken", Audience::Woken),
        ("engineer", Audience::Engineer),
        ("customer", Audience::Customer),
    ];
    let queue = || Some(Audience::Queue(part.maybe("queue")?.text()?.to_owned()));
    flags.into_iter().find(|(name, _)| flag(name)).map(|(_, audience)| audience).or_else(queue)
}
