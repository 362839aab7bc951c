//! The figures of a selection of tickets: everything a report says, computed from facts alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use decider::{Micros, Tenant};
use serde::Serialize;

use crate::backlog::{Backlog, Day, month};
use crate::definition::Definition;
use crate::figures::{Figures, Reading, Step};
use crate::select::{Breach, Window};
use crate::spread::{Distribution, HOUR, ONE, Shown, rounded, share};
use crate::state::State;

/// Agents and groups named by load.
const TOP: usize = 25;

/// The quantities of a report, named and ordered as `docket replay --json` writes them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Tickets.
    pub tickets: usize,
    /// Facts.
    pub events: u64,
    /// The first fact.
    #[serde(serialize_with = "written::instant")]
    pub first: Option<Micros>,
    /// The last fact.
    #[serde(serialize_with = "written::instant")]
    pub last: Option<Micros>,
    /// Facts by raw activity, the most frequent first.
    #[serde(serialize_with = "written::map")]
    pub per_activity: Vec<(Arc<str>, u64)>,
    /// Facts by kind, the most frequent first.
    #[serde(serialize_with = "written::map")]
    pub per_kind: Vec<(&'static str, u64)>,
    /// Tickets by the state they stand in, the most frequent first.
    #[serde(serialize_with = "written::map")]
    pub final_state: Vec<(&'static str, u64)>,
    /// Transitions from resolved or closed to anything else.
    pub reopens_total: u64,
    /// Tickets with any.
    pub tickets_reopened: usize,
    /// Calendar hours to the first reaction.
    pub response_h_cal: Distribution,
    /// Tickets without a reaction.
    pub never_responded: usize,
    /// Calendar hours to the first resolve.
    pub resolution_h_cal_first: Distribution,
    /// Calendar hours to the last resolve.
    pub resolution_h_cal_last: Distribution,
    /// Tickets never resolved.
    pub unresolved: usize,
    /// Calendar hours waiting.
    pub waiting_h: Distribution,
    /// Hand-overs between known agents.
    pub handovers: Distribution,
    /// All of them.
    pub handovers_total: u64,
    /// Hand-overs between known groups.
    pub group_handovers_total: u64,
    /// Tickets that went A-B-A.
    pub pingpong_tickets: usize,
    /// How often.
    pub pingpong_total: u64,
    /// Known agents.
    pub agents: usize,
    /// Known groups.
    pub groups: usize,
    /// The first 25 by tickets, then events, then name.
    #[serde(serialize_with = "written::map")]
    pub agent_load_top: Vec<(Arc<str>, Load)>,
    /// Likewise.
    #[serde(serialize_with = "written::map")]
    pub group_load_top: Vec<(Arc<str>, Load)>,
    /// Breaches, by target and calendar.
    #[serde(serialize_with = "written::map")]
    pub sla: Vec<(String, Share)>,
    /// Business hours to the last resolve.
    pub res_h_business: Distribution,
    /// Likewise, waiting and resolved time deducted.
    pub res_h_business_net: Distribution,
    /// Business hours to the first reaction.
    pub resp_h_business: Distribution,
    /// By raw priority, in its order.
    #[serde(serialize_with = "written::map")]
    pub sla_by_priority: Vec<(Arc<str>, PrioritySla)>,
    /// Tickets by UTC month of creation.
    #[serde(serialize_with = "written::map")]
    pub created_per_month: Vec<(String, u64)>,
    /// The largest backlogs.
    pub backlog_peak: Peaks,
    /// The backlog at the first midnight of each month.
    #[serde(serialize_with = "written::map")]
    pub backlog_month_end: Vec<(Day, Backlog)>,
    /// The backlog at every midnight.
    #[serde(skip)]
    pub backlog_daily: Vec<(Day, Backlog)>,
}

/// How much lay with an agent or a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Load {
    /// Facts.
    pub events: u64,
    /// Tickets.
    pub tickets: u64,
}

/// A part of all tickets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// How many.
    pub breached: usize,
    /// Divided by all tickets.
    #[serde(serialize_with = "written::share")]
    pub share: Shown,
}

/// Breaches of one priority, by the base calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PrioritySla {
    /// Tickets.
    pub n: u64,
    /// First response breached.
    pub resp: u64,
    /// Resolution breached.
    pub res: u64,
    /// Resolution breached, waiting deducted.
    pub res_net: u64,
}

/// The largest backlogs, each with the last of its days; nothing without a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Peaks {
    /// Of tickets open, in progress or waiting.
    pub unresolved: Option<(i64, Day)>,
    /// Of tickets not closed.
    pub not_closed: Option<(i64, Day)>,
}

