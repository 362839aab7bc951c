//! A campaign: faults in an order that a seed names, under load, and the checks after them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fastrand::Rng;

use super::fault::Kind;
use super::ground::{Ground, replica, wait};
use super::load::{Load, Worked};
use crate::local::PARTS;

/// Answers after a fault that show that the cluster works again.
const FLOWS: u64 = 30;
/// Longest wait for them, seconds.
const STALL_SECS: u64 = 60;
/// Longest wait until everything is told everywhere after the load, seconds: letters nobody knows the end of are
/// settled within one minute, again after each kill.
const SETTLE_SECS: u64 = 240;
/// The log is at rest once it stood still for so long, seconds: longer than a dead leader's lease.
const STILL_SECS: f64 = 10.0;
/// Room on the database's disk, MiB: to begin with, and for each fault and what is written until the next.
const DISK_MIB: (usize, usize) = (512, 12);
/// Between two faults.
const BREATH_MILLIS: std::ops::Range<u64> = 300..1_500;

const HALTED: &str = "docket_relay_halted{stream=\"DOCKET\"}";

/// What is to be done.
#[derive(Clone, Debug)]
pub(crate) struct Campaign {
    /// The program under test.
    pub(crate) binary: PathBuf,
    /// Names the order.
    pub(crate) seed: u64,
    /// The kinds of faults; each as often as any other.
    pub(crate) kinds: Vec<Kind>,
    /// How many faults, at least.
    pub(crate) faults: usize,
    /// How many clients work meanwhile.
    pub(crate) clients: usize,
}

impl Campaign {
    /// Carries it out; what happened, or what did not hold.
    pub(crate) fn run(&self) -> Result<String, String> {
        println!("DOCKET_FAULT_SEED={}", self.seed);
        let Some(ground) = Ground::prepare(&self.binary, DISK_MIB.0 + self.faults * DISK_MIB.1) else {
            return Ok("skipped".into());
        };
        let outcome = self.on(&ground);
        outcome.map_err(|violation| format!("DOCKET_FAULT_SEED={}: {violation}", self.seed))
    }

    fn on(&self, ground: &Ground) -> Result<String, String> {
        let began = Stopwatch::start();
        let load = Load::start(ground.data(), self.clients, "acks");
        let struck = self.strike_all(ground, &load);
        let (secs, worked) = (began.secs(), load.stop());
        let mut told = format!(
            "{} faults in {secs:.0} s under {:.0} commands/s ({} sent again)\n",
            struck?,
            u32::try_from(worked.answered).map_or(f64::MAX, f64::from) / secs,
            worked.repeated
        );
        worked.deserved_no_refusal()?;
        settle(ground)?;
        told += &ground.python("cluster.py", &["acks.tsv"])?;
        ground.run("down")?;
        ground.run("servers")?;
        told += &rebuilt(ground)?;
        if self.kinds.contains(&Kind::Database) {
            told += &restored(ground)?;
        }
        Ok(told)
    }

    /// Round after round, each kind once a round; how many.
    fn strike_all(&self, ground: &Ground, load: &Load) -> Result<usize, String> {
        let mut dice = Rng::with_seed(self.seed);
        let mut struck = 0;
        for _ in 0..self.faults.div_ceil(self.kinds.len()) {
            let mut round = self.kinds.clone();
            round.retain(|kind| *kind != Kind::DiskFull || ground.has_disk());
            dice.shuffle(&mut round);
            for kind in round {
                std::thread::sleep(Duration::from_millis(dice.u64(BREATH_MILLIS)));
                struck += 1;
                let began = Stopwatch::start();
                let told = survived(kind, ground, load, &mut dice);
                println!("fault {struck}, {kind:?}: {:.1} s", began.secs());
                told.map_err(|violation| format!("fault {struck}, {kind:?}: {violation}"))?;
            }
        }
        Ok(struck)
    }
}

/// One fault: nothing else ends of it, what ended is started again, and answers flow.
fn survived(kind: Kind, ground: &Ground, load: &Load, dice: &mut Rng) -> Result<(), String> {
    let ended = kind.strike(ground, dice)?;
    let missing = ground.missing();
    if let Some(other) = missing.iter().find(|name| !ended.contains(name)) {
        return Err(format!("{other} ended of it"));
    }
    if !ended.is_empty() {
        ground.up()?;
    }
    let before = load.answered();
    wait("acknowledgements flow", STALL_SECS, || load.answered() >= before + FLOWS)?;
    halted(ground).map_or(Ok(()), |name| {
        let log = fs::read_to_string(ground.data().join(format!("log/{name}.log"))).unwrap_or_default();
        let alarm = log.lines().rfind(|line| line.contains("HALTED")).unwrap_or_default();
        Err(format!("docket_relay_halted of {name} is 1: {alarm}"))
    })
}

