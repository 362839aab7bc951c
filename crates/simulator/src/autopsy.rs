//! Why tickets of a past log missed their promise: one cause for each, by the first rule that applies; and when Docket would
//! have woken whom.

use std::collections::BTreeMap;

use calendar::Calendar;
use decider::Micros;
use sla_monitor::policy::{ClockSpec, Policy};
use ticket::codec::rfc3339;
use ticket::intake::{ActivityKind, Status};

use crate::replay::rows::Row;
use crate::replay::{Options, Played, ReplayError, alone, play};

mod out;

/// What stands for an agent or a group nobody knows.
const UNKNOWN: [&str; 2] = ["", "?"];
const BREACH_BP: u32 = 10_000;

/// Where the cause lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Somebody had it and did not act.
    Person,
    /// The way it was passed on.
    Process,
    /// Nobody could have acted.
    System,
}

/// The rule that decided, in the order in which they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Neither a person nor a queue had it.
    NoOwner,
    /// A program had it: no person was told.
    NobodyTold,
    /// It lay in a queue in which nobody did anything since.
    Unstaffed,
    /// Those who did something did it outside working hours alone: nobody is there when its time runs.
    OutsideHours,
    /// It was reopened.
    Reopened,
    /// It went back to somebody who had had it before.
    PingPong,
    /// It was handed over twice or more.
    HandOvers,
    /// It waited in a queue.
    Queued,
    /// Whoever had it did nothing.
    DidNotAct,
    /// Whoever had it did nothing for more than half of the time allowed.
    StoppedActing,
    /// It was worked on, and did not get ahead.
    Stuck,
}

impl Rule {
    /// The class a rule stands for.
    pub fn class(self) -> Class {
        match self {
            Self::NoOwner | Self::NobodyTold | Self::Unstaffed | Self::OutsideHours => Class::System,
            Self::Reopened | Self::PingPong | Self::HandOvers | Self::Queued | Self::Stuck => Class::Process,
            Self::DidNotAct | Self::StoppedActing => Class::Person,
        }
    }
}

/// Whose a ticket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A person's.
    Person(String),
    /// A program's.
    Robot(String),
    /// A queue's.
    Queue(String),
    /// Nobody's.
    Nobody,
}

/// Somebody Docket would have woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Woken {
    /// The share of the budget that was used up, basis points.
    pub share_bp: u32,
    /// When.
    pub at: Micros,
    /// Who had the ticket then; of a program's and of nobody's, the queue.
    pub whom: Holder,
}

/// A promise that was missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// The ticket's name.
    pub ticket: String,
    /// The clock.
    pub clock: String,
    /// When its budget was used up.
    pub at: Micros,
    /// The rule that decided.
    pub rule: Rule,
    /// Who had it then.
    pub holder: Holder,
    /// Warnings and the breach itself, in order.
    pub woken: Vec<Woken>,
}

/// What was missed in a log, and why.
#[derive(Clone, Debug)]
pub struct Autopsy {
    /// The log's name.
    pub log: String,
    /// Tickets in it.
    pub tickets: usize,
    /// Rows refused.
    pub refused: usize,
    /// In order of ticket and clock.
    pub missed: Vec<Missed>,
}

impl Autopsy {
    /// How many promises were missed, by clock and rule.
    pub fn sums(&self) -> BTreeMap<(&str, Rule), usize> {
        let mut sums = BTreeMap::new();
        for missed in &self.missed {
            *sums.entry((missed.clock.as_str(), missed.rule)).or_default() += 1;
        }
        sums
    }

    /// How many tickets missed any.
    pub fn tickets_missed(&self) -> usize {
        self.missed.chunk_by(|a, b| a.ticket == b.ticket).count()
    }
}

/// Plays a log as a replay does and asks of each promise that was missed why; `progress` hears of rows done and in all.
pub fn run(options: &Options, progress: &mut dyn FnMut(u64, u64)) -> Result<Autopsy, ReplayError> {
    alone(async {
        let played = play(options, progress).await?;
        let mut fired = BTreeMap::<_, BTreeMap<String, Vec<(u32, Micros)>>>::new();
        for ((ticket, (clock, share_bp)), at) in played.fired().await? {
            fired.entry(ticket).or_default().entry(clock).or_default().push((share_bp, at));
        }
        let house = House::of(&played)?;
        let mut missed = Vec::new();
        for (name, rows) in &house.tickets {
            for (clock, marks) in fired.get(&played.ticket(name)).into_iter().flatten() {
                let breach = marks.iter().find(|(share_bp, _)| *share_bp == BREACH_BP);
                missed.extend(breach.map(|(_, at)| house.missed((name, rows), (clock, *at), marks)));
            }
        }
        let (log, refused) = (played.rows.log.clone(), played.rows.refused.len());
        Ok(Autopsy { log, tickets: house.tickets.len(), refused, missed })
    })
}

