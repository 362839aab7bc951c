//! What sla-monitor records of a ticket's clocks in `sla/<ticket>`, and of major events in `major/<name>`. No event here
//! holds personal data.
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
    /// Who is called, step by step, once it is breached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Pinned>,
    /// The major event it was made under, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major: Option<String>,
}

/// A condition of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Clause {
    /// It begins a round.
    Start,
    /// It ends the round.
    Stop,
    /// It stands still.
    Pause,
    /// It stands still no longer.
    Resume,
    /// It begins anew, with its whole budget.
    Reset,
    /// It no longer applies.
    Cancel,
    /// Its target changed.
    Target,
}

/// What a condition was found to say of a fact; kept so that nobody computes it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Because {
    /// Which condition turned.
    pub clause: Clause,
    /// At which activity.
    pub activity: String,
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

/// Who is called at a step of an escalation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Whoever owes the ticket's next step.
    Accountable,
    /// Whoever is on duty of the queue the ticket lies in.
    Desk,
    /// One person, by token subject.
    Person(String),
    /// Whoever is on duty of this queue.
    Queue(String),
    /// Whoever is on call by this rota.
    Rota(String),
}

/// What of a backlog is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Backlog {
    /// How many tickets lie in the queue.
    Count,
    /// How long the oldest has lain there.
    Age,
}

/// An event of a `sla/<ticket>` or `major/<name>` stream.
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
        /// When its round began, if not with the ticket.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        began: Option<Micros>,
        /// What turned it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Because>,
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
        /// What turned it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Because>,
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
        /// What turned it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Because>,
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
        /// What turned it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Because>,
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
        /// What turned it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Because>,
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
        /// When the round began that was late, if not with the ticket.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        began: Option<Micros>,
        /// When the first is called for it, step by step, if anybody is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        escalates_at: Option<Micros>,
        /// The major event it happened under, by its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        major: Option<String>,
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
        /// When the round began that had breached, if not with the ticket.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        began: Option<Micros>,
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
    /// Somebody is called because a clock is breached and nobody answered for it yet.
    EscalationRaised {
        /// The clock.
        clock: String,
        /// The generation that breached.
        generation: u32,
        /// Counts the calls for this breach from 1.
        step: u32,
        /// When this call was due.
        due_at: Micros,
        /// Who is meant.
        audience: Audience,
        /// Who that was at this instant, by token subject; empty if nobody was there.
        wakes: Vec<String>,
        /// By which shift of a rota, `override` if by none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shift: Option<String>,
        /// When the next is called unless somebody answers for it; none: this was the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_at: Option<Micros>,
        /// The major event it happened under, by its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        major: Option<String>,
    },
    /// Somebody answers for a breached clock; it is called again if that leads to nothing.
    EscalationAcknowledged {
        /// The clock.
        clock: String,
        /// The generation that breached.
        generation: u32,
        /// The step that was answered.
        step: u32,
        /// Who, by token subject.
        by: String,
        /// When the next is called all the same, unless the clock has ended by then.
        rearms_at: Micros,
    },
    /// Too much lies in a queue; told of the ticket that has lain there longest.
    BacklogRaised {
        /// The document that says so.
        alert: Pinned,
        /// The queue.
        queue: String,
        /// Counts the queue's alarms of this measure from 1.
        alarm: u32,
        /// What is too much.
        measure: Backlog,
        /// How many tickets lie there.
        waiting: u32,
        /// Since when the oldest does.
        oldest_at: Micros,
        /// What was exceeded: tickets, or seconds.
        limit: i64,
    },
    /// The alarm is over: it is no longer more than what clears it.
    BacklogCleared {
        /// The document that says so.
        alert: Pinned,
        /// The queue.
        queue: String,
        /// The alarm.
        alarm: u32,
        /// What was too much.
        measure: Backlog,
        /// How many tickets lie there.
        waiting: u32,
    },
    /// A person declared a major event: other targets and other people, for the tickets it touches.
    MajorEventDeclared {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
        /// Which tickets it touches: a condition.
        scope: String,
        /// The policy that holds for them.
        policy: Pinned,
    },
    /// A person ended a major event.
    MajorEventEnded {
        /// Its name.
        name: String,
        /// How it ended.
        reason: String,
    },
}
