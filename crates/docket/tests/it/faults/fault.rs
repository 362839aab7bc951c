//! The faults themselves, each as somebody or something would cause it.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use fastrand::Rng;

use super::ground::Ground;
use crate::local::PARTS;

/// How long a relay sleeps: until another has taken its lease, and the broker has forgotten what that one published first.
const PAST_THE_WINDOW: Duration = Duration::from_secs(13);
/// How long a subscriber is slow, or hears in disorder.
const SLOW: Duration = Duration::from_secs(4);
/// How long the disk is full.
const FULL: Duration = Duration::from_secs(3);

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The broker is killed.
    Broker,
    /// PostgreSQL is killed.
    Database,
    /// A relay is killed.
    Relay,
    /// A replica of a service is killed.
    Service(&'static str),
    /// The replica that reacts for a service is killed.
    Leader(&'static str),
    /// The relay that publishes is stopped until the broker has forgotten what it sent, and wakes beside its successor.
    RelayAsleep,
    /// The broker is killed and has lost the last messages.
    StreamTruncated,
    /// Somebody deletes the stream.
    StreamDeleted,
    /// The broker is killed and has lost everything.
    StreamWiped,
    /// A replica of a service does not get on for a while.
    SlowService,
    /// What the stream delivers comes out of order, and some of it twice.
    Disorder,
    /// An outsider's consumer acknowledges nothing.
    SlowOutsider,
    /// There is no room left for the log.
    DiskFull,
}

impl Kind {
    /// Each kind once. Of the holders of leases, the one that deadlines pend with.
    pub(crate) const ALL: [Self; 17] = [
        Self::Broker,
        Self::Database,
        Self::Relay,
        Self::Service("intake"),
        Self::Service("dispatch"),
        Self::Service("sla-monitor"),
        Self::Service("notifier"),
        Self::Service("analytics"),
        Self::Leader("sla-monitor"),
        Self::RelayAsleep,
        Self::StreamTruncated,
        Self::StreamDeleted,
        Self::StreamWiped,
        Self::SlowService,
        Self::Disorder,
        Self::SlowOutsider,
        Self::DiskFull,
    ];

    /// Does it, and undoes what only whoever did it can undo; the processes it was meant to end.
    pub(crate) fn strike(self, ground: &Ground, dice: &mut Rng) -> Result<Vec<String>, String> {
        let cluster = ground.cluster();
        let kill = |name: String| {
            cluster.kill(&name);
            Ok(vec![name])
        };
        let either = |part: &str, dice: &mut Rng| format!("{part}-{}", dice.u8(1..=2));
        match self {
            Self::Broker => kill("nats".into()),
            Self::Database => kill("postgres".into()).and_then(|killed| ground.keep_backup().map(|()| killed)),
            Self::Relay => kill(either("relay", dice)),
            Self::Service(name) => kill(either(name, dice)),
            Self::Leader(part) => kill(ground.leader(part).unwrap_or_else(|| either(part, dice))),
            Self::RelayAsleep => {
                let name = ground.leader("relay").unwrap_or_else(|| either("relay", dice));
                Ok(asleep(ground, &name, PAST_THE_WINDOW))
            }
            Self::SlowService => {
                let part = PARTS[1 + dice.usize(0..5)];
                Ok(asleep(ground, &either(part, dice), SLOW))
            }
            Self::Disorder => ground.way().disturb(SLOW).map(|()| Vec::new()),
            Self::StreamTruncated => kill("nats".into()).and_then(|killed| tear_off(ground).map(|()| killed)),
            Self::StreamDeleted => ground.python("bus.py", &["delete"]).map(|_| Vec::new()),
            Self::StreamWiped => {
                let killed = kill("nats".into());
                fs::remove_dir_all(ground.data().join("nats")).map_err(|error| error.to_string())?;
                killed
            }
            Self::SlowOutsider => ground.python("bus.py", &["stall"]).map(|_| Vec::new()),
            Self::DiskFull => full(ground),
        }
    }
}

fn asleep(ground: &Ground, name: &str, duration: Duration) -> Vec<String> {
    ground.cluster().signal("-STOP", name);
    sleep(duration);
    ground.cluster().signal("-CONT", name);
    Vec::new()
}

/// The end of the newest messages is gone, as when a disk lost its last writes.
fn tear_off(ground: &Ground) -> Result<(), String> {
    let tear = || -> std::io::Result<()> {
        let accounts = fs::read_dir(ground.data().join("nats/jetstream"))?;
        let streams = accounts.map(|account| Ok(account?.path().join("streams/DOCKET/msgs")));
        let streams: Vec<PathBuf> = streams.collect::<std::io::Result<_>>()?;
        for messages in streams.into_iter().filter(|path| path.exists()) {
            drop(fs::remove_file(messages.join("index.db")));
            let blocks = fs::read_dir(&messages)?.map(|entry| Ok(entry?.path()));
            let blocks: Vec<PathBuf> = blocks.collect::<std::io::Result<_>>()?;
            let number = |path: &PathBuf| path.file_stem()?.to_str()?.parse::<u64>().ok();
            let is_block = |path: &PathBuf| path.extension().is_some_and(|is| is == "blk");
            if let Some(last) = blocks.into_iter().filter(is_block).max_by_key(number) {
                let file = fs::File::options().write(true).open(last)?;
                let length = file.metadata()?.len();
                file.set_len(length - length / 3)?;
            }
        }
        Ok(())
    };
    tear().map_err(|error| format!("tearing off the stream's end: {error}"))
}

/// A file takes all the room there is, for a while. PostgreSQL may end of it.
fn full(ground: &Ground) -> Result<Vec<String>, String> {
    let ballast = ground.postgres().join("ballast");
    let room = fs::File::create(&ballast).map_err(|error| error.to_string())?;
    fill(room);
    sleep(FULL);
    fs::remove_file(ballast).map_err(|error| error.to_string())?;
    Ok(vec!["postgres".into()])
}

/// Writes until there is no room.
fn fill(mut file: fs::File) {
    use std::io::Write;
    let block = vec![0; 1 << 20];
    while file.write_all(&block).is_ok() {}
}