/// What is known of all tickets.
struct House<'a> {
    tickets: BTreeMap<&'a str, Vec<&'a Row>>,
    /// When any person did anything, by group, in order.
    active: BTreeMap<&'a str, Vec<Micros>>,
    robots: Vec<&'a str>,
    clocks: Vec<ClockSpec>,
    calendar: Calendar,
}

impl<'a> House<'a> {
    fn of(played: &'a Played) -> Result<Self, ReplayError> {
        let documents = &played.documents;
        let robots = documents.report.1["robots"].as_array().into_iter().flatten().filter_map(|name| name.as_str());
        let wrong = |message: &str| ReplayError::Unexpected(message.to_owned());
        let policy = Policy::read(&documents.policy.1).map_err(|_| wrong("the policy in force cannot be read"))?;
        let calendar = documents.calendars.first().and_then(|(_, spec)| Calendar::read(spec.clone()).ok());
        let calendar = calendar.ok_or_else(|| wrong("the calendar in force cannot be read"))?;
        let (tickets, active, robots) = (BTreeMap::<&str, Vec<&Row>>::new(), BTreeMap::new(), robots.collect());
        let mut house = Self { tickets, active, robots, clocks: policy.clocks, calendar };
        for row in &played.rows.rows {
            house.tickets.entry(&row.ticket).or_default().push(row);
            if house.person(row).is_some() && !UNKNOWN.contains(&row.line.group.as_str()) {
                house.active.entry(&row.line.group).or_default().push(row.at);
            }
        }
        Ok(house)
    }

