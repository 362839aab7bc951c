//! Notifications beside Debian's prometheus-alertmanager: each alert, each ticket, is one webhook to the same receiver. What
//! each costs the notifying process in processor time, and what each holds of its memory once it is told and still open.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::figure::{Book, Case, Figure, Measure, OURS};
use crate::server::cpu_us_of;
use crate::target::Target;

pub(crate) mod own;

const PROGRAM: &str = "prometheus-alertmanager";
const TOLD: &str = "notification by webhook";
/// Alerts handed over at once.
const AT_ONCE: usize = 500;
/// Longest wait for all of them.
const PATIENCE: Duration = Duration::from_mins(5);

/// One round of both.
pub(crate) async fn round(dir: &Path, count: usize, book: &mut Book) -> anyhow::Result<()> {
    let inbox = Inbox::open().await?;
    book.note(Case::new(TOLD, OURS), own::measured(dir, count, &inbox).await?);
    #[expect(clippy::disallowed_methods, reason = "where programs lie is no configuration of ours")]
    let path = std::env::var("PATH").unwrap_or_default();
    let installed = std::env::split_paths(&path).map(|dir| dir.join(PROGRAM)).find(|program| program.exists());
    let Some(program) = installed else {
        book.remark(format!("{PROGRAM} is not installed: nothing stands beside our notifications"));
        return Ok(());
    };
    book.note(Case::new(TOLD, "alertmanager"), theirs(&program, count, &inbox).await?);
    Ok(())
}

/// What is to be reached.
pub(crate) fn targets() -> Vec<Target> {
    let ours = |figure| (Case::new(TOLD, OURS), figure);
    let theirs = |figure| (Case::new(TOLD, "alertmanager"), figure);
    vec![
        Target::at_most(1.0 / 5.0, ours(Figure::ServerUs), theirs(Figure::ServerUs)),
        Target::at_most(1.0 / 8.0, ours(Figure::Bytes), theirs(Figure::Bytes)),
    ]
}

/// A receiver of webhooks that counts, in a process that is not measured.
pub(crate) struct Inbox {
    pub(crate) address: String,
    taken: Arc<AtomicUsize>,
}

impl Inbox {
    async fn open() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let count = Arc::clone(&count);
                tokio::spawn(async move { drop(serve(connection, &count).await) });
            }
        });
        Ok(Self { address, taken })
    }

    /// Waits until so many more have come than at `before`.
    pub(crate) async fn until(&self, before: usize, many: usize) -> anyhow::Result<()> {
        let began = Instant::now();
        while self.taken() < before + many {
            anyhow::ensure!(began.elapsed() < PATIENCE, "{} of {many} came", self.taken() - before);
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

/// Answers 200 to every request of a connection.
async fn serve(mut connection: TcpStream, taken: &AtomicUsize) -> std::io::Result<()> {
    let (read, mut write) = connection.split();
    let mut read = BufReader::new(read);
    loop {
        let length = headers(&mut read).await?;
        let Some(length) = length else { return Ok(()) };
        let mut body = vec![0; length];
        read.read_exact(&mut body).await?;
        taken.fetch_add(1, Ordering::Relaxed);
        write.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
    }
}

/// Reads the head of a message; how long its body is, nothing at the end of the connection.
async fn headers(read: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<Option<usize>> {
    let (mut length, mut line) = (0, String::new());
    loop {
        line.clear();
        if read.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        if line.trim().is_empty() {
            return Ok(Some(length));
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
}

/// Bytes of a process that are in memory.
pub(crate) fn resident(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1_024.0)
}

/// What each of so many took, by two looks at a process.
pub(crate) fn each(count: usize, cpu_us: f64, bytes: f64, secs: f64) -> anyhow::Result<Measure> {
    let count = f64::from(u32::try_from(count)?);
    Ok(Measure::from([
        (Figure::ServerUs, cpu_us / count),
        (Figure::Bytes, bytes / count),
        (Figure::PerSec, count / secs),
    ]))
}

/// A running Alertmanager; it ends with this value.
struct Alertmanager {
    child: Child,
    address: String,
    _files: TempDir,
}

impl Alertmanager {
    async fn start(program: &Path, hook: &str) -> anyhow::Result<Self> {
        let files = tempfile::tempdir()?;
        let address = format!("127.0.0.1:{}", TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port());
        let config: PathBuf = files.path().join("config.yml");
        let text = format!(
            "route: {{receiver: hook, group_by: ['...'], group_wait: 1s, group_interval: 5m, repeat_interval: 4h}}\n\
             receivers: [{{name: hook, webhook_configs: [{{url: 'http://{hook}/', send_resolved: false}}]}}]\n"
        );
        std::fs::write(&config, text)?;
        let child = Command::new(program)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", files.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=")
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("starting Alertmanager")?;
        for _ in 0..100 {
            if TcpStream::connect(&address).await.is_ok() {
                return Ok(Self { child, address, _files: files });
            }
            sleep(Duration::from_millis(100)).await;
        }
        anyhow::bail!("Alertmanager did not start")
    }

    async fn raise(&self, alerts: &serde_json::Value) -> anyhow::Result<()> {
        let mut connection = TcpStream::connect(&self.address).await?;
        let body = alerts.to_string();
        let head = format!(
            "POST /api/v2/alerts HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        connection.write_all(format!("{head}{body}").as_bytes()).await?;
        let mut answer = String::new();
        BufReader::new(connection).read_line(&mut answer).await?;
        anyhow::ensure!(answer.contains(" 200 "), "it answers {answer}");
        Ok(())
    }
}

/// Each alert a group of its own: as many notifications as alerts.
async fn theirs(program: &Path, count: usize, inbox: &Inbox) -> anyhow::Result<Measure> {
    let peer = Alertmanager::start(program, &inbox.address).await?;
    let pid = peer.child.id().context("it has ended")?;
    sleep(Duration::from_secs(1)).await;
    let (cpu, memory, taken, began) = (cpu_us_of(pid)?, resident(pid)?, inbox.taken(), Instant::now());
    for first in (0..count).step_by(AT_ONCE) {
        let alert = |n: usize| {
            let labels =
                json!({"alertname": "breach", "ticket": format!("{n:08}"), "queue": "desk", "priority": "high"});
            let text = format!("Ticket {n:08} is late: queue desk, priority high.");
            json!({"labels": labels, "annotations": {"summary": text}})
        };
        peer.raise(&(first..(first + AT_ONCE).min(count)).map(alert).collect()).await?;
    }
    inbox.until(taken, count).await?;
    let secs = began.elapsed().as_secs_f64();
    // What its threads do after the last.
    sleep(Duration::from_secs(1)).await;
    each(count, cpu_us_of(pid)? - cpu, resident(pid)? - memory, secs)
}