/// The report of a tenant's selected tickets.
pub fn report(state: &State, tenant: &Tenant, definition: &Definition, window: &Window) -> Report {
    let nothing = crate::state::Ledger::default();
    let reading = Reading::new(state.ledger(tenant).unwrap_or(&nothing), definition, window.until);
    let mut tickets = Vec::new();
    let mut tallies = Tallies::default();
    for ticket in reading.ledger.tickets_after(None) {
        if let Some((figures, steps)) = window.pick(&reading, ticket) {
            tallies.take(&reading, &steps);
            tickets.push(figures);
        }
    }
    tallies.finish(&reading, &tickets)
}

/// The report as JSON text, indented, with the name of the log first.
pub fn json(report: &Report, log: &str) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Named<'a> {
        log: &'a str,
        #[serde(flatten)]
        report: &'a Report,
    }
    let mut text = serde_json::to_string_pretty(&Named { log, report })?;
    text.push('\n');
    Ok(text)
}

/// The backlog of every day as JSON text: unresolved and not closed, by day.
pub fn backlog_json(report: &Report) -> Result<String, serde_json::Error> {
    let days: BTreeMap<_, _> = report.backlog_daily.iter().map(|(day, backlog)| (*day, backlog)).collect();
    serde_json::to_string(&days)
}

/// What is counted over facts rather than over tickets.
#[derive(Default)]
struct Tallies {
    said: BTreeMap<u32, u64>,
    agents: BTreeMap<u32, Load>,
    groups: BTreeMap<u32, Load>,
    backlog: crate::backlog::Tally,
    last: Option<Micros>,
}

impl Tallies {
    fn take(&mut self, reading: &Reading<'_>, steps: &[Step]) {
        for step in steps {
            *self.said.entry(step.number).or_default() += 1;
        }
        self.last = self.last.max(steps.last().map(|step| step.at));
        self.backlog.take(steps);
        load(&mut self.agents, steps.iter().filter_map(|step| reading.known_agent(step)));
        load(&mut self.groups, steps.iter().filter_map(|step| reading.known_group(step)));
    }

    fn finish(self, reading: &Reading<'_>, tickets: &[Figures]) -> Report {
        let (names, said) = (reading.ledger.names(), reading.ledger.said());
        let by = |key: fn(&crate::state::Said) -> u32| {
            frequent(self.said.iter().map(|(number, count)| (key(&said[*number as usize]), *count)))
        };
        let per_activity = by(|said| said.activity).into_iter().map(|(name, n)| (names[name as usize].clone(), n));
        let kinds = self.said.iter().map(|(number, count)| (said[*number as usize].kind.name(), *count));
        let (first, last) = (tickets.iter().map(|ticket| ticket.created_at).min(), self.last);
        let backlog_daily = self.backlog.daily(first, last);
        let count = |holds: fn(&Figures) -> bool| tickets.iter().filter(|ticket| holds(ticket)).count();
        let sum = |of: fn(&Figures) -> u64| tickets.iter().map(of).sum();
        let hours = |of: fn(&Figures) -> Option<i64>| Distribution::of(tickets.iter().filter_map(of), HOUR);
        Report {
            tickets: tickets.len(),
            events: sum(|ticket| ticket.events),
            first,
            last,
            per_activity: most_first(per_activity.collect()),
            per_kind: most_first(frequent(kinds)),
            final_state: most_first(frequent(tickets.iter().map(|ticket| (ticket.final_state.name(), 1)))),
            reopens_total: sum(|ticket| ticket.reopens),
            tickets_reopened: count(|ticket| ticket.reopens > 0),
            response_h_cal: hours(|ticket| Some(ticket.first_response? - ticket.created_at)),
            never_responded: count(|ticket| ticket.first_response.is_none()),
            resolution_h_cal_first: hours(|ticket| Some(ticket.first_resolved? - ticket.created_at)),
            resolution_h_cal_last: hours(|ticket| Some(ticket.last_resolved? - ticket.created_at)),
            unresolved: count(|ticket| ticket.last_resolved.is_none()),
            waiting_h: hours(|ticket| Some(ticket.waiting_us)),
            handovers: Distribution::of(tickets.iter().map(|ticket| ticket.handovers.cast_signed()), ONE),
            handovers_total: sum(|ticket| ticket.handovers),
            group_handovers_total: sum(|ticket| ticket.group_handovers),
            pingpong_tickets: count(|ticket| ticket.pingpong > 0),
            pingpong_total: sum(|ticket| ticket.pingpong),
            agents: self.agents.len(),
            groups: self.groups.len(),
            agent_load_top: heaviest(self.agents, names),
            group_load_top: heaviest(self.groups, names),
            sla: sla(tickets, reading.definition),
            res_h_business: hours(|ticket| ticket.by_calendar.first()?.resolution_us),
            res_h_business_net: hours(|ticket| ticket.by_calendar.first()?.resolution_net_us),
            resp_h_business: hours(|ticket| ticket.by_calendar.first()?.response_us),
            sla_by_priority: by_priority(tickets),
            created_per_month: frequent(tickets.iter().map(|ticket| (month(ticket.created_at), 1))),
            backlog_peak: Peaks {
                unresolved: peak(&backlog_daily, |backlog| backlog.unresolved),
                not_closed: peak(&backlog_daily, |backlog| backlog.not_closed),
            },
            backlog_month_end: backlog_daily.iter().filter(|(day, _)| day.first_of_month()).copied().collect(),
            backlog_daily,
        }
    }
}

