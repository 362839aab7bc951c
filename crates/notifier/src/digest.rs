//! Digests: reminders of one person that waited are told in one message. A digest is sent as a reminder is; its tries are
//! those of the reminders in it, each of which keeps its own links, its own deadline and its own end.

use std::collections::BTreeMap;

use decider::{At, Decided, Micros, Read};
use ticket::notifier::NotifierEvent;
use ticket::{Event, stream};
use uuid::Uuid;

use crate::person::Person;
use crate::reminder::{Held, Reminder, To};
use crate::state::{House, State};
use crate::text::{DEFAULT_LANGUAGE, Rendered};
use crate::view;

/// Most reminders gathered at once: an append holds 64 events.
const AT_ONCE: usize = 60;
/// Most reminders of a digest; the next go into another.
const MAX_HELD: usize = 4 * AT_ONCE;
/// Most of them that its text lists; the others are counted.
pub(crate) const LISTED: usize = 20;
/// How long a digest waits for those that are on their way into it, microseconds.
const FILLING_US: Micros = 10_000_000;

/// A reminder as a digest lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// How many are like it, where it is the first of several.
    pub(crate) heading: Option<String>,
    pub(crate) ticket: Uuid,
    pub(crate) reminder: Uuid,
    pub(crate) words: Rendered,
    /// Whether it is about an offer that may be taken.
    pub(crate) offer: bool,
}

/// What a digest says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) items: Vec<Listed>,
    /// How many more there are.
    pub(crate) more: usize,
}

/// Lets a reminder whose time has come be told with others of its recipient's: in the digest that is about to leave, or
/// in one of its own. Nothing where it goes alone.
pub(crate) fn gather(
    (house, reminder): (&House, &Reminder),
    (ticket, id): (Uuid, Uuid),
    read: &Read<'_, State>,
    at: &At,
) -> Option<Decided<Event>> {
    let To::Person(subject) = &reminder.to else { return None };
    let person = house.people.get(subject).filter(|_| reminder.gatherable())?;
    read.guard(&stream::recipient(subject));
    let others = house.company(person, reminder, at.now).filter(|(other, _)| *other != id);
    let mut gathered = vec![(ticket, id)];
    gathered.extend(others.take(AT_ONCE - 1).map(|(other, known)| (known.ticket, other)));
    let open = house.leaving(person, reminder, at.now);
    if open.is_none() && gathered.len() == 1 {
        return None;
    }
    let digest = open.unwrap_or_else(|| Uuid::new_v5(&at.request, b"digest"));
    read.guard(&stream::reminder(digest));
    let mut events = Vec::new();
    if open.is_none() {
        let language = person.settings.as_ref().map_or(DEFAULT_LANGUAGE, |settings| &settings.language).to_owned();
        let (recipient, medium, fallback) = (subject.clone(), *reminder.media.first()?, reminder.fallback.clone());
        let planned = NotifierEvent::DigestPlanned { digest, recipient, language, medium, fallback, send_at: at.now };
        events.push((stream::reminder(digest), Event::Notifier(planned)));
    }
    for (ticket, reminder) in gathered {
        read.guard(&stream::reminder(ticket));
        let event = NotifierEvent::ReminderGathered { reminder, digest };
        events.push((stream::reminder(ticket), Event::Notifier(event)));
    }
    Some(events)
}

/// Whether a digest waits for reminders whose time has come and that will be gathered into it in a moment.
pub(crate) fn is_filling(house: &House, digest: &Reminder, now: Micros) -> bool {
    let To::Person(subject) = &digest.to else { return false };
    let (Some(held), Some(person)) = (&digest.holds, house.people.get(subject)) else { return false };
    let waits = digest.tries.is_empty() && held.has_room() && now < digest.send_at.saturating_add(FILLING_US);
    waits && house.company(person, digest, now).any(|(_, one)| one.waits.is_some_and(|until| until <= now))
}

impl Held {
    fn has_room(&self) -> bool {
        self.reminders.len() + AT_ONCE <= MAX_HELD
    }
}

