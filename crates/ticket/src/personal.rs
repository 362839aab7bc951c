//! Personal data inside events: plain when decided, sealed under its subject's key from the append on.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A value about a person. Folds and snapshots carry it sealed; only rendering and effects open it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Personal<T> {
    /// As decided; never stored in this form.
    #[serde(rename = "personal")]
    Plain {
        /// Whom it is about.
        subject: Uuid,
        /// The value.
        value: T,
    },
    /// As stored: base64 of the cipher text under the subject's key.
    #[serde(rename = "sealed")]
    Sealed {
        /// Whom it is about.
        subject: Uuid,
        /// Cipher text.
        data: String,
    },
}

impl<T> Personal<T> {
    /// A value about `subject`, not sealed yet.
    pub fn new(subject: Uuid, value: T) -> Self {
        Self::Plain { subject, value }
    }

    /// Whom it is about.
    pub fn subject(&self) -> Uuid {
        match self {
            Self::Plain { subject, .. } | Self::Sealed { subject, .. } => *subject,
        }
    }
}
