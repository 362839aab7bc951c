//! Recipients of reminders with a stated behaviour, told by notifier's own core: whether learning by which medium and when
//! to send is worth anything, and whether it keeps within its bounds.
//!
//! The behaviour (`people.rs`) is part of the program: whoever doubts a figure can read what it was made with. The
//! baseline is the best fixed medium of each person, found afterwards by running every medium over the same seed: no
//! choice made in advance of one medium per person can do better.

mod check;
mod house;
mod kept;
mod people;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use notifier::learn::evaluate::{Choices, Evaluation, Policy};
use notifier::learn::{Learn, estimate::Estimate};
use serde_json::{Value, json};
use ticket::notifier::Medium;

use house::House;
pub use people::{DAYS, MEDIA, PEOPLE};

/// What the rule of a run says of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// Everybody by this medium alone, at once.
    Fixed(Medium),
    /// Everybody as they would be without learning: the medium they prefer, at once.
    Usual,
    /// By what is learned.
    Learned,
    /// Any medium as likely as any other, at once: what off-policy estimates are tried on.
    Anyhow,
}

/// What came of one run.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Reminders wanted.
    pub wanted: u64,
    /// Messages sent.
    pub sent: u64,
    /// Reminders acted on in time, by person.
    pub acted: BTreeMap<String, u64>,
    /// What broke a bound: sent too late, at a time or by a medium it should not have been.
    pub violations: Vec<String>,
    /// What the choices on record say of the policies asked about.
    pub evaluations: Vec<Evaluation>,
}

impl Run {
    /// Reminders acted on in time.
    pub fn acted(&self) -> u64 {
        self.acted.values().sum()
    }

    /// The share of reminders acted on in time, basis points.
    pub fn rate_bp(&self) -> u64 {
        self.acted() * 10_000 / self.wanted.max(1)
    }
}

/// One seed's people told in every way.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The seed.
    pub seed: u64,
    /// By what was learned.
    pub learned: Run,
    /// Reminders acted on if each person is told by the medium that turns out to be their best.
    pub best_fixed: u64,
    /// The messages of that.
    pub best_fixed_sent: u64,
    /// What came of the hold-out.
    pub held_out: Option<Estimate>,
}

/// Runs one seed's people, told so for so many days; `policies` are evaluated on the choices it records.
pub fn run(seed: u64, days: u32, sending: Sending, policies: &[Policy]) -> Run {
    // What must be sent by night leaves nothing to choose: whoever compares an estimate with the truth compares choices.
    let nights = !matches!(sending, Sending::Usual | Sending::Anyhow);
    let mut house = House::new(seed, (days, nights), &rule(sending));
    house.play();
    let mut choices = Choices::new(house::tenant(), (i64::MIN, i64::MAX));
    house.log.iter().for_each(|event| choices.take(event));
    let evaluations = policies.iter().map(|policy| choices.evaluate(house.core.state(), policy)).collect();
    Run { evaluations, ..house.came() }
}

/// Runs one seed's people likewise, and keeps what happened in a data directory, which must not hold a log yet.
pub async fn keep(seed: u64, days: u32, sending: Sending, data: &Path) -> anyhow::Result<()> {
    let mut house = House::new(seed, (days, true), &rule(sending));
    house.play();
    kept::keep(&house.log, data).await
}

/// Compares learning with the best fixed medium of each person.
pub fn compare(seed: u64, days: u32) -> Compared {
    let policy = Policy::from([(house::RULE.to_owned(), Some(learn()))]);
    let learned = run(seed, days, Sending::Learned, &[policy]);
    let fixed: Vec<_> = MEDIA.iter().map(|medium| run(seed, days, Sending::Fixed(*medium), &[])).collect();
    let best =
        |person: &String| fixed.iter().filter_map(|run| run.acted.get(person)).max().copied().unwrap_or_default();
    let people: BTreeSet<_> = fixed.iter().flat_map(|run| run.acted.keys()).collect();
    let best_fixed = people.into_iter().map(best).sum();
    let best_fixed_sent = fixed.iter().map(|run| run.sent).max().unwrap_or_default();
    let held_out = learned.evaluations.first().and_then(|found| found.held_out);
    Compared { seed, learned, best_fixed, best_fixed_sent, held_out }
}

/// The policy of sending everybody what they would get without learning.
pub fn usual() -> Policy {
    Policy::from([(house::RULE.to_owned(), None)])
}

/// What the rule that learns says of learning: tuned on seeds 1 to 30.
pub fn learn() -> Learn {
    Learn { after: 100, ..Learn::default() }
}

/// The rule of a run.
fn rule(sending: Sending) -> Value {
    let mut rule = json!({"on": ["WarningRaised"], "audience": {"accountable": true}, "text": "told"});
    let field = match sending {
        Sending::Usual => None,
        Sending::Fixed(medium) => Some(("media", json!([medium]))),
        Sending::Learned => Some(("learn", json!({"after": learn().after}))),
        Sending::Anyhow => Some(("learn", json!({"after": 100, "delay": "0s", "explore_bp": 10_000}))),
    };
    if let (Some((name, value)), Some(fields)) = (field, rule.as_object_mut()) {
        fields.insert(name.to_owned(), value);
    }
    rule
}