impl House {
    /// Those of a person that may be told now, by the message that tells this one.
    fn company<'a>(
        &'a self,
        person: &'a Person,
        with: &'a Reminder,
        now: Micros,
    ) -> impl Iterator<Item = (Uuid, &'a Reminder)> {
        let theirs = person.inbox.iter().filter_map(|(_, id)| Some((*id, self.reminders.get(id)?)));
        theirs.filter(move |(_, known)| known.joins(now) && known.goes_with(with) && !self.moot(known))
    }

    /// The digest that is about to leave for this person and has room for a reminder.
    fn leaving(&self, person: &Person, reminder: &Reminder, now: Micros) -> Option<Uuid> {
        let id = person.digest?;
        let digest = self.reminders.get(&id)?;
        let leaves = digest.tries.is_empty() && digest.end.is_none() && digest.waits.is_none() && digest.send_at <= now;
        let open = leaves && digest.goes_with(reminder) && digest.holds.as_ref().is_some_and(Held::has_room);
        open.then_some(id)
    }

    /// The reminders that a digest still has to tell.
    pub(crate) fn carried<'a>(&'a self, held: &'a Held) -> impl Iterator<Item = (Uuid, &'a Reminder)> {
        let all = held.reminders.iter().filter_map(|id| Some((*id, self.reminders.get(id)?)));
        all.filter(|(_, known)| known.carried())
    }

    /// Keeps count of what a digest still has to tell.
    pub(crate) fn recount(&mut self, digest: Uuid) {
        let Some(held) = self.reminders.get(&digest).and_then(|known| known.holds.as_ref()) else { return };
        let carried = self.carried(held).count();
        if let Some(held) = self.reminders.get_mut(&digest).and_then(|known| known.holds.as_mut()) {
            held.carried = carried;
        }
    }

    /// Those of what a digest holds that still need to be said, like ones together: by rule and what they are grouped by.
    fn clusters<'a>(&'a self, held: &'a Held) -> Vec<Vec<(Uuid, &'a Reminder)>> {
        let mut found: Vec<Vec<(Uuid, &Reminder)>> = Vec::new();
        let mut places: BTreeMap<(&str, Option<&str>), usize> = BTreeMap::new();
        let mut all: Vec<_> = self.carried(held).filter(|(_, known)| !self.moot(known)).collect();
        all.sort_by_key(|(_, known)| known.position);
        for (id, known) in all {
            let place = *places.entry((&known.rule.0, known.group.as_deref())).or_insert_with(|| {
                found.push(Vec::new());
                found.len() - 1
            });
            found[place].push((id, known));
        }
        found
    }

    /// What a digest says now: of each cluster as many as there is room for, and how many there are beside.
    pub(crate) fn listing(&self, held: &Held) -> Listing {
        let clusters = self.clusters(held);
        let all: usize = clusters.iter().map(Vec::len).sum();
        let share = (LISTED / clusters.len().max(1)).max(1);
        let mut items = Vec::new();
        for cluster in clusters {
            let many = cluster.len();
            for (place, (reminder, known)) in cluster.into_iter().enumerate().take(share) {
                let about = known.group.as_ref().map(|group| format!(", {group}")).unwrap_or_default();
                let heading = (place == 0 && many > 1).then(|| format!("{many} × {}{about}", known.rule.0));
                let (ticket, offer) = (known.ticket, known.offer().is_some());
                items.push(Listed { heading, ticket, reminder, words: view::words(self, known), offer });
            }
        }
        items.truncate(LISTED);
        Listing { more: all - items.len(), items }
    }

    /// What a digest says, but for the list.
    pub(crate) fn digest_words(&self, digest: &Reminder, held: &Held) -> Rendered {
        let Listing { items, more } = self.listing(held);
        let many = items.len() + more;
        let first = items.first().map_or("", |item| item.words.subject.as_str());
        let chinese = digest.language.starts_with("zh");
        let subject = match (many, chinese) {
            (1, _) => first.to_owned(),
            (_, false) => format!("{many} reminders: {first} …"),
            (_, true) => format!("{many} 条提醒：{first} 等"),
        };
        Rendered { subject, body: String::new(), short: None }
    }
}
