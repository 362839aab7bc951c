//! `docket ticket`: open and look at tickets.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Context, bail};
use prost_types::Timestamp;
use proto::intake::v1::field_value::Value;
use proto::intake::v1::{
    FieldValue, GetTicketRequest, Impact, ListTicketsRequest, ListTimelineRequest, OpenTicketRequest, Ticket,
    TicketState, TimelineEntry, Urgency, WatchTicketsRequest, accountable,
};
use proto::sla_monitor::v1::{Clock, ClockState, ListClocksRequest};

use crate::cli::{At, Open, Ticket as Command};
use crate::client::{Client, explain};
use crate::out;

pub(crate) async fn run(at: &At, command: &Command) -> anyhow::Result<ExitCode> {
    let client = Client::connect(at).await?;
    match command {
        Command::Open(args) => open(&client, args).await?,
        Command::Show { name, as_of } => show(&client, name, as_of.as_deref()).await?,
        Command::List { filter, limit } => list(&client, filter, *limit).await?,
        Command::Watch { filter } => watch(&client, filter).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn open(client: &Client, args: &Open) -> anyhow::Result<()> {
    let fields = args.fields.iter().map(|field| named(field)).collect::<anyhow::Result<BTreeMap<_, _>>>()?;
    let impact = format!("IMPACT_{}", args.impact.to_uppercase());
    let urgency = format!("URGENCY_{}", args.urgency.to_uppercase());
    let ticket = Ticket {
        title: args.title.clone(),
        ticket_type: args.ticket_type.clone(),
        description: args.description.clone(),
        customer: args.customer.clone(),
        fields,
        impact: Impact::from_str_name(&impact).with_context(|| format!("no impact {}", args.impact))?.into(),
        urgency: Urgency::from_str_name(&urgency).with_context(|| format!("no urgency {}", args.urgency))?.into(),
        ..Ticket::default()
    };
    let request = OpenTicketRequest { ticket: Some(ticket), occur_time: None, request_id: args.request_id.clone() };
    let answer = client.intake().open_ticket(request).await.map_err(|status| explain(&status))?.into_inner();
    out::say(answer.ticket.context("the answer holds no ticket")?.name);
    Ok(())
}

/// `name=value`; a whole number or yes/no is sent as such.
fn named(field: &str) -> anyhow::Result<(String, FieldValue)> {
    let Some((name, value)) = field.split_once('=') else { bail!("a field is name=value, not {field}") };
    let value = match (value.parse(), value) {
        (Ok(number), _) => Value::Number(number),
        (_, "true" | "false") => Value::Flag(value == "true"),
        _ => Value::Text(value.to_owned()),
    };
    Ok((name.to_owned(), FieldValue { value: Some(value) }))
}

async fn show(client: &Client, name: &str, as_of: Option<&str>) -> anyhow::Result<()> {
    let name = client.ticket(name);
    let as_of_time = as_of.map(instant).transpose()?;
    let request = GetTicketRequest { name: name.clone(), as_of_time, min_position: String::new() };
    let answer = client.intake().get_ticket(request).await.map_err(|status| explain(&status))?.into_inner();
    let ticket = answer.ticket.context("the answer holds no ticket")?;
    let mut rows = vec![
        row("ticket", &ticket.name),
        row("title", &ticket.title),
        row("state", &state(&ticket)),
        row("type", &format!("{} (template version {})", ticket.ticket_type, ticket.ticket_type_version)),
        row("priority", &priority(&ticket)),
        row("queue", &ticket.queue),
        row("customer", &ticket.customer),
        row("opened", &moment(ticket.open_time.as_ref())),
        row("accountable", &accountable(&ticket)),
        row("attend by", &moment(ticket.attend_by_time.as_ref())),
    ];
    for (name, value) in &ticket.fields {
        rows.push(row(name, &value_text(value)));
    }
    out::say(out::table(&rows));
    clocks(client, &name).await?;
    timeline(client, &name, as_of_time).await
}

async fn clocks(client: &Client, name: &str) -> anyhow::Result<()> {
    let request = ListClocksRequest { ticket: name.to_owned(), min_position: String::new() };
    let answer = client.sla().list_clocks(request).await.map_err(|status| explain(&status))?.into_inner();
    let mut rows = vec![["CLOCK", "STATE", "USED", "BUDGET", "NEXT", ""].map(str::to_owned).to_vec()];
    rows.extend(answer.clocks.iter().map(clock));
    out::say(format!("\n{}", out::table(&rows)));
    Ok(())
}

fn clock(clock: &Clock) -> Vec<String> {
    let state = ClockState::try_from(clock.state).unwrap_or_default().as_str_name();
    let next = clock.marks.iter().find(|mark| !mark.reached);
    let next = next.map(|mark| format!("{} % at {}", mark.share_bp / 100, moment(mark.fire_time.as_ref())));
    let late = if clock.breached { format!("breached {}", moment(clock.breach_time.as_ref())) } else { String::new() };
    vec![
        clock.name.clone(),
        state.trim_start_matches("CLOCK_STATE_").to_lowercase(),
        span(clock.elapsed_secs),
        span(clock.budget_secs),
        next.unwrap_or_default(),
        late,
    ]
}

async fn timeline(client: &Client, name: &str, as_of_time: Option<Timestamp>) -> anyhow::Result<()> {
    let mut rows = vec![["WHEN", "KNOWN", "EVENT", "BY", "STREAM"].map(str::to_owned).to_vec()];
    for entry in entries(client, name, as_of_time).await? {
        let (when, known) = (moment(entry.occur_time.as_ref()), moment(entry.record_time.as_ref()));
        let family = entry.stream.split('/').next().unwrap_or_default().to_owned();
        rows.push(vec![when, known, entry.kind, entry.actor, family]);
    }
    out::say(format!("\n{}", out::table(&rows)));
    Ok(())
}

/// Every event of a ticket, of all services, in log order; as known then, if said.
pub(crate) async fn entries(
    client: &Client,
    name: &str,
    as_of_time: Option<Timestamp>,
) -> anyhow::Result<Vec<TimelineEntry>> {
    let mut entries = Vec::new();
    let mut page_token = String::new();
    loop {
        let (name, min_position) = (name.to_owned(), String::new());
        let request = ListTimelineRequest { name, as_of_time, page_size: 500, page_token, min_position };
        let answer = client.intake().list_timeline(request).await.map_err(|status| explain(&status))?.into_inner();
        entries.extend(answer.entries);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return Ok(entries);
        }
    }
}

async fn list(client: &Client, filter: &str, limit: usize) -> anyhow::Result<()> {
    let mut rows =
        vec![["TICKET", "STATE", "PRIORITY", "QUEUE", "ACCOUNTABLE", "OPENED", "TITLE"].map(str::to_owned).to_vec()];
    let mut page_token = String::new();
    while rows.len() <= limit {
        let page_size = i32::try_from((limit + 1 - rows.len()).min(200))?;
        let min_position = String::new();
        let request = ListTicketsRequest { filter: filter.to_owned(), page_size, page_token, min_position };
        let answer = client.intake().list_tickets(request).await.map_err(|status| explain(&status))?.into_inner();
        rows.extend(answer.tickets.iter().map(line));
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    out::say(out::table(&rows));
    Ok(())
}

async fn watch(client: &Client, filter: &str) -> anyhow::Result<()> {
    let request = WatchTicketsRequest { filter: filter.to_owned(), from_position: String::new() };
    let mut changes = client.intake().watch_tickets(request).await.map_err(|status| explain(&status))?.into_inner();
    while let Some(change) = changes.message().await.map_err(|status| explain(&status))? {
        let ticket = change.ticket.unwrap_or_default();
        let mut cells = vec![change.kind];
        cells.extend(line(&ticket));
        out::say(cells.join("  "));
    }
    Ok(())
}

fn line(ticket: &Ticket) -> Vec<String> {
    vec![
        ticket.name.rsplit('/').next().unwrap_or_default().to_owned(),
        state(ticket),
        priority(ticket),
        ticket.queue.clone(),
        accountable(ticket),
        moment(ticket.open_time.as_ref()),
        ticket.title.clone(),
    ]
}

fn row(name: &str, value: &str) -> Vec<String> {
    vec![name.to_owned(), value.to_owned()]
}

fn state(ticket: &Ticket) -> String {
    let state = TicketState::try_from(ticket.state).unwrap_or_default().as_str_name();
    let state = state.trim_start_matches("TICKET_STATE_").to_lowercase();
    let reasons =
        ticket.wait_reasons().map(|reason| reason.as_str_name().trim_start_matches("WAIT_REASON_").to_lowercase());
    let reasons: Vec<_> = reasons.collect();
    if reasons.is_empty() { state } else { format!("{state} ({})", reasons.join(", ")) }
}

fn priority(ticket: &Ticket) -> String {
    ticket.priority().as_str_name().trim_start_matches("PRIORITY_").to_lowercase()
}

fn accountable(ticket: &Ticket) -> String {
    match ticket.accountable.as_ref().and_then(|accountable| accountable.party.as_ref()) {
        Some(accountable::Party::Queue(queue)) => format!("queue/{queue}"),
        Some(accountable::Party::Person(person)) => format!("person/{person}"),
        None => String::new(),
    }
}

fn value_text(value: &FieldValue) -> String {
    match &value.value {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Flag(flag)) => flag.to_string(),
        None => String::new(),
    }
}

/// RFC 3339, to the second.
pub(crate) fn moment(at: Option<&Timestamp>) -> String {
    let at = at.and_then(|at| jiff::Timestamp::from_second(at.seconds).ok());
    at.map(|at| at.to_string()).unwrap_or_default()
}

pub(crate) fn instant(text: &str) -> anyhow::Result<Timestamp> {
    let at: jiff::Timestamp = text.parse().with_context(|| format!("{text} is not an RFC 3339 time"))?;
    Ok(Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() })
}

fn span(secs: i64) -> String {
    format!("{}h{:02}m", secs / 3_600, secs % 3_600 / 60)
}
