//! From messages of the wire to the words of the rules.

use std::collections::{BTreeMap, BTreeSet};

use chassis::refuse::field;
use chassis::token::{Caller, Role};
use chassis::wire;
use decider::Micros;
use proto::intake::v1 as pb;
use serde::de::DeserializeOwned;
use ticket::intake::{Activity, Author, Channel, Contact, FieldValue, Impact, Priority, Urgency, WaitReason};
use tonic::Status;
use uuid::Uuid;

use super::refuse;
use crate::command::Reach;
use crate::opening::Opening;
use crate::refusal::Refusal;

/// Which tickets a caller may know of: who only reports knows of their own.
pub(crate) fn reach(caller: &Caller) -> Reach {
    if caller.roles.iter().all(|role| *role == Role::Requester) { Reach::Own } else { Reach::All }
}

/// The id within `tenants/{tenant}/tickets/{uuid}`; whatever else it says, there is no such ticket.
pub(crate) fn ticket_id(tenant: &str, name: &str) -> Result<Uuid, Status> {
    wire::ticket_id(tenant, name).ok_or_else(|| refuse::refused(&Refusal::NotFound).into_status())
}

/// The version an etag stands for; unchecked if empty. Text that no etag has is an etag the ticket never had.
pub(crate) fn etag(text: &str) -> Option<u64> {
    (!text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX))
}

