//! The end of the day in one table, asked for through the public API, beside what really arrived.

use std::collections::BTreeMap;
use std::fmt::Display;

use proto::analytics::v1::{GetReportRequest, GetServiceReportRequest, Ratio, Report, ServiceReport};
use proto::intake::v1::{ListTimelineRequest, TimelineEntry};
use proto::sla_monitor::v1::{Breach, ListBreachesRequest};
use simulator::day::Stage;

use super::arrived::{self, Recorded, Taken};
use crate::cli::At;
use crate::client::{Client, explain};
use crate::{doctor, out};

/// Open tickets shown with their next step.
const SHOWN: usize = 12;
/// A fact that became known so many seconds after it happened came late.
const LATE_SECS: i64 = 30 * 60;

/// The table, and what a day is made of that did not happen.
pub(crate) struct Summary {
    pub(crate) text: String,
    pub(crate) missing: Vec<String>,
}

/// Everything the table is made of.
struct Evening {
    figures: Report,
    service: ServiceReport,
    breaches: Vec<Breach>,
    late_facts: usize,
    recorded: Recorded,
    mails: Taken,
    hooks: Taken,
    refused: usize,
}

/// Lays the day out.
pub(crate) async fn summary(client: &Client, stage: &Stage) -> anyhow::Result<Summary> {
    let figures =
        client.analytics().get_report(GetReportRequest::default()).await.map_err(|status| explain(&status))?;
    let service = client.analytics().get_service_report(GetServiceReportRequest::default()).await;
    let sink = stage.sink();
    let evening = Evening {
        figures: figures.into_inner().report.unwrap_or_default(),
        service: service.map_err(|status| explain(&status))?.into_inner().report.unwrap_or_default(),
        breaches: breaches(client).await?,
        late_facts: late_facts(client, &stage.late_tickets()).await?,
        recorded: arrived::recorded(client, &stage.tickets()).await?,
        mails: Taken::read(&sink.join("mails.tsv")),
        hooks: Taken::read(&sink.join("hooks.tsv")),
        refused: std::fs::read_to_string(sink.join("refused.tsv")).unwrap_or_default().lines().count(),
    };
    let (checks, open, holes) = doctor::check(client).await?;
    let mut rows = tickets(&evening);
    rows.extend(visits(&evening.service));
    rows.extend(clocks(&evening));
    rows.extend(reminders(&evening));
    rows.extend(stage.too_late().into_iter().map(|(reason, n)| row(&format!("calls that came too late: {reason}"), n)));
    rows.push(row("open tickets", open));
    rows.push(row("  without a next step", holes));
    let mut text = format!("\n{}\n\nOpen tickets, each with its next step:\n", out::table(&rows));
    text.push_str(&out::table(&doctor::rows(&checks[..checks.len().min(SHOWN)])));
    if checks.len() > SHOWN {
        text.extend(["\n… and ", &(checks.len() - SHOWN).to_string(), " more: docket doctor"]);
    }
    let mut missing = missing(&evening);
    if holes > 0 {
        missing.push(format!("a next step for {holes} tickets"));
    }
    Ok(Summary { text, missing })
}

