//! `docket whatif` and `docket shadow`: what other documents would have come to, against what was recorded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use prost_types::Timestamp;
use proto::config::v1::{Document as Wire, DocumentFault};
use proto::sla_monitor::v1::{
    ClockChange, ClockComparison, CompareClocksRequest, ListDocumentsRequest, TicketDifference, WithdrawShadowRequest,
};
use serde_json::{Value, json};
use ticket::codec::rfc3339;
use ticket::document::Fault;
use ticket::yaml::{self, Document};

use crate::cli::At;
use crate::cli::whatif::{Shadow, WhatIf};
use crate::client::{Client, explain};
use crate::out;
use crate::tickets::moment;

/// Tickets whose differences are printed; all of them are in the sums and in --json.
const SHOWN: usize = 20;
const BREACH_BP: i32 = 10_000;

pub(crate) async fn run(at: &At, args: &WhatIf) -> anyhow::Result<ExitCode> {
    let mut documents = Vec::new();
    for file in &args.policies {
        documents.extend(read(file)?.into_iter().map(|document| (file.clone(), document)));
    }
    let (start, end) = args.period.given();
    let time = |at: i64| Timestamp { seconds: at.div_euclid(1_000_000), nanos: nanos(at) };
    let asked = CompareClocksRequest {
        documents: documents.iter().map(|(_, document)| wire(document)).collect(),
        start_time: start.map(time),
        end_time: end.map(time),
        ..CompareClocksRequest::default()
    };
    let client = Client::connect(at).await?;
    let found = compared(&client, asked).await?;
    if !found.faults.is_empty() {
        report(&documents, &found.faults);
        return Ok(ExitCode::FAILURE);
    }
    write(args.json.as_deref(), &found)?;
    out::say(told(&found));
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn shadow(at: &At, args: &Shadow) -> anyhow::Result<ExitCode> {
    let client = Client::connect(at).await?;
    let Some(name) = &args.name else { return shadows(&client).await };
    if args.withdraw {
        let asked = WithdrawShadowRequest { name: name.clone(), request_id: String::new() };
        client.sla().withdraw_shadow(asked).await.map_err(|status| explain(&status))?;
        return Ok(ExitCode::SUCCESS);
    }
    let found = beside(&client, name).await?;
    write(args.json.as_deref(), &found)?;
    out::say(told(&found));
    Ok(ExitCode::SUCCESS)
}

/// Every shadow there is, in a line with what it comes to so far.
async fn shadows(client: &Client) -> anyhow::Result<ExitCode> {
    let asked = ListDocumentsRequest { kind: "ShadowPolicy".to_owned(), min_position: String::new() };
    let listed = client.sla().list_documents(asked).await.map_err(|status| explain(&status))?.into_inner();
    for document in listed.documents {
        let found = beside(client, &document.name).await?;
        out::say(format!("{} version {}: {}, {}", document.name, document.version, period(&found), sums(&found)));
    }
    Ok(ExitCode::SUCCESS)
}

async fn beside(client: &Client, name: &str) -> anyhow::Result<Found> {
    compared(client, CompareClocksRequest { shadow: name.to_owned(), ..CompareClocksRequest::default() }).await
}

/// Every page of a comparison.
#[derive(Default)]
struct Found {
    faults: Vec<DocumentFault>,
    differences: Vec<TicketDifference>,
    clocks: BTreeMap<String, ClockComparison>,
    tickets: i64,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

async fn compared(client: &Client, asked: CompareClocksRequest) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let mut page_token = String::new();
    loop {
        let page = CompareClocksRequest { page_token, ..asked.clone() };
        let page = client.sla().compare_clocks(page).await.map_err(|status| explain(&status))?.into_inner();
        found.faults = page.faults;
        found.differences.extend(page.differences);
        for clock in page.clocks {
            add(found.clocks.entry(clock.clock.clone()).or_default(), &clock);
        }
        found.tickets += page.tickets;
        (found.start, found.end) = (page.start_time, page.end_time);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(found);
        }
    }
}

fn add(sum: &mut ClockComparison, other: &ClockComparison) {
    sum.warnings_were += other.warnings_were;
    sum.warnings_would_be += other.warnings_would_be;
    sum.breaches_were += other.breaches_were;
    sum.breaches_would_be += other.breaches_would_be;
    sum.moved += other.moved;
}

/// The documents of a file, or every fault with its place.
fn read(file: &Path) -> anyhow::Result<Vec<Document>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    yaml::parse(&text).map_err(|faults| {
        let place = |fault: &yaml::PlacedFault| {
            format!("{}:{}:{}: {}", file.display(), fault.place.line, fault.place.column, fault.message)
        };
        anyhow::anyhow!(faults.iter().map(place).collect::<Vec<_>>().join("\n"))
    })
}

fn wire(document: &Document) -> Wire {
    let (kind, name) = (document.kind.clone(), document.name.clone());
    Wire { kind, name, spec_json: document.spec.to_string(), version: 0 }
}

fn report(documents: &[(PathBuf, Document)], faults: &[DocumentFault]) {
    for fault in faults {
        let known = documents.iter().find(|(_, one)| one.kind == fault.kind && one.name == fault.name);
        let placed = known.map(|(file, document)| {
            let place = document.place(&Fault { path: fault.path.clone(), message: fault.message.clone() }).place;
            format!("{}:{}:{}", file.display(), place.line, place.column)
        });
        let placed = placed.unwrap_or_else(|| format!("{} {}", fault.kind, fault.name));
        out::note(format!("{placed}: {}", fault.message));
    }
}

