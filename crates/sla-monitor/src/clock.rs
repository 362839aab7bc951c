//! What a clock is: a pure function of a ticket's facts, in the order in which they happened.
//!
//! Working time runs in half-open stretches `[from, to)`. A mark is passed at the earliest instant of a stretch at which
//! the working time used equals its share of the budget; a clock that halts exactly then has not passed it, and does so
//! if it ever runs again. A stretch without length passes nothing. A new budget begins a new stretch: what was used
//! before counts, what was passed before stays passed.
//!
//! A clock attaches where its start condition begins to hold, unless stop or cancel holds there too; without one it
//! begins with the ticket's first fact, and may end with it. From there to its end is a round; a start condition that
//! begins to hold again begins another, and so does a reset, with the whole budget.

use calendar::Calendar;
use decider::Micros;
use ticket::fact::Touch;
use ticket::intake::{ActivityKind, Status};
use ticket::sla::{Because, Clause, Mark};

use crate::policy::{BREACH_BP, ClockSpec};
use crate::scene::{About, Situation, Waiting};
use crate::target::Budget;

/// One thing that happened to a ticket, as a clock sees it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// When.
    pub at: Micros,
    /// Its name.
    pub activity: &'a str,
    /// What it amounts to.
    pub kind: ActivityKind,
    /// Where the ticket stood after it; as before, if not said.
    pub status: Option<Status>,
    /// The priority after it; as before, if not said.
    pub priority: Option<&'a str>,
    /// The queue after it; as before, if not said.
    pub queue: Option<&'a str>,
    /// What the ticket waits for after it.
    pub waiting: Waiting,
    /// Whether customer and we were in touch by it.
    pub touch: Option<Touch>,
}

impl<'a> Seen<'a> {
    /// An activity that says nothing else.
    pub fn of(at: Micros, activity: &'a str) -> Self {
        let (kind, waiting) = (ActivityKind::Note, Waiting::Unsaid);
        Self { at, activity, kind, status: None, priority: None, queue: None, waiting, touch: None }
    }
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
    /// The same in working microseconds, as of the beginning of the round; 0 if nothing is.
    pub budget_us: i64,
    /// The marks passed in stretches that are over, and those of the stretch that runs: in order of share.
    pub marks: Vec<Mark>,
    /// When its round began; nothing for the one that begins with the ticket.
    pub began: Option<Micros>,
    /// The breaches of rounds that are over, with the beginning of each.
    pub over: Vec<(Option<Micros>, Micros)>,
    /// The warnings passed in rounds that are over.
    pub warned: Vec<Mark>,
    /// What turned it last.
    pub because: Because,
}

impl Course {
    /// Every mark of every round, passed or ahead.
    pub(crate) fn raised(&self) -> impl Iterator<Item = (u32, Micros)> {
        let over = self.over.iter().map(|(_, at)| (BREACH_BP, *at));
        over.chain(self.warned.iter().chain(&self.marks).map(|mark| (mark.share_bp, mark.at)))
    }
}

/// Runs a clock over facts ordered by when they happened, then by when they became known. Nothing if it never attaches.
pub fn run<'a>(
    spec: &ClockSpec,
    calendar: &Calendar,
    about: About<'a>,
    facts: impl IntoIterator<Item = Seen<'a>>,
) -> Option<Course> {
    let mut runner = Runner::new(spec, calendar, about);
    for fact in facts {
        if runner.over() {
            break;
        }
        runner.take(&fact);
    }
    runner.finish()
}

struct Runner<'a, 's> {
    spec: &'s ClockSpec,
    calendar: &'s Calendar,
    now: Situation<'a>,
    /// Whether any fact was taken in.
    begun: bool,
    /// Whether the start condition held after the fact before.
    held: bool,
    /// Whether a round is going on.
    attached: bool,
    /// When the last one began, from where working days count.
    round: Micros,
    /// Whether working time runs, with a target or without.
    phase: Phase,
    /// Since when phase and budget are what they are, and what was used before.
    run: Run,
    /// What is allowed now.
    budget: Option<Budget>,
    /// What is to be seen; nothing before the first round.
    course: Option<Course>,
}

