//! What dispatch records: visits in `work/<ticket>`, an engineer's time in `engineer/<id>`, positions in `track/<id>`.
//!
//! An offer is one append to both: the visit says who was asked and why, the engineer's stream holds the time. Personal
//! data is in the fields of type [`Personal`]: `VisitCompleted`, `VisitStopped`, `WorkHandedOver`. Engineers are known by
//! token subject alone.

use std::collections::BTreeMap;

use decider::Micros;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Personal;
pub use crate::decision::{Chooser, Decision, Dropped, HardRule, Ranked, Seen, Term, Weights};
use crate::intake::Priority;
use crate::sla::Pinned;

/// A point on the earth, millionths of a degree, WGS 84.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// Latitude, -90,000,000 to 90,000,000.
    pub lat_udeg: i64,
    /// Longitude, -180,000,000 to 180,000,000.
    pub lon_udeg: i64,
}

/// A stretch of an engineer's time: the way there and the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Slot {
    /// When the way there begins.
    pub from: Micros,
    /// When the engineer is expected on site.
    pub arrive: Micros,
    /// When the work is expected to end; the first instant that is free again.
    pub to: Micros,
}

impl Slot {
    /// Whether both want the same instant; `to` is free again.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}

/// What a visit needs, fixed when it is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Job {
    /// The job type, in the version it was planned by.
    pub job_type: Pinned,
    /// Skills with the lowest level each must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skills: BTreeMap<String, u8>,
    /// Where in the company's terms; nothing if it does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Where on the earth, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Place>,
    /// The team that does it, if a rule or a dispatcher said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The person who does it, if a rule said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Expected work on site, seconds.
    pub duration_secs: i64,
    /// When somebody should be on site at the latest; later is possible and costs.
    pub arrive_by: Micros,
    /// How urgent the ticket was.
    pub priority: Priority,
    /// How many references completion demands.
    pub evidence_required: u32,
}

/// Where a rule sends a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// A queue of intake's.
    Queue(String),
    /// A team of engineers.
    Team(String),
    /// One engineer.
    Person(String),
}

/// Why an engineer no longer has a visit that was offered or accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Release {
    /// A dispatcher took it back.
    Withdrawn,
    /// A dispatcher gave it to somebody else.
    Reassigned,
    /// The engineer's duty ended before the visit began.
    OffDuty,
    /// The engineer is no longer on the roster.
    OffRoster,
    /// Nobody set out in time.
    NoShow,
}

/// Why a visit ended without its work being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// Parts are missing.
    Parts,
    /// The customer was not there.
    CustomerAbsent,
    /// Somebody with other skills must come.
    OtherSkills,
    /// More time is needed than there was.
    MoreTime,
}

/// Why a visit will not take place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VisitEnd {
    /// Its ticket was closed, cancelled or resolved without it.
    TicketEnded,
}

/// Why somebody went off duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OffDuty {
    /// The shift is over.
    ShiftOver,
    /// Ill.
    Sick,
    /// Left the company or the team.
    Left,
}

