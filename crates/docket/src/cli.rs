//! What may be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) mod field;

use field::{Engineer, Inbox, Visit, Why};

/// Docket carries work orders from the first call to the reviewed close and lets nothing fall through.
#[derive(Debug, Parser)]
#[command(name = "docket", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) at: At,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the cluster is, and as whom to talk to it.
#[derive(Args, Clone, Debug)]
pub(crate) struct At {
    /// The data directory: its log, its key, and the endpoint of the cluster that runs on it.
    #[arg(long, global = true, default_value = ".data")]
    pub(crate) data: PathBuf,
    /// The cluster's address, such as `http://127.0.0.1:7100`; found in the data directory if not given.
    #[arg(long, global = true)]
    pub(crate) endpoint: Option<String>,
    /// A file with a bearer token; without it one is signed with the data directory's development key.
    #[arg(long, global = true)]
    pub(crate) token_file: Option<PathBuf>,
    /// The tenant of a token signed here.
    #[arg(long, global = true, default_value = "demo")]
    pub(crate) tenant: String,
    /// The subject of a token signed here.
    #[arg(long, global = true, default_value = "operator")]
    pub(crate) subject: String,
    /// The roles of a token signed here.
    #[arg(long, global = true, value_delimiter = ',', default_value = "admin")]
    pub(crate) role: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the whole cluster in one process from a SQLite file.
    Up(Up),
    /// Play a seeded service day through the public API, then keep serving.
    Demo(Demo),
    /// Put configuration documents in force.
    Apply(Apply),
    /// Open and look at tickets.
    #[command(subcommand)]
    Ticket(Ticket),
    /// Say what led to what: from the first message through rule, offer and reminder to the delivery's receipt.
    Why(Why),
    /// Look at visits, give and take them.
    #[command(subcommand)]
    Visit(Visit),
    /// Look at engineers; say who is on duty.
    #[command(subcommand)]
    Engineer(Engineer),
    /// Look at the reminders of the subject named by --subject.
    Inbox(Inbox),
    /// Check every open ticket: who is accountable, what is next, who would wake. Exits 1 if there is a hole.
    Doctor,
    /// Say what runs and how far it has come.
    Status,
    /// Look into the log of the data directory.
    #[command(subcommand)]
    Log(Log),
    /// Take open tickets and history of another system under Docket's care.
    Import(Import),
    /// Replay a work-order log under the clocks of a policy.
    Replay(Replay),
    /// Receive mail and webhooks on this machine and write down what arrives: somebody else's server, for the demo.
    Sink(Sink),
    /// Print a token signed with the development key.
    Token(Token),
    /// Time rebuilding from a long log and starting from its snapshot.
    Bench(Bench),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Up {
    /// Where to listen; port 0 takes a free one. The endpoint is written to the data directory.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) addr: String,
    /// Where to serve /metrics, /livez and /readyz.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) admin_addr: String,
    /// The log's file; `log.db` in the data directory if not given.
    #[arg(long)]
    pub(crate) log: Option<PathBuf>,
    /// Answer queries only: no commands, no reactions, no deadlines. May run beside the owner of the log.
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Carry no effect out: nobody is mailed, no webhook is called. For a log that was copied or restored.
    #[arg(long)]
    pub(crate) hold_effects: bool,
    /// The mail server, `smtp://host:port` or `smtps://host:port`; without it nobody is mailed.
    #[arg(long, value_name = "URL")]
    pub(crate) smtp: Option<String>,
    /// The sender of mails.
    #[arg(long, value_name = "ADDR", default_value = "docket@localhost")]
    pub(crate) mail_from: String,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Demo {
    #[command(flatten)]
    pub(crate) up: Up,
    /// The day that is played; the same seed plays the same day.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// End after the table.
    #[arg(long)]
    pub(crate) exit: bool,
    /// Tickets opened in the day.
    #[arg(long, default_value_t = 300)]
    pub(crate) tickets: usize,
    /// How many business seconds pass in a second until the day is over.
    #[arg(long, default_value_t = 600)]
    pub(crate) scale: u32,
    /// Writes every acknowledged request to this file, flushed to the disk before the next.
    #[arg(long)]
    pub(crate) acks: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Apply {
    /// A file of documents; repeatable.
    #[arg(short = 'f', long = "file", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Check and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Show what changes.
    #[arg(long)]
    pub(crate) diff: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ticket {
    /// Open a ticket.
    Open(Open),
    /// Show a ticket with its clocks and its timeline.
    Show {
        /// `tenants/…/tickets/…`, or the id alone.
        name: String,
        /// As it was known then, RFC 3339.
        #[arg(long)]
        as_of: Option<String>,
    },
    /// List tickets, newest first.
    List {
        /// Such as `state = waiting AND priority >= high`.
        #[arg(long, default_value = "")]
        filter: String,
        /// How many at the most.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Print each ticket that changes from now on.
    Watch {
        /// As for list.
        #[arg(long, default_value = "")]
        filter: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Open {
    /// One line.
    #[arg(long)]
    pub(crate) title: String,
    /// The ticket type.
    #[arg(long = "type", default_value = "incident")]
    pub(crate) ticket_type: String,
    /// As much as there is to say.
    #[arg(long, default_value = "")]
    pub(crate) description: String,
    /// Your own reference of the customer.
    #[arg(long, default_value = "")]
    pub(crate) customer: String,
    /// A field of the template, name=value; repeatable.
    #[arg(long = "field")]
    pub(crate) fields: Vec<String>,
    /// person, service or department.
    #[arg(long, default_value = "person")]
    pub(crate) impact: String,
    /// low, medium, high or critical.
    #[arg(long, default_value = "medium")]
    pub(crate) urgency: String,
    /// A UUID; sent again, the same ticket is answered.
    #[arg(long, default_value = "")]
    pub(crate) request_id: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Log {
    /// Prove order, versions and the hash chain.
    Verify,
    /// Print the last events.
    Tail {
        /// How many.
        #[arg(short = 'n', long, default_value_t = 20)]
        lines: i64,
    },
    /// Count events by kind.
    Stat,
}

#[derive(Args, Debug)]
pub(crate) struct Import {
    /// Rows as CSV or JSON lines.
    pub(crate) file: PathBuf,
    /// How the file's columns and values map to Docket's.
    #[arg(long)]
    pub(crate) map: PathBuf,
    /// Check and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Replay {
    /// A work-order log: JSON lines, gzip or plain.
    pub(crate) file: PathBuf,
    /// The SLA policy: a file, or the name of one in the pack.
    #[arg(long)]
    pub(crate) policy: Option<String>,
    /// A calendar: a file, or the name of one in the pack. Repeatable; later ones add figures with `_NAME`.
    #[arg(long = "calendar")]
    pub(crate) calendars: Vec<String>,
    /// Activities that count as a reaction; `*` crosses `/`, a leading `!` excludes. Repeatable.
    #[arg(long = "reaction")]
    pub(crate) reactions: Vec<String>,
    /// An agent that is a program. Repeatable.
    #[arg(long = "robot")]
    pub(crate) robots: Vec<String>,
    /// Where to write the figures.
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
    /// Where to write the figures of each ticket.
    #[arg(long)]
    pub(crate) tickets: Option<PathBuf>,
    /// Where to write the instants at which thresholds fired.
    #[arg(long)]
    pub(crate) due: Option<PathBuf>,
    /// Where to keep the events, as a SQLite log.
    #[arg(long)]
    pub(crate) log: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Sink {
    /// Where arrivals, addresses and the webhooks' secret are written; everything is refused while it holds `outage`.
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// End when standard input does: with the process that holds its other end.
    #[arg(long)]
    pub(crate) with_parent: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Token {
    /// How long it is valid.
    #[arg(long, default_value_t = 12)]
    pub(crate) hours: u64,
}

#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// Events in the shorter log; the longer has ten times as many.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) events: u64,
    /// Leave the longer log out.
    #[arg(long)]
    pub(crate) short: bool,
}
