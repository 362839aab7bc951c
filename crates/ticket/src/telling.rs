//! How people are told, as far as more than notifier, which does it, must know: who of a queue, how often a failed medium is
//! tried again, when somebody is not to be disturbed.

use decider::Micros;
use jiff::civil::{DateTime, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};

use crate::notifier::{Deferral, Device, Medium, Presence, Quiet};

/// Most people told by one reminder of a queue; the first of its members.
pub const MAX_PEOPLE: usize = 24;
/// Pauses between attempts by one medium, seconds; the last one repeats.
const PAUSES_SECS: [Micros; 8] = [10, 30, 120, 600, 1_800, 3_600, 7_200, 14_400];
/// How long one medium is tried, from its first attempt: a day.
pub const TRIED_FOR_US: Micros = 86_400 * 1_000_000;

/// How often the reasons to wait are looked at again: one may end within another.
const MAX_ROUNDS: u8 = 8;

/// How many media are used at once.
pub fn at_once(urgent: bool) -> usize {
    if urgent { 2 } else { 1 }
}

/// The pause after so many failed attempts by one medium, seconds.
pub fn pause_secs(attempts: u32) -> Micros {
    let nth = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    PAUSES_SECS[nth.min(PAUSES_SECS.len() - 1)]
}

/// The media somebody is reached by, best first, of those with an address in their own order; `there` is what they report
/// while that holds. Where they look at the inbox, it comes before all others but, on a telephone, those that reach it there.
pub fn in_order(mut media: Vec<Medium>, there: Option<Presence>, device: Option<Device>) -> Vec<Medium> {
    let there = there.filter(|presence| *presence != Presence::Away);
    let by_phone = there.is_some() && device == Some(Device::Phone);
    if by_phone {
        media.sort_by_key(|medium| !medium.reaches_phone());
    }
    let before = media.iter().filter(|medium| by_phone && medium.reaches_phone()).count();
    media.insert(if there == Some(Presence::Online) { before } else { media.len() }, Medium::InApp);
    media
}

/// The zone of this name from the database built in.
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok().filter(|zone| !zone.is_unknown())
}

/// The first instant from `now` at which something that can wait is told, and what it waits for, where `held` says until when
/// it is held that would be told at an instant, and why; `now` itself and nothing where it need not wait, or must not, since
/// `too_late` would come first.
pub fn put_off(
    now: Micros,
    too_late: Option<Micros>,
    held: impl Fn(Micros) -> Option<(Micros, Deferral)>,
) -> (Micros, Option<Deferral>) {
    let (mut at, mut why) = (now, None);
    for _ in 0..MAX_ROUNDS {
        let Some((until, reason)) = held(at) else { break };
        (at, why) = (until, Some(reason));
    }
    if too_late.is_some_and(|limit| at >= limit) { (now, None) } else { (at, why) }
}

/// Until when somebody is not to be disturbed at this instant, and why, if so: as they said, while they are busy, in their
/// quiet hours by the clocks of a zone.
pub fn undisturbed(
    said: Option<Micros>,
    presence: Option<(Presence, Micros)>,
    quiet: Option<(Quiet, &str)>,
    at: Micros,
) -> Option<(Micros, Deferral)> {
    let busy = presence.filter(|(presence, _)| *presence == Presence::Busy).map(|(_, until)| until);
    let until = said.max(busy).filter(|until| at < *until).map(|until| (until, Deferral::DoNotDisturb));
    let quiet = || quiet.and_then(|(quiet, name)| Some((quiet.until(&zone(name)?, at)?, Deferral::QuietHours)));
    until.or_else(quiet)
}

impl Quiet {
    /// The end of the quiet hours that hold at this instant by the clocks of a zone, if any do.
    pub fn until(self, zone: &TimeZone, at: Micros) -> Option<Micros> {
        let local = zone.to_datetime(Timestamp::from_microsecond(at).ok()?);
        let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).ok()?;
        let (from, to) = (self.from_minute, self.to_minute);
        let over_night = to <= from;
        let quiet = if over_night { minute >= from || minute < to } else { (from..to).contains(&minute) };
        if !quiet {
            return None;
        }
        let ends_tomorrow = over_night && minute >= from;
        let day = if ends_tomorrow { local.date().checked_add(1.day()).ok()? } else { local.date() };
        let end =
            DateTime::from_parts(day, Time::new(i8::try_from(to / 60).ok()?, i8::try_from(to % 60).ok()?, 0, 0).ok()?);
        let end = zone.to_ambiguous_timestamp(end).compatible().ok()?.as_microsecond();
        // Where clocks are set back, the hour that comes twice may lie before `at`.
        Some(end).filter(|end| *end > at)
    }
}