impl<'a, 's> Runner<'a, 's> {
    fn new(spec: &'s ClockSpec, calendar: &'s Calendar, about: About<'a>) -> Self {
        let (now, run) = (Situation::new(about), Run { since: 0, elapsed_us: 0 });
        let (begun, held, attached, phase) = (false, false, false, Phase::Paused);
        let budget = spec.target.budget("");
        Self { spec, calendar, now, begun, held, attached, round: 0, phase, run, budget, course: None }
    }

    /// Whether nothing that follows can matter.
    fn over(&self) -> bool {
        let again = self.spec.start.is_some() && (self.course.is_none() || !self.spec.once);
        self.begun && !self.attached && !again
    }

    fn take(&mut self, fact: &Seen<'a>) {
        self.now.learn(fact);
        let rises = self.rises();
        self.begun = true;
        let budget = fact.priority.map_or(self.budget, |priority| self.spec.target.budget(priority));
        if self.attached {
            self.go_on(fact.at, budget);
            return;
        }
        self.budget = budget;
        let began = self.spec.start.is_some().then_some(fact.at);
        let ends = || self.spec.stop.holds(&self.now) || self.spec.cancel.holds(&self.now);
        if rises && (began.is_none() || !ends()) {
            self.begin(fact.at, began, Clause::Start);
        }
    }

    /// Whether the start condition begins to hold: an activity does each time, whatever holds only if it did not before.
    fn rises(&mut self) -> bool {
        let Some(start) = &self.spec.start else { return !self.begun };
        if self.attached && !start.lasts() {
            return false;
        }
        let (holds, held) = (start.holds(&self.now), self.held);
        self.held = holds && start.lasts();
        holds && !held
    }

    fn go_on(&mut self, at: Micros, budget: Option<Budget>) {
        let phase = self.follow();
        let going = matches!(phase, Phase::Running | Phase::Paused);
        if self.attached && going && self.spec.reset.as_ref().is_some_and(|reset| reset.holds(&self.now)) {
            self.end_stretch(at);
            self.budget = budget;
            self.begin(at, Some(at), Clause::Reset);
        } else {
            self.turn(at, phase, budget);
        }
    }

    /// A round begins, with its whole budget.
    fn begin(&mut self, at: Micros, began: Option<Micros>, clause: Clause) {
        let before = self.course.take();
        let breached = before.as_ref().and_then(|before| {
            let breach = before.marks.iter().find(|mark| mark.share_bp == BREACH_BP)?;
            Some((before.began, breach.at))
        });
        let (mut over, mut warned) = (Vec::new(), Vec::new());
        if let Some(before) = before {
            (over, warned) = (before.over, before.warned);
            warned.extend(before.marks.into_iter().filter(|mark| mark.share_bp != BREACH_BP));
        }
        over.extend(breached);
        let run = Run { since: at, elapsed_us: 0 };
        let because = Because { clause, activity: self.now.activity.to_owned() };
        let (phase, since, elapsed_us, budget, marks) = (Phase::Paused, at, 0, self.budget, Vec::new());
        let budget_us = budget.map_or(0, |budget| budget.micros(self.calendar, at));
        let course = Course { phase, since, elapsed_us, run, budget, budget_us, marks, began, over, warned, because };
        (self.run, self.round, self.phase, self.attached, self.course) = (run, at, phase, true, Some(course));
        let phase = self.follow();
        self.turn(at, phase, self.budget);
    }

    fn turn(&mut self, at: Micros, phase: Phase, budget: Option<Budget>) {
        if same(phase, self.phase) && budget == self.budget {
            return;
        }
        self.end_stretch(at);
        (self.phase, self.budget) = (phase, budget);
        self.run.since = at;
        self.show();
    }

