//! The end of the day in one table, asked for through the public API.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use proto::analytics::v1::{GetReportRequest, Report};
use proto::sla_monitor::v1::{Breach, ExplainBreachRequest, ListBreachesRequest};

use super::play::Cast;
use crate::cli::At;
use crate::client::{Client, explain};
use crate::{doctor, out};

/// Open tickets shown with their next step.
const SHOWN: usize = 12;
/// What a supervisor finds when she looks why something was late.
const CAUSES: [(&str, &str); 3] = [
    ("capacity", "Everybody was busy."),
    ("overlooked", "It lay in the queue unseen."),
    ("misrouted", "It was in the wrong queue first."),
];

/// The table, and whether everything a day is made of happened.
pub(crate) struct Summary {
    pub(crate) text: String,
    pub(crate) whole: bool,
}

/// Has the supervisor explain what was late, and lays the day out.
pub(crate) async fn summary(cast: &Cast) -> anyhow::Result<Summary> {
    let sue = cast.people.get("sue").context("the supervisor plays")?;
    let breaches = breaches(sue).await?;
    explained(sue, &breaches).await?;
    let breaches = self::breaches(sue).await?;
    let report = sue.analytics().get_report(GetReportRequest::default()).await.map_err(|status| explain(&status))?;
    let report = report.into_inner().report.unwrap_or_default();
    let (checks, open, holes) = doctor::check(sue).await?;
    let revoked = breaches.iter().filter(|breach| breach.revoked).count() as u64;
    let late = breaches.len() as u64 - revoked;
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let counts = &cast.counts;
    let closed = report.final_state.get("closed").copied().unwrap_or_default();
    let mut rows = vec![
        row("opened", count(&counts.opened)),
        row("closed or cancelled", closed),
        row("put to waiting", count(&counts.waits)),
        row("rejected or reopened", count(&counts.reopens)),
        row("facts that came late", count(&counts.late_facts)),
        row("first response, median", minutes(&report)),
    ];
    rows.extend(
        report.sla.iter().map(|share| row(&format!("in time: {}", named(&share.name)), met(&report, share.breached))),
    );
    rows.push(row("breaches", late));
    rows.extend(by_cause(&breaches).into_iter().map(|(cause, n)| row(&format!("  {cause}"), n)));
    rows.push(row("breaches taken back by late facts", revoked));
    rows.push(row("open tickets", open));
    rows.push(row("  without a next step", holes));
    let mut text = format!("\n{}\n\nOpen tickets, each with its next step:\n", out::table(&rows));
    text.push_str(&out::table(&doctor::rows(&checks[..checks.len().min(SHOWN)])));
    if checks.len() > SHOWN {
        text.extend(["\n… and ", &(checks.len() - SHOWN).to_string(), " more: docket doctor"]);
    }
    let happened = [&counts.opened, &counts.waits, &counts.reopens, &counts.late_facts].map(count);
    let whole = holes == 0 && late > 0 && revoked > 0 && closed > 0 && happened.iter().all(|n| *n > 0);
    Ok(Summary { text, whole })
}

/// Lines to look around with.
pub(crate) fn tour(at: &At, admin: std::net::SocketAddr) -> String {
    let data = at.data.display();
    format!(
        "\nThe cluster keeps serving at real speed; stop it with Ctrl-C, go on with `make run`. Look around:\n\
         \x20 docket=target/debug/docket\n\
         \x20 $docket --data {data} ticket list --filter 'state = waiting'\n\
         \x20 $docket --data {data} ticket open --title 'Mail is down' --field service=mail --urgency high\n\
         \x20 $docket --data {data} ticket show ID\n\
         \x20 $docket --data {data} doctor\n\
         \x20 $docket --data {data} log tail\n\
         \x20 grpcurl -plaintext -H \"authorization: Bearer $($docket --data {data} token)\" \\\n\
         \x20   -d '{{\"page_size\": 3}}' $(sed 's|http://||' {data}/endpoint) docket.intake.v1.IntakeService/ListTickets\n\
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

async fn explained(sue: &Client, breaches: &[Breach]) -> anyhow::Result<()> {
    for breach in breaches.iter().filter(|breach| !breach.revoked && breach.cause.is_empty()) {
        let weight: usize = breach.ticket.bytes().chain(breach.clock.bytes()).map(usize::from).sum();
        let (cause, note) = CAUSES[weight % CAUSES.len()];
        let asked = ExplainBreachRequest {
            ticket: breach.ticket.clone(),
            clock: breach.clock.clone(),
            cause: cause.into(),
            note: note.into(),
            request_id: String::new(),
        };
        sue.sla().explain_breach(asked).await.map_err(|status| explain(&status))?;
    }
    Ok(())
}

fn by_cause(breaches: &[Breach]) -> BTreeMap<String, u64> {
    let mut causes = BTreeMap::new();
    for breach in breaches.iter().filter(|breach| !breach.revoked) {
        *causes.entry(format!("{}: {}", breach.clock, breach.cause)).or_default() += 1;
    }
    causes
}

fn row(name: &str, value: impl std::fmt::Display) -> Vec<String> {
    vec![name.to_owned(), value.to_string()]
}

fn named(figure: &str) -> &str {
    match figure {
        "resp_breach" => "first reaction",
        "res_breach" => "resolution",
        "res_breach_net" => "resolution, waiting deducted",
        other => other,
    }
}

fn minutes(report: &Report) -> String {
    let hours = report.response_h_cal.as_ref().map_or(0.0, |response| response.median);
    format!("{:.0} min", hours * 60.0)
}

fn met(report: &Report, breached: i64) -> String {
    let met = report.tickets - breached;
    format!("{met} of {} ({} %)", report.tickets, met * 100 / report.tickets.max(1))
}
