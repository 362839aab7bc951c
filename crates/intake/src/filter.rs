//! The filter of listings: a small subset of AIP-160. Comparisons joined by `AND`, such as
//! `state = waiting AND priority >= high AND queue = "second line"`.

use std::fmt;

use decider::Micros;
use ticket::codec::rfc3339;
use ticket::intake::Priority;
use uuid::Uuid;

/// Most characters of a filter.
const MAX_CHARS: usize = 1_000;
/// Most comparisons of a filter.
const MAX_TERMS: usize = 20;

const STATES: [&str; 8] =
    ["received", "triaged", "in_progress", "waiting", "work_done", "confirmed", "closed", "cancelled"];
const PRIORITIES: [Priority; 4] = [Priority::Low, Priority::Medium, Priority::High, Priority::Critical];
const FIELDS: &str = "state, priority, queue, ticket_type, agent, customer_id, open_time, open";

/// What a ticket is compared by.
#[derive(Clone, Copy, Debug)]
pub struct Facets<'a> {
    /// The name of its phase.
    pub state: &'a str,
    /// Its priority.
    pub priority: Priority,
    /// Its queue.
    pub queue: &'a str,
    /// Its type.
    pub ticket_type: &'a str,
    /// Who took it in charge; empty if nobody did.
    pub agent: &'a str,
    /// The customer's pseudonym.
    pub customer: Option<Uuid>,
    /// When it was opened.
    pub opened_at: Micros,
    /// Whether anybody still owes anything.
    pub open: bool,
}

/// A filter; without comparisons it lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(Vec<Term>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    operator: Operator,
    value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The value of a comparison, by the field it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    State(&'static str),
    Priority(Priority),
    Queue(String),
    TicketType(String),
    Agent(String),
    CustomerId(Uuid),
    OpenTime(Micros),
    Open(bool),
}

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {message}")]
pub struct FilterError {
    /// Where, in characters from 1.
    pub at: usize,
    /// What was found, or what was expected.
    pub message: String,
}

impl Filter {
    /// Reads a filter; the empty text is the filter that lets everything through.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let chars: Vec<char> = text.chars().take(MAX_CHARS + 1).collect();
        if chars.len() > MAX_CHARS {
            return Err(fault(MAX_CHARS, format!("a filter has at most {MAX_CHARS} characters")));
        }
        let mut reader = Reader { chars: &chars, at: 0 };
        let mut terms = Vec::new();
        reader.skip_space();
        while reader.at < chars.len() {
            if !terms.is_empty() {
                reader.and()?;
            }
            if terms.len() == MAX_TERMS {
                return Err(fault(reader.at, format!("a filter has at most {MAX_TERMS} comparisons")));
            }
            terms.push(reader.term()?);
            reader.skip_space();
        }
        Ok(Self(terms))
    }

    /// Whether a ticket passes.
    pub fn matches(&self, ticket: &Facets<'_>) -> bool {
        self.0.iter().all(|term| term.matches(ticket))
    }
}

impl Term {
    fn matches(&self, ticket: &Facets<'_>) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let same = |same: bool| if same { Equal } else { Less };
        let order = match &self.value {
            Value::State(state) => same(ticket.state == *state),
            Value::Priority(priority) => ticket.priority.cmp(priority),
            Value::Queue(queue) => same(ticket.queue == queue),
            Value::TicketType(ticket_type) => same(ticket.ticket_type == ticket_type),
            Value::Agent(agent) => same(ticket.agent == agent),
            Value::CustomerId(customer) => same(ticket.customer == Some(*customer)),
            Value::OpenTime(time) => ticket.opened_at.cmp(time),
            Value::Open(open) => same(ticket.open == *open),
        };
        match self.operator {
            Operator::Equal => order == Equal,
            Operator::Unequal => order != Equal,
            Operator::Less => order == Less,
            Operator::LessOrEqual => order != Greater,
            Operator::Greater => order == Greater,
            Operator::GreaterOrEqual => order != Less,
        }
    }
}

/// The text not read yet.
struct Reader<'a> {
    chars: &'a [char],
    at: usize,
}

