//! Conditions of rules: CEL over typed facts, compiled and tried when a document is put in force.
//!
//! A condition is text such as `ticket.priority == "critical" && ticket.fields.region == "north"`. It reads facts and
//! nothing else; what it finds is recorded by whoever asked, never computed again.

use std::collections::{BTreeMap, BTreeSet};

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr};
use serde::{Deserialize, Serialize};

use crate::intake::{FieldValue, Impact, Priority, Request, Urgency};

/// Longest condition, bytes.
pub const MAX_BYTES: usize = 2_000;
/// Deepest brackets: parsing and evaluation take stack for each.
const MAX_BRACKETS: usize = 8;
/// Deepest expression: evaluation takes stack for each level.
const MAX_DEPTH: usize = 24;

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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
        Self {
            ticket_type: request.ticket_type.clone(),
            priority: request.priority.name().to_owned(),
            impact: request.impact,
            urgency: request.urgency,
            queue: request.queue.clone(),
            channel: request.channel,
            has_customer: request.customer.is_some(),
            fields: plain(&request.fields),
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

/// The fields that are not personal.
pub fn plain(fields: &BTreeMap<String, FieldValue>) -> BTreeMap<String, Scalar> {
    let scalar = |value: &FieldValue| match value {
        FieldValue::Text(text) => Some(Scalar::Text(text.clone())),
        FieldValue::Number(number) => Some(Scalar::Number(*number)),
        FieldValue::Flag(flag) => Some(Scalar::Flag(*flag)),
        FieldValue::Private(_) => None,
    };
    fields.iter().filter_map(|(name, value)| Some((name.clone(), scalar(value)?))).collect()
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
        if brackets(text) > MAX_BRACKETS {
            return Err(format!("nests brackets more than {MAX_BRACKETS} deep"));
        }
        let program = cel::Program::compile(text).map_err(|error| format!("is no condition: {error}"))?;
        if depth(program.expression()) > MAX_DEPTH {
            return Err(format!("joins more than {MAX_DEPTH} parts in a row"));
        }
        if walks(program.expression()) {
            return Err("walks over a list, which could take for ever; ask with `in`".into());
        }
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

    /// The fields of a variable that it reads; nothing, if it takes the variable as a whole.
    pub fn reads(&self, variable: &str) -> Option<BTreeSet<&str>> {
        let mut fields = BTreeSet::new();
        selects(self.0.expression(), variable, &mut fields).then_some(fields)
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

/// How deep a text nests brackets, those within quotes too: known before anything is parsed.
fn brackets(text: &str) -> usize {
    let open = text.chars().scan(0_usize, |open, char| {
        match char {
            '(' | '[' | '{' => *open += 1,
            ')' | ']' | '}' => *open = open.saturating_sub(1),
            _ => {}
        }
        Some(*open)
    });
    open.max().unwrap_or(0)
}

/// How deep an expression is.
fn depth(expression: &IdedExpr) -> usize {
    1 + parts(expression).into_iter().map(depth).max().unwrap_or(0)
}

/// Whether an expression walks over a list by `all`, `exists`, `map` or `filter`: walks within walks multiply.
fn walks(expression: &IdedExpr) -> bool {
    matches!(expression.expr, Expr::Comprehension(_)) || parts(expression).into_iter().any(walks)
}

/// Gathers the fields by which alone an expression reads a variable; false if it reads it otherwise.
fn selects<'a>(expression: &'a IdedExpr, variable: &str, fields: &mut BTreeSet<&'a str>) -> bool {
    let named = |expression: &Expr| matches!(expression, Expr::Ident(name) if name.as_str() == variable);
    match &expression.expr {
        Expr::Select(select) if named(&select.operand.expr) => {
            fields.insert(&select.field);
            true
        }
        other if named(other) => false,
        _ => parts(expression).into_iter().all(|part| selects(part, variable, fields)),
    }
}

fn parts(expression: &IdedExpr) -> Vec<&IdedExpr> {
    match &expression.expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
        Expr::Call(call) => call.target.iter().map(AsRef::as_ref).chain(&call.args).collect(),
        Expr::Comprehension(each) => {
            vec![&each.iter_range, &each.accu_init, &each.loop_cond, &each.loop_step, &each.result]
        }
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect(),
        Expr::Select(select) => vec![&*select.operand],
        Expr::Struct(made) => made.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect(),
    }
}

fn entry_parts(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
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

    #[test]
    fn what_a_condition_reads_is_known() {
        let reads = |text| {
            let condition = Condition::compile(text, &[("ticket", TicketFacts::sample())]).unwrap();
            condition.reads("ticket").map(|fields| fields.into_iter().map(str::to_owned).collect::<Vec<_>>())
        };
        let fields = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(reads("ticket.priority == 'low' || 'x' in [ticket.queue]"), fields(&["priority", "queue"]));
        assert_eq!(reads("has(ticket.fields.floor) && ticket.fields['floor'] == '3'"), fields(&["fields"]));
        assert_eq!(reads("1 == 1"), fields(&[]));
        assert_eq!(reads("ticket['queue'] == 'desk'"), None);
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

    #[test]
    fn a_condition_cannot_run_for_ever() {
        let ten = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
        let steps = (0..5).fold("true".to_owned(), |inner, depth| format!("{ten}.all(v{depth}, {inner})"));
        let grown = format!("['ab']{}.size() == 1", ".map(s, s + s + s + s)".repeat(4));
        let hidden = format!("{{'a': {ten}.exists(a, {{1: [{ten}.all(b, a == b)]}}.size() == 1)}}.size() == 1");
        for text in [steps, grown, hidden] {
            assert!(holds(&text, &TicketFacts::sample()).unwrap_err().contains("walks over"), "{text}");
        }
        let deep = [
            ("(", "true", ")"),
            ("[", "1", "]"),
            ("1+", "1 == 1", ""),
            ("ticket[", "1", "]"),
            ("true?true:", "true", ""),
        ];
        for (open, inner, close) in deep {
            let text = format!("{}{inner}{}", open.repeat(190), close.repeat(190));
            assert!(holds(&text, &TicketFacts::sample()).is_err(), "{text}");
        }
        for deep in [format!("ticket{} == 1", "[1]".repeat(600)), format!("ticket{} == 1", ".f()".repeat(450))] {
            assert!(holds(&deep, &TicketFacts::sample()).unwrap_err().contains("in a row"), "{deep}");
        }
        let many = format!("{}ticket.priority == 'low'", "ticket.priority == 'medium' || ".repeat(60));
        assert_eq!(holds(&many, &TicketFacts::sample()), Ok(true), "alternatives are no depth");
    }
}
