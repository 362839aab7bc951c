//! The figures of one ticket: pure functions of its facts and of a report's definition.

use std::collections::BTreeSet;
use std::sync::Arc;

use calendar::Calendar;
use decider::Micros;
use ticket::intake::Status;
use uuid::Uuid;

use crate::definition::{Definition, Target};
use crate::state::{Ledger, Ticket};

/// The figures of one ticket; all times microseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// The ticket.
    pub ticket: Uuid,
    /// Its name in the system it was imported from, or empty.
    pub reference: Arc<str>,
    /// Facts.
    pub events: u64,
    /// First fact.
    pub created_at: Micros,
    /// First reaction.
    pub first_response: Option<Micros>,
    /// First fact in state resolved; if there is none, first in state closed.
    pub first_resolved: Option<Micros>,
    /// Likewise the last.
    pub last_resolved: Option<Micros>,
    /// Last fact in state closed.
    pub closed_at: Option<Micros>,
    /// Where it stands.
    pub final_state: Status,
    /// Transitions from resolved or closed to anything else.
    pub reopens: u64,
    /// Consecutive known agents that differ.
    pub handovers: u64,
    /// Consecutive known groups that differ.
    pub group_handovers: u64,
    /// Known agents A-B-A.
    pub pingpong: u64,
    /// Known agents.
    pub agents: u64,
    /// Calendar microseconds waiting before the last resolve, or the end where there is none.
    pub waiting_us: i64,
    /// Raw, of the last fact.
    pub priority: Arc<str>,
    /// Raw, of the last fact.
    pub group: Arc<str>,
    /// Raw, of the last fact.
    pub agent: Arc<str>,
    /// In the order of the definition's calendars.
    pub by_calendar: Vec<CalendarFigures>,
}

/// The figures of one ticket that depend on a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalendarFigures {
    /// Working microseconds to the first reaction.
    pub response_us: Option<i64>,
    /// Working microseconds to the last resolve.
    pub resolution_us: Option<i64>,
    /// Likewise, less those waiting, resolved or closed.
    pub resolution_net_us: Option<i64>,
    /// To the first reaction (none: to the end) it took longer than the target.
    pub resp_breach: bool,
    /// To the last resolve (none: to the end) it took longer than the target.
    pub res_breach: bool,
    /// Likewise, less the time waiting, resolved or closed.
    pub res_breach_net: bool,
}

/// What is the same for every ticket of a tenant under one definition.
pub(crate) struct Reading<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) definition: &'a Definition,
    /// Nothing after it is read.
    until: Micros,
    /// The tenant's last fact that is read: where unfinished spans end.
    end: Micros,
    /// By number of what was said: whether it is a reaction.
    reactions: Vec<bool>,
    /// By number of the name: whether as an agent it is known and no robot.
    known_agents: Vec<bool>,
    /// By number of the name: whether as a group it is known.
    known_groups: Vec<bool>,
}

