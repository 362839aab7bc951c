//! When what can wait is sent: after quiet hours, after do-not-disturb, as many an hour as somebody wants. It is put
//! off, never dropped, and never past the instant at which it would be too late: then it does not wait at all.

use decider::Micros;
use jiff::civil::{DateTime, Time};
use jiff::{Timestamp, ToSpan};
use ticket::intake::Priority;
use ticket::notifier::Deferral;
use ticket::telling;
pub(crate) use ticket::telling::zone;
use uuid::Uuid;

use crate::person::Person;

const HOUR_US: Micros = 3_600_000_000;
/// Hours between two messages of what matters less.
const HOURS_APART: i8 = 4;

/// The first instant from `now` at which this person may be told what can wait, and what it waits for; `now` itself and
/// nothing where it need not wait, or must not, since `too_late` would come first.
pub(crate) fn send_at(
    person: &Person,
    reminder: Uuid,
    now: Micros,
    too_late: Option<Micros>,
) -> (Micros, Option<Deferral>) {
    telling::put_off(now, too_late, |at| held(person, reminder, at))
}

/// Until when something is held that would be sent at this instant, and why.
fn held(person: &Person, reminder: Uuid, at: Micros) -> Option<(Micros, Deferral)> {
    let settings = person.settings.as_ref();
    let quiet = settings.and_then(|settings| Some((settings.quiet?, settings.zone.as_str())));
    let undisturbed = telling::undisturbed(person.dnd_until, person.presence, quiet, at);
    if undisturbed.is_some() {
        return undisturbed;
    }
    let settings = settings?;
    let cap = usize::try_from(settings.hourly_cap).ok().filter(|cap| *cap > 0)?;
    // What is new comes after all that is planned; what has its turn already, after those before it.
    let planned = person.sends.iter().any(|(_, known)| *known == reminder);
    let before = |(sent_at, known): &&(Micros, Uuid)| *known != reminder && (!planned || *sent_at <= at);
    let earliest = person.sends.iter().rev().filter(before).nth(cap - 1);
    let free = earliest.map(|(sent_at, _)| sent_at.saturating_add(HOUR_US)).filter(|free| at < *free);
    free.map(|free| (free, Deferral::Cap))
}

impl Person {
    /// When this person wants to hear, together, of what matters less than what they want to hear of at once: as the next
    /// four hours of their clock begin. Nothing where it matters enough.
    pub(crate) fn gathered_at(&self, priority: &str, now: Micros) -> Option<Micros> {
        const ORDER: [Priority; 4] = [Priority::Low, Priority::Medium, Priority::High, Priority::Critical];
        let settings = self.settings.as_ref()?;
        let known = ORDER.into_iter().find(|known| known.name() == priority)?;
        settings.important_from.filter(|least| known < *least)?;
        let zone = zone(&settings.zone)?;
        let local = zone.to_datetime(Timestamp::from_microsecond(now).ok()?);
        let hour = local.hour() / HOURS_APART * HOURS_APART;
        let begun = DateTime::from_parts(local.date(), Time::new(hour, 0, 0, 0).ok()?);
        let next = begun.checked_add(i64::from(HOURS_APART).hours()).ok()?;
        let next = zone.to_ambiguous_timestamp(next).compatible().ok()?.as_microsecond();
        Some(next).filter(|next| *next > now)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ticket::notifier::Quiet;

    use super::*;
    use crate::person::Settings;

    fn us(text: &str) -> Micros {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    fn night() -> Person {
        let quiet = Some(Quiet { from_minute: 22 * 60, to_minute: 7 * 60 });
        let settings = Settings { zone: "Europe/Berlin".into(), quiet, ..Settings::default() };
        Person { settings: Some(settings), ..Person::default() }
    }

    fn when(person: &Person, at: &str, too_late: Option<&str>) -> (String, Option<Deferral>) {
        let (at, why) = send_at(person, Uuid::nil(), us(at), too_late.map(us));
        (Timestamp::from_microsecond(at).unwrap().to_string(), why)
    }

    /// Proves part of: N4
    #[test]
    fn rest_time_is_respected_in_the_person_s_own_zone() {
        let quiet = Some(Deferral::QuietHours);
        assert_eq!(when(&night(), "2024-03-04T20:59:59Z", None), ("2024-03-04T20:59:59Z".into(), None));
        assert_eq!(when(&night(), "2024-03-04T21:00:00Z", None), ("2024-03-05T06:00:00Z".into(), quiet));
        assert_eq!(when(&night(), "2024-03-05T05:59:59Z", None), ("2024-03-05T06:00:00Z".into(), quiet));
        assert_eq!(when(&night(), "2024-03-05T06:00:00Z", None).1, None, "the first minute after is not quiet");
        assert_eq!(when(&night(), "2024-03-30T22:00:00Z", None).0, "2024-03-31T05:00:00Z", "clocks are set forward");
    }

    /// Proves part of: N4
    #[test]
    fn nothing_waits_past_the_instant_at_which_it_would_be_too_late() {
        let late = ("2024-03-04T22:00:00Z".into(), None);
        assert_eq!(when(&night(), "2024-03-04T22:00:00Z", Some("2024-03-05T06:00:00Z")), late);
        assert_eq!(when(&night(), "2024-03-04T22:00:00Z", Some("2024-03-05T06:00:01Z")).1, Some(Deferral::QuietHours));
    }

    /// Proves part of: N6
    #[test]
    fn what_ends_within_the_quiet_hours_waits_for_their_end_too() {
        let mut person = night();
        person.dnd_until = Some(us("2024-03-04T21:30:00Z"));
        assert_eq!(when(&person, "2024-03-04T12:00:00Z", None).0, "2024-03-05T06:00:00Z");
        person.dnd_until = Some(us("2024-03-04T13:00:00Z"));
        assert_eq!(
            when(&person, "2024-03-04T12:00:00Z", None),
            ("2024-03-04T13:00:00Z".into(), Some(Deferral::DoNotDisturb))
        );
    }

    /// Proves part of: N5
    #[test]
    fn no_hour_holds_more_than_the_cap() {
        let settings = Settings { hourly_cap: 3, ..Settings::default() };
        let mut person = Person { settings: Some(settings), ..Person::default() };
        let mut sent = Vec::new();
        for n in 0..20_u32 {
            let (at, _) = send_at(&person, Uuid::from_u128(n.into()), Micros::from(n) * 60_000_000, None);
            person.sends(at, Uuid::from_u128(n.into()));
            sent.push(at);
        }
        assert_eq!(sent.len(), 20, "none is dropped");
        for (n, at) in (0..20_u32).zip(&sent) {
            assert_eq!(send_at(&person, Uuid::from_u128(n.into()), *at, None), (*at, None), "its turn has come");
        }
        for at in &sent {
            assert!(sent.iter().filter(|other| (*at..at + HOUR_US).contains(other)).count() <= 3);
        }
    }
}
