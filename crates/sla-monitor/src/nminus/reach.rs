//! Whom a reminder reaches, and when, while something has failed: the course notifier would take, tries that fail, media
//! that follow, the queue that is told when nobody answers.
//!
//! What fails fails for now: each medium is tried again with growing pauses, as notifier does, before the next follows. That
//! an hour has room for a reminder is not asked, nor what learning would choose: neither may put anything off past its time.

use std::collections::VecDeque;

use decider::Micros;
use ticket::intake::Accountable;
use ticket::notifier::Medium;
use ticket::telling::{TRIED_FOR_US, at_once, pause_secs};

use super::Failure;
use super::house::House;
use super::somebody::Somebody;
use super::telling::Telling;

/// What a rule says of something recorded: to whom, from when on it would come too late.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    pub(crate) name: &'a str,
    pub(crate) rule: &'a Telling,
    pub(crate) people: Vec<String>,
    pub(crate) at: Micros,
    pub(crate) too_late: Option<Micros>,
}

/// The course of one reminder.
#[derive(Debug, Default)]
struct Course {
    /// When it came before its recipient's eyes, soonest first.
    arrivals: Vec<Micros>,
    /// When no medium was left, if it came to that.
    exhausted: Option<Micros>,
}

/// A medium in use.
struct Try {
    at: Micros,
    medium: Medium,
    /// When it was first tried.
    since: Option<Micros>,
    attempts: u32,
}

impl House<'_> {
    /// Who is there when what is told comes before their eyes, by `end` and whatever failed; nobody if nobody is.
    pub(crate) fn reached(&self, told: &Told<'_>, lies_in: &str, end: Micros, failed: &Failure) -> Option<String> {
        self.reached_of(told, &told.people, end, failed).or_else(|| {
            let queue = told.rule.escalate_to.as_ref()?;
            let all = told.people.iter().map(|subject| self.course(subject, told, end, failed).exhausted);
            let exhausted = all.collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().max());
            let unanswered = told.rule.answer_within_us.map(|within| told.at.saturating_add(within).saturating_add(1));
            let at =
                exhausted.into_iter().chain(unanswered).min().filter(|at| *at <= end && !told.people.is_empty())?;
            let people = self.behind(&Accountable::Queue(queue.clone()), lies_in, at);
            let too_late = told.too_late.filter(|limit| *limit > at);
            let told = Told { people: Vec::new(), at, too_late, ..*told };
            self.reached_of(&told, &people, end, failed)
        })
    }

    fn reached_of(&self, told: &Told<'_>, people: &[String], end: Micros, failed: &Failure) -> Option<String> {
        let able = people.iter().filter(|subject| !matches!(failed, Failure::Person(one) if one == *subject));
        let mut sees = able.filter(|subject| {
            let arrivals = self.course(subject, told, end, failed).arrivals;
            arrivals.into_iter().any(|at| self.there(subject, at))
        });
        sees.next().cloned()
    }

    fn course(&self, subject: &str, told: &Told<'_>, end: Micros, failed: &Failure) -> Course {
        let somebody = self.somebody(subject);
        let broken = |medium| failed.breaks(somebody, medium);
        Course::run(somebody, told, broken, end)
    }
}

impl Course {
    fn run(somebody: &Somebody, told: &Told<'_>, broken: impl Fn(Medium) -> bool, end: Micros) -> Self {
        let rule = told.rule;
        let mut media = somebody.media(told.at);
        media.retain(|medium| rule.media.is_empty() || rule.media.contains(medium));
        if media.is_empty() {
            media.push(Medium::InApp);
        }
        // What cannot arrive need not be gone through, where nobody waits to hear that it did not.
        let heard_sooner = rule.answer_within_us.is_some_and(|within| within <= TRIED_FOR_US / 2);
        if (heard_sooner || rule.escalate_to.is_none()) && media.iter().all(|medium| broken(*medium)) {
            return Self::default();
        }
        let mut left: VecDeque<_> = media.split_off(at_once(rule.urgent).min(media.len())).into();
        let answer_by = rule.answer_within_us.map(|within| told.at.saturating_add(within));
        let too_late = |now| answer_by.into_iter().chain(told.too_late).filter(|limit| *limit > now).min();
        let begins = |now| if rule.urgent { now } else { somebody.waits(now, too_late(now)) };
        let send_at = begins(told.at);
        let begun = |at| move |medium| Try { at, medium, since: None, attempts: 0 };
        let mut tries: Vec<_> = media.into_iter().map(begun(send_at)).collect();
        let mut insists = rule.next_medium_after_us.map(|after| send_at.saturating_add(after));
        let (mut course, mut arrived) = (Self::default(), false);
        // Nothing is tried any more once it counts as unanswered.
        let until = answer_by.map_or(end, |by| by.min(end));
        loop {
            let first =
                tries.iter().enumerate().min_by_key(|(_, one)| (one.at, one.medium)).map(|(n, one)| (one.at, n));
            let added = insists.filter(|_| !left.is_empty());
            let Some(at) = first.map(|(at, _)| at).into_iter().chain(added).min().filter(|at| *at <= until) else {
                return course;
            };
            let Some((_, n)) = first.filter(|(due, _)| *due == at) else {
                tries.extend(left.pop_front().map(begun(at)));
                insists = rule.next_medium_after_us.map(|after| at.saturating_add(after));
                continue;
            };
            let mut one = tries.swap_remove(n);
            let put_off = if one.medium == Medium::InApp { at } else { begins(at) };
            if put_off > at {
                // What is put off is insisted on from when it goes out.
                insists = insists.and(rule.next_medium_after_us).map(|after| put_off.saturating_add(after));
                one.at = put_off;
                tries.push(one);
                continue;
            }
            if one.medium == Medium::InApp || !broken(one.medium) {
                arrived = true;
                course.arrivals.extend((!broken(one.medium)).then_some(at));
                continue;
            }
            one.attempts += 1;
            let since = *one.since.get_or_insert(at);
            let again = at.saturating_add(pause_secs(one.attempts) * 1_000_000);
            let hurried = !arrived && !left.is_empty() && too_late(at).is_some_and(|limit| again > limit);
            if !hurried && again <= since.saturating_add(TRIED_FOR_US) {
                one.at = again;
                tries.push(one);
            } else if let Some(medium) = if arrived { None } else { left.pop_front() } {
                tries.push(begun(at)(medium));
                insists = rule.next_medium_after_us.map(|after| at.saturating_add(after));
            } else if tries.is_empty() && !arrived {
                course.exhausted = Some(at);
            }
        }
    }
}
