//! A cluster of a test's own: the binary on a data directory that goes away with the test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// How often a start is waited for, a tenth of a second each.
pub(crate) const PATIENCE: u32 = 300;

/// The binary under test.
pub(crate) fn docket(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docket"));
    command.arg("--data").arg(data);
    command
}

/// The top of the source tree.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A Python with the peers' packages; none (and said so) where it was not set up.
pub(crate) fn python() -> Option<PathBuf> {
    let python = root().join(".venv/bin/python");
    if python.exists() {
        return Some(python);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing: run `make setup`", python.display());
    eprintln!("SKIPPED: {} is missing; `make setup` makes it", python.display());
    None
}

/// A running `docket up` with a sample pack in force.
pub(crate) struct Cluster {
    child: Child,
    data: TempDir,
    flags: Vec<String>,
}

impl Cluster {
    /// A help desk.
    pub(crate) fn up() -> Self {
        Self::with("helpdesk", &[])
    }

    /// One with this pack, started with these flags.
    pub(crate) fn with(pack: &str, flags: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let flags: Vec<_> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let child = Self::start(data.path(), &flags);
        let cluster = Self { child, data, flags };
        let file = root().join(format!("deploy/pack/{pack}.yaml"));
        let applied = cluster.docket().arg("apply").arg("-f").arg(file).output().unwrap();
        assert!(applied.status.success(), "{}", said(&applied));
        cluster
    }

    /// One on a log that is there.
    pub(crate) fn on(data: TempDir) -> Self {
        let child = Self::start(data.path(), &[]);
        Self { child, data, flags: Vec::new() }
    }

    /// Stops it politely and starts it again on the same data.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.child = Self::start(self.data.path(), &self.flags);
    }

    /// The same with other flags.
    pub(crate) fn restart_with(&mut self, flags: &[&str]) {
        self.flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        self.restart();
    }

    /// Kills it at once and starts it again on the same data.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = Self::start(self.data.path(), &self.flags);
    }

    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    pub(crate) fn docket(&self) -> Command {
        docket(self.data.path())
    }

    pub(crate) fn endpoint(&self) -> String {
        let endpoints = std::fs::read_to_string(self.data.path().join("endpoints")).unwrap();
        endpoints.lines().find_map(|line| line.strip_prefix("intake=")).unwrap().to_owned()
    }

    /// A token for a tenant and a role, whose name is the subject too.
    pub(crate) fn token(&self, tenant: &str, role: &str) -> String {
        self.token_of(tenant, role, role)
    }

    /// A token for somebody.
    pub(crate) fn token_of(&self, tenant: &str, subject: &str, role: &str) -> String {
        let output =
            self.docket().args(["--tenant", tenant, "--subject", subject, "--role", role, "token"]).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Calls a method of intake through grpcurl, with a JSON request that must be answered.
    pub(crate) fn call(&self, token: &str, method: &str, request: &serde_json::Value) -> String {
        self.call_of("intake.v1.IntakeService", token, method, request)
    }

    /// Calls a method of a service, such as `intake.v1.IntakeService`, likewise.
    pub(crate) fn call_of(&self, service: &str, token: &str, method: &str, request: &serde_json::Value) -> String {
        let grpcurl = root().join(".venv/bin/grpcurl");
        let output = Command::new(grpcurl)
            .args(["-plaintext", "-H", &format!("authorization: Bearer {token}"), "-d", &request.to_string()])
            .args([&self.endpoint().replace("http://", ""), &format!("docket.{service}/{method}")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{method}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command again and again until it succeeds and says this: what other services record follows in a moment.
    pub(crate) fn run_until(&self, arguments: &[&str], expected: &str) -> String {
        self.until(arguments, 0, expected)
    }

    /// Runs a command again and again until it exits with 1, for what it found, and says this.
    pub(crate) fn fails_until(&self, arguments: &[&str], expected: &str) -> String {
        self.until(arguments, 1, expected)
    }

    fn until(&self, arguments: &[&str], code: i32, expected: &str) -> String {
        for _ in 0..PATIENCE {
            let output = self.docket().args(arguments).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            if output.status.code() == Some(code) && text.contains(expected) {
                return text;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{arguments:?} never said {expected:?}: {}", said(&self.docket().args(arguments).output().unwrap()));
    }

    /// Runs a command that must succeed; what it said.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.docket().args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    fn start(data: &Path, flags: &[String]) -> Child {
        let endpoint = data.join("endpoints");
        if endpoint.exists() {
            std::fs::remove_file(&endpoint).unwrap();
        }
        let mut child = docket(data).arg("up").args(flags).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        for _ in 0..PATIENCE {
            let ready = docket(data).arg("status").output().unwrap();
            if ready.status.success() {
                return child;
            }
            assert!(child.try_wait().unwrap().is_none(), "the cluster ended at once");
            std::thread::sleep(Duration::from_millis(100));
        }
        child.kill().unwrap();
        panic!("the cluster did not start");
    }

    fn stop(&mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "it did not end well: {status}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Killed, not stopped: a failing test must not hang on a drain.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Everything a command said.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
