//! What every service records of itself: its configuration and how far it has reacted. No personal data.

use decider::Micros;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An event of a `config/*` or `service/*` stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HouseEvent {
    /// A configuration document was put in force; the version is the stream's.
    ConfigApplied {
        /// The document's kind.
        kind: String,
        /// Its name.
        name: String,
        /// Its spec as JSON.
        spec: serde_json::Value,
        /// Why it was put in force though it opens a hole in the care of open tickets, if it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A configuration document is no longer in force for new decisions.
    ConfigRetired {
        /// The document's kind.
        kind: String,
        /// Its name.
        name: String,
    },
    /// Every cause up to this position is settled or parked.
    ReactedThrough {
        /// The position.
        position: u64,
    },
    /// A reaction could not be carried out; its claim stays free for a retry.
    ReactionParked {
        /// The claim.
        claim: Uuid,
        /// The rule.
        rule: String,
        /// The cause.
        cause: String,
        /// The target.
        target: String,
        /// Why, as a refusal's reason.
        reason: String,
    },
    /// From here on business time runs like this.
    ClockAnchored {
        /// The machine's clock at the anchor.
        machine_us: Micros,
        /// The business clock at the anchor.
        business_us: Micros,
        /// Business microseconds a thousand machine microseconds, until `until_us`; 1,000 after it.
        scale_permille: u32,
        /// Business time at which the scale ends.
        until_us: Micros,
    },
}
