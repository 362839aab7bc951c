//! Our side: a process of notifier alone over a log in a file; tickets come in, each is told to one person by webhook.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use decider::Tenant;
use eventlog::clock::machine_now;
use eventlog::service::Ask;
use eventlog::{Clock, Keys, Log, Service, Sqlite};
use notifier::command::Command as Asked;
use notifier::person::{Settings, Way};
use notifier::sender::{Outside, Post, Sender, SenderConfig};
use notifier::{Notifier, outbox};
use serde_json::{Value, json};
use ticket::house::HouseEvent;
use ticket::notifier::Medium;
use ticket::{Event, Personal, stream};
use tokio::process::Command;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Inbox, each, resident};
use crate::append::docket;
use crate::figure::Measure;
use crate::replay::made;
use crate::server::own_cpu_us;

/// Tickets of one append.
const AT_ONCE: usize = 60;
const TENANT: &str = "bench";

/// What the process is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Part {
    /// Where its log lies.
    #[arg(long)]
    dir: PathBuf,
    /// Who takes its webhooks.
    #[arg(long)]
    hook: String,
    /// How many tickets come in.
    #[arg(long)]
    count: usize,
}

/// Runs the process, and holds what it says against what arrived.
pub(super) async fn measured(dir: &Path, count: usize, inbox: &Inbox) -> anyhow::Result<Measure> {
    let files = tempfile::tempdir_in(dir)?;
    let before = inbox.taken();
    let child = Command::new(std::env::current_exe()?)
        .args(["notify", "--hook", &inbox.address, "--count", &count.to_string(), "--dir"])
        .arg(files.path())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = child.wait_with_output().await?;
    anyhow::ensure!(output.status.success(), "the process of our own failed");
    inbox.until(before, count).await?;
    let said: [f64; 3] = serde_json::from_slice(&output.stdout).context("what it said")?;
    each(count, said[0], said[1], said[2])
}

/// The process itself: says processor time, memory and seconds.
pub(crate) async fn run(part: &Part) -> anyhow::Result<String> {
    let store = Arc::new(Sqlite::create_or_open(&part.dir.join("log.db")).await?);
    let log = Log::open(store, Keys::sqlite(&part.dir.join("keys.db")).await?);
    configured(&log).await?;
    let notifier = Service::<Notifier>::start(Arc::clone(&log), Clock::machine()).await?;
    notifier.catch_up().await?;
    introduced(&notifier, &part.hook).await?;
    for first in (0..part.count).step_by(AT_ONCE) {
        let received = (first..(first + AT_ONCE).min(part.count)).map(|_| {
            let id = Uuid::new_v4();
            (stream::ticket(id), Event::Intake(made::received(id, machine_now())))
        });
        docket::write(&log, received.collect(), machine_now()).await?;
    }
    let config = SenderConfig {
        timeout: Duration::from_secs(10),
        reach: "127.0.0.1".parse()?,
        channels: Value::Null,
        ..SenderConfig::default()
    };
    let post: Arc<dyn Post> = Arc::new(Outside::new(&config)?);
    let sender = Sender::new(Arc::clone(&notifier), post);
    let (cpu, memory, began) = (own_cpu_us()?, resident(std::process::id())?, Instant::now());
    loop {
        let due = notifier.step().await?;
        sender.step().await?;
        let (owed, open) = notifier.view(|state| (outbox::pending(state), outbox::in_flight(state).len()));
        if owed == 0 && open == 0 && due.is_none() {
            break;
        }
    }
    let figures = [own_cpu_us()? - cpu, resident(std::process::id())? - memory, began.elapsed().as_secs_f64()];
    Ok(serde_json::to_string(&figures)?)
}

async fn configured(log: &Log) -> anyhow::Result<()> {
    let text = json!({"en": {"subject": "Ticket {{ ticket }} is late", "body": "Queue {{ queue }}, priority {{ priority }}."}});
    let rule = json!({"on": ["Received"], "audience": {"queue": "desk"}, "text": "late"});
    let documents = [
        ("intake", "Queue", "desk", json!({"members": ["ann"]})),
        ("notifier", "MessageText", "late", text),
        ("notifier", "ReminderRule", "late", rule),
    ];
    let event = |(service, kind, name, spec): (&str, &str, &str, Value)| {
        let applied = HouseEvent::ConfigApplied { kind: kind.to_owned(), name: name.to_owned(), spec, reason: None };
        (stream::config(service, kind, name), Event::House(applied))
    };
    docket::write(log, documents.map(event).to_vec(), machine_now()).await
}

/// Ann is reached by a webhook.
async fn introduced(notifier: &Service<Notifier>, hook: &str) -> anyhow::Result<()> {
    let (tenant, subject) = (Tenant::new(TENANT), "ann".to_owned());
    let whose = notifier.log().pseudonym(&tenant, "recipient", &subject);
    let sealed = |text: String| Personal::new(whose, text);
    let way = Way {
        medium: Medium::Webhook,
        digest: Uuid::nil(),
        address: sealed(format!("http://{hook}/")),
        secret: Some(sealed("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into())),
        site: None,
    };
    let settings = Settings { language: "en".into(), zone: "UTC".into(), ways: vec![way], ..Settings::default() };
    let ask = Ask::by_itself("bench", tenant, Uuid::new_v4());
    let asked = notifier.ask(&ask, &Asked::SetRecipient { subject, settings }).await;
    asked.map(drop).map_err(|failure| anyhow::anyhow!("introducing Ann: {failure}"))
}