/// Text that was said; nothing if empty.
pub(crate) fn said(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

pub(crate) fn priority(number: i32) -> Result<Option<Priority>, Status> {
    match pb::Priority::try_from(number) {
        Ok(pb::Priority::Unspecified) => Ok(None),
        Ok(pb::Priority::Low) => Ok(Some(Priority::Low)),
        Ok(pb::Priority::Medium) => Ok(Some(Priority::Medium)),
        Ok(pb::Priority::High) => Ok(Some(Priority::High)),
        Ok(pb::Priority::Critical) => Ok(Some(Priority::Critical)),
        Err(_) => Err(unknown("priority")),
    }
}

pub(crate) fn impact(number: i32) -> Result<Option<Impact>, Status> {
    match pb::Impact::try_from(number) {
        Ok(pb::Impact::Unspecified) => Ok(None),
        Ok(pb::Impact::Person) => Ok(Some(Impact::Person)),
        Ok(pb::Impact::Service) => Ok(Some(Impact::Service)),
        Ok(pb::Impact::Department) => Ok(Some(Impact::Department)),
        Err(_) => Err(unknown("impact")),
    }
}

pub(crate) fn urgency(number: i32) -> Result<Option<Urgency>, Status> {
    match pb::Urgency::try_from(number) {
        Ok(pb::Urgency::Unspecified) => Ok(None),
        Ok(pb::Urgency::Low) => Ok(Some(Urgency::Low)),
        Ok(pb::Urgency::Medium) => Ok(Some(Urgency::Medium)),
        Ok(pb::Urgency::High) => Ok(Some(Urgency::High)),
        Ok(pb::Urgency::Critical) => Ok(Some(Urgency::Critical)),
        Err(_) => Err(unknown("urgency")),
    }
}

pub(crate) fn channel(number: i32) -> Result<Channel, Status> {
    match pb::Channel::try_from(number) {
        Ok(pb::Channel::Unspecified | pb::Channel::Api) => Ok(Channel::Api),
        Ok(pb::Channel::Phone) => Ok(Channel::Phone),
        Ok(pb::Channel::Email) => Ok(Channel::Email),
        Ok(pb::Channel::Web) => Ok(Channel::Web),
        Ok(pb::Channel::Chat) => Ok(Channel::Chat),
        Ok(pb::Channel::InPerson) => Ok(Channel::InPerson),
        Err(_) => Err(unknown("channel")),
    }
}

/// Whose side a comment speaks for: who only reports speaks for the customer.
pub(crate) fn author(number: i32, reach: Reach) -> Result<Author, Status> {
    let author = match pb::Author::try_from(number) {
        Ok(pb::Author::Unspecified) if reach == Reach::Own => Author::Customer,
        Ok(pb::Author::Unspecified | pb::Author::Agent) => Author::Agent,
        Ok(pb::Author::Customer) => Author::Customer,
        Ok(pb::Author::Robot) => Author::Robot,
        Err(_) => return Err(unknown("author")),
    };
    if reach == Reach::Own && author != Author::Customer {
        return Err(field("author", "must be the customer for a requester").into());
    }
    Ok(author)
}

pub(crate) fn wait_reasons(numbers: &[i32]) -> Result<BTreeSet<WaitReason>, Status> {
    let reason = |number: &i32| match pb::WaitReason::try_from(*number) {
        Ok(pb::WaitReason::Customer) => Ok(WaitReason::Customer),
        Ok(pb::WaitReason::Parts) => Ok(WaitReason::Parts),
        Ok(pb::WaitReason::ThirdParty) => Ok(WaitReason::ThirdParty),
        Ok(pb::WaitReason::Approval) => Ok(WaitReason::Approval),
        Ok(pb::WaitReason::Unstated) => Ok(WaitReason::Unstated),
        Ok(pb::WaitReason::Unspecified) | Err(_) => Err(unknown("reasons")),
    };
    numbers.iter().map(reason).collect()
}

/// What a ticket is to be opened with; `pseudonym` turns the customer's reference into their id.
pub(crate) fn opening(ticket: pb::Ticket, pseudonym: impl Fn(&str) -> Uuid) -> Result<Opening, Status> {
    let contact =
        ticket.contact.map(|contact| Contact { name: contact.name, phone: contact.phone, email: contact.email });
    Ok(Opening {
        ticket_type: ticket.ticket_type,
        channel: channel(ticket.channel)?,
        title: ticket.title,
        description: ticket.description,
        customer: said(ticket.customer).map(|reference| (pseudonym(&reference), reference)),
        contact,
        fields: fields(ticket.fields),
        impact: impact(ticket.impact)?,
        urgency: urgency(ticket.urgency)?,
        priority: priority(ticket.priority)?,
        queue: said(ticket.queue),
    })
}

/// The fields that have a value.
fn fields(fields: BTreeMap<String, pb::FieldValue>) -> BTreeMap<String, FieldValue> {
    let value = |value: pb::FieldValue| {
        Some(match value.value? {
            pb::field_value::Value::Text(text) => FieldValue::Text(text),
            pb::field_value::Value::Number(number) => FieldValue::Number(number),
            pb::field_value::Value::Flag(flag) => FieldValue::Flag(flag),
        })
    };
    fields.into_iter().filter_map(|(name, given)| Some((name, value(given)?))).collect()
}

/// One line of another system's history, and when it happened.
pub(crate) fn activity(n: usize, line: pb::ImportedActivity) -> Result<(Micros, Activity), Status> {
    let path = |field: &str| format!("activities[{n}].{field}");
    let occurred_at = wire::micros(&path("occur_time"), line.occur_time)?;
    let activity = Activity {
        activity: line.activity,
        kind: word(&path("kind"), line.kind)?,
        state: word(&path("state"), line.state)?,
        agent: line.agent,
        group: line.group,
        priority: line.priority,
        product: String::new(),
        customer: String::new(),
    };
    let occurred_at = occurred_at.ok_or_else(|| field(&path("occur_time"), "is required"))?;
    Ok((occurred_at, activity))
}

/// One of the words an enum of the event language is written with.
fn word<T: DeserializeOwned>(name: &str, word: String) -> Result<T, Status> {
    serde_json::from_value(word.into()).map_err(|_| field(name, "is no word the contract knows").into())
}

fn unknown(name: &str) -> Status {
    field(name, "has a value the contract does not know").into()
}
