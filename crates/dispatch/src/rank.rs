//! Who is sent: hard rules drop, weighted terms order. One pure function of what is known.

use std::collections::BTreeSet;

use decider::Micros;
use ticket::dispatch::{Dropped, HardRule, Job, Place, Ranked, Seen, Slot, Term, Weights};
use uuid::Uuid;

use crate::distance::metres;
use crate::policy::{Policy, SECOND_US};
use crate::roster::Engineer;
use crate::slot::{Diary, Found, Wanted};

/// How many of those who pass are kept.
pub const KEPT: usize = 5;
/// How many of those who are dropped are kept, by name, and in how many bytes of JSON at most: an event has a bound.
const DROPPED_KEPT: usize = 1_000;
const DROPPED_MAX_BYTES: usize = 160 * 1_024;
/// Longest text of what a rule found: it may be a customer's word.
const DETAIL_MAX_CHARS: usize = 64;
const LEVEL_SECS: i64 = 60;
const STRANGER_SECS: i64 = 60;

/// What somebody is looked for, for.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The visit.
    pub visit: Uuid,
    /// What it needs.
    pub job: &'a Job,
    /// The policy in force.
    pub policy: &'a Policy,
    /// The business clock.
    pub now: Micros,
    /// Who is not asked again.
    pub refused: &'a BTreeSet<String>,
    /// Who was on the ticket before.
    pub crew: &'a BTreeSet<String>,
}

/// Somebody who may be sent.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Who, by token subject.
    pub name: &'a str,
    /// What the roster says.
    pub roster: &'a Engineer,
    /// Their time.
    pub diary: Diary<'a>,
}

/// What a choice came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// How many were looked at.
    pub candidates: u32,
    /// Those a hard rule dropped.
    pub dropped: Vec<Dropped>,
    /// The best of those who passed, best first.
    pub ranked: Vec<Ranked>,
}

/// Looks at everybody: who is dropped by the first rule they break, and what the best of the others cost.
pub fn choose<'a>(everybody: impl Iterator<Item = Candidate<'a>>, asked: &Question<'_>) -> Choice {
    let mut choice = Choice::default();
    for candidate in everybody {
        choice.candidates = choice.candidates.saturating_add(1);
        let found = candidate.diary.earliest(&asked.wanted());
        let slot = if let Found::Free(slot) | Found::Full(slot) = found { Some(slot) } else { None };
        match (broken(&candidate, asked, found).into_iter().next(), slot) {
            (None, Some(slot)) => choice.ranked.push(weigh(&candidate, asked, slot)),
            (Some((rule, detail)), _) => {
                choice.dropped.push(Dropped { engineer: candidate.name.to_owned(), rule, detail });
            }
            // Without a time the rule of no time is broken.
            (None, None) => {}
        }
    }
    choice.ranked.sort_by(|a, b| (a.score_secs, &a.engineer).cmp(&(b.score_secs, &b.engineer)));
    choice.ranked.truncate(KEPT);
    choice.dropped.truncate(kept(&choice.dropped));
    choice
}

/// How many of those who are dropped an event has room for.
fn kept(dropped: &[Dropped]) -> usize {
    // A byte of a customer's word takes six at most, as an escape; names need none.
    let sizes = dropped.iter().map(|one| 64 + one.engineer.len() + 6 * one.detail.len());
    let summed = sizes.scan(0_usize, |sum, size| {
        *sum += size;
        Some(*sum)
    });
    summed.take(DROPPED_KEPT).take_while(|sum| *sum <= DROPPED_MAX_BYTES).count()
}

impl Question<'_> {
    /// The time that is looked for.
    pub fn wanted(&self) -> Wanted {
        Wanted {
            visit: self.visit,
            site: self.job.site,
            work_us: self.job.duration_secs * SECOND_US,
            speed_kmh: self.policy.speed_kmh,
            now: self.now,
            until: self.now.saturating_add(self.policy.search_us),
        }
    }
}

