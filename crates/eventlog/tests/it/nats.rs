//! A private nats-server for one test: its own port and directory, gone with the test; and a line to it that can be cut.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

/// A nats-server with JetStream, killed when dropped.
pub(crate) struct Nats {
    program: PathBuf,
    dir: TempDir,
    port: u16,
    accounts: String,
    running: Option<Child>,
}

impl Nats {
    /// Starts the program named by `DOCKET_TEST_NATS_SERVER`, open to everybody; none if it names none.
    pub(crate) async fn start() -> Option<Self> {
        Self::start_with("").await
    }

    /// Likewise, with these accounts.
    #[expect(clippy::disallowed_methods, reason = "the test's only configuration")]
    pub(crate) async fn start_with(accounts: &str) -> Option<Self> {
        let Ok(program) = std::env::var("DOCKET_TEST_NATS_SERVER") else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "DOCKET_TEST_NATS_SERVER is not set");
            eprintln!("SKIPPED: DOCKET_TEST_NATS_SERVER names no nats-server");
            return None;
        };
        let mut nats = Self {
            program: program.into(),
            dir: tempfile::tempdir().unwrap(),
            port: 0,
            accounts: accounts.to_owned(),
            running: None,
        };
        nats.go().await;
        Some(nats)
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Where the server keeps its streams.
    pub(crate) fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    /// Starts it, after [`Nats::kill`] again on the same port.
    pub(crate) async fn go(&mut self) {
        let at = self.dir.path();
        let port = if self.port == 0 { -1 } else { i32::from(self.port) };
        let config = format!(
            "listen: \"127.0.0.1:{port}\"\nports_file_dir: \"{0}\"\n\
             jetstream {{ store_dir: \"{0}/store\", max_mem: 64MB, max_file: 4GB }}\n{1}",
            at.display(),
            self.accounts
        );
        std::fs::write(at.join("nats.conf"), config).unwrap();
        let log = std::fs::File::options().create(true).append(true).open(at.join("log")).unwrap();
        // Whatever ends the test, kill -9 too, ends the server.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(&self.program)
            .arg("-c")
            .arg(at.join("nats.conf"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let ports = at.join(format!("nats-server_{}.ports", child.id()));
        self.running = Some(child);
        for _ in 0..300 {
            if let Some(port) = read_port(&ports)
                && TcpStream::connect(("127.0.0.1", port)).await.is_ok()
            {
                self.port = port;
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("no nats-server: {}", std::fs::read_to_string(at.join("log")).unwrap());
    }

    /// Kills it with SIGKILL; its directory stays.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// A connection for looking at the streams from outside.
    pub(crate) async fn client(&self) -> async_nats::jetstream::Context {
        async_nats::jetstream::new(async_nats::connect(self.url()).await.unwrap())
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The port in the file the server writes once it listens.
fn read_port(file: &Path) -> Option<u16> {
    let ports: serde_json::Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    ports["nats"][0].as_str()?.rsplit_once(':')?.1.parse().ok()
}

/// A line to a server whose two directions can be held: bytes wait, none is lost, nobody is told.
pub(crate) struct Line {
    port: u16,
    up: watch::Sender<bool>,
    down: watch::Sender<bool>,
    _carrier: AbortOnDropHandle<()>,
}

impl Line {
    pub(crate) async fn to(nats: &Nats) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (up, down) = (watch::Sender::new(true), watch::Sender::new(true));
        let (server, flows) = (SocketAddr::from(([127, 0, 0, 1], nats.port)), (up.subscribe(), down.subscribe()));
        let carrier = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                // A server that is down refuses; the client then sees its connection closed.
                if let Ok(server) = TcpStream::connect(server).await {
                    let ((from_client, to_client), (from_server, to_server)) =
                        (client.into_split(), server.into_split());
                    tokio::spawn(carry(from_client, to_server, flows.0.clone()));
                    tokio::spawn(carry(from_server, to_client, flows.1.clone()));
                }
            }
        });
        Self { port, up, down, _carrier: AbortOnDropHandle::new(carrier) }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Lets bytes to the server flow, or not.
    pub(crate) fn up(&self, flows: bool) {
        self.up.send_replace(flows);
    }

    /// Lets bytes from the server flow, or not.
    pub(crate) fn down(&self, flows: bool) {
        self.down.send_replace(flows);
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut flows: watch::Receiver<bool>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if flows.wait_for(|flows| *flows).await.is_err() || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
