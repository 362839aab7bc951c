//! `docket apply`: documents from files to the services that own their kinds, every fault with its place.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use proto::config::v1::{Document as Wire, DocumentFault};
use proto::sla_monitor::v1::{ApplyDocumentsRequest, Reattachment};
use ticket::document::{Fault, KINDS};
use ticket::yaml::{self, Document, PlacedFault};

use crate::cli::{Apply, At};
use crate::client::{Client, explain};
use crate::{doctor, out};

/// The services that take documents.
const OWNERS: [&str; 5] = ["intake", "sla-monitor", "dispatch", "notifier", "analytics"];

/// A document with the file it stands in.
struct Filed {
    file: PathBuf,
    document: Document,
}

/// What a service answered: faults, and what changes.
struct Answer {
    faults: Vec<DocumentFault>,
    changed: Vec<Wire>,
    position: String,
    /// What it would do to the clocks of open tickets.
    reattachment: Option<Reattachment>,
}

/// What a service is to do with documents.
struct How<'a> {
    /// Only check them.
    validate_only: bool,
    /// What it must have seen before.
    after: String,
    /// Why they are put in force though a hole opens.
    reason: &'a str,
}

pub(crate) async fn run(at: &At, args: &Apply) -> anyhow::Result<ExitCode> {
    let mut filed = Vec::new();
    let mut faults = 0;
    for file in &args.files {
        let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        match yaml::parse(&text) {
            Ok(documents) => {
                filed.extend(documents.into_iter().map(|document| Filed { file: file.clone(), document }));
            }
            Err(found) => found.iter().for_each(|fault| {
                faults += 1;
                report(file, fault);
            }),
        }
    }
    let client = Client::connect(at).await?;
    let (found, position) = check(&client, &filed, args).await?;
    faults += found;
    if faults > 0 {
        out::note(format!("{faults} faults; nothing was applied"));
        return Ok(ExitCode::FAILURE);
    }
    let opened = doctor::prove(&client, filed.iter().map(|filed| wire(&filed.document)).collect(), position).await?;
    doctor::lines(&opened).iter().for_each(out::note);
    if !opened.holes.is_empty() && !args.force {
        out::note("a hole would open; nothing was applied: close it, or give --force and --reason");
        return Ok(ExitCode::FAILURE);
    }
    if !args.dry_run {
        let documents: Vec<_> = filed.into_iter().map(|filed| filed.document).collect();
        let reason = args.reason.clone().unwrap_or_default();
        for changed in put_in_force(&client, &documents, &reason).await? {
            out::say(format!("{} {} version {}", changed.kind, changed.name, changed.version));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Puts documents in force kind by kind, in the order in which they lean on each other, for a reason if there is one; what
/// changed.
pub(crate) async fn put_in_force(client: &Client, documents: &[Document], reason: &str) -> anyhow::Result<Vec<Wire>> {
    let mut changed = Vec::new();
    let mut position = String::new();
    for (kind, owner) in KINDS {
        let wires: Vec<_> = documents.iter().filter(|document| document.kind == kind).map(wire).collect();
        if wires.is_empty() {
            continue;
        }
        let how = How { validate_only: false, after: position.clone(), reason };
        let answer = send(client, owner, wires, how).await?;
        if let Some(fault) = answer.faults.first() {
            bail!("{} {}: {} {}", fault.kind, fault.name, fault.path, fault.message);
        }
        changed.extend(answer.changed);
        position = answer.position;
    }
    Ok(changed)
}

/// Has every service check the kinds it owns, all documents in view; reports and counts the faults, and answers a position
/// that includes what they leaned on.
async fn check(client: &Client, filed: &[Filed], args: &Apply) -> anyhow::Result<(usize, String)> {
    let (mut faults, mut position) = (0, String::new());
    for owner in OWNERS {
        let wires = filed.iter().map(|filed| wire(&filed.document)).collect();
        let how = How { validate_only: true, after: position.clone(), reason: "" };
        let answer = send(client, owner, wires, how).await?;
        for fault in &answer.faults {
            faults += 1;
            let named = |filed: &&Filed| filed.document.kind == fault.kind && filed.document.name == fault.name;
            let placed = Fault { path: fault.path.clone(), message: fault.message.clone() };
            match filed.iter().find(named) {
                Some(filed) => report(&filed.file, &filed.document.place(&placed)),
                None => out::note(format!("{} {}: {}", fault.kind, fault.name, fault.message)),
            }
        }
        if args.diff && !answer.changed.is_empty() {
            let before = in_force(client, owner).await?;
            for after in &answer.changed {
                difference(before.iter().find(|old| old.kind == after.kind && old.name == after.name), after);
            }
        } else if args.dry_run {
            answer.changed.iter().for_each(|after| out::say(format!("{} {} would change", after.kind, after.name)));
        }
        if let Some(found) = answer.reattachment.filter(|_| args.dry_run || args.diff) {
            out::say(effect(&found));
        }
        position = answer.position;
    }
    Ok((faults, position))
}

/// Asks a service to check documents, or to put them in force.
async fn send(client: &Client, owner: &str, documents: Vec<Wire>, how: How<'_>) -> anyhow::Result<Answer> {
    if owner == "sla-monitor" {
        return monitor(client, documents, how).await;
    }
    let How { validate_only, after: min_position, reason } = how;
    let reason = reason.to_owned();
    macro_rules! ask {
        ($service:ident, $v1:ident) => {{
            let request_id = String::new();
            let request =
                proto::$v1::v1::ApplyDocumentsRequest { documents, validate_only, request_id, min_position, reason };
            let answer = client.$service().apply_documents(request).await.map_err(|status| explain(&status))?;
            let answer = answer.into_inner();
            let (faults, changed, position) = (answer.faults, answer.documents, answer.log_position);
            Answer { faults, changed, position, reattachment: None }
        }};
    }
    Ok(match owner {
        "intake" => ask!(intake, intake),
        "dispatch" => ask!(dispatch, dispatch),
        "notifier" => ask!(notifier, notifier),
        "analytics" => ask!(analytics, analytics),
        _ => bail!("no service {owner} takes documents"),
    })
}

/// As [`send`], to the one service that says what it would do to clocks.
async fn monitor(client: &Client, documents: Vec<Wire>, how: How<'_>) -> anyhow::Result<Answer> {
    let (How { validate_only, after: min_position, reason }, request_id) = (how, String::new());
    let reason = reason.to_owned();
    let request = ApplyDocumentsRequest { documents, validate_only, request_id, min_position, reason };
    let answer = client.sla().apply_documents(request).await.map_err(|status| explain(&status))?.into_inner();
    Ok(Answer {
        faults: answer.faults,
        changed: answer.documents,
        position: answer.log_position,
        reattachment: answer.reattachment,
    })
}

/// What documents would do to the clocks of open tickets, in words.
fn effect(found: &Reattachment) -> String {
    let Reattachment { tickets, clocks, breaches, cancelled, revoked } = found;
    let also = [(cancelled, "no longer apply"), (revoked, "breaches are taken back")];
    let also = also.into_iter().filter(|(count, _)| **count > 0).map(|(count, what)| format!(", {count} {what}"));
    let also: String = also.collect();
    format!("{clocks} clocks re-attach, {breaches} breach now{also} ({tickets} open tickets)")
}

/// What a service has in force.
async fn in_force(client: &Client, owner: &str) -> anyhow::Result<Vec<Wire>> {
    macro_rules! list {
        ($service:ident, $v1:ident) => {{
            let request = proto::$v1::v1::ListDocumentsRequest::default();
            let answer = client.$service().list_documents(request).await.map_err(|status| explain(&status))?;
            answer.into_inner().documents
        }};
    }
    Ok(match owner {
        "intake" => list!(intake, intake),
        "sla-monitor" => list!(sla, sla_monitor),
        "dispatch" => list!(dispatch, dispatch),
        "notifier" => list!(notifier, notifier),
        _ => list!(analytics, analytics),
    })
}

fn wire(document: &Document) -> Wire {
    let (kind, name) = (document.kind.clone(), document.name.clone());
    Wire { kind, name, spec_json: document.spec.to_string(), version: 0 }
}

fn report(file: &Path, fault: &PlacedFault) {
    out::note(format!("{}:{}:{}: {}", file.display(), fault.place.line, fault.place.column, fault.message));
}

/// Prints the lines of the spec that go and come.
fn difference(before: Option<&Wire>, after: &Wire) {
    let old = before.map(|document| lines(&document.spec_json)).unwrap_or_default();
    let new = lines(&after.spec_json);
    out::say(format!("{} {} (version {})", after.kind, after.name, before.map_or(0, |document| document.version)));
    old.iter().filter(|line| !new.contains(line)).for_each(|line| out::say(format!("- {line}")));
    new.iter().filter(|line| !old.contains(line)).for_each(|line| out::say(format!("+ {line}")));
}

/// One line for each leaf of a spec, with its path.
fn lines(spec_json: &str) -> Vec<String> {
    fn leaves(value: &serde_json::Value, path: &str, lines: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(fields) if !fields.is_empty() => {
                fields.iter().for_each(|(name, value)| leaves(value, &format!("{path}/{name}"), lines));
            }
            serde_json::Value::Array(items) if !items.is_empty() => {
                items.iter().enumerate().for_each(|(n, value)| leaves(value, &format!("{path}/{n}"), lines));
            }
            leaf => lines.push(format!("{path}: {leaf}")),
        }
    }
    let mut found = Vec::new();
    leaves(&serde_json::from_str(spec_json).unwrap_or_default(), "", &mut found);
    found
}