/// Every hard rule somebody breaks, in the order of the rules, each with what it found.
pub fn broken(who: &Candidate<'_>, asked: &Question<'_>, found: Found) -> Vec<(HardRule, String)> {
    let (job, diary) = (asked.job, &who.diary);
    let (slot, full) = match found {
        Found::Free(slot) => (Some(slot), false),
        Found::Full(slot) => (Some(slot), true),
        Found::Nothing => (None, false),
    };
    let ends = slot.map_or(asked.now, |slot| slot.to - 1);
    let distance_m = way(who, asked, slot).1;
    let off_duty = diary.person.duty.window(asked.now).is_none_or(|(from, _)| from > asked.wanted().until)
        || slot.is_some_and(|slot| !diary.person.duty.covers(slot.from, slot.to));
    let no_slot = slot.is_none_or(|slot| !diary.at_work(&slot));
    let away = asked.policy.max_distance_m.filter(|farthest| distance_m > *farthest);
    let strange = job.region.as_ref().filter(|_| !who.roster.regions.is_empty());
    let verdicts = [
        (HardRule::Skill, missing_skill(who.roster, job)),
        (HardRule::SkillExpired, expired_skill(who, job, ends)),
        (HardRule::Region, strange.filter(|region| !who.roster.regions.contains(*region)).cloned()),
        (HardRule::Team, job.team.as_ref().filter(|team| !who.roster.teams.contains(*team)).cloned()),
        (HardRule::Person, job.person.as_ref().filter(|person| *person != who.name).cloned()),
        (HardRule::OffDuty, off_duty.then(|| "off duty".to_owned())),
        (HardRule::NoSlot, no_slot.then(|| format!("no {} minutes free", job.duration_secs / 60))),
        (HardRule::Capacity, full.then(|| format!("{} visits that day", diary.max_visits))),
        (HardRule::Declined, asked.refused.contains(who.name).then(|| "asked before".to_owned())),
        (HardRule::Distance, away.map(|_| format!("{} km", distance_m / 1_000))),
    ];
    let short = |detail: String| detail.chars().take(DETAIL_MAX_CHARS).collect();
    verdicts.into_iter().filter_map(|(rule, detail)| Some((rule, short(detail?)))).collect()
}

/// What sending somebody at this time costs.
pub fn weigh(who: &Candidate<'_>, asked: &Question<'_>, slot: Slot) -> Ranked {
    let (job, diary) = (asked.job, &who.diary);
    let secs = |from: Micros, to: Micros| (to - from).max(0) / SECOND_US;
    let above = job.skills.iter().map(|(name, needed)| {
        let level = who.roster.skills.get(name).map_or(0, |skill| skill.level);
        i64::from(level.saturating_sub(*needed))
    });
    let stranger = !asked.crew.is_empty() && !asked.crew.contains(who.name);
    let amounts = vec![
        (Term::Travel, secs(slot.from, slot.arrive)),
        (Term::Wait, secs(asked.now, slot.arrive)),
        (Term::Late, secs(job.arrive_by, slot.arrive)),
        (Term::Load, diary.load_secs(slot.arrive, asked.visit)),
        (Term::Overskill, above.sum::<i64>() * LEVEL_SECS),
        (Term::Stranger, if stranger { STRANGER_SECS } else { 0 }),
    ];
    let weights = &asked.policy.weights;
    let costs: Vec<_> = amounts.iter().map(|(term, secs)| (*term, secs * weight(weights, *term) / 1_000)).collect();
    let (start, distance_m) = way(who, asked, Some(slot));
    Ranked {
        engineer: who.name.to_owned(),
        slot,
        seen: Seen { version: diary.person.version, start, distance_m, amounts },
        score_secs: costs.iter().map(|(_, cost)| cost).sum(),
        costs,
    }
}

/// What a second of a term costs, permille.
pub fn weight(weights: &Weights, term: Term) -> i64 {
    match term {
        Term::Travel => weights.travel_permille,
        Term::Wait => weights.wait_permille,
        Term::Late => weights.late_permille,
        Term::Load => weights.load_permille,
        Term::Overskill => weights.overskill_permille,
        Term::Stranger => weights.stranger_permille,
    }
}

/// Where the way would begin, and how far it is; 0 if either end is unknown.
fn way(who: &Candidate<'_>, asked: &Question<'_>, slot: Option<Slot>) -> (Option<Place>, i64) {
    let start = who.diary.start(slot.map_or(asked.now, |slot| slot.from), asked.visit);
    (start, start.zip(asked.job.site).map_or(0, |(from, to)| metres(from, to)))
}

fn missing_skill(roster: &Engineer, job: &Job) -> Option<String> {
    let lacks = |name: &String, needed: u8| roster.skills.get(name).is_none_or(|skill| skill.level < needed);
    job.skills.iter().find(|(name, needed)| lacks(name, **needed)).map(|(name, needed)| format!("{name} {needed}"))
}

fn expired_skill(who: &Candidate<'_>, job: &Job, at: Micros) -> Option<String> {
    let day = who.diary.shift.day(at);
    let ended = |name: &String| who.roster.skills.get(name)?.until_day.filter(|until| *until < day);
    job.skills.keys().find(|name| ended(name).is_some()).cloned()
}