/// What a day is made of, as far as nothing of it happened.
fn missing(evening: &Evening) -> Vec<String> {
    let (service, visits) = (&evening.service, evening.service.visits.clone().unwrap_or_default());
    let told = service.reminders.unwrap_or_default();
    let of = |counts: &BTreeMap<String, i64>, why: &str| counts.get(why).copied().unwrap_or_default();
    let revoked: i64 = service.clocks.iter().map(|clock| clock.revoked).sum();
    let parts = [
        ("closed tickets", service.tickets_closed),
        ("completed visits", visits.completed),
        ("offers declined", visits.declined),
        ("offers expired", visits.expired),
        ("no-shows", of(&visits.released, "no_show")),
        ("visits of the sick that went to others", of(&visits.released, "off_duty")),
        ("visits stopped for parts", of(&visits.stopped, "parts")),
        ("visits to nobody at home", of(&visits.stopped, "customer_absent")),
        ("decisions that found nobody", visits.nobody_found),
        ("rules broken by a dispatcher", service.override_share.map_or(0, |share| share.numerator)),
        ("facts that came late", count(evening.late_facts)),
        ("breaches", count(evening.breaches.iter().filter(|breach| !breach.revoked).count())),
        ("breaches taken back", revoked),
        ("reopened tickets", evening.figures.reopens_total),
        ("reminders acted on", told.acted_on),
        ("reminders deferred", told.deferred),
        ("reminders escalated", told.unanswered),
        ("mails", count(evening.mails.different.len())),
        ("webhooks", count(evening.hooks.different.len())),
        ("mails refused in the outage", count(evening.refused)),
        ("tries that failed", count(usize::try_from(evening.recorded.failed).unwrap_or(usize::MAX))),
    ];
    let nothing = parts.iter().filter(|(_, happened)| *happened == 0).map(|(what, _)| (*what).to_owned());
    let lost = lost(evening);
    nothing.chain((lost > 0).then(|| format!("{lost} messages recorded as delivered"))).collect()
}

/// Messages that were recorded as taken and are not where they should have arrived.
fn lost(evening: &Evening) -> usize {
    let recorded = &evening.recorded;
    recorded.mails.difference(&evening.mails.different).count()
        + recorded.hooks.difference(&evening.hooks.different).count()
}

fn tickets(evening: &Evening) -> Vec<Vec<String>> {
    let (figures, service) = (&evening.figures, &evening.service);
    let response = figures.response_h_cal.as_ref().map_or(0.0, |response| response.median * 3_600.0);
    let dispatch = service.time_to_dispatch_secs.unwrap_or_default();
    let to_dispatch = format!("{}, nine of ten within {}", minutes(dispatch.median), minutes(dispatch.p90));
    vec![
        row("tickets opened", service.tickets_opened),
        row("  closed", service.tickets_closed),
        row("  called off", service.tickets_cancelled),
        row("  rejected or reopened", figures.reopens_total),
        row("first response, median", minutes(response)),
        row("from the call to an engineer who accepts, median", to_dispatch),
        row("facts that came late", evening.late_facts),
    ]
}

fn visits(service: &ServiceReport) -> Vec<Vec<String>> {
    let visits = service.visits.clone().unwrap_or_default();
    let by = |counts: &BTreeMap<String, i64>| {
        let each: Vec<_> = counts.iter().map(|(why, n)| format!("{why} {n}")).collect();
        each.join(", ")
    };
    vec![
        row("visits planned", visits.planned),
        row("  offers", visits.offered),
        row("  accepted, declined, expired", format!("{}, {}, {}", visits.accepted, visits.declined, visits.expired)),
        row("  taken back", by(&visits.released)),
        row("  nobody found", visits.nobody_found),
        row("  against a rule, with a reason", share(service.override_share)),
        row("  stopped", by(&visits.stopped)),
        row("  completed", visits.completed),
        row("  on site in time", share(service.on_time_arrival)),
    ]
}

fn clocks(evening: &Evening) -> Vec<Vec<String>> {
    let met = |clock: &proto::analytics::v1::ClockCounts| {
        let (met, all) = (clock.met, clock.met + clock.breached);
        let revoked =
            if clock.revoked > 0 { format!(", {} taken back by late facts", clock.revoked) } else { String::new() };
        row(&format!("in time: {}", clock.clock), format!("{}{revoked}", share(Some(ratio(met, all)))))
    };
    let mut rows: Vec<_> = evening.service.clocks.iter().map(met).collect();
    let mut causes = BTreeMap::<String, u64>::new();
    for breach in evening.breaches.iter().filter(|breach| !breach.revoked) {
        *causes.entry(format!("  {}: {}", breach.clock, breach.cause)).or_default() += 1;
    }
    rows.push(row("breaches", causes.values().sum::<u64>()));
    rows.extend(causes.into_iter().map(|(cause, n)| row(&cause, n)));
    rows
}

