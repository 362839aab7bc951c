//! A private nats-server with JetStream in files.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::sleep;

/// How long it may take to start, in tenths of a second.
const TRIES: u32 = 100;

/// It ends with this value, and with this process however that ends.
#[derive(Debug)]
pub(crate) struct Nats {
    /// Its host and port.
    pub(crate) address: String,
    server: Child,
    _files: TempDir,
}

impl Nats {
    /// Starts the program with its files under `dir`.
    pub(crate) async fn start(program: &Path, dir: &Path) -> anyhow::Result<Self> {
        let files = tempfile::tempdir_in(dir)?;
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let server = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(program)
            .args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--jetstream", "--store_dir"])
            .arg(files.path())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("starting nats-server")?;
        let address = format!("127.0.0.1:{port}");
        for _ in 0..TRIES {
            if TcpStream::connect(&address).await.is_ok() {
                return Ok(Self { address, server, _files: files });
            }
            sleep(Duration::from_millis(100)).await;
        }
        anyhow::bail!("nats-server did not start")
    }

    /// Where clients connect.
    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Processor time it has used, microseconds.
    pub(crate) fn cpu_us(&self) -> anyhow::Result<f64> {
        crate::server::cpu_us_of(self.server.id().context("nats-server ended")?)
    }
}

/// The program's version.
pub(crate) async fn version(program: &Path) -> anyhow::Result<String> {
    let said = Command::new(program).arg("--version").output().await?;
    let said = String::from_utf8_lossy(&said.stdout);
    Ok(said.trim().trim_start_matches("nats-server: ").to_owned())
}
