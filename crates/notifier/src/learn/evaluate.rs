//! What learning is worth: the share of reminders acted on under a policy, estimated from the choices on record, beside
//! the hold-out's, which nobody chose for.

use std::collections::BTreeMap;

use decider::{Micros, Recorded, Tenant};
use ticket::Event;
use ticket::choice::{Choice, Chooser};
use ticket::notifier::{NotifierEvent, Recipient};
use uuid::Uuid;

use super::estimate::{self, Estimate, Real, Step};
use super::{Learn, WHOLE_BP};
use crate::rule::Rule;
use crate::state::State;

/// Without a decision for so long, a recipient's next one begins a new trajectory: a night lies between.
const REST_US: Micros = 8 * 3_600_000_000;
/// Longest trajectory; the next decision begins a new one. Products of more ratios say nothing.
const MAX_STEPS: usize = 8;

/// A choice on record.
#[derive(Clone, Debug)]
struct Made {
    reminder: Uuid,
    recipient: String,
    rule: String,
    at: Micros,
    choice: Choice,
}

/// Gathers the choices of a period from the log's events.
#[derive(Debug)]
pub struct Choices {
    tenant: Tenant,
    period: (Micros, Micros),
    made: Vec<Made>,
}

/// A policy: what each rule by name says of learning; nothing where it does not learn, and the usual is done.
pub type Policy = BTreeMap<String, Option<Learn>>;

/// What a policy is worth.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// By trajectories; nothing without choices among several options that the policy could have made.
    pub policy: Option<Estimate>,
    /// As plain inverse propensity scoring would have it, which errs where reminders tire people.
    pub plain: Option<Real>,
    /// What came of those chosen by what was learned.
    pub learned: Option<Estimate>,
    /// What came of the hold-out.
    pub held_out: Option<Estimate>,
    /// Choices that say nothing: recalled because of somebody else, still open, of rules the policy lacks, or without an
    /// alternative.
    pub left_out: usize,
}

impl Choices {
    /// Choices of this tenant made in this period: at or after its first instant, before its second.
    pub fn new(tenant: Tenant, period: (Micros, Micros)) -> Self {
        Self { tenant, period, made: Vec::new() }
    }

    /// Takes the next event in.
    pub fn take(&mut self, event: &Recorded<Event>) {
        let (from, to) = self.period;
        let Event::Notifier(NotifierEvent::ReminderPlanned { reminder, rule, recipient, choice: Some(choice), .. }) =
            &event.event
        else {
            return;
        };
        let Recipient::Person(recipient) = recipient else { return };
        if event.tenant == self.tenant && (from..to).contains(&event.recorded_at) {
            let (rule, recipient, choice) = (rule.name.clone(), recipient.clone(), choice.clone());
            self.made.push(Made { reminder: *reminder, recipient, rule, at: event.recorded_at, choice });
        }
    }

    /// What a policy would have come to; `state` has folded the log.
    pub fn evaluate(&self, state: &State, policy: &Policy) -> Evaluation {
        let mut found = Evaluation::default();
        let (mut learned, mut held_out) = ((0, 0), (0, 0));
        let mut trajectories: BTreeMap<&str, (Micros, Vec<Vec<Step>>)> = BTreeMap::new();
        for made in &self.made {
            let house = state.house(&self.tenant);
            let acted = house.and_then(|house| house.reminders.get(&made.reminder)?.chosen?.acted);
            let (Some(learn), true) = (policy.get(&made.rule), made.choice.among.len() > 1) else {
                found.left_out += 1;
                continue;
            };
            match (made.choice.by, acted) {
                (Chooser::Learned, Some(acted)) => learned = (learned.0 + usize::from(acted), learned.1 + 1),
                (Chooser::HeldOut, Some(acted)) => held_out = (held_out.0 + usize::from(acted), held_out.1 + 1),
                (Chooser::Usual, Some(_)) => {}
                (_, None) => found.left_out += 1,
            }
            let (last, of) = trajectories.entry(&made.recipient).or_default();
            let rested = made.at.saturating_sub(std::mem::replace(last, made.at)) >= REST_US;
            if rested || of.last().is_none_or(|steps| steps.len() >= MAX_STEPS) {
                of.push(Vec::new());
            }
            if let (Some(steps), Some(step)) = (of.last_mut(), step(&made.choice, learn.as_ref(), acted)) {
                steps.push(step);
            }
        }
        let all: Vec<_> = trajectories.into_values().flat_map(|(_, of)| of).collect();
        found.policy = estimate::by_trajectory(&all);
        found.plain = estimate::plain(&all);
        found.learned = estimate::share(learned.0, learned.1);
        found.held_out = estimate::share(held_out.0, held_out.1);
        found
    }
}

/// A choice as the estimators see it.
fn step(choice: &Choice, learn: Option<&Learn>, acted: Option<bool>) -> Option<Step> {
    let taken = choice.taken()?;
    let wanted_bp = match learn {
        Some(learn) => {
            let expected: Vec<_> = choice.among.iter().map(|option| option.expected_bp).collect();
            *learn.chances(&expected, WHOLE_BP).get(choice.taken as usize)?
        }
        None if choice.taken == 0 => WHOLE_BP,
        None => 0,
    };
    Some(Step { logged_bp: taken.chance_bp, wanted_bp, acted })
}

/// What the rules in force say of learning.
pub fn in_force(state: &State, tenant: &Tenant) -> Policy {
    let rules = state.house(tenant).into_iter().flat_map(|house| &house.rules);
    let of = |rule: &Rule| rule.learn.clone();
    rules.filter_map(|(name, editions)| Some((name.clone(), of(editions.last()?.read()?.1)))).collect()
}
