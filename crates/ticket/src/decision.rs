//! Why an engineer was chosen: who was looked at, which rule dropped whom, what each of the best would have cost.
//!
//! Costs are minutes-equivalent, kept in whole seconds. A term's cost is its amount times its weight: everything needed to
//! compute it again stands beside it.

use decider::Micros;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dispatch::{Place, Slot};
use crate::sla::Pinned;

/// A rule that nobody breaks, but for a dispatcher with a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HardRule {
    /// Has not the skill, or not at the level.
    Skill,
    /// Has the skill, but its certificate ends before the visit does.
    SkillExpired,
    /// Does not work in the region.
    Region,
    /// Is not of the team the work belongs to.
    Team,
    /// Is not the person the work belongs to.
    Person,
    /// Is off duty.
    OffDuty,
    /// Has no free time of that length within shift, time off and visits before the search ends.
    NoSlot,
    /// Has as many visits that day as the roster allows.
    Capacity,
    /// Declined this visit, or let its offer pass.
    Declined,
    /// Is farther away than the policy allows.
    Distance,
}

/// What a choice is weighed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// Seconds on the way.
    Travel,
    /// Seconds from now until the engineer is on site.
    Wait,
    /// Seconds on site after `arrive_by`.
    Late,
    /// Seconds of visits the engineer has already that day.
    Load,
    /// Levels above what is needed, one minute each before weighing: experts are kept for what needs them.
    Overskill,
    /// 60 if somebody else was on this ticket before, 0 if this engineer was, or nobody.
    Stranger,
}

/// What a second of each term costs, in thousandths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Weights {
    /// Of travel.
    pub travel_permille: i64,
    /// Of waiting.
    pub wait_permille: i64,
    /// Of lateness.
    pub late_permille: i64,
    /// Of load.
    pub load_permille: i64,
    /// Of skill beyond the need.
    pub overskill_permille: i64,
    /// Of being new to the ticket.
    pub stranger_permille: i64,
}

/// Somebody a hard rule dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dropped {
    /// Who.
    pub engineer: String,
    /// The first rule that dropped them.
    pub rule: HardRule,
    /// What the rule found: the skill, the region, the instant.
    pub detail: String,
}

/// What was known of somebody who passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// The version of their stream.
    pub version: u64,
    /// Where the way would begin, if known: the site before, the last position, home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Place>,
    /// Straight line to the site, metres; 0 if either end is unknown.
    pub distance_m: i64,
    /// Seconds of each term, in the order of the terms.
    pub amounts: Vec<(Term, i64)>,
}

/// Somebody who passed, with what they would cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ranked {
    /// Who.
    pub engineer: String,
    /// The time they would come.
    pub slot: Slot,
    /// What was known.
    pub seen: Seen,
    /// Each term's cost, seconds-equivalent: amount × weight / 1,000, towards zero.
    pub costs: Vec<(Term, i64)>,
    /// The sum of the costs; the lowest wins, then the name.
    pub score_secs: i64,
}

/// Who chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Chooser {
    /// The policy.
    Policy,
    /// A dispatcher, within the hard rules.
    Dispatcher,
    /// A dispatcher, against these hard rules.
    Override {
        /// The rules broken.
        rules: Vec<HardRule>,
        /// Why.
        reason: String,
    },
}

/// A choice with everything it was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// Who chose.
    pub chooser: Chooser,
    /// The policy in force.
    pub policy: Pinned,
    /// Its weights.
    pub weights: Weights,
    /// When it was made.
    pub at: Micros,
    /// How many engineers were looked at.
    pub candidates: u32,
    /// Those a hard rule dropped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<Dropped>,
    /// The five best of those who passed, best first; one whom a dispatcher chose against the rules stands alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranked: Vec<Ranked>,
}
