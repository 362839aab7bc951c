//! `docket import`: open tickets and history of another system, row by row, by a mapping document.
//!
//! Each row is one line of a ticket's history, the first its creation; a list of open tickets has one row each. A
//! ticket is taken whole or not at all: accepted + refused = rows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use prost_types::Timestamp;
use proto::intake::v1::{ImportTicketsRequest, ImportedActivity, ImportedTicket, Priority, Ticket};
use serde_json::{Map, Value};
use ticket::document::{self, Part};
use ticket::yaml;

use crate::cli::{At, Import};
use crate::client::{Client, explain};
use crate::out;

/// Tickets sent at once.
const BATCH: usize = 50;
/// What a file's columns may stand for.
const COLUMNS: [&str; 12] = [
    "reference",
    "at",
    "activity",
    "kind",
    "state",
    "agent",
    "group",
    "priority",
    "title",
    "description",
    "customer",
    "type",
];

/// A mapping document.
struct Mapping {
    source: String,
    columns: BTreeMap<String, String>,
    /// For `state`, `kind`, `priority`, `group`, `type`: the file's values to ours.
    values: BTreeMap<String, BTreeMap<String, String>>,
    /// What a column stands for that the file does not have.
    defaults: BTreeMap<String, String>,
}

/// A row, its columns renamed and its values mapped.
type Row = BTreeMap<&'static str, String>;

/// Refused rows by reason.
type Refused = BTreeMap<String, usize>;

pub(crate) async fn run(at: &At, args: &Import) -> anyhow::Result<ExitCode> {
    let Some(mapping) = mapping(&args.map)? else { return Ok(ExitCode::FAILURE) };
    let raw = rows(&args.file)?;
    let total = raw.len();
    let (mapped, unmapped) = map(&mapping, &raw);
    if !unmapped.is_empty() {
        for (column, value) in &unmapped {
            out::note(format!("{column}: {value:?} is not mapped"));
        }
        out::note(format!("{} unmapped values; nothing was imported", unmapped.len()));
        return Ok(ExitCode::FAILURE);
    }
    let mut refused = Refused::new();
    let tickets = tickets(mapped, &mut refused);
    let client = Client::connect(at).await?;
    let accepted = send(&client, &mapping.source, &tickets, args.dry_run, &mut refused).await?;
    let lost: usize = refused.values().sum();
    for (reason, rows) in &refused {
        out::say(format!("refused {rows}: {reason}"));
    }
    let would = if args.dry_run { "would be accepted" } else { "accepted" };
    out::say(format!("{accepted} {would} + {lost} refused = {} of {total} rows", accepted + lost));
    Ok(if accepted + lost == total { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads the mapping document; `None` after its faults were reported.
fn mapping(file: &Path) -> anyhow::Result<Option<Mapping>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let report = |line: usize, column: usize, message: &str| {
        out::note(format!("{}:{line}:{column}: {message}", file.display()));
    };
    let marked = match yaml::load(&text) {
        Ok(mut marked) if marked.len() == 1 => marked.remove(0),
        Ok(_) => bail!("{} must hold one document", file.display()),
        Err(faults) => {
            for fault in &faults {
                report(fault.place.line, fault.place.column, &fault.message);
            }
            return Ok(None);
        }
    };
    match document::read(&marked.value, read_mapping) {
        Ok(mapping) => Ok(Some(mapping)),
        Err(faults) => {
            for fault in faults {
                let place = marked.place(&fault.path);
                report(place.line, place.column, &format!("{} {}", fault.path, fault.message));
            }
            Ok(None)
        }
    }
}

fn read_mapping(part: &Part<'_>) -> Option<Mapping> {
    part.only(&["source", "columns", "values", "defaults"]);
    let texts = |part: Part<'_>| -> BTreeMap<String, String> {
        part.entries()
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.text()?.to_owned())))
            .collect()
    };
    let known = |part: &Part<'_>| part.only(&COLUMNS);
    let source = part.field("source").and_then(|source| source.text().map(str::to_owned));
    let columns = part.field("columns");
    columns.iter().for_each(&known);
    if let Some(columns) = &columns {
        for needed in ["reference", "at", "state"] {
            columns.field(needed);
        }
    }
    let values = part.maybe("values");
    values.iter().for_each(&known);
    let defaults = part.maybe("defaults");
    defaults.iter().for_each(&known);
    let values = values.iter().flat_map(Part::entries).map(|(name, part)| (name.to_owned(), texts(part))).collect();
    Some(Mapping {
        source: source?,
        columns: texts(columns?),
        values,
        defaults: defaults.map(texts).unwrap_or_default(),
    })
}

/// The rows of a CSV file with a head, or of JSON lines.
fn rows(file: &Path) -> anyhow::Result<Vec<BTreeMap<String, String>>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    if text.trim_start().starts_with('{') {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        return lines.map(|(n, line)| json_row(line).with_context(|| format!("line {}", n + 1))).collect();
    }
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let head: Vec<String> = reader.headers()?.iter().map(|name| name.trim().to_owned()).collect();
    let row = |record: csv::StringRecord| head.iter().cloned().zip(record.iter().map(str::to_owned)).collect();
    reader.records().map(|record| Ok(row(record?))).collect()
}

