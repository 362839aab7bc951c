//! Deciding whom to tell what, by which media and when; taking it back; and telling the next when nobody answers.

use std::collections::BTreeMap;

use decider::{At, Core, Decided, Micros, Read};
use ticket::choice::Choice;
use ticket::intake::Accountable;
use ticket::notifier::{Deferral, Medium, NotifierEvent, Recall, Recipient};
use ticket::sla::Pinned;
use ticket::telling::at_once;
use ticket::{Event, stream};
use uuid::Uuid;

use crate::command::{Aim, Notifier, Plan, recorded};
use crate::defer;
use crate::document::{MESSAGE_TEXT, pinned};
use crate::file::File;
use crate::learn::Asked;
use crate::linked;
use crate::person::Person;
use crate::reminder::{End, Reminder, To};
use crate::rule::Rule;
use crate::state::{House, State, earlier};
use crate::text::DEFAULT_LANGUAGE;
use crate::topic::Topic;

/// Most reminders taken back at once: an append holds no more events.
pub(crate) const MAX_RECALLED: usize = 64;

/// Most people told of one event by one rule; of more the first. An append holds 64 events.
const MAX_TOLD: usize = 60;

/// What is to be said: everything that does not depend on who is told.
pub(crate) struct Saying<'a> {
    rule: (&'a Rule, &'a Pinned),
    /// What all reminders of one cause derive their ids from.
    cause: Uuid,
    facts: &'a BTreeMap<String, String>,
    step: u32,
    /// From when on it would come too late.
    too_late: Option<Micros>,
    /// The text's name.
    text: &'a str,
    /// Whether it only tells what came of it: nothing is asked of whoever is told.
    news: bool,
    /// What it is told together with.
    group: Option<String>,
}

impl<'a> Saying<'a> {
    /// What a rule says of a ticket, in the first step.
    pub(crate) fn of(
        rule: (&'a Rule, &'a Pinned),
        (cause, ticket, file): (Uuid, Uuid, &File),
        facts: &'a BTreeMap<String, String>,
    ) -> Self {
        let group = rule.0.group.and_then(|group| group.key(ticket, file));
        Self { rule, cause, facts, step: 0, too_late: None, text: &rule.0.text, news: false, group }
    }

    /// What came of it, by another text of the rule's.
    pub(crate) fn news(self, text: &'a str) -> Self {
        Self { text, news: true, group: None, ..self }
    }
}

/// Notes every stream that says whether a ticket's reminders are still needed.
pub(crate) fn guarded<'a>(ticket: Uuid, read: &Read<'a, State>, at: &At) -> Option<(&'a House, &'a File)> {
    for stream in [stream::ticket(ticket), stream::work(ticket), stream::sla(ticket), stream::reminder(ticket)] {
        read.guard(&stream);
    }
    let house = read.look().house(&at.tenant)?;
    let file = house.tickets.get(&ticket)?;
    if let Some(source) = &file.source {
        read.guard(source);
    }
    Some((house, file))
}

/// The reminders a rule wants, unless what happened since made them needless.
pub(crate) fn plan(plan: &Plan, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Some((house, file)) = guarded(plan.ticket, read, at) else { return Vec::new() };
    let edition = pinned(&house.rules, &plan.rule.name, plan.rule.version);
    let Some((_, rule)) = edition.and_then(|edition| edition.read()) else { return Vec::new() };
    let topic = if plan.aim == Aim::Customer {
        Topic::Ticket
    } else {
        Topic::of(|name| plan.facts.get(name).map(String::as_str))
    };
    let (cause, position) = plan.cause;
    // A rule speaks once of an event, whoever would be told by now.
    let spoken = |(_, known): (Uuid, &Reminder)| known.cause == Some(cause) && known.rule.0 == plan.rule.name;
    if file.moot(&topic, position) || house.reminders_of(plan.ticket).any(spoken) {
        return Vec::new();
    }
    let told = told(&plan.aim, (house, file), at.now);
    let mut facts = plan.facts.clone();
    if matches!(plan.aim, Aim::Linked(_)) {
        facts.insert("told_with".into(), told.iter().filter_map(Told::subject).collect::<Vec<_>>().join(", "));
    }
    let saying = Saying {
        too_late: file.too_late(&topic, at.now),
        ..Saying::of((rule, &plan.rule), (cause, plan.ticket, file), &facts)
    };
    let reminder = |whom: &Told| match whom {
        Told::Customer => customer(file, house, &saying, read, at),
        Told::Person(subject) => person(subject, house, &saying, read, at),
    };
    recorded(plan.ticket, told.iter().filter_map(reminder).collect::<Vec<_>>())
}

/// Somebody who is told.
#[derive(PartialEq)]
pub(crate) enum Told {
    Customer,
    Person(String),
}