    /// The person a row names.
    fn person(&self, row: &'a Row) -> Option<&'a str> {
        let agent = row.line.agent.as_str();
        (!UNKNOWN.contains(&agent) && !self.robots.contains(&agent)).then_some(agent)
    }

    fn missed(&self, (name, rows): (&str, &[&'a Row]), (clock, at): (&str, Micros), marks: &[(u32, Micros)]) -> Missed {
        let mut woken: Vec<_> = marks.iter().filter(|(_, mark)| *mark <= at).copied().collect();
        woken.sort_unstable_by_key(|(share_bp, at)| (*at, *share_bp));
        let past = |at: Micros| Past::of(self, rows, at);
        let whom = |(share_bp, at): (u32, Micros)| Woken { share_bp, at, whom: past(at).wakes() };
        let woken = woken.into_iter().map(whom).collect();
        let past = past(at);
        let (ticket, clock, rule) = (name.to_owned(), clock.to_owned(), past.rule(clock));
        Missed { ticket, clock, at, rule, holder: past.holder(), woken }
    }
}

/// A ticket up to an instant: what happened then or later does not count.
struct Past<'h, 'a> {
    house: &'h House<'a>,
    rows: &'h [&'a Row],
    at: Micros,
    /// Whose it is.
    holds: Option<Holds<'a>>,
    /// The place of the row that gave it to whoever holds it.
    since: usize,
    /// The queue it lies in, if that is known.
    group: Option<&'a str>,
    /// Everybody who had it, in order.
    persons: Vec<&'a str>,
    /// How often the queue changed.
    moves: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds<'a> {
    Person(&'a str),
    Robot(&'a str),
    Queue,
}

impl<'h, 'a> Past<'h, 'a> {
    fn of(house: &'h House<'a>, rows: &'h [&'a Row], at: Micros) -> Self {
        let rows = &rows[..rows.partition_point(|row| row.at < at)];
        let (holds, group, persons) = (None, None, Vec::new());
        let mut past = Self { house, rows, at, holds, since: 0, group, persons, moves: 0 };
        for (place, row) in rows.iter().enumerate() {
            past.take(place, row);
        }
        past
    }

    fn take(&mut self, place: usize, row: &'a Row) {
        let group = Some(row.line.group.as_str()).filter(|group| !UNKNOWN.contains(group));
        let moved = group.is_some() && self.group.is_some() && group != self.group;
        self.moves += usize::from(moved);
        self.group = group.or(self.group);
        let person = self.house.person(row);
        if self.persons.last() != person.as_ref() {
            self.persons.extend(person);
        }
        let agent = row.line.agent.as_str();
        let holds = match person {
            _ if row.line.kind == ActivityKind::Queue => Some(Holds::Queue),
            Some(person) => Some(Holds::Person(person)),
            None if self.house.robots.contains(&agent) => Some(Holds::Robot(agent)),
            None => self.holds,
        };
        if holds != self.holds || (moved && holds == Some(Holds::Queue)) {
            (self.holds, self.since) = (holds, place);
        }
    }

    fn holder(&self) -> Holder {
        match (self.holds, self.group) {
            (Some(Holds::Person(name)), _) => Holder::Person(name.to_owned()),
            (Some(Holds::Robot(name)), _) => Holder::Robot(name.to_owned()),
            (_, Some(group)) => Holder::Queue(group.to_owned()),
            (_, None) => Holder::Nobody,
        }
    }

    /// Who is woken: whoever has it, or else its queue.
    fn wakes(&self) -> Holder {
        match (self.holder(), self.group) {
            (Holder::Robot(_), Some(group)) => Holder::Queue(group.to_owned()),
            (Holder::Robot(_), None) => Holder::Nobody,
            (holder, _) => holder,
        }
    }

    /// The first rule that applies.
    fn rule(&self, clock: &str) -> Rule {
        let holder = self.holder();
        let queued = matches!(holder, Holder::Queue(_));
        let rules = [
            (Rule::NoOwner, holder == Holder::Nobody),
            (Rule::NobodyTold, matches!(holder, Holder::Robot(_))),
            (Rule::Unstaffed, queued && self.unstaffed()),
            (Rule::OutsideHours, self.outside_hours()),
            (Rule::Reopened, self.reopened()),
            (Rule::PingPong, self.persons.windows(3).any(|three| three[0] == three[2])),
            (Rule::HandOvers, self.persons.len().saturating_sub(1) + self.moves >= 2),
            (Rule::Queued, queued),
            (Rule::DidNotAct, !self.acts().skip(1).any(|_| true)),
            (Rule::StoppedActing, self.idle(clock)),
        ];
        rules.into_iter().find(|(_, applies)| *applies).map_or(Rule::Stuck, |(rule, _)| rule)
    }

    /// Whether no person did anything in its queue since it came there.
    fn unstaffed(&self) -> bool {
        let Some(since) = self.rows.get(self.since).map(|row| row.at) else { return true };
        let active = self.group.and_then(|group| self.house.active.get(group)).map_or(&[][..], Vec::as_slice);
        let next = active.get(active.partition_point(|at| *at <= since));
        next.is_none_or(|next| *next >= self.at)
    }

    /// Whether persons did something after the ticket came, and none of it in working hours.
    fn outside_hours(&self) -> bool {
        let Some(first) = self.rows.first().map(|row| row.at) else { return false };
        let mut acts = self.rows.iter().filter(|row| row.at > first && self.house.person(row).is_some()).peekable();
        acts.peek().is_some() && acts.all(|row| !self.house.calendar.is_open(row.at))
    }

    fn reopened(&self) -> bool {
        let ended = |row: &Row| matches!(row.line.state, Status::Resolved | Status::Closed);
        self.rows.windows(2).any(|two| ended(two[0]) && !ended(two[1]))
    }

    /// What whoever holds it did, from the row that gave it to them on.
    fn acts(&self) -> impl Iterator<Item = &'a Row> {
        let held = self.rows.get(self.since..).unwrap_or_default().iter().copied();
        held.filter(|row| self.holds == self.house.person(row).map(Holds::Person))
    }

    /// Whether whoever holds it did nothing for more than half of what the clock allows.
    fn idle(&self, clock: &str) -> bool {
        let spec = self.house.clocks.iter().find(|spec| spec.name == clock);
        let said = self.rows.iter().rev().map(|row| row.line.priority.as_str()).find(|name| !name.is_empty());
        let budget = spec.and_then(|spec| spec.target.budget(said.unwrap_or_default()));
        let (Some(budget), Some(first), Some(last)) = (budget, self.rows.first(), self.acts().last()) else {
            return false;
        };
        let allowed_us = budget.micros(&self.house.calendar, first.at);
        self.house.calendar.worked(last.at, self.at) > allowed_us / 2
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person(name) => write!(f, "person/{name}"),
            Self::Robot(name) => write!(f, "robot/{name}"),
            Self::Queue(name) => write!(f, "queue/{name}"),
            Self::Nobody => write!(f, "nobody"),
        }
    }
}

impl std::fmt::Display for Woken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.share_bp, rfc3339(self.at), self.whom)
    }
}
