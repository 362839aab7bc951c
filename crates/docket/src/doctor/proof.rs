//! `docket doctor --n-1`: that somebody would be woken for every open ticket, whichever person, channel or provider fails;
//! or every hole.

use std::process::ExitCode;

use proto::config::v1::Document;
use proto::sla_monitor::v1::{NoDropHole, ProveNoDropRequest, ProveNoDropResponse};
use serde_json::json;

use crate::client::{Client, explain};
use crate::out;
use crate::tickets::moment;

pub(super) async fn run(client: &Client, as_json: bool) -> anyhow::Result<ExitCode> {
    let found = prove(client, Vec::new(), String::new()).await?;
    if as_json {
        out::say(told(&found).to_string());
    } else {
        lines(&found).iter().for_each(out::say);
        let ProveNoDropResponse { open_tickets, failures, .. } = &found;
        out::say(format!("{open_tickets} open tickets, {failures} single failures, {} holes", holes(&found)));
    }
    Ok(if found.holes.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every hole; with documents, those they would open were they in force. As of a position.
pub(crate) async fn prove(
    client: &Client,
    documents: Vec<Document>,
    min_position: String,
) -> anyhow::Result<ProveNoDropResponse> {
    let request = ProveNoDropRequest { documents, min_position };
    Ok(client.sla().prove_no_drop(request).await.map_err(|status| explain(&status))?.into_inner())
}

fn holes(found: &ProveNoDropResponse) -> i64 {
    i64::try_from(found.holes.len()).unwrap_or(i64::MAX).saturating_add(found.left_out)
}

/// The holes in words, a paragraph each.
pub(crate) fn lines(found: &ProveNoDropResponse) -> Vec<String> {
    let mut lines: Vec<_> = found.holes.iter().map(hole).collect();
    if found.left_out > 0 {
        lines.push(format!("… and {} holes more", found.left_out));
    }
    lines
}

fn hole(hole: &NoDropHole) -> String {
    let NoDropHole { failure, tickets, sample, last_link, remedy, .. } = hole;
    let opens = if failure == "nothing" { "as things stand".to_owned() } else { format!("were {failure} to fail") };
    let sample: Vec<_> = sample.iter().map(|name| name.rsplit('/').next().unwrap_or_default()).collect();
    let of = format!("nobody would be woken for {tickets} tickets {opens}: {}", sample.join(" "));
    format!("{of}\n  last link: {last_link}\n  needs {remedy}")
}

fn told(found: &ProveNoDropResponse) -> serde_json::Value {
    let hole = |hole: &NoDropHole| {
        json!({
            "failure": hole.failure,
            "tickets": hole.tickets,
            "sample": hole.sample,
            "time": moment(hole.time.as_ref()),
            "last_link": hole.last_link,
            "remedy": hole.remedy,
        })
    };
    json!({
        "open_tickets": found.open_tickets,
        "failures": found.failures,
        "holes": found.holes.iter().map(hole).collect::<Vec<_>>(),
        "left_out": found.left_out,
    })
}
