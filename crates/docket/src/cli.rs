//! What may be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) mod field;
mod hours;
mod log;
pub(crate) mod reminders;
pub(crate) mod whatif;

use crate::cluster::Part;
use field::{Engineer, Inbox, Visit, Why};
pub(crate) use hours::CalendarCommand;
pub(crate) use log::{Events, Log};
use notifier::sender::Reach;
use reminders::Reminders;
use whatif::{Autopsy, Shadow, WhatIf};

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
    /// The data directory: its log, its key, and the endpoints of the cluster that runs on it.
    #[arg(long, global = true, default_value = ".data")]
    pub(crate) data: PathBuf,
    /// A file whose one line is the address of a PostgreSQL database with the log and its keys, instead of the data
    /// directory's files.
    #[arg(long, global = true, env = "DOCKET_POSTGRES", value_name = "FILE")]
    pub(crate) postgres: Option<PathBuf>,
    /// Where the services listen: `http://host:port` for all of them, or `service=http://host:port` for each, apart by
    /// commas; found in the data directory if not given.
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
    /// Serve one part of the cluster as a process of its own, over PostgreSQL.
    Run(Run),
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
    /// Say what effect reminders had, and what other rules would have come to.
    #[command(subcommand)]
    Reminders(Reminders),
    /// Tell notifier of a mail that came back: the next medium follows.
    Bounce {
        /// The delivery status notification (RFC 3464) as the mail system wrote it; `-` for standard input.
        file: PathBuf,
    },
    /// Check every open ticket: who is accountable, what is next, who would wake. Exits 1 if there is a hole.
    Doctor(Doctor),
    /// Say what runs and how far it has come.
    Status,
    /// Make, copy, prove and look into the log of the data directory or of --postgres.
    #[command(subcommand)]
    Log(Log),
    /// Print what outsiders read and how they are let in.
    #[command(subcommand)]
    Events(Events),
    /// Take open tickets and history of another system under Docket's care.
    Import(Import),
    /// Make a calendar of what is written elsewhere.
    #[command(subcommand)]
    Calendar(CalendarCommand),
    /// Replay a work-order log under the clocks of a policy.
    Replay(Replay),
    /// Say why tickets of a work-order log missed their promise, and whom Docket would have woken when.
    Autopsy(Autopsy),
    /// Lay another policy under a past period: what every clock would have raised, ticket by ticket.
    #[command(name = "whatif")]
    WhatIf(WhatIf),
    /// Show what a policy that runs beside the one in force would have come to so far.
    Shadow(Shadow),
    /// Receive mail and webhooks on this machine and write down what arrives: somebody else's server, for the demo.
    Sink(Sink),
    /// Print a token signed with the development key.
    Token(Token),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Up {
    /// The log's file; `log.db` in the data directory if not given.
    #[arg(long)]
    pub(crate) log: Option<PathBuf>,
    /// Answer queries only: no commands, no reactions, no deadlines. May run beside the owner of the log.
    #[arg(long)]
    pub(crate) read_only: bool,
    #[command(flatten)]
    pub(crate) serving: Serving,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Run {
    /// Which part of the cluster.
    pub(crate) part: Part,
    /// The relay's: the file that names who reads from outside, such as `deploy/events/outsiders.yaml`.
    #[arg(long, env = "DOCKET_OUTSIDERS", value_name = "FILE")]
    pub(crate) outsiders: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) broker: Broker,
    #[command(flatten)]
    pub(crate) serving: Serving,
}

/// The broker that carries the log's events; without one the log itself is followed.
#[derive(Args, Clone, Debug)]
pub(crate) struct Broker {
    /// `nats://host:port` or `tls://host:port`; several, apart by commas, for a cluster.
    #[arg(long, env = "DOCKET_NATS", value_name = "URL")]
    pub(crate) nats: Option<String>,
    /// Who this process is to the broker.
    #[arg(long, env = "DOCKET_NATS_USER", value_name = "NAME", requires = "nats_password_file")]
    pub(crate) nats_user: Option<String>,
    /// A file whose one line is that user's password.
    #[arg(long, env = "DOCKET_NATS_PASSWORD_FILE", value_name = "FILE", requires = "nats_user")]
    pub(crate) nats_password_file: Option<PathBuf>,
    /// A file of certificates trusted beside the machine's own; the broker must speak TLS then.
    #[arg(long, env = "DOCKET_NATS_CA", value_name = "FILE")]
    pub(crate) nats_ca: Option<PathBuf>,
}

