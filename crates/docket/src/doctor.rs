//! `docket doctor`: every open ticket with who is accountable, what falls due next and who would wake; visits nobody has,
//! reminders that did not arrive.

use std::process::ExitCode;

use proto::analytics::v1::{GetServiceReportRequest, ReminderCounts};
use proto::sla_monitor::v1::{CheckTicketsRequest, TicketCheck};
use tonic::Code;

use crate::cli::{At, Doctor};
use crate::client::{Client, explain};
use crate::tickets::moment;
use crate::{out, visits};

mod proof;

pub(crate) use proof::{lines, prove};

pub(crate) async fn run(at: &At, args: Doctor) -> anyhow::Result<ExitCode> {
    let client = Client::connect(at).await?;
    if args.n_minus_1 {
        return proof::run(&client, args.json).await;
    }
    let (checks, open, holes) = check(&client).await?;
    out::say(out::table(&rows(&checks)));
    out::say(format!("{open} open tickets, {holes} holes"));
    out::say(format!("{} unassigned visits", visits::unassigned(&client).await?.len()));
    if let Some(told) = reminders(&client).await? {
        let ReminderCounts { planned, delivered, undelivered, .. } = told;
        out::say(format!("{planned} reminders, {delivered} delivered, {undelivered} undelivered"));
    }
    Ok(if holes == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks every open ticket of the tenant: the checks, how many are open, how many have a hole.
pub(crate) async fn check(client: &Client) -> anyhow::Result<(Vec<TicketCheck>, i64, i64)> {
    let mut checks = Vec::new();
    let mut page_token = String::new();
    loop {
        let (holes_only, min_position) = (false, String::new());
        let request = CheckTicketsRequest { holes_only, page_size: 1_000, page_token, min_position };
        let answer = client.sla().check_tickets(request).await.map_err(|status| explain(&status))?.into_inner();
        checks.extend(answer.checks);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return Ok((checks, answer.open_tickets, answer.holes));
        }
    }
}

/// What became of the tenant's reminders, if the caller may see figures.
pub(crate) async fn reminders(client: &Client) -> anyhow::Result<Option<ReminderCounts>> {
    match client.analytics().get_service_report(GetServiceReportRequest::default()).await {
        Ok(answer) => Ok(answer.into_inner().report.unwrap_or_default().reminders),
        Err(status) if status.code() == Code::PermissionDenied => Ok(None),
        Err(status) => Err(explain(&status)),
    }
}

/// The checks as a table with a head.
pub(crate) fn rows(checks: &[TicketCheck]) -> Vec<Vec<String>> {
    let head = ["TICKET", "STATE", "ACCOUNTABLE", "NEXT", "DUE", "WAKES", "HOLE"].map(str::to_owned).to_vec();
    let row = |check: &TicketCheck| {
        let next = check.next.clone().unwrap_or_default();
        let share = if next.share_bp == 0 { String::new() } else { format!(" {} %", next.share_bp / 100) };
        vec![
            check.ticket.rsplit('/').next().unwrap_or_default().to_owned(),
            check.state.clone(),
            check.accountable.clone(),
            format!("{}{share}", next.clock),
            moment(next.due_time.as_ref()),
            check.wakes.join(","),
            check.hole.clone(),
        ]
    };
    std::iter::once(head).chain(checks.iter().map(row)).collect()
}
