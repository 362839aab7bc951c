//! The world outside: what arrived there, whatever was said about it, and everything that can go wrong on the way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eventlog::store::{Store, StoreError};
use eventlog::{Memory, Service};
use notifier::Notifier;
use notifier::sender::{Letter, Post, Posting, Sender, Taken, Trouble};

use super::Carrier;
use super::dice::Dice;
use super::interleave::turn;

/// Letters that find nobody once the other side is down.
const LONGEST_OUTAGE: usize = 12;
/// The trouble of a letter that arrived, and whose receipt did not come back.
const NO_ANSWER: &str = "no answer";
/// Troubles after which nobody knows whether the letter arrived.
const UNCERTAIN: [&str; 2] = [NO_ANSWER, "unknown"];

/// Everybody who gets mail.
#[derive(Debug)]
pub struct Outside {
    memory: Arc<Memory>,
    mail: Mutex<Mail>,
}

#[derive(Debug)]
struct Mail {
    dice: Dice,
    calm: bool,
    outage: usize,
    arrivals: Vec<Arrival>,
}

/// Something that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    /// What the receiver de-duplicates by.
    pub(crate) message_id: String,
    /// The head of the log when it did.
    pub(crate) head: u64,
}

/// What becomes of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Arrives,
    ArrivesUnanswered,
    Fails { kind: &'static str, permanent: bool },
}

/// Whether a letter of which this was said cannot have arrived.
pub(crate) fn came_to_nothing(trouble: &str) -> bool {
    !UNCERTAIN.contains(&trouble)
}

impl Outside {
    /// A world in which nothing arrived yet.
    pub(crate) fn new(memory: Arc<Memory>, seed: u64) -> Self {
        let mail = Mail { dice: Dice::new(seed), calm: true, outage: 0, arrivals: Vec::new() };
        Self { memory, mail: Mutex::new(mail) }
    }

    /// Whether everything that is sent arrives.
    pub(crate) fn set_calm(&self, calm: bool) {
        self.mail().calm = calm;
    }

    /// Everything that arrived.
    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.mail().arrivals.clone()
    }

    /// Takes a letter in; gives a receipt, or what came between.
    pub async fn take(&self, message_id: &str) -> Result<String, Trouble> {
        let (before, after, fate) = self.mail().fate();
        for _ in 0..before {
            turn().await;
        }
        if let Fate::Fails { kind, permanent } = fate {
            return Err(Trouble { kind: kind.to_owned(), permanent, retry_after_secs: None, gone: false });
        }
        let head = self.head().await.map_err(|error| Trouble {
            kind: error.to_string(),
            permanent: false,
            retry_after_secs: None,
            gone: false,
        })?;
        self.mail().arrivals.push(Arrival { message_id: message_id.to_owned(), head });
        for _ in 0..after {
            turn().await;
        }
        if fate == Fate::ArrivesUnanswered {
            return Err(Trouble { kind: NO_ANSWER.to_owned(), permanent: false, retry_after_secs: None, gone: false });
        }
        Ok("taken".to_owned())
    }

    /// The head of the log.
    async fn head(&self) -> Result<u64, StoreError> {
        Ok(self.memory.head().await?.position.unsigned_abs())
    }

    fn mail(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mail {
    /// Turns until a letter arrives and until its receipt is back, and whether they do.
    fn fate(&mut self) -> (usize, usize, Fate) {
        if self.calm {
            self.outage = 0;
            return (0, 0, Fate::Arrives);
        }
        if self.outage == 0 && self.dice.chance(3) {
            self.outage = self.dice.below(LONGEST_OUTAGE) + 1;
        }
        let fails = |kind, permanent| Fate::Fails { kind, permanent };
        let fate = if self.outage > 0 {
            self.outage -= 1;
            fails("unreachable", false)
        } else {
            match self.dice.below(100) {
                0..5 => Fate::ArrivesUnanswered,
                5..12 => fails("refused 451", false),
                12..18 => fails("refused 550", true),
                _ => Fate::Arrives,
            }
        };
        (self.dice.below(4), self.dice.below(8), fate)
    }
}

impl Post for Outside {
    fn send<'a>(&'a self, letter: &'a Letter) -> Posting<'a> {
        Box::pin(async { self.take(&letter.message_id).await.map(Taken::of) })
    }

    /// Turns take no time.
    fn longest(&self) -> Duration {
        Duration::ZERO
    }
}

impl Carrier<Notifier> for Sender {
    fn begin(notifier: &Arc<Service<Notifier>>, outside: &Arc<Outside>) -> Self {
        let (notifier, post) = (Arc::clone(notifier), Arc::clone(outside) as Arc<dyn Post>);
        Self::new(notifier, post)
    }

    async fn step(&self) -> Result<(), StoreError> {
        self.step().await.map(drop)
    }
}
