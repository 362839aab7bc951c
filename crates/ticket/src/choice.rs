//! What notifier records of choosing, by what it has learned, the medium and the instant of a reminder: every option,
//! what was expected of it, and how likely it was.

use decider::Micros;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::notifier::Medium;

/// By what a medium and an instant were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Chooser {
    /// As if nothing had been learned: there is not enough history yet, or only one option.
    Usual,
    /// As if nothing had been learned: this reminder belongs to those by which learning is measured.
    HeldOut,
    /// By what was learned.
    Learned,
}

/// One way to send a reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alternative {
    /// The medium used first.
    pub medium: Medium,
    /// When it is sent.
    pub send_at: Micros,
    /// The hour of `send_at` on the recipient's clock, in classes of three hours: 0 is midnight to three.
    pub hours: u8,
    /// The share of reminders sent so that the recipient is expected to act on, basis points: the posterior's mean.
    pub expected_bp: u32,
    /// Of how many of the recipient's own reminders that is known, the older the less each; rounded down.
    pub seen: u32,
    /// The likelihood with which it was taken, the hold-out included, basis points; all of them make 10,000.
    pub chance_bp: u32,
}

/// A choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Choice {
    /// By what.
    pub by: Chooser,
    /// Acted on no later than this, the reminder counts as acted on.
    pub until: Micros,
    /// Which of the options, counted from 0.
    pub taken: u32,
    /// Every option that was allowed; the first is the usual one.
    pub among: Vec<Alternative>,
}

impl Choice {
    /// The option that was taken.
    pub fn taken(&self) -> Option<&Alternative> {
        self.among.get(self.taken as usize)
    }
}
