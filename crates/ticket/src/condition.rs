//! Conditions of rules: CEL over typed facts, compiled and tried when a document is put in force.
//!
//! A condition is text such as `ticket.priority == "critical" && ticket.fields.region == "north"`. It reads facts and
//! nothing else; what it finds is recorded by whoever asked, never computed again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::intake::{FieldValue, Impact, Priority, Request, Urgency};

/// Longest condition, bytes.
pub const MAX_BYTES: usize = 2_000;

/// What conditions know of a ticket, as `ticket`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketFacts {
    /// Its type.
    pub ticket_type: String,
    /// Its priority: `low`, `medium`, `high`, `critical`.
    pub priority: String,
    /// How many it touches: `person`, `service`, `department`.
    pub impact: Impact,
    /// How soon it is needed: `low`, `medium`, `high`, `critical`.
    pub urgency: Urgency,
    /// The queue it lies in.
    pub queue: String,
    /// Where it came in: `api`, `phone`, `email`, `web`, `chat`, `in_person`.
    pub channel: crate::intake::Channel,
    /// Whether its customer is known.
    pub has_customer: bool,
    /// The template's fields that are not personal; ask `has(ticket.fields.x)` where one may be missing.
    pub fields: BTreeMap<String, Scalar>,
}

/// A field's value as conditions see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// Text.
    Text(String),
}

impl TicketFacts {
    /// What is known of a ticket when it is opened.
    pub fn of(request: &Request) -> Self {
        let scalar = |value: &FieldValue| match value {
            FieldValue::Text(text) => Some(Scalar::Text(text.clone())),
            FieldValue::Number(number) => Some(Scalar::Number(*number)),
            FieldValue::Flag(flag) => Some(Scalar::Flag(*flag)),
            FieldValue::Private(_) => None,
        };
        Self {
            ticket_type: request.ticket_type.clone(),
            priority: request.priority.name().to_owned(),
            impact: request.impact,
            urgency: request.urgency,
            queue: request.queue.clone(),
            channel: request.channel,
            has_customer: request.customer.is_some(),
            fields: request.fields.iter().filter_map(|(name, value)| Some((name.clone(), scalar(value)?))).collect(),
        }
    }

    /// A ticket to try conditions on when they are put in force.
    pub fn sample() -> Self {
        Self {
            ticket_type: "incident".into(),
            priority: Priority::Medium.name().into(),
            impact: Impact::Person,
            urgency: Urgency::Medium,
            queue: "desk".into(),
            channel: crate::intake::Channel::Phone,
            has_customer: true,
            fields: BTreeMap::new(),
        }
    }
}

/// A compiled condition.
#[derive(Debug)]
pub struct Condition(cel::Program);

impl Condition {
    /// Compiles a condition and tries it on sample facts (by variable's name); says in words what is wrong with it.
    ///
    /// A key that is missing below a map the sample leaves empty is no fault: tickets differ in their fields.
    pub fn compile<F: Serialize>(text: &str, sample: &[(&str, F)]) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("is longer than {MAX_BYTES} bytes"));
        }
        let program = cel::Program::compile(text).map_err(|error| format!("is no condition: {error}"))?;
        let unknown = |name: &&str| sample.iter().all(|(known, _)| known != name);
        if let Some(name) = program.references().variables().into_iter().find(unknown) {
            let known: Vec<_> = sample.iter().map(|(name, _)| *name).collect();
            return Err(format!("knows no {name}; known: {}", known.join(", ")));
        }
        let condition = Self(program);
        match condition.run(sample) {
            Ok(cel::Value::Bool(_)) => Ok(condition),
            Ok(_) => Err("is neither true nor false".into()),
            Err(cel::ExecutionError::NoSuchKey(key)) if text.contains(&format!("fields.{key}")) => Ok(condition),
            Err(error) => Err(format!("does not fit the facts: {error}")),
        }
    }

    /// Whether it holds; one that cannot be computed of these facts does not.
    pub fn holds<F: Serialize>(&self, facts: &[(&str, F)]) -> bool {
        matches!(self.run(facts), Ok(cel::Value::Bool(true)))
    }

    fn run<F: Serialize>(&self, facts: &[(&str, F)]) -> Result<cel::Value, cel::ExecutionError> {
        let mut context = cel::Context::default();
        for (name, value) in facts {
            let value = cel::to_value(value).map_err(|error| cel::ExecutionError::function_error(name, error))?;
            context.add_variable_from_value(*name, value);
        }
        self.0.execute(&context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str, facts: &TicketFacts) -> Result<bool, String> {
        let condition = Condition::compile(text, &[("ticket", TicketFacts::sample())])?;
        Ok(condition.holds(&[("ticket", facts)]))
    }

    /// Proves part of: X1
    #[test]
    fn conditions_read_the_facts_of_a_ticket() {
        let mut facts = TicketFacts { priority: "critical".into(), ..TicketFacts::sample() };
        facts.fields.insert("region".into(), Scalar::Text("north".into()));
        facts.fields.insert("users".into(), Scalar::Number(40));
        for (text, expected) in [
            (r#"ticket.priority == "critical""#, true),
            (r#"ticket.priority in ["low", "medium"]"#, false),
            (r#"ticket.fields.region == "north" && ticket.fields.users > 30"#, true),
            (r#"has(ticket.fields.floor) && ticket.fields.floor == "3""#, false),
            (r#"ticket.fields.floor == "3""#, false),
            (r#"ticket.impact == "person" && ticket.channel == "phone""#, true),
            ("ticket.has_customer", true),
        ] {
            assert_eq!(holds(text, &facts), Ok(expected), "{text}");
        }
    }

    /// Proves part of: X1
    #[test]
    fn a_condition_that_cannot_work_is_refused_when_it_is_put_in_force() {
        for text in
            ["", "ticket.", "ticket.pirority == \"low\"", "tikcet.priority == \"low\"", "ticket.priority", "1 + 1"]
        {
            assert!(holds(text, &TicketFacts::sample()).is_err(), "{text}");
        }
        assert!(holds(&"true && ".repeat(1_000), &TicketFacts::sample()).unwrap_err().contains("longer"));
    }
}
