//! Personal data inside events: plain when decided, sealed under its subject's key from the append on.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
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

/// The form outsiders see: the sealed one never leaves the house.
impl<T: JsonSchema> JsonSchema for Personal<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Personal{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (subject, value) = (generator.subschema_for::<Uuid>(), generator.subschema_for::<T>());
        json_schema!({
            "description": "A value about a person: shown by grant, withheld without one, erased where its key is gone.",
            "oneOf": [
                { "type": "object", "required": ["personal"], "additionalProperties": false, "properties": {
                    "personal": { "type": "object", "required": ["subject", "value"], "additionalProperties": false,
                        "properties": { "subject": subject, "value": value } } } },
                { "type": "object", "required": ["withheld"], "additionalProperties": false,
                    "properties": { "withheld": { "const": true } } },
                { "type": "object", "required": ["erased"], "additionalProperties": false,
                    "properties": { "erased": { "const": true } } },
            ],
        })
    }
}