/// A fact, with what it left unsaid filled in from those before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) at: Micros,
    /// The number of what was said.
    pub(crate) number: u32,
    pub(crate) state: Status,
    pub(crate) agent: Option<u32>,
    pub(crate) group: Option<u32>,
    priority: Option<u32>,
    reaction: bool,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(ledger: &'a Ledger, definition: &'a Definition, until: Option<Micros>) -> Self {
        let until = until.unwrap_or(Micros::MAX);
        let names = ledger.names();
        let known = |name: &Arc<str>| !matches!(name.as_ref(), "" | "?");
        let robot = |name: &Arc<str>| definition.spec.robots.iter().any(|robot| **robot == **name);
        let activities: Vec<_> = names.iter().map(|name| definition.spec.reactions.matches(name)).collect();
        let last_of = |ticket: &Ticket| ticket.marks[..read_until(ticket, until)].last().map(|mark| mark.at);
        Self {
            ledger,
            definition,
            until,
            end: ledger.tickets_after(None).filter_map(|(_, ticket)| last_of(ticket)).max().unwrap_or(Micros::MIN),
            reactions: ledger.said().iter().map(|said| activities[said.activity as usize]).collect(),
            known_agents: names.iter().map(|name| known(name) && !robot(name)).collect(),
            known_groups: names.iter().map(known).collect(),
        }
    }

    /// The facts of a ticket that are read, each complete.
    pub(crate) fn steps(&self, ticket: &Ticket) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::with_capacity(ticket.marks.len());
        for mark in &ticket.marks[..read_until(ticket, self.until)] {
            let said = &self.ledger.said()[mark.said as usize];
            let before = steps.last();
            steps.push(Step {
                at: mark.at,
                number: mark.said,
                state: said.state.or(before.map(|step| step.state)).unwrap_or(Status::Open),
                agent: said.agent.or(before.and_then(|step| step.agent)),
                group: said.group.or(before.and_then(|step| step.group)),
                priority: said.priority.or(before.and_then(|step| step.priority)),
                reaction: self.reactions[mark.said as usize],
            });
        }
        steps
    }

    /// The agent of a step, if it is a known one.
    pub(crate) fn known_agent(&self, step: &Step) -> Option<u32> {
        step.agent.filter(|agent| self.known_agents[*agent as usize])
    }

    /// The group of a step, if it is a known one.
    pub(crate) fn known_group(&self, step: &Step) -> Option<u32> {
        step.group.filter(|group| self.known_groups[*group as usize])
    }

    /// The figures of a ticket; nothing if none of its facts is read.
    pub(crate) fn figures(&self, id: Uuid, ticket: &Ticket, steps: &[Step]) -> Option<Figures> {
        let (first, last) = (steps.first()?, steps.last()?);
        let ends = |state| steps.iter().filter(move |step| step.state == state).map(|step| step.at);
        let resolves = if ends(Status::Resolved).next().is_some() { Status::Resolved } else { Status::Closed };
        let first_response = steps.iter().find(|step| step.reaction).map(|step| step.at);
        let last_resolved = ends(resolves).next_back();
        let agents = collapsed(steps.iter().filter_map(|step| self.known_agent(step)));
        let groups = collapsed(steps.iter().filter_map(|step| self.known_group(step)));
        let spans = spans(steps, last_resolved.unwrap_or(self.end));
        let calendars = self.definition.calendars.iter();
        let name = |number: Option<u32>| number.map_or_else(|| "".into(), |n| self.ledger.names()[n as usize].clone());
        let priority = name(last.priority);
        let course = Course { created_at: first.at, first_response, last_resolved, priority: &priority, spans: &spans };
        let by_calendar = calendars.map(|(_, calendar)| self.by_calendar(calendar, &course)).collect();
        Some(Figures {
            ticket: id,
            reference: ticket.reference.clone(),
            events: steps.len() as u64,
            created_at: first.at,
            first_response,
            first_resolved: ends(resolves).next(),
            last_resolved,
            closed_at: ends(Status::Closed).next_back(),
            final_state: last.state,
            reopens: steps.windows(2).filter(|pair| ended(pair[0].state) && !ended(pair[1].state)).count() as u64,
            handovers: agents.len().saturating_sub(1) as u64,
            group_handovers: groups.len().saturating_sub(1) as u64,
            pingpong: agents.windows(3).filter(|three| three[0] == three[2]).count() as u64,
            agents: agents.iter().collect::<BTreeSet<_>>().len() as u64,
            waiting_us: spans.iter().filter(|span| span.state == Status::Waiting).map(|span| span.to - span.from).sum(),
            by_calendar,
            priority,
            group: name(last.group),
            agent: name(last.agent),
        })
    }

    fn by_calendar(&self, calendar: &Calendar, course: &Course<'_>) -> CalendarFigures {
        let spec = &self.definition.spec;
        let response_us = calendar.worked(course.created_at, course.first_response.unwrap_or(self.end));
        let gross_us = calendar.worked(course.created_at, course.last_resolved.unwrap_or(self.end));
        let standing = course.spans.iter().filter(|span| span.state == Status::Waiting || ended(span.state));
        let net_us = gross_us - standing.map(|span| calendar.worked(span.from, span.to)).sum::<i64>();
        let exceeded = |target: &Option<Target>, taken_us| {
            target.as_ref().is_some_and(|target| target.exceeded(course.priority, taken_us))
        };
        CalendarFigures {
            response_us: course.first_response.map(|_| response_us),
            resolution_us: course.last_resolved.map(|_| gross_us),
            resolution_net_us: course.last_resolved.map(|_| net_us),
            resp_breach: exceeded(&spec.response_target, response_us),
            res_breach: exceeded(&spec.resolution_target, gross_us),
            res_breach_net: exceeded(&spec.resolution_target, net_us),
        }
    }
}

/// What every calendar measures of a ticket.
struct Course<'a> {
    created_at: Micros,
    first_response: Option<Micros>,
    last_resolved: Option<Micros>,
    priority: &'a str,
    spans: &'a [Span],
}

/// How many marks of a ticket lie at or before `until`.
fn read_until(ticket: &Ticket, until: Micros) -> usize {
    ticket.marks.partition_point(|mark| mark.at <= until)
}

/// Resolved or closed.
fn ended(state: Status) -> bool {
    matches!(state, Status::Resolved | Status::Closed)
}

/// Repeats in a row taken together.
fn collapsed(names: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut names: Vec<_> = names.collect();
    names.dedup();
    names
}

/// How long a ticket stood where.
struct Span {
    state: Status,
    from: Micros,
    to: Micros,
}

/// The spans between facts, none reaching past `end`.
fn spans(steps: &[Step], end: Micros) -> Vec<Span> {
    let ends = steps.iter().skip(1).map(|step| step.at).chain([end]);
    let spans = steps.iter().zip(ends).map(|(step, to)| Span { state: step.state, from: step.at, to: to.min(end) });
    spans.filter(|span| span.from < span.to).collect()
}