/// How a process serves.
#[derive(Args, Clone, Debug)]
pub(crate) struct Serving {
    /// Where to listen; port 0 takes a free one, printed at the start.
    #[arg(long, env = "DOCKET_ADDR", default_value = "127.0.0.1:0")]
    pub(crate) addr: String,
    /// Where to serve /metrics, /livez and /readyz.
    #[arg(long, env = "DOCKET_ADMIN_ADDR", default_value = "127.0.0.1:0")]
    pub(crate) admin_addr: String,
    /// The file of the key that signs and checks tokens, made if absent; `dev.key` in the data directory if not given.
    /// A token of one key is valid at every service that has it.
    #[arg(long, env = "DOCKET_KEY", value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Carry no effect out: nobody is mailed, no webhook is called.
    #[arg(long, env = "DOCKET_HOLD_EFFECTS")]
    pub(crate) hold_effects: bool,
    /// The mail server, `smtp://host:port` or `smtps://host:port`; without it nobody is mailed.
    #[arg(long, env = "DOCKET_SMTP", value_name = "URL")]
    pub(crate) smtp: Option<String>,
    /// A file of certificates trusted for the mail server beside the machine's own.
    #[arg(long, env = "DOCKET_SMTP_CA", value_name = "FILE")]
    pub(crate) smtp_ca: Option<PathBuf>,
    /// The sender of mails.
    #[arg(long, env = "DOCKET_MAIL_FROM", value_name = "ADDR", default_value = "docket@localhost")]
    pub(crate) mail_from: String,
    /// Where webhooks may lead beside the public network: hosts, addresses, and networks such as `10.1.0.0/16`, with
    /// commas between.
    #[arg(long, env = "DOCKET_WEBHOOK_ALLOW", value_name = "HOSTS", default_value = "")]
    pub(crate) webhook_allow: Reach,
    /// A file that says what channels need: accounts of providers, keys. It holds secrets.
    #[arg(long, env = "DOCKET_CHANNELS", value_name = "FILE")]
    pub(crate) channels: Option<PathBuf>,
    /// What links in letters begin with, `https://docket.example.org`: the way to --links-addr from outside. Without it
    /// letters carry no links.
    #[arg(long, env = "DOCKET_LINKS_URL", value_name = "URL")]
    pub(crate) links_url: Option<String>,
    /// Where links are answered; port 0 takes a free one, printed at the start.
    #[arg(long, env = "DOCKET_LINKS_ADDR", value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) links_addr: String,
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
    /// Where it is played, if not in this process.
    #[arg(long)]
    pub(crate) on: Option<On>,
    /// Writes every acknowledged request to this file, flushed to the disk before the next.
    #[arg(long)]
    pub(crate) acks: Option<PathBuf>,
}

/// Where a day is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum On {
    /// Nowhere yet: the log of --postgres is told when its time begins, for the processes that are started next.
    Anchored,
    /// On the processes that the data directory names, over the log of --postgres.
    Cluster,
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
    /// Put them in force though a hole opens: for some failure of one person, channel or provider nobody would be woken for
    /// a ticket that is open now.
    #[arg(long, requires = "reason")]
    pub(crate) force: bool,
    /// Why; kept with every document of it.
    #[arg(long, requires = "force", value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Doctor {
    /// Prove instead that somebody would still be woken for every open ticket within 72 hours, were any single person,
    /// channel or provider to fail.
    #[arg(long = "n-1")]
    pub(crate) n_minus_1: bool,
    /// Say what the proof found as JSON.
    #[arg(long, requires = "n_minus_1")]
    pub(crate) json: bool,
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