    /// Where the clock stands after what happened; what `Stopped` was worth is known at the end alone.
    fn follow(&mut self) -> Phase {
        if self.spec.cancel.holds(&self.now) {
            self.attached = false;
            Phase::Cancelled
        } else if self.spec.stop.holds(&self.now) {
            self.attached = false;
            Phase::Stopped { met: true }
        } else if self.spec.runs(&self.now) {
            Phase::Running
        } else if self.now.status == Status::Closed {
            Phase::Stopped { met: true }
        } else {
            Phase::Paused
        }
    }

    /// What is to be seen of the change: a clock that lost its target does not apply until it has one again.
    fn show(&mut self) {
        let Some(course) = &mut self.course else { return };
        let lost = self.budget.is_none() && course.budget.is_some();
        let phase = if lost { Phase::Cancelled } else { self.phase };
        let retargeted = phase == Phase::Running && self.budget != course.budget;
        if let Some(budget) = self.budget.filter(|budget| course.budget != Some(*budget)) {
            course.budget = Some(budget);
            course.budget_us = budget.micros(self.calendar, self.round);
        }
        if same(phase, course.phase) && !retargeted {
            return;
        }
        let turned = !same(phase, course.phase);
        let begins = turned && phase == Phase::Running && course.since == self.run.since && course.elapsed_us == 0;
        let clause = match phase {
            _ if lost || !turned => Clause::Target,
            Phase::Running if begins => course.because.clause,
            Phase::Running => Clause::Resume,
            Phase::Paused => Clause::Pause,
            Phase::Stopped { .. } => Clause::Stop,
            Phase::Cancelled => Clause::Cancel,
        };
        course.because = Because { clause, activity: self.now.activity.to_owned() };
        course.phase = phase;
        course.since = self.run.since;
        course.elapsed_us = self.run.elapsed_us;
        if phase == Phase::Running {
            course.run = self.run;
        }
    }

    /// Counts the stretch that ends, if working time ran, and passes its marks.
    fn end_stretch(&mut self, to: Micros) {
        if self.phase != Phase::Running {
            return;
        }
        let elapsed_us = self.run.elapsed_us + self.calendar.worked(self.run.since, to);
        while let Some(mark) = self.next_mark(elapsed_us).filter(|mark| mark.at < to) {
            self.pass(mark);
        }
        self.run.elapsed_us = elapsed_us;
    }

    fn pass(&mut self, mark: Mark) {
        if let Some(course) = &mut self.course {
            course.marks.push(mark);
        }
    }

    /// The mark that follows those passed, if its share is not above `limit_us`, were the stretch to go on.
    fn next_mark(&self, limit_us: i64) -> Option<Mark> {
        let course = self.course.as_ref()?;
        let share_bp = *self.spec.shares_bp.get(course.marks.len())?;
        self.budget?;
        // At least the share, where the budget is no whole number of basis points. Ten years fit.
        let whole = i64::from(BREACH_BP);
        let needed_us = (course.budget_us * i64::from(share_bp) + whole - 1) / whole;
        if needed_us > limit_us {
            return None;
        }
        let at = self.calendar.deadline(self.run.since, needed_us - self.run.elapsed_us)?;
        Some(Mark { share_bp, at })
    }

    fn finish(mut self) -> Option<Course> {
        if self.course.as_ref()?.phase == Phase::Running {
            while let Some(mark) = self.next_mark(i64::MAX) {
                self.pass(mark);
            }
        }
        let mut course = self.course?;
        if let Phase::Stopped { met } = &mut course.phase {
            *met = course.marks.len() < self.spec.shares_bp.len();
        }
        Some(course)
    }
}

fn same(one: Phase, other: Phase) -> bool {
    std::mem::discriminant(&one) == std::mem::discriminant(&other)
}
