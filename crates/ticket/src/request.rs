//! The words intake's events are made of: who answers, how urgent, why it waits, what was asked for.

use std::collections::BTreeMap;

use decider::Micros;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Personal;

/// Who answers for a ticket right now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Accountable {
    /// Whoever is on duty for the queue.
    Queue(String),
    /// One person, by token subject.
    Person(String),
}

/// The next step every open ticket has: who owes it, and by when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attention {
    /// Who owes the next step.
    pub accountable: Accountable,
    /// When it is missed.
    pub attend_by: Micros,
}

/// How urgent the work is for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// 低
    Low,
    /// 中
    Medium,
    /// 高
    High,
    /// 紧急
    Critical,
}

/// How many people the trouble touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// One person.
    Person,
    /// A service.
    Service,
    /// A department.
    Department,
}

/// How soon the customer needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Whenever.
    Low,
    /// In the usual time.
    Medium,
    /// Soon.
    High,
    /// Now.
    Critical,
}

/// What the matrix makes a priority of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Weight {
    /// How many it touches.
    pub impact: Impact,
    /// How soon it is needed.
    pub urgency: Urgency,
}

/// Where a message or a call came in or went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The public API.
    Api,
    /// Telephone.
    Phone,
    /// E-mail.
    Email,
    /// A form on the web.
    Web,
    /// A chat.
    Chat,
    /// Somebody stood there.
    InPerson,
}

/// Why a ticket waits; several may hold at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// For the customer's answer.
    Customer,
    /// For spare parts.
    Parts,
    /// For somebody outside.
    ThirdParty,
    /// For an approval.
    Approval,
    /// The system it was imported from did not say.
    Unstated,
}

/// The value of a template's field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldValue {
    /// Free text or one of the template's choices.
    Text(String),
    /// A whole number, in the unit the template names.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// Text of a field the template marks personal.
    Private(Personal<String>),
}

/// How to reach the person who reported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contact {
    /// Name as given.
    pub name: String,
    /// Telephone number as given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phone: String,
    /// E-mail address as given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
}

/// The customer behind a ticket: a pseudonym, and the reference it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Customer {
    /// Keyed hash of tenant and reference; also the subject of the customer's personal data.
    pub id: Uuid,
    /// The caller's own reference: a number, an address.
    pub reference: Personal<String>,
}

/// What a ticket is opened with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// The ticket type whose template was used.
    pub ticket_type: String,
    /// The version of that template.
    pub type_version: u64,
    /// Where it came in.
    pub channel: Channel,
    /// One line.
    pub title: Personal<String>,
    /// As much as there is to say.
    pub description: Personal<String>,
    /// Whose ticket it is, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer>,
    /// Whom to call back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Personal<Contact>>,
    /// The template's fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, FieldValue>,
    /// How many it touches.
    pub impact: Impact,
    /// How soon it is needed.
    pub urgency: Urgency,
    /// What follows from impact and urgency, or was asked for by hand.
    pub priority: Priority,
    /// The queue it lies in.
    pub queue: String,
    /// The IANA name of the customer's time zone, where the template asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// Who wrote a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The customer's side.
    Customer,
    /// One of ours, a human.
    Agent,
    /// A program of ours; never counts as a reply.
    Robot,
}

/// What happened to an imported ticket, in the words of the work-order log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// Put into a queue.
    Queue,
    /// Given to somebody.
    Assign,
    /// Taken by somebody.
    Accept,
    /// Worked on.
    Work,
    /// Put to waiting.
    Wait,
    /// Taken up again.
    Resume,
    /// Resolved.
    Resolve,
    /// Closed.
    Close,
    /// Opened again.
    Reopen,
    /// Something was written down.
    Note,
}

/// Where a ticket stands, coarsely: what clocks and figures know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody works on it yet.
    Open,
    /// Somebody works on it.
    InProgress,
    /// It waits for something named.
    Waiting,
    /// The work is done, the customer has not closed with us.
    Resolved,
    /// Ended.
    Closed,
}

/// One line of another system's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// The raw name.
    pub activity: String,
    /// What it amounts to.
    pub kind: ActivityKind,
    /// Where the ticket stood after it.
    pub state: Status,
    /// Who, raw; may be empty or `?`.
    pub agent: String,
    /// Which group, raw.
    pub group: String,
    /// Raw priority.
    pub priority: String,
    /// Raw product.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub product: String,
    /// Raw customer pseudonym.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub customer: String,
}