fn told(found: &Found) -> String {
    let mut lines = vec![
        format!("{} tickets, {}: exact deadlines, given recorded behaviour", found.tickets, period(found)),
        sums(found),
    ];
    if !found.clocks.is_empty() {
        lines.push(out::table(&clocks(found)));
    }
    if !found.differences.is_empty() {
        lines.push(format!("{} tickets differ", found.differences.len()));
        lines.push(out::table(&changes(found)));
    }
    let more = found.differences.len().saturating_sub(SHOWN);
    lines.extend((more > 0).then(|| format!("and {more} tickets more: all are in --json OUT")));
    lines.join("\n")
}

fn period(found: &Found) -> String {
    let (start, end) = (moment(found.start.as_ref()), moment(found.end.as_ref()));
    if start.is_empty() { format!("up to {end}") } else { format!("{start} to {end}") }
}

/// `17 fewer warnings, 3 more breaches`.
fn sums(found: &Found) -> String {
    let sum = found.clocks.values().fold(ClockComparison::default(), |mut sum, clock| {
        add(&mut sum, clock);
        sum
    });
    let more = |were: i64, would_be: i64, what: &str| match would_be - were {
        0 => format!("as many {what} ({were})"),
        by if by < 0 => format!("{} fewer {what} ({would_be} for {were})", -by),
        by => format!("{by} more {what} ({would_be} for {were})"),
    };
    if found.differences.is_empty() {
        return format!("no difference: {} warnings, {} breaches", sum.warnings_were, sum.breaches_were);
    }
    let warnings = more(sum.warnings_were, sum.warnings_would_be, "warnings");
    format!("{warnings}, {}, {} moved", more(sum.breaches_were, sum.breaches_would_be, "breaches"), sum.moved)
}

fn clocks(found: &Found) -> Vec<Vec<String>> {
    let head = ["CLOCK", "WARNINGS", "WOULD BE", "BREACHES", "WOULD BE", "MOVED"].map(str::to_owned).to_vec();
    let row = |(name, sum): (&String, &ClockComparison)| {
        let counts = [sum.warnings_were, sum.warnings_would_be, sum.breaches_were, sum.breaches_would_be, sum.moved];
        [name.clone()].into_iter().chain(counts.map(|count| count.to_string())).collect()
    };
    std::iter::once(head).chain(found.clocks.iter().map(row)).collect()
}

fn changes(found: &Found) -> Vec<Vec<String>> {
    let head = ["TICKET", "CLOCK", "WHAT", "WAS", "WOULD BE", "WAKES"].map(str::to_owned).to_vec();
    let row = |ticket: &str, change: &ClockChange| {
        let what = if change.share_bp == BREACH_BP { "breach".into() } else { format!("{} %", change.share_bp / 100) };
        let time = |time: Option<&Timestamp>| if time.is_none() { "-".to_owned() } else { moment(time) };
        let times = [time(change.was_time.as_ref()), time(change.would_be_time.as_ref())];
        let ticket = ticket.rsplit('/').next().unwrap_or_default().to_owned();
        [ticket, change.clock.clone(), what].into_iter().chain(times).chain([change.wakes.join(" ")]).collect()
    };
    let rows = found.differences.iter().take(SHOWN);
    let rows = rows.flat_map(|one| one.changes.iter().map(|change| row(&one.ticket, change)));
    std::iter::once(head).chain(rows).collect()
}

fn write(file: Option<&Path>, found: &Found) -> anyhow::Result<()> {
    let Some(file) = file else { return Ok(()) };
    let instant =
        |time: Option<&Timestamp>| time.map(|at| rfc3339(at.seconds * 1_000_000 + i64::from(at.nanos) / 1_000));
    let change = |change: &ClockChange| {
        json!({
            "clock": change.clock,
            "share_bp": change.share_bp,
            "was": instant(change.was_time.as_ref()),
            "would_be": instant(change.would_be_time.as_ref()),
            "wakes": change.wakes,
        })
    };
    let difference = |one: &TicketDifference| json!({"ticket": one.ticket, "changes": one.changes.iter().map(change).collect::<Vec<_>>()});
    let clocks: serde_json::Map<String, Value> =
        found.clocks.iter().map(|(name, sum)| (name.clone(), counted(sum))).collect();
    let all = json!({
        "tickets": found.tickets,
        "start": instant(found.start.as_ref()),
        "end": instant(found.end.as_ref()),
        "clocks": clocks,
        "differences": found.differences.iter().map(difference).collect::<Vec<_>>(),
    });
    std::fs::write(file, serde_json::to_vec_pretty(&all)?).with_context(|| format!("writing {}", file.display()))
}

fn counted(sum: &ClockComparison) -> Value {
    json!({
        "warnings_were": sum.warnings_were,
        "warnings_would_be": sum.warnings_would_be,
        "breaches_were": sum.breaches_were,
        "breaches_would_be": sum.breaches_would_be,
        "moved": sum.moved,
    })
}

fn nanos(at: i64) -> i32 {
    i32::try_from(at.rem_euclid(1_000_000) * 1_000).unwrap_or_default()
}