/// The relay that stands still until a human acts, if one does.
fn halted(ground: &Ground) -> Option<String> {
    replica("relay", |name| ground.cluster().metric(name, HALTED) == Some(1))
}

/// Waits until the log ends and everybody has heard it to its end.
fn settle(ground: &Ground) -> Result<(), String> {
    let metric = |name: &str, metric: &str| ground.cluster().metric(name, metric);
    let of =
        |part: &str, name: &str, what: &str| metric(name, &format!("docket_{what}_position{{service=\"{part}\"}}"));
    let replicas = |part: &str| [format!("{part}-1"), format!("{part}-2")];
    let letters = || replicas("notifier").iter().any(|name| metric(name, "docket_notifier_outbox") != Some(0));
    let mut still = (None, Stopwatch::start());
    wait("every letter has left, and everybody has heard and acted on the log to its end", SETTLE_SECS, || {
        let Some(head) = head(ground) else { return false };
        if still.0 != Some(head) || letters() {
            still = (Some(head), Stopwatch::start());
        }
        let settled = PARTS[1..].iter().all(|part| {
            let reacted = ground.leader(part).and_then(|name| of(part, &name, "reacted"));
            reacted == Some(head) && replicas(part).iter().all(|name| of(part, name, "projection") == Some(head))
        });
        let relayed = ground.leader("relay").and_then(|name| metric(&name, "docket_relay_position{stream=\"DOCKET\"}"));
        settled && relayed == Some(head) && still.1.secs() >= STILL_SECS
    })
}

/// Where the log ends, read past Docket.
fn head(ground: &Ground) -> Option<i64> {
    let lines = "source \"$DATA/secret/owner.env\"; psql -Atqc 'SELECT position FROM docket.head'";
    let output = ground.cluster().command("bash").args(["-c", lines]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// Every service's snapshot, kept when it stopped, and what it folds from there is what a fresh fold of the log gives.
fn rebuilt(ground: &Ground) -> Result<String, String> {
    let told = ground.docket(&["log", "rebuild", "--check"])?;
    if told.contains("no snapshot") {
        return Err(told);
    }
    Ok(told + &ground.docket(&["log", "verify"])?)
}

/// The database as it was at the first kill of it is put back while the stream keeps what came later.
fn restored(ground: &Ground) -> Result<String, String> {
    ground.run("down")?;
    ground.restore_backup()?;
    let mails = ground.mails();
    ground.up()?;
    wait("the relay halts", STALL_SECS, || halted(ground).is_some())?;
    let held = |held: i64| {
        let of = move |name: &str| ground.cluster().metric(name, "docket_effects_held") == Some(held);
        ["notifier-1", "notifier-2"].into_iter().all(of)
    };
    wait("effects are held", STALL_SECS, || held(1))?;
    let load = Load::start(ground.data(), 4, "acks-restored");
    let flows = wait("acknowledgements flow", STALL_SECS, || load.answered() >= 2 * FLOWS);
    load.stop().deserved_no_refusal()?;
    flows?;
    if ground.mails() != mails || halted(ground).is_none() {
        return Err(format!("{} mails arrived while effects were held", ground.mails() - mails));
    }
    ground.docket(&["log", "restored"])?;
    ground.docket(&["log", "release"])?;
    wait("the relay goes on", STALL_SECS, || halted(ground).is_none())?;
    wait("effects are let out", STALL_SECS, || held(0))?;
    settle(ground)?;
    ground.python("cluster.py", &["acks-restored.tsv", "--restored"])
}

impl Worked {
    fn deserved_no_refusal(&self) -> Result<(), String> {
        if self.refused.is_empty() { Ok(()) } else { Err(format!("refused without cause: {:?}", self.refused)) }
    }
}

impl Ground {
    /// Copies the database, once: what is restored at the end.
    pub(crate) fn keep_backup(&self) -> Result<(), String> {
        let backup = self.data().join("postgres.backup");
        if backup.exists() {
            return Ok(());
        }
        copy(&self.postgres(), &backup)
    }

    /// Puts the copy back.
    fn restore_backup(&self) -> Result<(), String> {
        let backup = self.data().join("postgres.backup");
        for entry in fs::read_dir(self.postgres()).map_err(|error| error.to_string())? {
            let path = entry.map_err(|error| error.to_string())?.path();
            let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            removed.map_err(|error| error.to_string())?;
        }
        copy(&backup, &self.postgres())
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let copied = Command::new("cp").arg("-aT").args([from, to]).output().map_err(|error| error.to_string())?;
    if copied.status.success() { Ok(()) } else { Err(format!("cp: {}", String::from_utf8_lossy(&copied.stderr))) }
}

/// How long something takes, by the machine's clock.
struct Stopwatch(tokio::time::Instant);

impl Stopwatch {
    fn start() -> Self {
        Self(tokio::time::Instant::now())
    }

    fn secs(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}
