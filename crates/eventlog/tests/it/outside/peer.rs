//! Subscribers of other languages, each a process with nothing but its own credentials.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::{LONGEST, PASSWORD};

/// A subscriber at work; it ends with the test.
pub(super) struct Peer {
    child: Child,
    told: Arc<Mutex<Vec<Value>>>,
}

impl Peer {
    /// In Python; none, and said so, where it was not set up.
    pub(super) fn python(url: &str, name: &str) -> Option<Self> {
        let python = root().join(".venv/bin/python");
        set_up(&python).then(|| Self::start(Command::new(python).arg(script("subscriber.py")), url, name))
    }

    /// In JavaScript, likewise.
    pub(super) fn javascript(url: &str, name: &str) -> Option<Self> {
        let modules = root().join("tests/peers/events/node_modules");
        set_up(&modules).then(|| Self::start(Command::new("node").arg(script("subscriber.mjs")), url, name))
    }

    fn start(command: &mut Command, url: &str, name: &str) -> Self {
        let mut child = command.args([url, name]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // Its input stays open: it ends when the test does.
        writeln!(child.stdin.as_mut().unwrap(), "{PASSWORD}").unwrap();
        let told = Arc::<Mutex<Vec<Value>>>::default();
        let (lines, heard) = (BufReader::new(child.stdout.take().unwrap()).lines(), Arc::clone(&told));
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                heard.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, told }
    }

    /// What it was told so far, in order.
    pub(super) fn told(&self) -> Vec<Value> {
        self.told.lock().unwrap().clone()
    }

    /// Waits until it was told of this position; what it was told then.
    pub(super) async fn until(&self, position: i64) -> Vec<Value> {
        let reached = async {
            while self.told.lock().unwrap().last().is_none_or(|last| last["sequence"].as_i64() < Some(position)) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        assert!(timeout(LONGEST, reached).await.is_ok(), "never told of {position}: {:?}", self.told().last());
        self.told()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn script(name: &str) -> PathBuf {
    root().join("tests/peers/events").join(name)
}

#[expect(clippy::disallowed_methods, reason = "the test's only configuration")]
fn set_up(needed: &Path) -> bool {
    let there = needed.exists();
    assert!(there || std::env::var("CI").as_deref() != Ok("true"), "{} is missing: run `make setup`", needed.display());
    if !there {
        eprintln!("SKIPPED: {} is missing; `make setup` makes it", needed.display());
    }
    there
}