/// Who is meant, each once and in the order of the audiences.
pub(crate) fn told(aim: &Aim, of: (&House, &File), now: Micros) -> Vec<Told> {
    let (house, file) = of;
    let all = match aim {
        Aim::Customer => vec![Told::Customer],
        Aim::Person(subject) => vec![Told::Person(subject.clone())],
        Aim::Persons(all) => all.iter().cloned().map(Told::Person).collect(),
        Aim::Party(party) => house.staff.behind(party, file.queue(), now).into_iter().map(Told::Person).collect(),
        Aim::Linked(aims) => aims.iter().flat_map(|aim| told(aim, of, now)).collect(),
    };
    let mut found = Vec::new();
    for one in all {
        if found.len() < MAX_TOLD && !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

impl Told {
    /// Who it is, if one of ours.
    pub(crate) fn subject(&self) -> Option<&str> {
        match self {
            Self::Customer => None,
            Self::Person(subject) => Some(subject),
        }
    }
}

/// One reminder is all there ever is of a rule, a cause and a recipient; and one more where those told first did not
/// answer, however many they were.
fn id(saying: &Saying<'_>, recipient: &str) -> Uuid {
    let name = &saying.rule.1.name;
    let told =
        if saying.step == 0 { format!("{name}\0{recipient}") } else { format!("{name}\0{recipient}\0{}", saying.step) };
    Uuid::new_v5(&saying.cause, told.as_bytes())
}

/// The reminder of one of ours, unless there is one.
pub(crate) fn person(
    subject: &str,
    house: &House,
    saying: &Saying<'_>,
    read: &Read<'_, State>,
    at: &At,
) -> Option<NotifierEvent> {
    let reminder = id(saying, &format!("person/{subject}"));
    if house.reminders.contains_key(&reminder) {
        return None;
    }
    read.guard(&stream::recipient(subject));
    let stranger = Person::default();
    let known = house.people.get(subject).unwrap_or(&stranger);
    let rule = saying.rule.0;
    let mut media = known.media(at.now);
    media.retain(|medium| rule.media.is_empty() || rule.media.contains(medium));
    if media.is_empty() {
        media.push(Medium::InApp);
    }
    let urgent = rule.urgent && !saying.news;
    let answer_by = rule.answer_within_us.filter(|_| !saying.news).map(|within| at.now.saturating_add(within));
    let too_late = earlier(answer_by, saying.too_late);
    let mut when = if urgent { (at.now, None) } else { defer::send_at(known, reminder, at.now, too_late) };
    // What must not wait for those who are not to be disturbed leaves nothing to choose.
    let free = defer::send_at(known, reminder, at.now, None) == when;
    let choice = rule.learn.as_ref().filter(|_| free && !saying.news).map(|learn| {
        let (recipient, media, usual_at) = ((subject, known), media.as_slice(), when.0);
        let asked = Asked { learn, recipient, reminder, media, now: at.now, usual_at, too_late, claim: at.request };
        asked.choose(&house.memory)
    });
    if let Some(taken) = choice.as_ref().and_then(Choice::taken) {
        media.retain(|medium| *medium != taken.medium);
        media.insert(0, taken.medium);
        if taken.send_at != when.0 {
            when = (taken.send_at, Some(Deferral::BestTime));
        }
    }
    if when.1.is_none() && !urgent && choice.is_none() {
        when = grouped(saying, (house, known), (reminder, &media), at.now, too_late).unwrap_or(when);
    }
    let fallback = media.split_off(at_once(urgent).min(media.len()));
    let wanted = known.settings.as_ref().map_or(DEFAULT_LANGUAGE, |settings| settings.language.as_str());
    let to = Recipient::Person(subject.to_owned());
    Some(planned((reminder, to, wanted), (media, fallback), (when, answer_by, choice), (house, saying), read))
}

/// When what would go at once is told with others, like ones or such as matter less to its recipient, where that is in
/// time. The inbox is a list as it is.
fn grouped(
    saying: &Saying<'_>,
    (house, known): (&House, &Person),
    (reminder, media): (Uuid, &[Medium]),
    now: Micros,
    too_late: Option<Micros>,
) -> Option<(Micros, Option<Deferral>)> {
    let group = saying.rule.0.group.zip(saying.group.as_deref());
    let together = group.map(|(group, key)| group.next_at(house, (known, &saying.rule.1.name, key), now));
    let unimportant = saying.facts.get("priority").and_then(|priority| known.gathered_at(priority, now));
    let held = together.map(|at| (at, Deferral::Grouped)).into_iter();
    let (next, why) = held.chain(unimportant.map(|at| (at, Deferral::Unimportant))).max()?;
    if next <= now || media.first() == Some(&Medium::InApp) {
        return None;
    }
    let (at, also) = defer::send_at(known, reminder, next, None);
    too_late.is_none_or(|limit| at < limit).then_some((at, Some(also.unwrap_or(why))))
}

/// The customer is told by mail; whether they have an address is seen when it is opened.
fn customer(file: &File, house: &House, saying: &Saying<'_>, read: &Read<'_, State>, at: &At) -> Option<NotifierEvent> {
    let reminder = id(saying, "customer");
    let contact = file.contact.clone().filter(|_| !house.reminders.contains_key(&reminder))?;
    let to = Recipient::Customer(contact);
    let media = (vec![Medium::Email], Vec::new());
    Some(planned((reminder, to, DEFAULT_LANGUAGE), media, ((at.now, None), None, None), (house, saying), read))
}

type When = ((Micros, Option<Deferral>), Option<Micros>, Option<Choice>);

fn planned(
    who: (Uuid, Recipient, &str),
    (media, fallback): (Vec<Medium>, Vec<Medium>),
    (sent, answer_by, choice): When,
    of: (&House, &Saying<'_>),
    read: &Read<'_, State>,
) -> NotifierEvent {
    let ((reminder, recipient, wanted), (send_at, deferred), (house, saying)) = (who, sent, of);
    let (rule, pinned) = saying.rule;
    read.guard(&stream::config(Notifier::NAME, MESSAGE_TEXT, saying.text));
    let text = house.texts.get(saying.text).and_then(|editions| editions.last()?.read());
    let (version, language) = text.map_or((0, DEFAULT_LANGUAGE), |(version, text)| (version, text.language(wanted)));
    NotifierEvent::ReminderPlanned {
        reminder,
        rule: pinned.clone(),
        text: Pinned { name: saying.text.to_owned(), version },
        recipient,
        language: language.to_owned(),
        media,
        fallback,
        urgent: rule.urgent && !saying.news,
        facts: saying.facts.clone(),
        step: saying.step,
        send_at,
        deferred,
        answer_by,
        choice,
        next_medium_after_us: rule.next_medium_after_us.filter(|_| !saying.news),
        again_after_us: rule.again_after_us.filter(|_| !saying.news),
        group: saying.group.clone(),
    }
}

/// Takes back what was planned before its topic was closed.
pub(crate) fn recall(
    ticket: Uuid,
    (topic, position, why): (&Topic, u64, Recall),
    read: &Read<'_, State>,
    at: &At,
) -> Decided<Event> {
    let Some(house) = read.guard(&stream::reminder(ticket)).house(&at.tenant) else { return Vec::new() };
    let recalled = moot(house, ticket, topic, position).take(MAX_RECALLED);
    recorded(ticket, recalled.map(|reminder| NotifierEvent::ReminderRecalled { reminder, why }))
}

/// The reminders of a ticket that need not be said any more since this topic was closed at this position.
pub(crate) fn moot(house: &House, ticket: Uuid, topic: &Topic, position: u64) -> impl Iterator<Item = Uuid> {
    let open = house.reminders_of(ticket).filter(move |(_, reminder)| {
        reminder.position < position && reminder.unsettled() && (*topic == Topic::Ticket || reminder.topic() == *topic)
    });
    open.map(|(id, _)| id)
}

/// Records that nobody answered, or that it did not arrive, and tells the next queue: once, one step up. It tells nobody
/// where another who was told the same answers for it, or may still get what did not arrive here.
pub(crate) fn escalate(ticket: Uuid, id: Uuid, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Some((house, file)) = guarded(ticket, read, at) else { return Vec::new() };
    let Some((_, reminder)) = read.look().reminder(&at.tenant, ticket, id) else { return Vec::new() };
    let unanswered = reminder.answer_by.is_some_and(|by| by < at.now) || reminder.exhausted();
    if reminder.end.is_some() || !unanswered || house.moot(reminder) {
        return Vec::new();
    }
    let same = (reminder.cause, &reminder.rule.0, reminder.step);
    let siblings = house.reminders_of(ticket).map(|(_, one)| one);
    let mut siblings = siblings.filter(|one| (one.cause, &one.rule.0, one.step) == same);
    let in_hand = if reminder.exhausted() {
        siblings.any(|one| !one.exhausted())
    } else {
        siblings.any(|one| one.end == Some(End::Acknowledged))
    };
    let pin = Pinned { name: reminder.rule.0.clone(), version: reminder.rule.1 };
    let rule = linked::rule(house, reminder);
    let next = rule.and_then(|rule| rule.escalate_to.clone()).filter(|_| reminder.step == 0 && !in_hand);
    let delivered = reminder.arrived();
    let mut events = vec![NotifierEvent::ReminderUnanswered { reminder: id, delivered, escalates_to: next.clone() }];
    if let (Some(rule), Some(queue)) = (rule, next) {
        let too_late = match &reminder.to {
            To::Person(_) => file.too_late(&reminder.topic(), at.now),
            To::Customer(_) => None,
        };
        let (cause, step) = (reminder.cause.unwrap_or(id), reminder.step + 1);
        let facts = reminder.facts.map();
        let saying = Saying { step, too_late, ..Saying::of((rule, &pin), (cause, ticket, file), &facts) };
        let told = told(&Aim::Party(Accountable::Queue(queue)), (house, file), at.now);
        let subjects = told.iter().filter_map(Told::subject);
        events.extend(subjects.filter_map(|subject| person(subject, house, &saying, read, at)));
    }
    recorded(ticket, events)
}
