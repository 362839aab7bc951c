//! From the words of the rules to messages of the wire.

use std::collections::BTreeMap;

use chassis::wire::{ticket_name, timestamp};
use decider::{Micros, Tenant};
use eventlog::Row;
use proto::intake::v1 as pb;
use proto::prost_types::{ListValue, Struct, Value as ProtoValue, value::Kind};
use serde_json::Value;
use ticket::Personal;
use ticket::intake::{Accountable, Channel, FieldValue, Impact, Priority, Urgency, WaitReason};
use ticket::lifecycle::Phase;

use super::history::ERASED_TEXT;
use crate::view::Entity;

/// A ticket as callers see it.
pub(crate) fn ticket(tenant: &Tenant, entity: &Entity) -> pb::Ticket {
    let (request, facets) = (&entity.request, entity.facets());
    let course = &entity.ticket.course;
    let customer = request.customer.as_ref();
    let confirm_by = match course.phase {
        Phase::WorkDone { confirm_by } if confirm_by < Micros::MAX => Some(timestamp(confirm_by)),
        _ => None,
    };
    pb::Ticket {
        name: ticket_name(tenant.as_str(), entity.id),
        state: state(&course.phase).into(),
        wait_reasons: wait_reasons(&course.phase),
        ticket_type: request.ticket_type.clone(),
        ticket_type_version: request.type_version,
        channel: channel(request.channel).into(),
        title: open(&request.title),
        description: open(&request.description),
        customer: customer.map(|customer| open(&customer.reference)).unwrap_or_default(),
        customer_id: customer.map(|customer| customer.id.to_string()).unwrap_or_default(),
        contact: request.contact.as_ref().map(contact),
        fields: request.fields.iter().map(|(name, value)| (name.clone(), field(value))).collect(),
        impact: impact(request.impact).into(),
        urgency: urgency(request.urgency).into(),
        priority: priority(facets.priority).into(),
        queue: facets.queue.to_owned(),
        agent: facets.agent.to_owned(),
        accountable: course.next.as_ref().map(|next| accountable(&next.accountable)),
        attend_by_time: course.next.as_ref().map(|next| timestamp(next.attend_by)),
        open_time: Some(timestamp(course.opened_at)),
        move_time: Some(timestamp(course.moved_at)),
        confirm_by_time: confirm_by,
        solution: entity.solution.as_ref().map(open).unwrap_or_default(),
        evidence: entity.evidence.clone(),
        reopen_count: course.reopened,
        etag: entity.version.to_string(),
        imported_from: entity.imported_from.clone().unwrap_or_default(),
    }
}

/// One event of a timeline; `body` is the row's, opened.
pub(crate) fn timeline_entry(row: &Row, body: &Value, log_position: String) -> pb::TimelineEntry {
    pb::TimelineEntry {
        event_id: row.id.to_string(),
        log_position,
        stream: row.stream.clone(),
        version: row.version.unsigned_abs(),
        kind: row.kind.clone(),
        body: body
            .as_object()
            .map(|object| Struct { fields: object.iter().map(|(k, v)| (k.clone(), json(v))).collect() }),
        occur_time: Some(timestamp(row.occurred_us)),
        record_time: Some(timestamp(row.recorded_us)),
        actor: row.actor.clone(),
        causation_id: row.causation.map(|id| id.to_string()).unwrap_or_default(),
    }
}

fn json(value: &Value) -> ProtoValue {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(flag) => Kind::BoolValue(*flag),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()), // tidy: float at the edge
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(items) => Kind::ListValue(ListValue { values: items.iter().map(json).collect() }),
        Value::Object(object) => {
            let fields: BTreeMap<_, _> = object.iter().map(|(name, value)| (name.clone(), json(value))).collect();
            Kind::StructValue(Struct { fields })
        }
    };
    ProtoValue { kind: Some(kind) }
}

fn open(text: &Personal<String>) -> String {
    match text {
        Personal::Plain { value, .. } => value.clone(),
        Personal::Sealed { .. } => ERASED_TEXT.to_owned(),
    }
}

fn contact(contact: &Personal<ticket::intake::Contact>) -> pb::Contact {
    match contact {
        Personal::Plain { value, .. } => {
            pb::Contact { name: value.name.clone(), phone: value.phone.clone(), email: value.email.clone() }
        }
        Personal::Sealed { .. } => {
            let erased = || ERASED_TEXT.to_owned();
            pb::Contact { name: erased(), phone: erased(), email: erased() }
        }
    }
}

fn field(value: &FieldValue) -> pb::FieldValue {
    let value = match value {
        FieldValue::Text(text) => pb::field_value::Value::Text(text.clone()),
        FieldValue::Number(number) => pb::field_value::Value::Number(*number),
        FieldValue::Flag(flag) => pb::field_value::Value::Flag(*flag),
        FieldValue::Private(text) => pb::field_value::Value::Text(open(text)),
    };
    pb::FieldValue { value: Some(value) }
}

fn accountable(accountable: &Accountable) -> pb::Accountable {
    let party = match accountable {
        Accountable::Queue(queue) => pb::accountable::Party::Queue(queue.clone()),
        Accountable::Person(person) => pb::accountable::Party::Person(person.clone()),
    };
    pb::Accountable { party: Some(party) }
}

fn state(phase: &Phase) -> pb::TicketState {
    match phase {
        Phase::Received => pb::TicketState::Received,
        Phase::Triaged => pb::TicketState::Triaged,
        Phase::InProgress => pb::TicketState::InProgress,
        Phase::Waiting(_) => pb::TicketState::Waiting,
        Phase::WorkDone { .. } => pb::TicketState::WorkDone,
        Phase::Confirmed => pb::TicketState::Confirmed,
        Phase::Closed { .. } => pb::TicketState::Closed,
        Phase::Cancelled { .. } => pb::TicketState::Cancelled,
    }
}

fn wait_reasons(phase: &Phase) -> Vec<i32> {
    let Phase::Waiting(reasons) = phase else { return Vec::new() };
    let number = |reason: &WaitReason| match reason {
        WaitReason::Customer => pb::WaitReason::Customer.into(),
        WaitReason::Parts => pb::WaitReason::Parts.into(),
        WaitReason::ThirdParty => pb::WaitReason::ThirdParty.into(),
        WaitReason::Approval => pb::WaitReason::Approval.into(),
        WaitReason::Unstated => pb::WaitReason::Unstated.into(),
    };
    reasons.iter().map(number).collect()
}

fn priority(priority: Priority) -> pb::Priority {
    match priority {
        Priority::Low => pb::Priority::Low,
        Priority::Medium => pb::Priority::Medium,
        Priority::High => pb::Priority::High,
        Priority::Critical => pb::Priority::Critical,
    }
}

fn impact(impact: Impact) -> pb::Impact {
    match impact {
        Impact::Person => pb::Impact::Person,
        Impact::Service => pb::Impact::Service,
        Impact::Department => pb::Impact::Department,
    }
}

fn urgency(urgency: Urgency) -> pb::Urgency {
    match urgency {
        Urgency::Low => pb::Urgency::Low,
        Urgency::Medium => pb::Urgency::Medium,
        Urgency::High => pb::Urgency::High,
        Urgency::Critical => pb::Urgency::Critical,
    }
}

fn channel(channel: Channel) -> pb::Channel {
    match channel {
        Channel::Api => pb::Channel::Api,
        Channel::Phone => pb::Channel::Phone,
        Channel::Email => pb::Channel::Email,
        Channel::Web => pb::Channel::Web,
        Channel::Chat => pb::Channel::Chat,
        Channel::InPerson => pb::Channel::InPerson,
    }
}
