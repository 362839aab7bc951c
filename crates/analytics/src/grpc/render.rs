//! From figures to messages of the wire.

use std::fmt::Display;

use chassis::wire::{ticket_name, timestamp};
use decider::Tenant;
use proto::analytics::v1 as pb;

use crate::Definition;
use crate::backlog::{Backlog, Day};
use crate::figures::{CalendarFigures, Figures};
use crate::report::{Load, Report};
use crate::spread::Distribution;

/// A report; with the backlog of every day if `daily`.
pub(super) fn report(report: &Report, daily: bool) -> pb::Report {
    let counts = |named: &[(&'static str, u64)]| named.iter().map(|(name, n)| ((*name).to_owned(), int(*n))).collect();
    let peaks = &report.backlog_peak;
    let on = |day: Day| report.backlog_daily.iter().find(|(known, _)| *known == day).map(backlog);
    pb::Report {
        tickets: int(report.tickets),
        events: int(report.events),
        first_time: report.first.map(timestamp),
        last_time: report.last.map(timestamp),
        per_activity: report.per_activity.iter().map(|(name, n)| (name.to_string(), int(*n))).collect(),
        per_kind: counts(&report.per_kind),
        final_state: counts(&report.final_state),
        reopens_total: int(report.reopens_total),
        tickets_reopened: int(report.tickets_reopened),
        response_h_cal: Some(distribution(&report.response_h_cal)),
        never_responded: int(report.never_responded),
        resolution_h_cal_first: Some(distribution(&report.resolution_h_cal_first)),
        resolution_h_cal_last: Some(distribution(&report.resolution_h_cal_last)),
        unresolved: int(report.unresolved),
        waiting_h: Some(distribution(&report.waiting_h)),
        handovers: Some(distribution(&report.handovers)),
        handovers_total: int(report.handovers_total),
        group_handovers_total: int(report.group_handovers_total),
        pingpong_tickets: int(report.pingpong_tickets),
        pingpong_total: int(report.pingpong_total),
        agents: int(report.agents),
        groups: int(report.groups),
        agent_load_top: report.agent_load_top.iter().map(load).collect(),
        group_load_top: report.group_load_top.iter().map(load).collect(),
        sla: sla(report),
        res_h_business: Some(distribution(&report.res_h_business)),
        res_h_business_net: Some(distribution(&report.res_h_business_net)),
        resp_h_business: Some(distribution(&report.resp_h_business)),
        sla_by_priority: sla_by_priority(report),
        created_per_month: report.created_per_month.iter().map(|(month, n)| (month.clone(), int(*n))).collect(),
        peak_unresolved: peaks.unresolved.and_then(|(_, day)| on(day)),
        peak_not_closed: peaks.not_closed.and_then(|(_, day)| on(day)),
        backlog_month_end: report.backlog_month_end.iter().map(backlog).collect(),
        backlog_daily: report.backlog_daily.iter().filter(|_| daily).map(backlog).collect(),
    }
}

/// The figures of one ticket.
pub(super) fn figures(tenant: &Tenant, figures: &Figures, definition: &Definition) -> pb::TicketFigures {
    let calendars = definition.calendars.iter().zip(&figures.by_calendar);
    pb::TicketFigures {
        ticket: ticket_name(tenant.as_str(), figures.ticket),
        reference: figures.reference.to_string(),
        events: int(figures.events),
        create_time: Some(timestamp(figures.created_at)),
        first_response_time: figures.first_response.map(timestamp),
        first_resolve_time: figures.first_resolved.map(timestamp),
        last_resolve_time: figures.last_resolved.map(timestamp),
        close_time: figures.closed_at.map(timestamp),
        final_state: figures.final_state.name().to_owned(),
        reopens: int(figures.reopens),
        handovers: int(figures.handovers),
        group_handovers: int(figures.group_handovers),
        pingpong: int(figures.pingpong),
        agents: int(figures.agents),
        waiting_secs: figures.waiting_us / 1_000_000,
        priority: figures.priority.to_string(),
        group: figures.group.to_string(),
        agent: figures.agent.to_string(),
        by_calendar: calendars.map(|((suffix, _), by)| by_calendar(suffix, by)).collect(),
    }
}

fn by_calendar(suffix: &str, by: &CalendarFigures) -> pb::CalendarFigures {
    pb::CalendarFigures {
        suffix: suffix.to_owned(),
        response_us: by.response_us,
        resolution_us: by.resolution_us,
        resolution_net_us: by.resolution_net_us,
        resp_breach: by.resp_breach,
        res_breach: by.res_breach,
        res_breach_net: by.res_breach_net,
    }
}

fn sla(report: &Report) -> Vec<pb::Share> {
    let share = |(name, share): &(String, crate::report::Share)| pb::Share {
        name: name.clone(),
        breached: int(share.breached),
        share: share.share,
    };
    report.sla.iter().map(share).collect()
}

fn sla_by_priority(report: &Report) -> Vec<pb::PrioritySla> {
    let rows = report.sla_by_priority.iter();
    rows.map(|(priority, sla)| pb::PrioritySla {
        priority: priority.to_string(),
        n: int(sla.n),
        resp: int(sla.resp),
        res: int(sla.res),
        res_net: int(sla.res_net),
    })
    .collect()
}

pub(super) fn distribution(spread: &Distribution) -> pb::Distribution {
    let Distribution { n, mean, median, p90, p99, max } = *spread;
    pb::Distribution { n: int(n), mean, median, p90, p99, max }
}

fn load((name, load): &(impl Display, Load)) -> pb::Load {
    pb::Load { name: name.to_string(), events: int(load.events), tickets: int(load.tickets) }
}

fn backlog((day, backlog): &(Day, Backlog)) -> pb::Backlog {
    pb::Backlog { day: day.to_string(), unresolved: backlog.unresolved, not_closed: backlog.not_closed }
}

pub(super) fn int<T: TryInto<i64>>(count: T) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
