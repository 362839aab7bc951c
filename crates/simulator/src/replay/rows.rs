//! A work-order log as rows: every line parsed, what is malformed or contradicts an earlier line refused and counted.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use decider::Micros;
use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use serde::Deserialize;
use ticket::intake::{Activity, ActivityKind, Status};

/// Longest line taken, bytes: what it says must fit into one event.
const MAX_LINE_BYTES: usize = 128 * 1024;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The ticket's name.
    pub ticket: String,
    /// Orders the ticket's rows at one instant; unique with the ticket.
    pub seq: i64,
    /// When it happened.
    pub at: Micros,
    /// What happened.
    pub line: Activity,
}

/// Why a line was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refused {
    /// The line is no JSON.
    #[error("not JSON")]
    NotJson,
    /// The line is longer than an event can be.
    #[error("line too long")]
    TooLong,
    /// It lacks the ticket, `seq`, `ts`, the activity, its kind or its state.
    #[error("required field missing")]
    FieldMissing,
    /// It is no object, or a field is of another type than the format's.
    #[error("field of a wrong type")]
    FieldWrong,
    /// `ts` is no RFC 3339 instant from 1970 to 2069.
    #[error("not a timestamp")]
    TimestampWrong,
    /// The kind is none of the format's.
    #[error("unknown kind")]
    KindUnknown,
    /// The state is none of the format's.
    #[error("unknown state")]
    StateUnknown,
    /// An earlier line has the same ticket and `seq` and says something else.
    #[error("contradicts an earlier row")]
    Conflicting,
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Rows {
    /// The log's name: the one most rows bear.
    pub log: String,
    /// In order of (instant, ticket, `seq`).
    pub rows: Vec<Row>,
    /// Rows that repeat an earlier one word for word.
    pub duplicates: usize,
    /// Line numbers, from 1, and why each was refused.
    pub refused: Vec<(usize, Refused)>,
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    log: Option<Cow<'a, str>>,
    #[serde(borrow)]
    ticket: Option<Cow<'a, str>>,
    seq: Option<i64>,
    #[serde(borrow)]
    ts: Option<Cow<'a, str>>,
    #[serde(borrow)]
    activity: Option<Cow<'a, str>>,
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state: Option<Cow<'a, str>>,
    #[serde(borrow)]
    agent: Option<Cow<'a, str>>,
    #[serde(borrow)]
    group: Option<Cow<'a, str>>,
    #[serde(borrow)]
    priority: Option<Cow<'a, str>>,
    #[serde(borrow)]
    product: Option<Cow<'a, str>>,
    #[serde(borrow)]
    customer: Option<Cow<'a, str>>,
}

/// Reads a whole file, gzip or plain.
pub fn read(file: &Path) -> io::Result<Rows> {
    let mut bytes = Vec::new();
    File::open(file)?.read_to_end(&mut bytes)?;
    if bytes.starts_with(&GZIP) {
        let mut plain = Vec::new();
        MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut plain)?;
        bytes = plain;
    }
    Ok(parse(&bytes))
}

/// Reads the lines of a log.
pub fn parse(bytes: &[u8]) -> Rows {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let mut read = Rows::default();
    let mut names = BTreeMap::<String, u64>::new();
    let mut seen = HashMap::<(String, i64), usize>::new();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match row(line) {
            Err(reason) => read.refused.push((number, reason)),
            Ok((log, row)) => match seen.get(&(row.ticket.clone(), row.seq)) {
                Some(earlier) if read.rows[*earlier] == row => read.duplicates += 1,
                Some(_) => read.refused.push((number, Refused::Conflicting)),
                None => {
                    *names.entry(log).or_default() += 1;
                    seen.insert((row.ticket.clone(), row.seq), read.rows.len());
                    read.rows.push(row);
                }
            },
        }
    }
    names.remove("");
    read.log = names.into_iter().rev().max_by_key(|(_, count)| *count).map(|(name, _)| name).unwrap_or_default();
    read.rows.sort_by(|a, b| (a.at, &a.ticket, a.seq).cmp(&(b.at, &b.ticket, b.seq)));
    read
}

fn row(line: &[u8]) -> Result<(String, Row), Refused> {
    if line.len() > MAX_LINE_BYTES {
        return Err(Refused::TooLong);
    }
    let raw: Raw<'_> = serde_json::from_slice(line)
        .map_err(|error| if error.is_data() { Refused::FieldWrong } else { Refused::NotJson })?;
    let required = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned).ok_or(Refused::FieldMissing);
    let text = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned).unwrap_or_default();
    let ticket = required(raw.ticket.filter(|name| !name.is_empty()))?;
    let seq = raw.seq.ok_or(Refused::FieldMissing)?;
    let at = required(raw.ts)?;
    let line = Activity {
        activity: required(raw.activity)?,
        kind: kind(&required(raw.kind)?).ok_or(Refused::KindUnknown)?,
        state: state(&required(raw.state)?).ok_or(Refused::StateUnknown)?,
        agent: text(raw.agent),
        group: text(raw.group),
        priority: text(raw.priority),
        product: text(raw.product),
        customer: text(raw.customer),
    };
    Ok((text(raw.log), Row { ticket, seq, at: instant(&at).ok_or(Refused::TimestampWrong)?, line }))
}

/// An instant the calendars know.
fn instant(text: &str) -> Option<Micros> {
    let at = text.parse::<Timestamp>().ok()?.as_microsecond();
    (calendar::HORIZON_START..calendar::HORIZON_END).contains(&at).then_some(at)
}

fn kind(name: &str) -> Option<ActivityKind> {
    use ActivityKind::{Accept, Assign, Close, Note, Queue, Reopen, Resolve, Resume, Wait, Work};
    [Queue, Assign, Accept, Work, Wait, Resume, Resolve, Close, Reopen, Note]
        .into_iter()
        .find(|kind| kind.name() == name)
}

fn state(name: &str) -> Option<Status> {
    use Status::{Closed, InProgress, Open, Resolved, Waiting};
    [Open, InProgress, Waiting, Resolved, Closed].into_iter().find(|state| state.name() == name)
}
