//! What intake records: the ticket's own history, the promise made to the customer.
//!
//! These names are the stored format. Personal data is in the fields of type [`Personal`], and nowhere else:
//! `Received`, `TicketImported` (title, description, contact, customer reference, fields the template marks personal),
//! `Commented`, `ContactLogged`, `Resolved`, `ConfirmationRejected`, `Reopened`, `Cancelled`.

use std::collections::BTreeSet;

use decider::Micros;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Personal;
pub use crate::request::{
    Accountable, Activity, ActivityKind, Attention, Author, Channel, Contact, Customer, FieldValue, Impact, Priority,
    Request, Status, Urgency, WaitReason, Weight,
};

/// An event of a `ticket/*` or `customer/*` stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum IntakeEvent {
    /// A ticket was opened; somebody is accountable from this moment.
    Received {
        /// What it was opened with.
        request: Box<Request>,
        /// The next step.
        next: Attention,
    },
    /// Somebody looked, confirmed the priority and placed it.
    Triaged {
        /// The queue it lies in now.
        queue: String,
        /// The priority confirmed.
        priority: Priority,
        /// The next step.
        next: Attention,
    },
    /// The priority went up.
    PriorityRaised {
        /// Before.
        from: Priority,
        /// After.
        to: Priority,
        /// What it was weighed by; none if it was set by hand.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weight: Option<Weight>,
        /// Why.
        reason: String,
        /// The next step, where the priority says how soon it is owed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<Attention>,
    },
    /// The priority went down.
    PriorityLowered {
        /// Before.
        from: Priority,
        /// After.
        to: Priority,
        /// What it was weighed by; none if it was set by hand.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weight: Option<Weight>,
        /// Why.
        reason: String,
        /// The next step, where the priority says how soon it is owed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<Attention>,
    },
    /// It went to another queue or person.
    Transferred {
        /// The queue it lay in.
        from: String,
        /// The queue it lies in now.
        queue: String,
        /// Why.
        reason: String,
        /// The next step.
        next: Attention,
    },
    /// An agent took it on; answers for acceptance.
    TakenInCharge {
        /// Who, by token subject.
        agent: String,
        /// The next step.
        next: Attention,
    },
    /// Something was said.
    Commented {
        /// By whose side.
        author: Author,
        /// Whether the customer sees it.
        public: bool,
        /// What.
        text: Personal<String>,
        /// The next step, where the comment changes it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<Attention>,
    },
    /// A call, a visit, a mail outside of Docket.
    ContactLogged {
        /// How.
        channel: Channel,
        /// Whether the customer came to us.
        inbound: bool,
        /// Whether anybody was reached.
        reached: bool,
        /// What was said.
        summary: Personal<String>,
    },
    /// Work stopped for these reasons, beside those that already held.
    WaitStarted {
        /// The reasons added.
        reasons: BTreeSet<WaitReason>,
        /// The next step: who looks again, and when.
        next: Attention,
    },
    /// These reasons hold no longer.
    WaitEnded {
        /// The reasons removed.
        reasons: BTreeSet<WaitReason>,
        /// The reasons that still hold; none means that work goes on.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        remaining: BTreeSet<WaitReason>,
        /// The next step.
        next: Attention,
    },
    /// An engineer accepted a visit: the next step is theirs.
    VisitScheduled {
        /// The visit, as dispatch knows it.
        visit: Uuid,
        /// Who comes, by token subject.
        engineer: String,
        /// When they are expected on site.
        arrive_at: Micros,
        /// The next step.
        next: Attention,
    },
    /// The visit will not take place as it was scheduled: the next step is the queue's again.
    VisitFellThrough {
        /// The visit.
        visit: Uuid,
        /// The next step.
        next: Attention,
    },
    /// The engineer set out: work goes on from here.
    VisitBegun {
        /// The visit.
        visit: Uuid,
        /// Who, by token subject.
        engineer: String,
        /// The next step.
        next: Attention,
    },
    /// The work is done, with its evidence.
    Resolved {
        /// What was done.
        solution: Personal<String>,
        /// References the template demands: photos, documents.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<String>,
        /// When silence counts as consent.
        confirm_by: Micros,
        /// The next step.
        next: Attention,
    },
    /// The customer agreed.
    Confirmed {
        /// By silence until `confirm_by`.
        implicit: bool,
        /// The next step: the supervisor's review.
        next: Attention,
    },
    /// The customer did not agree; work goes on.
    ConfirmationRejected {
        /// Why.
        reason: Personal<String>,
        /// The next step.
        next: Attention,
    },
    /// A supervisor reviewed and closed it.
    Closed {
        /// What the review found.
        review: String,
    },
    /// It came back within the grace period.
    Reopened {
        /// Why.
        reason: Personal<String>,
        /// The next step.
        next: Attention,
    },
    /// It was called off.
    Cancelled {
        /// Why.
        reason: Personal<String>,
    },
    /// A ticket of another system came under our care.
    TicketImported {
        /// The system it came from.
        source: String,
        /// Its name there.
        reference: String,
        /// What it was opened with.
        request: Box<Request>,
        /// The next step; none if it had ended there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<Attention>,
    },
    /// A line of another system's history.
    ActivityImported {
        /// The system it came from.
        source: String,
        /// The ticket's name there.
        reference: String,
        /// The line.
        line: Activity,
    },
    /// The keys of a customer's personal data were destroyed.
    CustomerErased {
        /// Whose.
        customer: Uuid,
        /// On whose request or by which rule.
        reason: String,
    },
}

impl IntakeEvent {
    /// The next step this event names; events that name none leave the one before.
    pub fn next(&self) -> Option<&Attention> {
        match self {
            Self::Received { next, .. }
            | Self::Triaged { next, .. }
            | Self::Transferred { next, .. }
            | Self::TakenInCharge { next, .. }
            | Self::WaitStarted { next, .. }
            | Self::WaitEnded { next, .. }
            | Self::VisitScheduled { next, .. }
            | Self::VisitFellThrough { next, .. }
            | Self::VisitBegun { next, .. }
            | Self::Resolved { next, .. }
            | Self::Confirmed { next, .. }
            | Self::ConfirmationRejected { next, .. }
            | Self::Reopened { next, .. } => Some(next),
            Self::Commented { next, .. }
            | Self::PriorityRaised { next, .. }
            | Self::PriorityLowered { next, .. }
            | Self::TicketImported { next, .. } => next.as_ref(),
            Self::ContactLogged { .. }
            | Self::Closed { .. }
            | Self::Cancelled { .. }
            | Self::ActivityImported { .. }
            | Self::CustomerErased { .. } => None,
        }
    }
}