fn reminders(evening: &Evening) -> Vec<Vec<String>> {
    let told = evening.service.reminders.unwrap_or_default();
    let arrived = |taken: &Taken, recorded: usize| {
        format!("{} different, {} raw; recorded as taken {recorded}", taken.different.len(), taken.raw)
    };
    vec![
        row("reminders planned", told.planned),
        row("  deferred", told.deferred),
        row("  acted on", told.acted_on),
        row("  unanswered, so escalated", told.unanswered),
        row("  undelivered", told.undelivered),
        row("mails arrived", arrived(&evening.mails, evening.recorded.mails.len())),
        row("webhooks arrived", arrived(&evening.hooks, evening.recorded.hooks.len())),
        row("refused in the outage, tries that failed", format!("{}, {}", evening.refused, evening.recorded.failed)),
        row("recorded as taken and not there", lost(evening)),
    ]
}

/// Lines to look around with.
pub(crate) fn tour(at: &At, admin: std::net::SocketAddr) -> String {
    let data = at.data.display();
    format!(
        "\nThe cluster keeps serving at real speed; stop it with Ctrl-C, go on with `make run`. Look around:\n\
         \x20 docket=\"target/debug/docket --data {data}\"\n\
         \x20 $docket ticket list --filter 'state = waiting'\n\
         \x20 $docket ticket show ID\n\
         \x20 $docket why ID\n\
         \x20 $docket why ID --not eng-07\n\
         \x20 $docket visit unassigned\n\
         \x20 $docket doctor\n\
         \x20 $docket log tail\n\
         \x20 column -t -s $'\\t' {data}/sink/mails.tsv | tail\n\
         \x20 grpcurl -plaintext -H \"authorization: Bearer $($docket token)\" \\\n\
         \x20   -d '{{\"page_size\": 3}}' $(sed -n 's|dispatch=http://||p' {data}/endpoints) docket.dispatch.v1.DispatchService/ListEngineers\n\
         \x20 curl http://{admin}/metrics"
    )
}

async fn breaches(client: &Client) -> anyhow::Result<Vec<Breach>> {
    let mut breaches = Vec::new();
    let mut page_token = String::new();
    loop {
        let asked = ListBreachesRequest { page_size: 1_000, page_token, ..ListBreachesRequest::default() };
        let answer = client.sla().list_breaches(asked).await.map_err(|status| explain(&status))?.into_inner();
        breaches.extend(answer.breaches);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return Ok(breaches);
        }
    }
}

/// Facts of these tickets that became known long after they happened.
async fn late_facts(client: &Client, tickets: &[String]) -> anyhow::Result<usize> {
    let late = |entry: &&TimelineEntry| {
        let secs = |time: &Option<prost_types::Timestamp>| time.as_ref().map_or(0, |time| time.seconds);
        let told = ["TakenInCharge", "Arrived", "WorkStarted", "VisitCompleted"].contains(&entry.kind.as_str());
        told && secs(&entry.record_time) - secs(&entry.occur_time) > LATE_SECS
    };
    let mut found = 0;
    for ticket in tickets {
        let asked = ListTimelineRequest { name: ticket.clone(), page_size: 500, ..ListTimelineRequest::default() };
        let answer = client.intake().list_timeline(asked).await.map_err(|status| explain(&status))?.into_inner();
        found += answer.entries.iter().filter(late).count();
    }
    Ok(found)
}

fn row(name: &str, value: impl Display) -> Vec<String> {
    vec![name.to_owned(), value.to_string()]
}

fn minutes(secs: f64) -> String {
    format!("{:.0} min", secs / 60.0)
}

fn ratio(numerator: i64, denominator: i64) -> Ratio {
    Ratio { numerator, denominator, excluded: 0 }
}

fn share(ratio: Option<Ratio>) -> String {
    let Ratio { numerator, denominator, .. } = ratio.unwrap_or_default();
    format!("{numerator} of {denominator} ({} %)", numerator * 100 / denominator.max(1))
}

fn count(many: usize) -> i64 {
    i64::try_from(many).unwrap_or(i64::MAX)
}
