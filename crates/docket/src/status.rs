//! `docket status`: what runs and how far it has come.

use std::process::ExitCode;

use proto::analytics::v1::GetReportRequest;
use proto::intake::v1::ListDocumentsRequest;
use proto::sla_monitor::v1::CheckTicketsRequest;

use crate::cli::At;
use crate::client::{Client, explain};
use crate::{doctor, out, visits};

pub(crate) async fn run(at: &At) -> anyhow::Result<ExitCode> {
    let client = Client::connect(at).await?;
    let checked = CheckTicketsRequest { holes_only: true, page_size: 1, ..CheckTicketsRequest::default() };
    let checked = client.sla().check_tickets(checked).await.map_err(|status| explain(&status))?.into_inner();
    let documents = client.intake().list_documents(ListDocumentsRequest::default()).await;
    let documents = documents.map_err(|status| explain(&status))?.into_inner().documents;
    let mut rows = vec![
        row("log position", checked.log_position),
        row("open tickets", checked.open_tickets.to_string()),
        row("holes", checked.holes.to_string()),
        row("documents of intake", documents.len().to_string()),
        row("unassigned visits", visits::unassigned(&client).await?.len().to_string()),
    ];
    if let Some(told) = doctor::reminders(&client).await? {
        rows.push(row("reminders", told.planned.to_string()));
        rows.push(row("reminders delivered", told.delivered.to_string()));
        rows.push(row("reminders undelivered", told.undelivered.to_string()));
    }
    // A cluster without a Report document has no figures yet; that is no fault of its status.
    if let Ok(answer) = client.analytics().get_report(GetReportRequest::default()).await {
        let report = answer.into_inner().report.unwrap_or_default();
        rows.push(row("tickets", report.tickets.to_string()));
        rows.push(row("facts", report.events.to_string()));
    }
    out::say(out::table(&rows));
    Ok(ExitCode::SUCCESS)
}

fn row(name: &str, value: String) -> Vec<String> {
    vec![name.to_owned(), value]
}