/// Adds one ticket's agents or groups.
fn load(loads: &mut BTreeMap<u32, Load>, names: impl Iterator<Item = u32>) {
    let mut events = BTreeMap::<u32, u64>::new();
    names.for_each(|name| *events.entry(name).or_default() += 1);
    for (name, events) in events {
        let load = loads.entry(name).or_default();
        load.events += events;
        load.tickets += 1;
    }
}

/// How often each, in order of the keys.
fn frequent<K: Ord>(counts: impl Iterator<Item = (K, u64)>) -> Vec<(K, u64)> {
    let mut sums = BTreeMap::new();
    counts.for_each(|(key, count)| *sums.entry(key).or_default() += count);
    sums.into_iter().collect()
}

fn most_first<K: Ord>(mut counts: Vec<(K, u64)>) -> Vec<(K, u64)> {
    counts.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.cmp(b)));
    counts
}

fn heaviest(loads: BTreeMap<u32, Load>, names: &[Arc<str>]) -> Vec<(Arc<str>, Load)> {
    let mut loads: Vec<_> = loads.into_iter().map(|(name, load)| (names[name as usize].clone(), load)).collect();
    loads.sort_by(|(a, x), (b, y)| (y.tickets, y.events).cmp(&(x.tickets, x.events)).then_with(|| a.cmp(b)));
    loads.truncate(TOP);
    loads
}

fn sla(tickets: &[Figures], definition: &Definition) -> Vec<(String, Share)> {
    let calendars = definition.calendars.iter().enumerate();
    let figures = calendars
        .flat_map(|(place, (suffix, _))| Breach::ALL.map(|(name, breach)| (format!("{name}{suffix}"), place, breach)));
    figures
        .map(|(name, place, breach)| {
            let breached = tickets.iter().filter(|ticket| breach.holds(ticket, place)).count();
            (name, Share { breached, share: share(breached, tickets.len()) })
        })
        .collect()
}

fn by_priority(tickets: &[Figures]) -> Vec<(Arc<str>, PrioritySla)> {
    let mut priorities = BTreeMap::<Arc<str>, PrioritySla>::new();
    for ticket in tickets {
        let sla = priorities.entry(ticket.priority.clone()).or_default();
        let breached = |breach: Breach| u64::from(breach.holds(ticket, 0));
        sla.n += 1;
        sla.resp += breached(Breach::Response);
        sla.res += breached(Breach::Resolution);
        sla.res_net += breached(Breach::ResolutionNet);
    }
    priorities.into_iter().collect()
}

/// The largest backlog and the last day that had it.
fn peak(daily: &[(Day, Backlog)], of: fn(&Backlog) -> i64) -> Option<(i64, Day)> {
    daily.iter().map(|(day, backlog)| (of(backlog), *day)).max()
}

/// How quantities are written as JSON.
mod written {
    use serde::Serialize;
    use serde::ser::Serializer;

    use super::{Micros, Shown, rounded};

    #[expect(clippy::ref_option, reason = "serde hands fields over by reference")]
    pub(super) fn instant<S: Serializer>(at: &Option<Micros>, serializer: S) -> Result<S::Ok, S::Error> {
        at.map(crate::backlog::instant).serialize(serializer)
    }

    pub(super) fn map<K: Serialize, V: Serialize, S: Serializer>(
        entries: &[(K, V)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(entries.iter().map(|(key, value)| (key, value)))
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
    pub(super) fn share<S: Serializer>(share: &Shown, serializer: S) -> Result<S::Ok, S::Error> {
        rounded(*share, 6).serialize(serializer)
    }
}
