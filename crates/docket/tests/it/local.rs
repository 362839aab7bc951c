//! A cluster of processes of a test's own, as `make up` starts it: PostgreSQL, nats-server, relay and services.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::running::{PATIENCE, docket, root, said};

/// Everything but the servers, as `docket run` names it.
pub(crate) const PARTS: [&str; 6] = ["relay", "intake", "dispatch", "sla-monitor", "notifier", "analytics"];

/// What stops the cluster once its standard input ends: with the test, however that ends.
const GUARD: &str = "cat >/dev/null; exec deploy/local/cluster.sh down";

/// Processes under a data directory that goes away with the test.
pub(crate) struct Local {
    data: TempDir,
    nats: PathBuf,
    guard: Child,
}

impl Local {
    /// Starts so many of each service; none (and said so) where a server is missing.
    pub(crate) fn up(replicas: u32) -> Option<Self> {
        let cluster = Self::prepare()?;
        cluster.script(&["up"], &[("REPLICAS", &replicas.to_string())]);
        Some(cluster)
    }

    /// One of which nothing runs yet.
    pub(crate) fn prepare() -> Option<Self> {
        let nats = std::env::var_os("DOCKET_TEST_NATS_SERVER").map(PathBuf::from);
        let mut postgres = Command::new("bash");
        postgres.args(["-c", "source tests/setup/server.sh && find_postgres"]).current_dir(root());
        let postgres = postgres.stdout(Stdio::null()).status().unwrap().success();
        let (Some(nats), true) = (nats, postgres) else {
            assert!(std::env::var_os("CI").is_none(), "PostgreSQL or DOCKET_TEST_NATS_SERVER is missing");
            eprintln!("SKIPPED: PostgreSQL or DOCKET_TEST_NATS_SERVER is missing; see tests/setup/test.sh");
            return None;
        };
        let data = tempfile::Builder::new().prefix("docket-local").tempdir_in("/var/tmp").unwrap();
        // The database's user must be let in.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(data.path(), open).unwrap();
        let guard =
            script(data.path(), &nats, "setsid").args(["bash", "-c", GUARD]).stdin(Stdio::piped()).spawn().unwrap();
        Some(Self { data, nats, guard })
    }

    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// A program with what `cluster.sh` needs in its environment.
    pub(crate) fn command(&self, program: &str) -> Command {
        script(self.data(), &self.nats, program)
    }

    /// Runs `cluster.sh`, which must succeed; what it said.
    pub(crate) fn script(&self, arguments: &[&str], environment: &[(&str, &str)]) -> String {
        let mut command = script(self.data(), &self.nats, "deploy/local/cluster.sh");
        succeeded(command.args(arguments).envs(environment.iter().copied()))
    }

    /// Runs lines of a shell as somebody at the top of the source tree would type them.
    pub(crate) fn shell(&self, lines: &str, environment: &[(&str, &Path)]) -> String {
        let mut command = script(self.data(), &self.nats, "bash");
        succeeded(command.args(["-euo", "pipefail", "-c", lines]).envs(environment.iter().copied()))
    }

    /// Runs the client until it succeeds and says this.
    pub(crate) fn run_until(&self, arguments: &[&str], expected: &str) -> String {
        let mut last = String::new();
        for _ in 0..PATIENCE {
            let output = docket(self.data()).args(arguments).output().unwrap();
            last = said(&output);
            if output.status.success() && last.contains(expected) {
                return last;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{arguments:?} never said {expected:?}: {last}");
    }

    /// Runs the client, which must succeed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        succeeded(docket(self.data()).args(arguments))
    }

    /// Kills a process at once, as the machine's end would.
    pub(crate) fn kill(&self, name: &str) {
        self.signal("-KILL", name);
    }

    /// Sends a process a signal.
    pub(crate) fn signal(&self, signal: &str, name: &str) {
        assert!(Command::new("kill").args([signal, &self.pid(name)]).status().unwrap().success());
    }

    /// The id of a process, whether it still runs or not.
    pub(crate) fn pid(&self, name: &str) -> String {
        self.said(name, "pid").split_whitespace().next().unwrap().to_owned()
    }

    /// The value of a metric of a process; labels are part of its name.
    pub(crate) fn metric(&self, name: &str, metric: &str) -> Option<i64> {
        let said = self.said(name, "out");
        let admin = said.lines().find_map(|line| line.strip_prefix("admin http://"))?;
        let text = String::from_utf8(get(admin, "/metrics")?).ok()?;
        text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' ')?.parse().ok())
    }

    /// Waits until a metric has a value.
    pub(crate) fn wait_for(&self, name: &str, metric: &str, value: i64) {
        let mut last = None;
        for _ in 0..PATIENCE {
            last = self.metric(name, metric);
            if last == Some(value) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{metric} of {name} is {last:?}, never {value}");
    }

    fn said(&self, name: &str, what: &str) -> String {
        std::fs::read_to_string(self.data().join(format!("run/{name}.{what}"))).unwrap()
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        drop(self.guard.wait());
    }
}

fn script(data: &Path, nats: &Path, program: &str) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_docket"));
    let path = std::env::join_paths([binary.parent().unwrap(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let mut command = Command::new(program);
    command.current_dir(root()).env("DATA", data).env("NATS_SERVER", nats).env("DOCKET", binary).env("PATH", path);
    command
}

fn succeeded(command: &mut Command) -> String {
    let output: Output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The body of an answer over plain HTTP.
pub(crate) fn get(address: &str, path: &str) -> Option<Vec<u8>> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some(answer.split_off(end + 4))
}