/// An event of a `work/*`, `engineer/*`, `stock/*` or `track/*` stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DispatchEvent {
    /// A rule said where a ticket belongs.
    Routed {
        /// The rule's name.
        rule: String,
        /// The document it stands in.
        routing: Pinned,
        /// Where to.
        to: Destination,
    },
    /// A visit became necessary.
    VisitPlanned {
        /// The visit.
        visit: Uuid,
        /// Counts the ticket's visits from 1.
        number: u32,
        /// What it needs.
        job: Box<Job>,
    },
    /// An engineer was asked, or told by a dispatcher; the time is held.
    Offered {
        /// The visit.
        visit: Uuid,
        /// Who.
        engineer: String,
        /// When.
        slot: Slot,
        /// When the offer goes to the next.
        respond_by: Micros,
        /// Counts the decisions about this visit from 1.
        attempt: u32,
        /// Why.
        decision: Box<Decision>,
    },
    /// A choice was made and waits for a dispatcher.
    Recommended {
        /// The visit.
        visit: Uuid,
        /// Counts the decisions about this visit from 1.
        attempt: u32,
        /// When the choice is made anew if no dispatcher decided.
        decide_by: Micros,
        /// The choice; its first ranked engineer is the one recommended.
        decision: Box<Decision>,
    },
    /// No engineer passes the hard rules; the visit waits in the list of the unassigned.
    NobodyFound {
        /// The visit.
        visit: Uuid,
        /// Counts the decisions about this visit from 1.
        attempt: u32,
        /// When it is tried again, if nothing changes before.
        retry_at: Micros,
        /// Who was dropped by which rule.
        decision: Box<Decision>,
        /// The decision about this visit that dropped the same engineers for the same reasons, by its number: they are not
        /// named again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        same_as: Option<u32>,
    },
    /// The engineer took it on.
    OfferAccepted {
        /// The visit.
        visit: Uuid,
        /// Who.
        engineer: String,
        /// When.
        slot: Slot,
        /// When whoever has not set out is a no-show.
        depart_by: Micros,
    },
    /// The engineer did not want it.
    OfferDeclined {
        /// The visit.
        visit: Uuid,
        /// Who.
        engineer: String,
        /// Why; about the work, not about persons.
        reason: String,
    },
    /// The engineer did not answer in time.
    OfferExpired {
        /// The visit.
        visit: Uuid,
        /// Who.
        engineer: String,
    },
    /// The visit was taken from an engineer and is to be given to somebody else.
    VisitReleased {
        /// The visit.
        visit: Uuid,
        /// Who had it.
        engineer: String,
        /// Why.
        why: Release,
        /// In words; about the work, not about persons.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// The engineer set out.
    Departed {
        /// The visit.
        visit: Uuid,
        /// Who.
        engineer: String,
    },
    /// The engineer is on site.
    Arrived {
        /// The visit.
        visit: Uuid,
        /// Who.
        engineer: String,
        /// Where the phone said it was, if it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<Place>,
    },
    /// Work on site began.
    WorkStarted {
        /// The visit.
        visit: Uuid,
    },
    /// Work on site stopped for a while.
    WorkPaused {
        /// The visit.
        visit: Uuid,
        /// Why; about the work, not about persons.
        reason: String,
    },
    /// Work on site went on.
    WorkContinued {
        /// The visit.
        visit: Uuid,
    },
    /// The work is done.
    VisitCompleted {
        /// The visit.
        visit: Uuid,
        /// Who.
        engineer: String,
        /// What was done.
        report: Personal<String>,
        /// References the job type demands: photos, signatures.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<String>,
    },
    /// The visit ended, the work is not done.
    VisitStopped {
        /// The visit.
        visit: Uuid,
        /// Who.
        engineer: String,
        /// Why.
        why: StopReason,
        /// In words.
        note: Personal<String>,
    },
    /// The visit will not take place.
    VisitCancelled {
        /// The visit.
        visit: Uuid,
        /// Why.
        why: VisitEnd,
    },
    /// An accepted visit passed to another engineer with its notes.
    WorkHandedOver {
        /// The visit.
        visit: Uuid,
        /// Who had it.
        from: String,
        /// Who has it now.
        to: String,
        /// When.
        slot: Slot,
        /// When whoever has not set out is a no-show.
        depart_by: Micros,
        /// What the next one must know.
        note: Personal<String>,
    },
    /// Time of the engineer is held for a visit.
    SlotHeld {
        /// The ticket.
        ticket: Uuid,
        /// The visit.
        visit: Uuid,
        /// When.
        slot: Slot,
    },
    /// Time held for a visit is free again from this instant on.
    SlotReleased {
        /// The ticket.
        ticket: Uuid,
        /// The visit.
        visit: Uuid,
    },
    /// Somebody came on duty.
    DutyStarted {
        /// When it ends by itself; open if not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Micros>,
    },
    /// Somebody went off duty.
    DutyEnded {
        /// Why.
        why: OffDuty,
        /// From when on they are on duty again; not before they say so, if not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        back_at: Option<Micros>,
    },
    /// Time off was entered.
    TimeOffBooked {
        /// From.
        from: Micros,
        /// To, exclusive.
        to: Micros,
    },
    /// Time off was taken back.
    TimeOffCancelled {
        /// From, as booked.
        from: Micros,
    },
    /// Where the engineer is; kept coarse in time.
    PositionReported {
        /// Where.
        place: Place,
    },
}
