//! `docket visit`: look at visits, give and take them by hand.

use std::process::ExitCode;

use anyhow::Context;
use proto::dispatch::v1::{
    AssignVisitRequest, ListUnassignedRequest, ListVisitsRequest, ReleaseVisitRequest, Unassigned, Visit,
};

use crate::cli::At;
use crate::cli::field::Visit as Command;
use crate::client::{Client, explain};
use crate::out;
use crate::tickets::moment;

pub(crate) async fn run(at: &At, command: &Command) -> anyhow::Result<ExitCode> {
    let client = Client::connect(at).await?;
    match command {
        Command::List { ticket } => list(&client, ticket).await?,
        Command::Unassigned => {
            let rows = unassigned(&client).await?.iter().map(missing).collect();
            out::say(out::table(&headed(&["VISIT", "PRIORITY", "ARRIVE BY", "AGAIN AT", "WHY"], rows)));
        }
        Command::Assign { visit, engineer, override_reason } => {
            let (visit, engineer) = (visit.clone(), engineer.clone());
            let override_reason = override_reason.clone();
            let request = AssignVisitRequest { visit, engineer, override_reason, ..AssignVisitRequest::default() };
            let answer = client.dispatch().assign_visit(request).await.map_err(|status| explain(&status))?;
            say(answer.into_inner().visit)?;
        }
        Command::Release { visit, reason } => {
            let (visit, reason) = (visit.clone(), reason.clone());
            let request = ReleaseVisitRequest { visit, reason, ..ReleaseVisitRequest::default() };
            let answer = client.dispatch().release_visit(request).await.map_err(|status| explain(&status))?;
            say(answer.into_inner().visit)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Every visit that nobody has.
pub(crate) async fn unassigned(client: &Client) -> anyhow::Result<Vec<Unassigned>> {
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListUnassignedRequest { page_size: 1_000, page_token, min_position: String::new() };
        let answer = client.dispatch().list_unassigned(request).await.map_err(|status| explain(&status))?.into_inner();
        all.extend(answer.unassigned);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return Ok(all);
        }
    }
}

async fn list(client: &Client, ticket: &str) -> anyhow::Result<()> {
    let request = ListVisitsRequest { ticket: client.ticket(ticket), min_position: String::new() };
    let answer = client.dispatch().list_visits(request).await.map_err(|status| explain(&status))?.into_inner();
    table(&answer.visits);
    Ok(())
}

fn say(visit: Option<Visit>) -> anyhow::Result<()> {
    table(&[visit.context("the answer holds no visit")?]);
    Ok(())
}

fn table(visits: &[Visit]) {
    let head = ["VISIT", "NUMBER", "STATE", "ENGINEER", "ON SITE", "ARRIVE BY", "ATTEMPT"];
    out::say(out::table(&headed(&head, visits.iter().map(row).collect())));
}

fn row(visit: &Visit) -> Vec<String> {
    vec![
        visit.name.clone(),
        visit.number.to_string(),
        visit.state().as_str_name().trim_start_matches("VISIT_STATE_").to_lowercase(),
        visit.engineer.clone(),
        moment(visit.arrive_time.as_ref()),
        moment(visit.arrive_by_time.as_ref()),
        visit.attempt.to_string(),
    ]
}

fn missing(one: &Unassigned) -> Vec<String> {
    let visit = one.visit.clone().unwrap_or_default();
    vec![
        visit.name,
        visit.priority,
        moment(visit.arrive_by_time.as_ref()),
        moment(one.retry_time.as_ref()),
        one.why.clone(),
    ]
}

fn headed(head: &[&str], rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let head = head.iter().map(|cell| (*cell).to_owned()).collect();
    std::iter::once(head).chain(rows).collect()
}