impl Reader<'_> {
    fn skip_space(&mut self) {
        while self.chars.get(self.at).is_some_and(|letter| letter.is_whitespace()) {
            self.at += 1;
        }
    }

    /// A bare word; empty if none stands here.
    fn word(&mut self) -> String {
        let bare = |letter: &char| letter.is_alphanumeric() || "_-.:+@/".contains(*letter);
        let word: String = self.chars[self.at..].iter().copied().take_while(bare).collect();
        self.at += word.chars().count();
        word
    }

    fn and(&mut self) -> Result<(), FilterError> {
        let start = self.at;
        if self.word() != "AND" {
            return Err(fault(start, "expected AND"));
        }
        self.skip_space();
        Ok(())
    }

    fn term(&mut self) -> Result<Term, FilterError> {
        let field_at = self.at;
        let field = self.word();
        self.skip_space();
        let operator_at = self.at;
        let operator = self.operator();
        self.skip_space();
        let value_at = self.at;
        // The field's fault comes first: it is the reader's first mistake.
        let ordered = match field.as_str() {
            "priority" | "open_time" => true,
            "state" | "queue" | "ticket_type" | "agent" | "customer_id" | "open" => false,
            _ => return Err(fault(field_at, format!("expected a field: {FIELDS}"))),
        };
        let operator = operator.ok_or_else(|| fault(operator_at, "expected one of = != < <= > >="))?;
        if !ordered && !matches!(operator, Operator::Equal | Operator::Unequal) {
            return Err(fault(operator_at, format!("{field} is compared by = and != only")));
        }
        let text = self.text()?;
        let value = value(&field, text).map_err(|message| fault(value_at, message))?;
        Ok(Term { operator, value })
    }

    fn operator(&mut self) -> Option<Operator> {
        let next = |ahead: usize| self.chars.get(self.at + ahead).copied();
        let (operator, length) = match (next(0)?, next(1)) {
            ('!', Some('=')) => (Operator::Unequal, 2),
            ('<', Some('=')) => (Operator::LessOrEqual, 2),
            ('>', Some('=')) => (Operator::GreaterOrEqual, 2),
            ('=', _) => (Operator::Equal, 1),
            ('<', _) => (Operator::Less, 1),
            ('>', _) => (Operator::Greater, 1),
            _ => return None,
        };
        self.at += length;
        Some(operator)
    }

    /// A bare word, or a text in quotes, in which a backslash takes the next character as it is.
    fn text(&mut self) -> Result<String, FilterError> {
        let start = self.at;
        if self.chars.get(self.at) != Some(&'"') {
            let word = self.word();
            return if word.is_empty() { Err(fault(start, "expected a value")) } else { Ok(word) };
        }
        self.at += 1;
        let mut text = String::new();
        while let Some(letter) = self.chars.get(self.at).copied() {
            self.at += 1;
            match letter {
                '"' => return Ok(text),
                '\\' => {
                    let escaped = self.chars.get(self.at).ok_or_else(|| fault(start, "the quote is not closed"))?;
                    text.push(*escaped);
                    self.at += 1;
                }
                other => text.push(other),
            }
        }
        Err(fault(start, "the quote is not closed"))
    }
}

fn value(field: &str, text: String) -> Result<Value, String> {
    match field {
        "state" => {
            let state = STATES.iter().find(|state| **state == text);
            state.map(|state| Value::State(state)).ok_or_else(|| format!("expected one of: {}", STATES.join(", ")))
        }
        "priority" => {
            let priority = PRIORITIES.iter().find(|priority| priority.name() == text);
            let names = || PRIORITIES.map(Priority::name).join(", ");
            priority.copied().map(Value::Priority).ok_or_else(|| format!("expected one of: {}", names()))
        }
        "queue" => Ok(Value::Queue(text)),
        "ticket_type" => Ok(Value::TicketType(text)),
        "agent" => Ok(Value::Agent(text)),
        "customer_id" => text.parse().map(Value::CustomerId).map_err(|_| "expected a UUID".to_owned()),
        "open_time" => {
            let time: Result<jiff::Timestamp, _> = text.parse();
            time.map(|time| Value::OpenTime(time.as_microsecond()))
                .map_err(|_| "expected a time such as 2026-01-31T08:00:00Z".to_owned())
        }
        _ => text.parse().map(Value::Open).map_err(|_| "expected true or false".to_owned()),
    }
}

