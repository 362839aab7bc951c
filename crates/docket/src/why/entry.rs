//! An event of a timeline as the chain of causes reads it.

use proto::intake::v1::TimelineEntry;
use proto::prost_types::value::Kind;
use proto::prost_types::{Struct, Value as Wire};
use serde_json::{Map, Number, Value};

use crate::tickets::moment;

/// A fact that became known so much later than it happened, seconds, is told with both times.
const LATE_SECS: i64 = 60;

/// An event of a ticket.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    /// The event that caused it; empty if none was named.
    pub(super) cause: String,
    /// What its stream is about: `ticket`, `work`, `sla`, `reminder`.
    pub(super) family: String,
    pub(super) kind: String,
    pub(super) body: Value,
    pub(super) actor: String,
    /// When it happened, and when it became known if that was later.
    pub(super) when: String,
}

impl Entry {
    pub(super) fn of(wire: TimelineEntry) -> Self {
        let happened = wire.occur_time.as_ref().map_or(0, |at| at.seconds);
        let known = wire.record_time.as_ref().map_or(0, |at| at.seconds);
        let mut when = moment(wire.occur_time.as_ref());
        if known - happened > LATE_SECS {
            when = format!("{when} (known {})", moment(wire.record_time.as_ref()));
        }
        Self {
            id: wire.event_id,
            cause: wire.causation_id,
            family: wire.stream.split('/').next().unwrap_or_default().to_owned(),
            kind: wire.kind,
            body: wire.body.map(object).unwrap_or_default(),
            actor: wire.actor,
            when,
        }
    }

    /// A part of its body, by JSON pointer.
    pub(super) fn part(&self, pointer: &str) -> Option<&Value> {
        self.body.pointer(pointer)
    }

    /// A part of its body in words: text as it is, numbers as digits, nothing if it is absent.
    pub(super) fn text(&self, pointer: &str) -> String {
        match self.part(pointer) {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => String::new(),
            Some(other) => other.to_string(),
        }
    }

    /// An instant of its body, RFC 3339 to the second.
    pub(super) fn instant(&self, pointer: &str) -> String {
        let at = self.part(pointer).and_then(Value::as_i64);
        at.and_then(|at| jiff::Timestamp::from_second(at / 1_000_000).ok()).map(|at| at.to_string()).unwrap_or_default()
    }

    /// A document it names, with its version.
    pub(super) fn pinned(&self, pointer: &str) -> String {
        format!("{} v{}", self.text(&format!("{pointer}/name")), self.text(&format!("{pointer}/version")))
    }
}

fn object(wire: Struct) -> Value {
    Value::Object(wire.fields.into_iter().map(|(name, value)| (name, json(value))).collect::<Map<_, _>>())
}

/// The wire knows numbers as floating point only; a whole one is read as such.
fn json(wire: Wire) -> Value {
    match wire.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(flag)) => Value::Bool(flag),
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::StructValue(below)) => object(below),
        Some(Kind::ListValue(list)) => Value::Array(list.values.into_iter().map(json).collect()),
        Some(Kind::NumberValue(number)) => {
            let whole = format!("{number:.0}").parse::<i64>().ok().filter(|_| number.fract() == 0.0);
            whole.map(Number::from).or_else(|| Number::from_f64(number)).map_or(Value::Null, Value::Number)
        }
    }
}
