//! What a clock is: a pure function of a ticket's facts, in the order in which they happened.
//!
//! Working time runs in half-open stretches `[from, to)`. A mark is passed at the earliest instant of a stretch at which
//! the working time used equals its share of the budget; a clock that halts exactly then has not passed it, and does so
//! if it ever runs again. A stretch without length passes nothing. A new budget begins a new stretch: what was used
//! before counts, what was passed before stays passed.

use calendar::Calendar;
use decider::Micros;
use ticket::intake::Status;
use ticket::sla::Mark;

use crate::policy::{BREACH_BP, Budget, ClockSpec};

/// One thing that happened to a ticket, as a clock sees it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// When.
    pub at: Micros,
    /// Its name.
    pub activity: &'a str,
    /// Where the ticket stood after it; as before, if not said.
    pub status: Option<Status>,
    /// The priority after it; as before, if not said.
    pub priority: Option<&'a str>,
}

/// Where a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Phase {
    /// Working time runs.
    Running,
    /// It stands still.
    Paused,
    /// It reached its end; a ticket reopened sets it going again unless an activity had stopped it.
    Stopped {
        /// Whether it was in time.
        met: bool,
    },
    /// It no longer applies.
    Cancelled,
}

/// The beginning of a stretch of running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// When it began.
    pub since: Micros,
    /// Working microseconds used before.
    pub elapsed_us: i64,
}

/// A clock as the facts have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// Where it stands.
    pub phase: Phase,
    /// Since when.
    pub since: Micros,
    /// Working microseconds used at `since`.
    pub elapsed_us: i64,
    /// The stretch that runs, or the last that ran (without length, if it never ran).
    pub run: Run,
    /// What is allowed, by the last priority that has such a clock; nothing if none had.
    pub budget: Option<Budget>,
    /// The same in working microseconds; 0 if nothing is.
    pub budget_us: i64,
    /// The marks passed in stretches that are over, and those of the stretch that runs: in order of share.
    pub marks: Vec<Mark>,
}

/// Runs a clock over facts ordered by when they happened, then by when they became known. Nothing without facts.
pub fn run<'a>(spec: &ClockSpec, calendar: &Calendar, facts: impl IntoIterator<Item = Seen<'a>>) -> Option<Course> {
    let mut facts = facts.into_iter();
    let first = facts.next()?;
    let mut runner = Runner::attach(spec, calendar, &first);
    for fact in facts {
        if runner.ended {
            break;
        }
        runner.take(&fact);
    }
    Some(runner.finish())
}

struct Runner<'a> {
    spec: &'a ClockSpec,
    calendar: &'a Calendar,
    status: Status,
    /// Whether working time runs, with a target or without.
    phase: Phase,
    /// Since when phase and budget are what they are, and what was used before.
    run: Run,
    /// When the clock was attached, from where working days count.
    attached: Micros,
    /// What is allowed now.
    budget: Option<Budget>,
    /// Nothing that follows matters.
    ended: bool,
    course: Course,
}

impl<'a> Runner<'a> {
    fn attach(spec: &'a ClockSpec, calendar: &'a Calendar, first: &Seen<'_>) -> Self {
        let run = Run { since: first.at, elapsed_us: 0 };
        let (phase, since, elapsed_us, marks) = (Phase::Paused, first.at, 0, Vec::new());
        let (attached, budget) = (first.at, spec.target.budget(""));
        let budget_us = budget.map_or(0, |budget| budget.micros(calendar, attached));
        let course = Course { phase, since, elapsed_us, run, budget, budget_us, marks };
        let mut runner =
            Self { spec, calendar, status: Status::Open, phase, run, attached, budget, ended: false, course };
        runner.take(first);
        runner
    }

    fn take(&mut self, fact: &Seen<'_>) {
        self.status = fact.status.unwrap_or(self.status);
        let budget = fact.priority.map_or(self.budget, |priority| self.spec.target.budget(priority));
        let phase = self.follow(fact.activity);
        if same(phase, self.phase) && budget == self.budget {
            return;
        }
        self.end_stretch(fact.at);
        (self.phase, self.budget) = (phase, budget);
        self.run.since = fact.at;
        self.show();
    }

    /// Where the clock stands after an activity; what `Stopped` was worth is known at the end alone.
    fn follow(&mut self, activity: &str) -> Phase {
        if self.spec.cancel.matches(activity) {
            self.ended = true;
            Phase::Cancelled
        } else if self.spec.stop.matches(activity) {
            self.ended = true;
            Phase::Stopped { met: true }
        } else if self.spec.runs_in(self.status) {
            Phase::Running
        } else if self.status == Status::Closed {
            Phase::Stopped { met: true }
        } else {
            Phase::Paused
        }
    }

    /// What is to be seen of the change: a clock that lost its target does not apply until it has one again.
    fn show(&mut self) {
        let lost = self.budget.is_none() && self.course.budget.is_some();
        let phase = if lost { Phase::Cancelled } else { self.phase };
        let retargeted = phase == Phase::Running && self.budget != self.course.budget;
        if let Some(budget) = self.budget.filter(|budget| self.course.budget != Some(*budget)) {
            self.course.budget = Some(budget);
            self.course.budget_us = budget.micros(self.calendar, self.attached);
        }
        if same(phase, self.course.phase) && !retargeted {
            return;
        }
        self.course.phase = phase;
        self.course.since = self.run.since;
        self.course.elapsed_us = self.run.elapsed_us;
        if phase == Phase::Running {
            self.course.run = self.run;
        }
    }

    /// Counts the stretch that ends, if working time ran, and passes its marks.
    fn end_stretch(&mut self, to: Micros) {
        if self.phase != Phase::Running {
            return;
        }
        let elapsed_us = self.run.elapsed_us + self.calendar.worked(self.run.since, to);
        while let Some(mark) = self.next_mark(elapsed_us).filter(|mark| mark.at < to) {
            self.course.marks.push(mark);
        }
        self.run.elapsed_us = elapsed_us;
    }

    /// The mark that follows those passed, if its share is not above `limit_us`, were the stretch to go on.
    fn next_mark(&self, limit_us: i64) -> Option<Mark> {
        let share_bp = *self.spec.shares_bp.get(self.course.marks.len())?;
        self.budget?;
        // At least the share, where the budget is no whole number of basis points. Ten years fit.
        let (budget_us, whole) = (self.course.budget_us, i64::from(BREACH_BP));
        let needed_us = (budget_us * i64::from(share_bp) + whole - 1) / whole;
        if needed_us > limit_us {
            return None;
        }
        let at = self.calendar.deadline(self.run.since, needed_us - self.run.elapsed_us)?;
        Some(Mark { share_bp, at })
    }

    fn finish(mut self) -> Course {
        match &mut self.course.phase {
            Phase::Running => {
                while let Some(mark) = self.next_mark(i64::MAX) {
                    self.course.marks.push(mark);
                }
            }
            Phase::Stopped { met } => *met = self.course.marks.len() < self.spec.shares_bp.len(),
            Phase::Paused | Phase::Cancelled => {}
        }
        self.course
    }
}

fn same(one: Phase, other: Phase) -> bool {
    std::mem::discriminant(&one) == std::mem::discriminant(&other)
}
