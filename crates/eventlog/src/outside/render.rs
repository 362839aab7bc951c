//! A row as outsiders see it: public attributes, no personal data without a grant, an empty message for what stays.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_nats::HeaderMap;
use async_nats::header::NATS_MESSAGE_ID;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use decider::Tenant;
use serde_json::{Value, json};

use super::subscribers::Outsiders;
use super::{SUBJECTS, kinds};
use crate::bus::envelope::{self, Source};
use crate::bus::{Outgoing, Rendering};
use crate::log::Log;
use crate::seal;
use crate::store::{Row, StoreError};

/// The headers of a public event: name, whether it is always there, meaning.
pub const HEADERS: &[(&str, bool, &str)] = &[
    ("ce-specversion", true, "`1.0`"),
    ("ce-id", true, "the event's id, for ever the same"),
    ("ce-source", true, "`/docket/<log>/<epoch>`; another epoch after a restore"),
    ("ce-type", true, "`docket.<family>.<kind>.v<schema>`"),
    ("ce-dataschema", true, "`urn:docket:<family>:<kind>:<schema>`"),
    ("ce-tenant", true, "whose event"),
    ("ce-subject", true, "the entity's stream, `ticket/<id>`, `work/<ticket>`, `sla/<ticket>`, `reminder/<ticket>`"),
    ("ce-version", true, "counts the events of that stream from 1"),
    ("ce-sequence", true, "the log's position, 20 digits"),
    ("ce-time", true, "when it happened, RFC 3339"),
    ("ce-recorded", true, "when it was recorded, RFC 3339"),
    ("ce-correlation", false, "the ticket it belongs to"),
    ("ce-causation", false, "the id of the event that caused it"),
    ("content-type", true, "`application/json`"),
    (RULES, true, "names the rules by which it is shown; stands in skips, too"),
];

/// Names what may be seen: a stream filled under other rules is filled anew.
const RULES: &str = "docket-rules";

/// The log as its outsiders see it.
#[derive(Debug)]
pub struct Shown {
    log: Arc<Log>,
    sight: Sight,
    rules: String,
}

impl Shown {
    /// As these outsiders may see it; personal data is opened by the log's keys.
    pub fn new(log: Arc<Log>, outsiders: &Outsiders) -> Self {
        let granted = outsiders.granted().into_iter().cloned().collect();
        let sight = Sight { published: outsiders.published.clone(), granted };
        let rules = format!("{:?}", (&sight, HEADERS, kinds::WITHHELD_MEMBERS));
        let digest = digest(&SHA256, rules.as_bytes());
        Self { log, sight, rules: STANDARD_NO_PAD.encode(&digest.as_ref()[..6]) }
    }

    /// The message of a row with this body; an empty one where it stays in the house.
    fn message(&self, source: &Source, row: &Row, body: Option<Vec<u8>>) -> Outgoing {
        let mut headers = HeaderMap::new();
        headers.insert(RULES, self.rules.as_str());
        let Some(body) = body else {
            let subject = format!("{SUBJECTS}.{}.skip", envelope::token(&row.tenant));
            return Outgoing { subject, headers, body: Vec::new() };
        };
        let all = envelope::headers(source, row);
        for (name, ..) in HEADERS {
            if let Some(value) = all.get(*name) {
                headers.insert(*name, value.clone());
            }
        }
        Outgoing { subject: envelope::subject(SUBJECTS, row), headers, body }
    }
}

impl Rendering for Shown {
    async fn render(&self, source: &Source, rows: &[Row]) -> Result<Vec<Outgoing>, StoreError> {
        let bodies = self.sight.of(&self.log, rows).await?;
        Ok(rows.iter().zip(bodies).map(|(row, body)| self.message(source, row, body)).collect())
    }

    fn made_from(&self, headers: &HeaderMap, row: &Row) -> Option<bool> {
        let value = |name: &str| headers.get(name).map(async_nats::HeaderValue::as_str);
        value(RULES).filter(|rules| *rules == self.rules)?;
        Some(value(NATS_MESSAGE_ID.as_ref())? == row.id.to_string())
    }
}

/// What may be seen of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sight {
    /// The kinds that are shown.
    published: BTreeSet<&'static str>,
    /// The tenants whose personal data is shown to their subscribers.
    granted: BTreeSet<Tenant>,
}

impl Sight {
    /// The body of each row as it is seen, `None` where it is not; the keys of a tenant are asked for once.
    async fn of(&self, log: &Log, rows: &[Row]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let mut shapes: Vec<_> = rows.iter().map(|row| self.shape(row)).collect::<Result<_, _>>()?;
        let mut sealed: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (n, (row, shape)) in rows.iter().zip(&shapes).enumerate() {
            if matches!(shape, Shape::Sealed(_)) {
                sealed.entry(&row.tenant).or_default().push(n);
            }
        }
        for (tenant, places) in sealed {
            self.open(log, &Tenant::new(tenant), &places, &mut shapes).await?;
        }
        Ok(shapes.into_iter().map(Shape::body).collect())
    }

    fn shape(&self, row: &Row) -> Result<Shape, StoreError> {
        if !self.published.contains(row.kind.as_str()) {
            return Ok(Shape::Nothing);
        }
        let sealed = seal::mentions(&row.body, seal::SEALED);
        if !sealed && !kinds::narrowed(&row.kind) {
            return Ok(Shape::Bytes(row.body.clone()));
        }
        let damaged = |error| StoreError::Damaged(format!("the body at {}: {error}", row.position));
        let mut body: Value = serde_json::from_slice(&row.body).map_err(damaged)?;
        kinds::withhold(&row.kind, &mut body);
        Ok(if sealed { Shape::Sealed(body) } else { Shape::Bytes(body.to_string().into_bytes()) })
    }

    /// Opens what a grant lets see and blots out the rest, of one tenant's rows.
    async fn open(&self, log: &Log, tenant: &Tenant, places: &[usize], shapes: &mut [Shape]) -> Result<(), StoreError> {
        let bodies = places.iter().map(|place| shapes[*place].take()).collect();
        let mut bodies = Value::Array(bodies);
        if self.granted.contains(tenant) {
            log.reveal(tenant, &mut bodies).await?;
        }
        seal::replace(&mut bodies, seal::SEALED, &mut |_, _| Ok(json!({ "withheld": true })))?;
        seal::replace(&mut bodies, seal::ERASED, &mut |_, _| Ok(json!({ "erased": true })))?;
        let Value::Array(bodies) = bodies else { return Ok(()) };
        for (place, body) in places.iter().zip(bodies) {
            shapes[*place] = Shape::Bytes(body.to_string().into_bytes());
        }
        Ok(())
    }
}

/// A row on its way to be seen.
enum Shape {
    Nothing,
    Bytes(Vec<u8>),
    /// Personal data in it is still sealed.
    Sealed(Value),
}

impl Shape {
    fn take(&mut self) -> Value {
        match self {
            Self::Sealed(body) => body.take(),
            Self::Nothing | Self::Bytes(_) => Value::Null,
        }
    }

    fn body(self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(body) => Some(body),
            Self::Nothing | Self::Sealed(_) => None,
        }
    }
}