fn json_row(line: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let fields: Map<String, Value> = serde_json::from_str(line)?;
    let text = |value: Value| match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    };
    Ok(fields.into_iter().map(|(name, value)| (name, text(value))).collect())
}

/// Renames columns and maps values; every value without a mapping, once.
fn map(mapping: &Mapping, raw: &[BTreeMap<String, String>]) -> (Vec<Row>, BTreeSet<(String, String)>) {
    let mut unmapped = BTreeSet::new();
    let mut mapped = Vec::with_capacity(raw.len());
    for row in raw {
        let mut ours = Row::new();
        for column in COLUMNS {
            let theirs = mapping.columns.get(column).and_then(|name| row.get(name)).map(|value| value.trim());
            let default = mapping.defaults.get(column).map(String::as_str);
            let Some(value) = theirs.filter(|value| !value.is_empty()).or(default) else { continue };
            let value = match mapping.values.get(column) {
                Some(values) if default != Some(value) => {
                    let Some(ours) = values.get(value) else {
                        unmapped.insert((column.to_owned(), value.to_owned()));
                        continue;
                    };
                    ours.as_str()
                }
                _ => value,
            };
            ours.insert(column, value.to_owned());
        }
        mapped.push(ours);
    }
    (mapped, unmapped)
}

/// The rows as tickets, each with its history in order of time; rows that belong to none are refused.
fn tickets(rows: Vec<Row>, refused: &mut Refused) -> Vec<ImportedTicket> {
    let mut by_reference: BTreeMap<String, Vec<(Timestamp, Row)>> = BTreeMap::new();
    for row in rows {
        let reference = row.get("reference").cloned().unwrap_or_default();
        match (row.get("at").and_then(|at| at.parse::<jiff::Timestamp>().ok()), reference.is_empty()) {
            (_, true) => *refused.entry("a row without a reference".into()).or_default() += 1,
            (None, _) => *refused.entry("a row whose time is not RFC 3339".into()).or_default() += 1,
            (Some(at), _) => {
                let at = Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() };
                by_reference.entry(reference).or_default().push((at, row));
            }
        }
    }
    by_reference.into_iter().map(|(reference, rows)| ticket(reference, rows)).collect()
}

fn ticket(reference: String, mut rows: Vec<(Timestamp, Row)>) -> ImportedTicket {
    rows.sort_by_key(|(at, _)| (at.seconds, at.nanos));
    let text = |row: &Row, column: &str| row.get(column).cloned().unwrap_or_default();
    let activity = |(at, row): &(Timestamp, Row)| ImportedActivity {
        occur_time: Some(*at),
        activity: row.get("activity").or_else(|| row.get("state")).cloned().unwrap_or_default(),
        kind: row.get("kind").cloned().unwrap_or_else(|| "note".into()),
        state: text(row, "state"),
        agent: text(row, "agent"),
        group: text(row, "group"),
        priority: text(row, "priority"),
    };
    let activities = rows.iter().map(activity).collect();
    let first = rows.first().map(|(_, row)| row.clone()).unwrap_or_default();
    let last = rows.last().map(|(_, row)| row.clone()).unwrap_or_default();
    let priority = format!("PRIORITY_{}", text(&last, "priority").to_uppercase());
    let ticket = Ticket {
        ticket_type: text(&first, "type"),
        title: first.get("title").cloned().unwrap_or_else(|| format!("Imported {reference}")),
        description: text(&first, "description"),
        customer: text(&first, "customer"),
        queue: text(&last, "group"),
        priority: Priority::from_str_name(&priority).unwrap_or_default().into(),
        ..Ticket::default()
    };
    ImportedTicket { reference, ticket: Some(ticket), activities }
}

/// Sends the tickets in batches; how many rows came in.
async fn send(
    client: &Client,
    source: &str,
    tickets: &[ImportedTicket],
    validate_only: bool,
    refused: &mut Refused,
) -> anyhow::Result<usize> {
    let mut accepted = 0;
    for batch in tickets.chunks(BATCH) {
        let asked = ImportTicketsRequest { source: source.to_owned(), tickets: batch.to_vec(), validate_only };
        let answer = client.intake().import_tickets(asked).await.map_err(|status| explain(&status))?.into_inner();
        let rows = |reference: &str| {
            let found = batch.iter().find(|ticket| ticket.reference == reference);
            found.map_or(0, |ticket| ticket.activities.len())
        };
        accepted += batch.iter().map(|ticket| ticket.activities.len()).sum::<usize>();
        for refusal in answer.refused {
            accepted -= rows(&refusal.reference);
            let reason = format!("{}: {} ({})", refusal.reason, refusal.message, refusal.reference);
            *refused.entry(reason).or_default() += rows(&refusal.reference);
        }
    }
    Ok(accepted)
}
