//! The other sides of channels: servers in Python and JavaScript, which end with the test.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use decider::Tenant;
use notifier::sender::Letter;
use serde_json::Value;
use ticket::notifier::Medium;
use tokio::sync::mpsc;
use uuid::Uuid;

/// How long a peer's next line is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Peer {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    pub(crate) port: u16,
}

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/notifier").canonicalize().unwrap()
}

/// Whether what a peer needs is there; else it is said that the test is skipped.
fn there(path: &Path) -> bool {
    if path.exists() {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing: run `make setup`", path.display());
    eprintln!("SKIPPED: {} is missing; `make setup` makes it", path.display());
    false
}

impl Peer {
    pub(crate) async fn python(script: &str, arguments: &[&str]) -> Option<Self> {
        let python = peers().join("../../../.venv/bin/python");
        if !there(&python) {
            return None;
        }
        Some(Self::start(Command::new(python).arg(peers().join(script)).args(arguments)).await)
    }

    pub(crate) async fn node(script: &str) -> Option<Self> {
        if !there(&peers().join("node_modules")) {
            return None;
        }
        Some(Self::start(Command::new("node").arg(peers().join(script))).await)
    }

    async fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let mut peer = Self { child, lines, port: 0 };
        peer.port = peer.line().await.parse().unwrap();
        peer
    }

    /// The next line it prints.
    pub(crate) async fn line(&mut self) -> String {
        tokio::time::timeout(PATIENCE, self.lines.recv()).await.unwrap().unwrap()
    }

    pub(crate) async fn json(&mut self) -> Value {
        serde_json::from_str(&self.line().await).unwrap()
    }

    /// An address of it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A letter to this address.
pub(crate) fn letter(medium: Medium, address: &str) -> Letter {
    Letter {
        tenant: Tenant::new("acme"),
        ticket: Uuid::from_u128(1),
        reminder: Uuid::from_u128(2),
        medium,
        message_id: format!("{}.test", Uuid::from_u128(2)),
        address: address.to_owned(),
        secret: None,
        kind: "Received".into(),
        language: "en".into(),
        subject: "Late: <pump> & valve".into(),
        body: "The pump of hall 3 is late.".into(),
        urgent: true,
        at: 1_709_542_800_000_000,
        links: Vec::new(),
        items: Vec::new(),
        more: 0,
        status_url: None,
        answer_url: None,
    }
}
