//! What faults are done to: a cluster of processes with two of each part, a mail server of somebody else's, and the
//! database on a disk of its own that can be filled.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::way::Way;
use crate::local::{Local, PARTS};
use crate::running::{root, said};

/// What the database's disk is like, but for its size.
const DISK: &str = "mode=700,uid=postgres,gid=postgres";
/// What the database keeps of its journal, for the small disk's sake.
const JOURNAL: &str = "max_wal_size = 192MB";
/// Tries to start again what is missing: a killed server's children may hold its memory for a moment.
const TRIES: usize = 4;

/// The cluster, torn down when dropped.
pub(crate) struct Ground {
    // Dropped in this order: the disk is let go before the directory is removed.
    sink: Child,
    disk: Option<Disk>,
    cluster: Local,
    binary: PathBuf,
    way: Way,
}

impl Ground {
    /// Starts it with this program, the database on a disk of so many MiB; none (and said so) where a server is missing.
    pub(crate) fn prepare(binary: &Path, disk_mib: usize) -> Option<Self> {
        let cluster = Local::prepare()?;
        let data = cluster.data();
        let mut sink = Command::new(binary);
        sink.arg("sink").arg("--dir").arg(data.join("sink")).arg("--with-parent");
        let sink = sink.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut ground = Self {
            sink,
            disk: None,
            way: Way::to(cluster.data().join("nats.port")).unwrap(),
            cluster,
            binary: binary.to_owned(),
        };
        wait("the mail server listens", 10, || ground.data().join("sink/smtp").exists()).unwrap();
        ground.run("servers").unwrap();
        ground.run("down").unwrap();
        ground.disk = Disk::under(&ground.postgres(), disk_mib);
        ground.up().unwrap();
        Some(ground)
    }

    pub(crate) fn data(&self) -> &Path {
        self.cluster.data()
    }

    pub(crate) fn cluster(&self) -> &Local {
        &self.cluster
    }

    /// Every process's way to the broker.
    pub(crate) fn way(&self) -> &Way {
        &self.way
    }

    /// Where the database lies.
    pub(crate) fn postgres(&self) -> PathBuf {
        self.data().join("postgres")
    }

    /// Whether the database's disk can be filled.
    pub(crate) fn has_disk(&self) -> bool {
        self.disk.is_some()
    }

    /// Starts what does not run, and waits until all of it is ready.
    pub(crate) fn up(&self) -> Result<(), String> {
        let mut outcome = Ok(());
        for _ in 0..TRIES {
            outcome = self.run("up");
            if outcome.is_ok() {
                break;
            }
            sleep(Duration::from_secs(1));
        }
        outcome
    }

    /// Runs a verb of `cluster.sh`.
    pub(crate) fn run(&self, verb: &str) -> Result<(), String> {
        let smtp = fs::read_to_string(self.data().join("sink/smtp")).unwrap();
        let mut script = self.cluster.command("deploy/local/cluster.sh");
        script.arg(verb).env("REPLICAS", "2").env("SMTP", format!("smtp://{}", smtp.trim()));
        script.env("BUS", self.way.address());
        script.env("DOCKET", &self.binary).env("PACK", "../../crates/docket/tests/it/faults/pack");
        let output = script.output().unwrap();
        if output.status.success() { Ok(()) } else { Err(format!("cluster.sh {verb}: {}", said(&output))) }
    }

    /// Runs `docket` over the log, as its owner.
    pub(crate) fn docket(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(&self.binary);
        command.arg("--postgres").arg(self.data().join("secret/owner")).args(arguments);
        let output = command.output().unwrap();
        if output.status.success() {
            Ok(said(&output))
        } else {
            Err(format!("docket {arguments:?}: {}", said(&output)))
        }
    }

    /// Runs a script of `tests/peers/faults` on the data directory.
    pub(crate) fn python(&self, script: &str, arguments: &[&str]) -> Result<String, String> {
        let python = root().join(".venv/bin/python");
        let script = root().join("tests/peers/faults").join(script);
        let output = Command::new(python).arg(script).arg(self.data()).args(arguments).output().unwrap();
        if output.status.success() { Ok(said(&output)) } else { Err(said(&output)) }
    }

    /// The replica that reacts for a service, or the relay that publishes.
    pub(crate) fn leader(&self, part: &str) -> Option<String> {
        if part == "relay" {
            let position = |name: &str| self.cluster.metric(name, "docket_relay_position{stream=\"DOCKET\"}");
            let (one, two) = (position("relay-1"), position("relay-2"));
            return Some(if one >= two { "relay-1" } else { "relay-2" }.to_owned());
        }
        let leads = format!("docket_leads{{service=\"{part}\"}}");
        replica(part, |name| self.cluster.metric(name, &leads) == Some(1))
    }

    /// Whether a process runs, stopped or not.
    pub(crate) fn runs(&self, name: &str) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.cluster.pid(name))).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
    }

    /// Names of all processes that ought to run and do not.
    pub(crate) fn missing(&self) -> Vec<String> {
        let parts = PARTS.iter().flat_map(|part| [1, 2].map(|number| format!("{part}-{number}")));
        let all = parts.chain(["postgres".to_owned(), "nats".to_owned()]);
        all.filter(|name| !self.runs(name)).collect()
    }

    /// Mails that arrived.
    pub(crate) fn mails(&self) -> usize {
        fs::read_to_string(self.data().join("sink/mails.tsv")).unwrap_or_default().lines().count()
    }
}

/// The first of two replicas of which that holds.
pub(crate) fn replica(part: &str, is: impl Fn(&str) -> bool) -> Option<String> {
    [1, 2].into_iter().map(|number| format!("{part}-{number}")).find(|name| is(name))
}

/// Waits until something holds.
pub(crate) fn wait(what: &str, secs: u64, mut holds: impl FnMut() -> bool) -> Result<(), String> {
    for _ in 0..secs * 10 {
        if holds() {
            return Ok(());
        }
        sleep(Duration::from_millis(100));
    }
    Err(format!("after {secs} seconds still not: {what}"))
}

impl Drop for Ground {
    fn drop(&mut self) {
        // Killed here, for nothing waits for its end.
        drop(self.sink.kill());
        drop(self.sink.wait());
    }
}

/// A small disk in memory, let go of with the test, however that ends.
struct Disk(Child);

impl Disk {
    /// Moves what lies in a directory onto a disk mounted there; none (and said so) where that is not allowed.
    fn under(dir: &Path, mib: usize) -> Option<Self> {
        let (text, aside) = (dir.display(), dir.with_extension("aside"));
        let mount = format!(
            "mkdir '{0}' && mount -t tmpfs -o {DISK},size={mib}m docket-faults '{0}' && \
             cp -a '{text}/.' '{0}/' && echo '{JOURNAL}' >>'{0}/postgresql.conf' && mount --move '{0}' '{text}' && rmdir '{0}'",
            aside.display()
        );
        let mounted = Command::new("bash").args(["-c", &mount]).output().unwrap();
        if !mounted.status.success() {
            eprintln!("SKIPPED: no full disk, for none can be mounted: {}", said(&mounted));
            drop(fs::remove_dir(aside));
            return None;
        }
        let guard = format!("cat >/dev/null; umount --lazy '{text}'");
        let mut guarding = Command::new("setsid");
        guarding.args(["bash", "-c", &guard]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Some(Self(guarding.spawn().unwrap()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}
