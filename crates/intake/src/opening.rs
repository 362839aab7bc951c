//! Opening a ticket: held against its type's template, every fault named at once.

use std::collections::BTreeMap;

use decider::{At, Decided, Read};
use ticket::intake::{
    Accountable, Channel, Contact, Customer, FieldValue, Impact, IntakeEvent, Priority, Request, Urgency,
};
use ticket::{Event, Personal, stream};
use uuid::Uuid;

use crate::command::untimely;
use crate::priority::matrix;
use crate::refusal::{FieldFault, Refusal};
use crate::state::{House, State};
use crate::template::TicketType;
use crate::{attention, text};

/// What a ticket is to be opened with, as its caller said it.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The ticket type.
    pub ticket_type: String,
    /// Where it came in.
    pub channel: Channel,
    /// One line.
    pub title: String,
    /// As much as there is to say.
    pub description: String,
    /// The customer's pseudonym and the caller's own reference.
    pub customer: Option<(Uuid, String)>,
    /// Whom to call back.
    pub contact: Option<Contact>,
    /// The template's fields.
    pub fields: BTreeMap<String, FieldValue>,
    /// How many it touches; the template's if not said.
    pub impact: Option<Impact>,
    /// How soon it is needed; the template's if not said.
    pub urgency: Option<Urgency>,
    /// By hand; the matrix's if not said.
    pub priority: Option<Priority>,
    /// The template's if not said.
    pub queue: Option<String>,
}

/// Goal: the ticket this request mints is there.
pub(crate) fn decide(opening: &Opening, read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
    let id = at.mint(0);
    let stream = stream::ticket(id);
    let nothing = House::default();
    let house = read.guard(&stream).house(&at.tenant).unwrap_or(&nothing);
    if house.tickets.contains_key(&id) {
        return Ok(Vec::new());
    }
    guard_documents(opening, house, read);
    let mut faults = opening.faults(house);
    faults.extend(untimely(at, i64::MIN));
    if let Some(template) = house.template(&opening.ticket_type) {
        let named = |(name, message)| FieldFault::new(format!("ticket.fields.{name}"), message);
        faults.extend(template.field_faults(&opening.fields).into_iter().map(named));
    }
    if !faults.is_empty() {
        return Err(Refusal::Invalid(faults));
    }
    if let Some((customer, _)) = &opening.customer
        && house.erased.contains(customer)
    {
        return Err(Refusal::CustomerErased);
    }
    let request = opening.request(id, house);
    let duty = Accountable::Queue(request.queue.clone());
    let next = attention::next(house, duty, &request.queue, request.priority, at.now);
    Ok(vec![(stream, Event::Intake(IntakeEvent::Received { request: Box::new(request), next }))])
}

/// Notes what could have refused the ticket: its type, its queue, its customer.
pub(crate) fn guard_documents(opening: &Opening, house: &House, read: &Read<'_, State>) {
    read.guard(&stream::config("intake", "TicketType", &opening.ticket_type));
    if let Some(queue) = opening.queue_in(house) {
        read.guard(&stream::config("intake", "Queue", &queue));
    }
    if let Some((customer, _)) = &opening.customer {
        read.guard(&stream::customer(*customer));
    }
}

impl Opening {
    /// What is missing or wrong, the template's fields aside.
    pub(crate) fn faults(&self, house: &House) -> Vec<FieldFault> {
        let contact = self.contact.clone().unwrap_or_default();
        let customer = self.customer.as_ref().map_or("", |(_, reference)| reference);
        let mut faults: Vec<_> = [
            text::required("ticket.title", &self.title, text::TITLE_MAX_CHARS),
            text::bounded("ticket.description", &self.description, text::BODY_MAX_CHARS),
            text::bounded("ticket.customer", customer, text::NAME_MAX_CHARS),
            text::bounded("ticket.contact.name", &contact.name, text::NAME_MAX_CHARS),
            text::bounded("ticket.contact.phone", &contact.phone, text::NAME_MAX_CHARS),
            text::bounded("ticket.contact.email", &contact.email, text::NAME_MAX_CHARS),
        ]
        .into_iter()
        .flatten()
        .collect();
        if house.template(&self.ticket_type).is_none() {
            let message = if self.ticket_type.is_empty() {
                "is required".to_owned()
            } else {
                format!("there is no ticket type {}", self.ticket_type)
            };
            faults.push(FieldFault::new("ticket.ticket_type", message));
        }
        if let Some(queue) = self.queue_in(house).filter(|queue| house.queue(queue).is_none()) {
            faults.push(FieldFault::new("ticket.queue", format!("there is no queue {queue}")));
        }
        faults
    }

    /// The queue said, else the template's.
    fn queue_in(&self, house: &House) -> Option<String> {
        self.queue.clone().or_else(|| Some(house.template(&self.ticket_type)?.queue.clone()))
    }

    /// What the ticket's first event says, once there are no faults.
    pub(crate) fn request(&self, id: Uuid, house: &House) -> Request {
        let template = house.template(&self.ticket_type);
        let subject = self.customer.as_ref().map_or(id, |(customer, _)| *customer);
        let personal = |value: &String| Personal::new(subject, value.clone());
        let impact = self.impact.or(template.map(|template| template.impact)).unwrap_or(Impact::Person);
        let urgency = self.urgency.or(template.map(|template| template.urgency)).unwrap_or(Urgency::Medium);
        let field = |(name, value): (&String, &FieldValue)| (name.clone(), seal(template, name, value, subject));
        Request {
            ticket_type: self.ticket_type.clone(),
            type_version: house.types.get(&self.ticket_type).map_or(0, |kept| kept.version),
            channel: self.channel,
            title: personal(&self.title),
            description: personal(&self.description),
            customer: self
                .customer
                .as_ref()
                .map(|(customer, reference)| Customer { id: *customer, reference: personal(reference) }),
            contact: self.contact.clone().map(|contact| Personal::new(subject, contact)),
            fields: self.fields.iter().map(field).collect(),
            impact,
            urgency,
            priority: self.priority.unwrap_or_else(|| matrix(impact, urgency)),
            queue: self.queue_in(house).unwrap_or_default(),
            zone: template.and_then(|template| template.zone(&self.fields)).map(str::to_owned),
        }
    }
}

/// A field's value as it is recorded: text is personal where the template says so, and where it says nothing of it.
fn seal(template: Option<&TicketType>, name: &str, value: &FieldValue, subject: Uuid) -> FieldValue {
    let plain = template.and_then(|template| template.fields.get(name)).is_some_and(|field| !field.personal);
    match value {
        FieldValue::Text(text) if !plain => FieldValue::Private(Personal::new(subject, text.clone())),
        other => other.clone(),
    }
}
