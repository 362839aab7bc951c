//! The service report on the wire.

use std::collections::BTreeMap;
use std::sync::Arc;

use chassis::refuse::internal;
use chassis::wire::micros;
use proto::analytics::v1 as pb;
use ticket::dispatch::{Release, StopReason, VisitEnd};
use tonic::Status;

use super::Grpc;
use super::parse::Who;
use super::render::{distribution, int};
use crate::service::{Between, Clocks, Engineer, Ratio, Reminders, ServiceReport, Visits};

impl Grpc {
    pub(super) async fn service_report(
        &self,
        who: Who,
        asked: pb::GetServiceReportRequest,
    ) -> Result<pb::GetServiceReportResponse, Status> {
        let start = micros("start_time", asked.start_time)?;
        let end = micros("end_time", asked.end_time)?;
        let log_position = self.reached(&asked.min_position).await?;
        let analytics = Arc::clone(&self.analytics);
        // Away from the threads that serve, since many tickets take a while: what happens meanwhile is folded after it.
        let counting = move || {
            analytics.view(|state| crate::service_report(state, &who.tenant, &Between { start, end }, &asked.queue))
        };
        let report = tokio::task::spawn_blocking(counting).await.map_err(internal)?;
        Ok(pb::GetServiceReportResponse { report: Some(rendered(&report)), log_position })
    }
}

fn rendered(report: &ServiceReport) -> pb::ServiceReport {
    pb::ServiceReport {
        tickets_opened: int(report.tickets.opened),
        tickets_closed: int(report.tickets.closed),
        tickets_cancelled: int(report.tickets.cancelled),
        visits: Some(visits(&report.visits)),
        time_to_dispatch_secs: Some(distribution(&report.time_to_dispatch_secs)),
        on_time_arrival: Some(ratio(report.on_time_arrival)),
        completion: Some(ratio(report.completion)),
        first_time_fix: Some(ratio(report.first_time_fix)),
        first_time_fix_immature: int(report.first_time_fix_immature),
        override_share: Some(ratio(report.override_share)),
        jobs_per_engineer: Some(ratio(report.jobs_per_engineer)),
        jobs_per_engineer_day: Some(ratio(report.jobs_per_engineer_day)),
        clocks: report.clocks.iter().map(|(name, counts)| clock(name, *counts)).collect(),
        reminders: Some(reminders(report.reminders)),
        engineers: report.engineers.iter().map(|(name, counts)| engineer(name, *counts)).collect(),
    }
}

fn ratio(Ratio { numerator, denominator, excluded }: Ratio) -> pb::Ratio {
    pb::Ratio { numerator: int(numerator), denominator: int(denominator), excluded: int(excluded) }
}

fn visits(visits: &Visits) -> pb::VisitCounts {
    pb::VisitCounts {
        planned: int(visits.planned),
        nobody_found: int(visits.nobody_found),
        offered: int(visits.offered),
        accepted: int(visits.accepted),
        declined: int(visits.declined),
        expired: int(visits.expired),
        released: by_why(&visits.released, released),
        handed_over: int(visits.handed_over),
        arrived: int(visits.arrived),
        completed: int(visits.completed),
        stopped: by_why(&visits.stopped, stopped),
        cancelled: by_why(&visits.cancelled, cancelled),
    }
}

fn by_why<W: Copy>(counts: &BTreeMap<W, u64>, name: fn(W) -> &'static str) -> BTreeMap<String, i64> {
    counts.iter().map(|(why, n)| (name(*why).to_owned(), int(*n))).collect()
}

fn released(why: Release) -> &'static str {
    match why {
        Release::Withdrawn => "withdrawn",
        Release::Reassigned => "reassigned",
        Release::OffDuty => "off_duty",
        Release::OffRoster => "off_roster",
        Release::NoShow => "no_show",
    }
}

fn stopped(why: StopReason) -> &'static str {
    match why {
        StopReason::Parts => "parts",
        StopReason::CustomerAbsent => "customer_absent",
        StopReason::OtherSkills => "other_skills",
        StopReason::MoreTime => "more_time",
    }
}

fn cancelled(why: VisitEnd) -> &'static str {
    match why {
        VisitEnd::TicketEnded => "ticket_ended",
    }
}

fn clock(clock: &str, counts: Clocks) -> pb::ClockCounts {
    pb::ClockCounts {
        clock: clock.to_owned(),
        met: int(counts.met),
        breached: int(counts.breached),
        revoked: int(counts.revoked),
        cancelled: int(counts.cancelled),
    }
}

fn reminders(counts: Reminders) -> pb::ReminderCounts {
    pb::ReminderCounts {
        planned: int(counts.planned),
        deferred: int(counts.deferred),
        attempts: int(counts.attempts),
        delivered: int(counts.delivered),
        acted_on: int(counts.acted_on),
        unanswered: int(counts.unanswered),
        undelivered: int(counts.undelivered),
        recalled: int(counts.recalled),
    }
}

fn engineer(engineer: &str, counts: Engineer) -> pb::EngineerCounts {
    pb::EngineerCounts {
        engineer: engineer.to_owned(),
        offered: int(counts.offered),
        accepted: int(counts.accepted),
        declined: int(counts.declined),
        expired: int(counts.expired),
        released: int(counts.released),
        arrived: int(counts.arrived),
        on_time: int(counts.on_time),
        completed: int(counts.completed),
        stopped: int(counts.stopped),
    }
}
