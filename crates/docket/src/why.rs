//! `docket why`: what led to what, from the first message to the receipt of a delivery; and why nobody else was sent.

mod assignment;
mod entry;
mod link;
mod words;

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::{Context, bail};
use proto::dispatch::v1::{ListVisitsRequest, Visit};

use crate::cli::At;
use crate::cli::field::Why;
use crate::client::{Client, explain};
use crate::{out, tickets};
use entry::Entry;

/// Deepest indentation of the tree; what lies deeper stands there too.
const MAX_DEPTH: usize = 24;

/// What the command line names: a ticket, and what narrows it.
struct Target {
    ticket: String,
    visit: Option<String>,
    reminder: Option<String>,
}

pub(crate) async fn run(at: &At, args: &Why) -> anyhow::Result<ExitCode> {
    let client = Client::connect(at).await?;
    let target = Target::of(&client, args);
    target.answers(args)?;
    if let Some(engineer) = &args.not {
        assignment::why_not(&client, &target.ticket, engineer).await?;
    } else if args.assignment {
        assignment::explain_visit(&client, &visit(&client, &target).await?.name).await?;
    } else {
        chain(&client, &target).await?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Target {
    /// A visit's or a reminder's name holds its ticket's.
    fn of(client: &Client, args: &Why) -> Self {
        let below = |part: &str| args.target.split_once(part).map(|(ticket, id)| (ticket.to_owned(), id.to_owned()));
        let (ticket, visit, reminder) = match (below("/visits/"), below("/reminders/")) {
            (Some((ticket, visit)), _) => (ticket, Some(visit), None),
            (_, Some((ticket, reminder))) => (ticket, None, Some(reminder)),
            _ => (args.target.clone(), None, None),
        };
        Self {
            ticket: client.ticket(&ticket),
            visit: args.visit.clone().or(visit),
            reminder: args.reminder.clone().or(reminder),
        }
    }
}

impl Target {
    /// Refuses what would be answered about something else than is named.
    fn answers(&self, args: &Why) -> anyhow::Result<()> {
        if args.not.is_some() && self.visit.is_some() {
            bail!("--not tells of a ticket's last visit: name the ticket alone");
        }
        if (args.not.is_some() || args.assignment) && self.reminder.is_some() {
            bail!("a reminder was not assigned to anybody: name the ticket or a visit");
        }
        if self.visit.is_some() && self.reminder.is_some() {
            bail!("name a visit or a reminder, not both");
        }
        Ok(())
    }
}

/// The visit meant, by number or id; the last one if none is said.
async fn visit(client: &Client, target: &Target) -> anyhow::Result<Visit> {
    let request = ListVisitsRequest { ticket: target.ticket.clone(), min_position: String::new() };
    let mut visits =
        client.dispatch().list_visits(request).await.map_err(|status| explain(&status))?.into_inner().visits;
    let meant = |visit: &Visit| {
        let id = visit.name.rsplit('/').next();
        target.visit.as_deref().is_none_or(|meant| id == Some(meant) || visit.number.to_string() == meant)
    };
    let place = visits.iter().rposition(meant).context("the ticket has no such visit")?;
    Ok(visits.swap_remove(place))
}

/// Prints the tree of causes.
async fn chain(client: &Client, target: &Target) -> anyhow::Result<()> {
    let entries: Vec<_> = tickets::entries(client, &target.ticket, None).await?.into_iter().map(Entry::of).collect();
    let about: Option<(&str, String)> = match (&target.visit, &target.reminder) {
        (Some(_), _) => {
            let visit = visit(client, target).await?;
            Some(("/visit", visit.name.rsplit('/').next().unwrap_or_default().to_owned()))
        }
        (_, Some(reminder)) => Some(("/reminder", reminder.clone())),
        _ => None,
    };
    let parents = link::parents(&entries);
    let meant = |entry: &Entry| match &about {
        Some((field, id)) => !id.is_empty() && entry.text(field).starts_with(id.as_str()),
        None => true,
    };
    let chosen: Vec<bool> = entries.iter().map(meant).collect();
    if !chosen.contains(&true) {
        bail!("no event of {} is about that", target.ticket);
    }
    let lines = tree(&parents, &kept(&parents, &chosen));
    let width = entries.len().to_string().len();
    for (place, depth) in lines {
        let entry = &entries[place];
        let (indent, words) = ("  ".repeat(depth.min(MAX_DEPTH)), words::words(entry));
        let words = if words.is_empty() { words } else { format!(": {words}") };
        let (number, when) = (place + 1, &entry.when);
        out::say(format!("{number:>width$}  {when}  {indent}{}{words}  [{}]", entry.kind, entry.actor));
    }
    Ok(())
}

/// Those chosen with all that led to them and all that followed from them.
fn kept(parents: &[Option<usize>], chosen: &[bool]) -> BTreeSet<usize> {
    let mut kept = BTreeSet::new();
    let mut followed = chosen.to_vec();
    for (place, parent) in parents.iter().enumerate() {
        // A cause stands before what it caused.
        followed[place] |= parent.is_some_and(|parent| followed[parent]);
        let mut at = followed[place].then_some(place);
        while let Some(place) = at {
            at = if kept.insert(place) { parents[place] } else { None };
        }
    }
    kept
}

/// Each entry kept with its depth: a cause before what it caused, each in log order.
fn tree(parents: &[Option<usize>], kept: &BTreeSet<usize>) -> Vec<(usize, usize)> {
    let mut children = vec![Vec::new(); parents.len()];
    let mut open = Vec::new();
    for place in kept.iter().rev() {
        match parents[*place] {
            Some(parent) => children[parent].push(*place),
            None => open.push((*place, 0)),
        }
    }
    let mut lines = Vec::new();
    while let Some((place, depth)) = open.pop() {
        lines.push((place, depth));
        open.extend(children[place].iter().map(|child| (*child, depth + 1)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_answered_about_something_else_is_refused() {
        let args = |assignment, not: Option<&str>| Why {
            target: String::new(),
            visit: None,
            reminder: None,
            assignment,
            not: not.map(str::to_owned),
        };
        let target = |visit: bool, reminder: bool| Target {
            ticket: "t".into(),
            visit: visit.then(|| "1".into()),
            reminder: reminder.then(|| "r".into()),
        };
        for (target, args) in [
            (target(true, false), args(false, Some("eng"))),
            (target(false, true), args(false, Some("eng"))),
            (target(false, true), args(true, None)),
            (target(true, true), args(false, None)),
        ] {
            assert!(target.answers(&args).is_err());
        }
        assert!(target(true, false).answers(&args(true, None)).is_ok());
        assert!(target(false, false).answers(&args(false, Some("eng"))).is_ok());
        assert!(target(false, true).answers(&args(false, None)).is_ok());
    }

    /// Proves part of: I20
    #[test]
    fn a_cause_stands_before_what_it_caused_and_what_is_about_something_else_is_left_out() {
        let parents = [None, Some(0), Some(0), Some(1), Some(2), Some(3)];
        let all = kept(&parents, &[true; 6]);
        assert_eq!(tree(&parents, &all), [(0, 0), (1, 1), (3, 2), (5, 3), (2, 1), (4, 2)]);
        let one = kept(&parents, &[false, false, false, true, false, false]);
        assert_eq!(tree(&parents, &one), [(0, 0), (1, 1), (3, 2), (5, 3)]);
    }
}
