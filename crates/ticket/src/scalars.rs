//! The scalars of an event by name, as conditions of rules read them: its kind, what it says itself, nothing personal.

use std::collections::BTreeMap;

use decider::Micros;
use serde_json::Value;

use crate::condition::Scalar;
use crate::{Event, codec};

/// What an event says, by name.
pub type Scalars = BTreeMap<String, Scalar>;

/// What a scalar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    /// Words.
    Text,
    /// A whole number.
    Number,
    /// Microseconds since 1970; RFC 3339 in texts.
    Instant,
    /// Yes or no.
    Flag,
}

/// Every scalar that some event has, sorted by name; what an event has beside these is not told.
const NAMES: [(&str, Is); 61] = [
    ("accountable", Is::Text),
    ("agent", Is::Text),
    ("alarm", Is::Number),
    ("alert", Is::Text),
    ("arrive", Is::Instant),
    ("arrive_at", Is::Instant),
    ("at", Is::Instant),
    ("attempt", Is::Number),
    ("attend_by", Is::Instant),
    ("audience", Is::Text),
    ("author", Is::Text),
    ("by", Is::Text),
    ("cause", Is::Text),
    ("channel", Is::Text),
    ("clock", Is::Text),
    ("confirm_by", Is::Instant),
    ("decide_by", Is::Instant),
    ("due_at", Is::Instant),
    ("elapsed_us", Is::Number),
    ("engineer", Is::Text),
    ("fact_at", Is::Instant),
    ("from", Is::Text),
    ("generation", Is::Number),
    ("implicit", Is::Flag),
    ("inbound", Is::Flag),
    ("kind", Is::Text),
    ("limit", Is::Number),
    ("major", Is::Text),
    ("measure", Is::Text),
    ("met", Is::Flag),
    ("name", Is::Text),
    ("next_at", Is::Instant),
    ("note", Is::Text),
    ("number", Is::Number),
    ("oldest_at", Is::Instant),
    ("owed", Is::Text),
    ("priority", Is::Text),
    ("public", Is::Flag),
    ("queue", Is::Text),
    ("reached", Is::Flag),
    ("reason", Is::Text),
    ("reference", Is::Text),
    ("respond_by", Is::Instant),
    ("retry_at", Is::Instant),
    ("review", Is::Text),
    ("rule", Is::Text),
    ("scope", Is::Text),
    ("share_bp", Is::Number),
    ("shift", Is::Text),
    ("since", Is::Instant),
    ("source", Is::Text),
    ("step", Is::Number),
    ("ticket", Is::Text),
    ("ticket_id", Is::Text),
    ("to", Is::Text),
    ("told_with", Is::Text),
    ("type", Is::Text),
    ("visit", Is::Text),
    ("waiting", Is::Number),
    ("wakes", Is::Text),
    ("why", Is::Text),
];

/// The longest text a fact may have, characters: what is told is a reminder, not the event.
const MAX_FACT: usize = 500;

/// What the scalar of this name is; nothing if no event has it.
pub fn is(name: &str) -> Option<Is> {
    NAMES.binary_search_by_key(&name, |(known, _)| known).ok().map(|at| NAMES[at].1)
}

/// The kind of an event and its scalars; those of its next step and of the time held are told as its own.
pub fn scalars(event: &Event, at: Micros) -> Option<(String, Scalars)> {
    let (kind, body) = codec::encode(event).ok()?;
    let Ok(Value::Object(fields)) = serde_json::from_slice(&body) else { return None };
    let mut told = Scalars::from([("kind".into(), Scalar::Text(kind.clone())), ("at".into(), Scalar::Number(at))]);
    for (name, value) in &fields {
        told.extend(scalar(name, value).map(|scalar| (name.clone(), scalar)));
    }
    let below = [
        ("/next/attend_by", "attend_by"),
        ("/next/accountable", "accountable"),
        ("/slot/arrive", "arrive"),
        ("/alert/name", "alert"),
    ];
    let whole = Value::Object(fields);
    for (path, name) in below {
        let found = whole.pointer(path).and_then(|value| scalar(name, value));
        told.extend(found.map(|scalar| (name.to_owned(), scalar)));
    }
    Some((kind, told))
}

fn scalar(name: &str, value: &Value) -> Option<Scalar> {
    match (is(name)?, value) {
        (Is::Text, Value::String(text)) => Some(Scalar::Text(text.chars().take(MAX_FACT).collect())),
        // A party or a destination: `{"queue": "desk"}`.
        (Is::Text, Value::Object(tagged)) if tagged.len() == 1 => {
            let (tag, inner) = tagged.iter().next()?;
            let plain = ["queue", "person", "team", "rota"].contains(&tag.as_str());
            inner.as_str().filter(|_| plain).map(|text| Scalar::Text(text.to_owned()))
        }
        (Is::Number | Is::Instant, Value::Number(number)) => number.as_i64().map(Scalar::Number),
        (Is::Flag, Value::Bool(flag)) => Some(Scalar::Flag(*flag)),
        _ => None,
    }
}

/// An event to try conditions on: it has every scalar.
pub fn sample() -> Scalars {
    let value = |is| match is {
        Is::Text => Scalar::Text("x".into()),
        Is::Number | Is::Instant => Scalar::Number(0),
        Is::Flag => Scalar::Flag(false),
    };
    NAMES.into_iter().map(|(name, is)| (name.to_owned(), value(is))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_their_order() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(sample().len(), NAMES.len());
    }
}