fn fault(before: usize, message: impl Into<String>) -> FilterError {
    FilterError { at: before + 1, message: message.into() }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, term) in self.0.iter().enumerate() {
            let and = if n == 0 { "" } else { " AND " };
            write!(f, "{and}{term}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = match self.operator {
            Operator::Equal => "=",
            Operator::Unequal => "!=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
        };
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        match &self.value {
            Value::State(state) => write!(f, "state {operator} {state}"),
            Value::Priority(priority) => write!(f, "priority {operator} {}", priority.name()),
            Value::Queue(queue) => write!(f, "queue {operator} {}", quoted(queue)),
            Value::TicketType(ticket_type) => write!(f, "ticket_type {operator} {}", quoted(ticket_type)),
            Value::Agent(agent) => write!(f, "agent {operator} {}", quoted(agent)),
            Value::CustomerId(customer) => write!(f, "customer_id {operator} {customer}"),
            Value::OpenTime(time) => write!(f, "open_time {operator} {}", rfc3339(*time)),
            Value::Open(open) => write!(f, "open {operator} {open}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TICKET: Facets<'_> = Facets {
        state: "waiting",
        priority: Priority::High,
        queue: "second line",
        ticket_type: "incident",
        agent: "",
        customer: None,
        opened_at: 1_767_225_600_000_000,
        open: true,
    };

    #[test]
    fn comparisons_mean_what_they_say() {
        for (text, passes) in [
            ("", true),
            ("state = waiting AND priority >= high AND queue = \"second line\"", true),
            ("priority > high", false),
            ("priority != low", true),
            ("agent = \"\"", true),
            ("open = false", false),
            ("open_time >= 2026-01-01T00:00:00Z AND open_time < \"2026-01-01T00:00:01Z\"", true),
            ("open_time > 2026-01-01T00:00:00Z", false),
            ("customer_id != 00000000-0000-0000-0000-000000000000", true),
            ("  ticket_type=incident  ", true),
        ] {
            assert_eq!(Filter::parse(text).unwrap().matches(&TICKET), passes, "{text}");
        }
    }

    #[test]
    fn a_fault_names_its_place() {
        let too_many = vec!["open = true"; 21].join(" AND ");
        for (text, at) in [
            ("color = red", 1),
            ("state ~ waiting", 7),
            ("state < waiting", 7),
            ("state = lost", 9),
            ("state = waiting OR open = true", 17),
            ("state = waiting AND", 20),
            ("queue = \"desk", 9),
            ("queue =", 8),
            ("open_time > yesterday", 13),
            (too_many.as_str(), 321),
        ] {
            assert_eq!(Filter::parse(text).unwrap_err().at, at, "{text}");
        }
        assert_eq!(Filter::parse(&" ".repeat(1_001)).unwrap_err().at, 1_001);
    }

    fn term() -> impl Strategy<Value = Term> {
        let equality = prop_oneof![Just(Operator::Equal), Just(Operator::Unequal)];
        let order = prop_oneof![
            Just(Operator::Less),
            Just(Operator::LessOrEqual),
            Just(Operator::Greater),
            Just(Operator::GreaterOrEqual),
            Just(Operator::Equal),
            Just(Operator::Unequal)
        ];
        let named = prop_oneof![
            prop::sample::select(&STATES[..]).prop_map(Value::State),
            ".{0,12}".prop_map(Value::Queue),
            ".{0,12}".prop_map(Value::TicketType),
            ".{0,12}".prop_map(Value::Agent),
            any::<u128>().prop_map(|id| Value::CustomerId(Uuid::from_u128(id))),
            any::<bool>().prop_map(Value::Open),
        ];
        let ordered = prop_oneof![
            prop::sample::select(&PRIORITIES[..]).prop_map(Value::Priority),
            (0..4_000_000_000_000_000_i64).prop_map(Value::OpenTime),
        ];
        prop_oneof![
            (equality, named).prop_map(|(operator, value)| Term { operator, value }),
            (order, ordered).prop_map(|(operator, value)| Term { operator, value }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(terms in prop::collection::vec(term(), 0..6)) {
            let filter = Filter(terms);
            prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[a-z=<>!\" \\\\A]{0,60}|.{0,60}") {
            if let Err(error) = Filter::parse(&text) {
                prop_assert!(error.at <= text.chars().count() + 1);
            }
        }
    }
}
