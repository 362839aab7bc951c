//! What sla-monitor records of a ticket's clocks, in `sla/<ticket>`. No event here holds personal data.
//!
//! Instants of marks are facts: they were computed once, by the versions named, and are never recomputed.

use decider::Micros;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::intake::Accountable;

/// A version of a configuration document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pinned {
    /// The document's name.
    pub name: String,
    /// The version of its stream.
    pub version: u64,
}

impl Pinned {
    /// Whether it is this version of this document.
    pub fn is(&self, name: &str, version: u64) -> bool {
        self.name == name && self.version == version
    }
}

/// The instant at which a share of the budget is used up, if the clock keeps running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    /// Share of the budget in basis points; 10,000 is the breach.
    pub share_bp: u32,
    /// The earliest instant at which elapsed working time equals that share.
    pub at: Micros,
}

/// What a clock was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Terms {
    /// The policy.
    pub policy: Pinned,
    /// The calendar.
    pub calendar: Pinned,
    /// The time zone database the calendar was read with.
    pub tzdb: String,
    /// Working seconds allowed.
    pub budget_secs: i64,
    /// The working days at whose end they run out, where the target is given so: the seconds are whole ones of theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_days: Option<u32>,
    /// The IANA zone whose clocks the calendar is read off, where that is not its own: the customer's or the team's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// Why somebody was late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreachCause {
    /// Nobody had time.
    Capacity,
    /// It went to the wrong place.
    Misrouted,
    /// The customer could not be reached.
    CustomerUnreachable,
    /// Parts were missing.
    Parts,
    /// Somebody outside was late.
    ThirdParty,
    /// It was overlooked.
    Overlooked,
    /// Something of ours failed.
    System,
}

/// An event of a `sla/<ticket>` stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SlaEvent {
    /// A clock was attached and ran from `since`.
    ClockStarted {
        /// The clock's name in its policy.
        clock: String,
        /// Counts the times the marks were set; a new deadline is a new generation.
        generation: u32,
        /// What it was made from.
        terms: Terms,
        /// When it began to run.
        since: Micros,
        /// Working microseconds already used, where a policy was exchanged.
        elapsed_us: i64,
        /// The marks ahead.
        marks: Vec<Mark>,
    },
    /// The clock stands still.
    ClockPaused {
        /// The clock.
        clock: String,
        /// Its generation.
        generation: u32,
        /// Since when.
        since: Micros,
        /// Working microseconds used.
        elapsed_us: i64,
    },
    /// The clock runs again, with new marks.
    ClockResumed {
        /// The clock.
        clock: String,
        /// Its new generation.
        generation: u32,
        /// Since when.
        since: Micros,
        /// Working microseconds used before.
        elapsed_us: i64,
        /// The marks ahead.
        marks: Vec<Mark>,
    },
    /// The clock reached its end.
    ClockStopped {
        /// The clock.
        clock: String,
        /// Its generation.
        generation: u32,
        /// When.
        since: Micros,
        /// Working microseconds used.
        elapsed_us: i64,
        /// Whether it was in time.
        met: bool,
    },
    /// The clock no longer applies; it counts neither as met nor as breached.
    ClockCancelled {
        /// The clock.
        clock: String,
        /// Its generation.
        generation: u32,
        /// When.
        since: Micros,
        /// Working microseconds used.
        elapsed_us: i64,
    },
    /// A share of the budget was used up.
    WarningRaised {
        /// The clock.
        clock: String,
        /// Its generation.
        generation: u32,
        /// Which share, basis points.
        share_bp: u32,
        /// The instant it was used up.
        at: Micros,
    },
    /// The budget was used up.
    Breached {
        /// The clock.
        clock: String,
        /// Its generation.
        generation: u32,
        /// The instant it was used up.
        at: Micros,
        /// Who was accountable then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        accountable: Option<Accountable>,
    },
    /// A fact that became known late shows that there was no breach.
    BreachRevoked {
        /// The clock.
        clock: String,
        /// The generation that had breached.
        generation: u32,
        /// The instant of the breach taken back.
        at: Micros,
        /// When the late fact happened.
        fact_at: Micros,
    },
    /// Somebody said why it was late.
    BreachExplained {
        /// The clock.
        clock: String,
        /// The class.
        cause: BreachCause,
        /// In words; about the work, not about persons.
        note: String,
    },
    /// The accountable party did not take the next step in time; somebody else was woken.
    AttentionMissed {
        /// Counts the misses since the ticket last moved.
        step: u32,
        /// The instant that was missed.
        due_at: Micros,
        /// Who owed the step.
        owed: Accountable,
        /// Who is woken now, beside them.
        wakes: Accountable,
        /// When the next step follows, if still nobody moves.
        next_at: Micros,
    },
}
