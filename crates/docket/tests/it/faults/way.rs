//! The services' way to the broker: it passes everything on as it comes, until it is made unruly for a while. What the
//! stream delivers then comes out of order, and some of it twice.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::ground::wait;

/// Deliveries that are mixed with one another.
const MIXED: usize = 16;
/// Longest that one waits for others to be mixed with.
const HELD: Duration = Duration::from_millis(20);
/// Deliveries that a disorder disturbs, at least.
const ENOUGH: u64 = 100;
/// Longest that filling a stream again may keep it from delivering, seconds.
const REFILL_SECS: u64 = 120;
/// Frames read ahead of what is passed on.
const AHEAD: usize = 1_024;

/// A listener, and how it behaves.
pub(crate) struct Way {
    address: String,
    manners: Arc<Manners>,
    _runtime: Runtime,
}

#[derive(Debug, Default)]
struct Manners {
    unruly: AtomicBool,
    /// Deliveries held, mixed and perhaps repeated.
    disturbed: AtomicU64,
}

/// What the broker says in one piece.
#[derive(Clone, Debug)]
struct Frame {
    bytes: Vec<u8>,
    /// Whether it is a message of a stream for a consumer.
    delivery: bool,
}

impl Way {
    /// Leads to the broker whose port is in this file.
    pub(crate) fn to(port: PathBuf) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let (address, manners) = (listener.local_addr()?.to_string(), Arc::new(Manners::default()));
        let shared = Arc::clone(&manners);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let broker = fs::read_to_string(&port).unwrap_or_default();
                // A broker that is gone is gone for who comes this way, too.
                let Ok(broker) = TcpStream::connect(format!("127.0.0.1:{}", broker.trim())).await else { continue };
                tokio::spawn(carry(client, broker, Arc::clone(&shared)));
            }
        });
        Ok(Self { address, manners, _runtime: runtime })
    }

    /// Where it begins.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Is unruly for so long, and on until deliveries were disturbed: a stream that is being filled again delivers nothing
    /// new for a while.
    pub(crate) fn disturb(&self, duration: Duration) -> Result<(), String> {
        let disturbed = || self.manners.disturbed.load(Ordering::Relaxed);
        let before = disturbed();
        self.manners.unruly.store(true, Ordering::Relaxed);
        std::thread::sleep(duration);
        let outcome = wait("deliveries are disturbed", REFILL_SECS, || disturbed() > before + ENOUGH);
        self.manners.unruly.store(false, Ordering::Relaxed);
        outcome
    }
}

/// Carries one connection, until either side ends it.
async fn carry(client: TcpStream, broker: TcpStream, manners: Arc<Manners>) {
    let _prompt = (client.set_nodelay(true), broker.set_nodelay(true));
    let (mut said, hears) = client.into_split();
    let (answers, mut told) = broker.into_split();
    let (frames, ahead) = mpsc::channel(AHEAD);
    tokio::select! {
        _ended = copy(&mut said, &mut told) => {}
        _ended = read(answers, frames) => {}
        _ended = pass_on(ahead, hears, &manners) => {}
    }
}

/// Reads what the broker says, piece by piece (docs.nats.io, "NATS Protocol").
async fn read(from: OwnedReadHalf, frames: mpsc::Sender<Frame>) -> std::io::Result<()> {
    let mut from = BufReader::with_capacity(1 << 16, from);
    loop {
        let mut bytes = Vec::new();
        if from.read_until(b'\n', &mut bytes).await? == 0 {
            return Ok(());
        }
        let head = String::from_utf8_lossy(&bytes).into_owned();
        if head.starts_with("MSG ") || head.starts_with("HMSG ") {
            let length = head.split_whitespace().next_back().and_then(|text| text.parse::<usize>().ok());
            let (begin, length) = (bytes.len(), length.unwrap_or_default() + "\r\n".len());
            bytes.resize(begin + length, 0);
            from.read_exact(&mut bytes[begin..]).await?;
        }
        if frames.send(Frame { bytes, delivery: head.contains(" $JS.ACK.") }).await.is_err() {
            return Ok(());
        }
    }
}

async fn pass_on(mut frames: mpsc::Receiver<Frame>, mut to: OwnedWriteHalf, manners: &Manners) -> std::io::Result<()> {
    let (mut held, mut dice) = (Vec::new(), Rng::with_seed(1));
    loop {
        let mut come = Vec::new();
        let next = frames.recv_many(&mut come, AHEAD);
        let none = if held.is_empty() { next.await == 0 } else { timeout(HELD, next).await == Ok(0) };
        let (unruly, more) = (manners.unruly.load(Ordering::Relaxed), !come.is_empty());
        let mut out = Vec::new();
        for frame in come {
            if !unruly || !frame.delivery {
                out.extend(frame.bytes);
                continue;
            }
            manners.disturbed.fetch_add(1, Ordering::Relaxed);
            if dice.u8(..3) == 0 {
                held.push(frame.clone());
            }
            held.push(frame);
        }
        if !unruly || !more || held.len() >= MIXED {
            dice.shuffle(&mut held);
            out.extend(held.drain(..).flat_map(|frame| frame.bytes));
        }
        to.write_all(&out).await?;
        if none {
            return Ok(());
        }
    }
}
