//! What follows a failed attempt: the same medium again, each time later; the next medium; or nothing.

use decider::Micros;
use serde::{Deserialize, Serialize};
use ticket::notifier::{Medium, Then};
use ticket::telling::{TRIED_FOR_US, pause_secs};

const SECOND_US: Micros = 1_000_000;
/// The trouble of a letter whose turn is ahead, since its receiver takes so many at a time: nothing was sent.
pub(crate) const PACED: &str = "paced";

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// In a word or two: `refused 550`, `unreachable`; never an address.
    pub kind: String,
    /// Whether trying again cannot help.
    pub permanent: bool,
    /// How long the other side wants us to wait, seconds.
    pub retry_after_secs: Option<u32>,
    /// Whether the other side says that nothing will ever be taken at this address.
    pub gone: bool,
}

/// What the other side said when it took a letter; never an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// In its own words.
    pub receipt: String,
    /// What it calls the letter when it tells later what became of it, if it does.
    pub reference: Option<String>,
}

impl Taken {
    /// Taken with these words, and no more is told of it later.
    pub fn of(receipt: impl Into<String>) -> Self {
        Self { receipt: receipt.into(), reference: None }
    }
}

/// What became of a letter after the other side took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It reached the recipient's device, or ear; what the other side said.
    Delivered(String),
    /// It came back: `bounced 5.1.1`; never an address.
    Returned(String),
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The other side took it.
    Arrived(Taken),
    /// It did not.
    Failed(Trouble),
    /// Nobody knows: whoever began it is gone.
    Lost,
}

impl Outcome {
    /// It came back for good.
    pub(crate) fn returned(error: &str) -> Self {
        Self::Failed(Trouble { kind: error.to_owned(), permanent: true, retry_after_secs: None, gone: false })
    }
}

/// What a medium has been through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tried {
    /// When the first attempt began.
    pub(crate) since: Micros,
    /// How many there were, but for those that only waited for their turn.
    pub(crate) attempts: u32,
}

/// What follows a failure at `now`; `next` is the medium that is left, `too_late` when the reminder would be.
pub(crate) fn then(
    outcome: &Outcome,
    tried: Tried,
    now: Micros,
    next: Option<Medium>,
    too_late: Option<Micros>,
) -> Then {
    let over = next.map_or(Then::GiveUp, |medium| Then::FallThrough { medium });
    let (permanent, asked, pause) = match outcome {
        // It comes when its turn does, however often that was moved.
        Outcome::Failed(Trouble { kind, retry_after_secs, .. }) if kind == PACED => {
            (false, Micros::from(retry_after_secs.unwrap_or(1)), 0)
        }
        Outcome::Failed(Trouble { permanent, retry_after_secs, .. }) => {
            (*permanent, Micros::from(retry_after_secs.unwrap_or(0)), pause_secs(tried.attempts))
        }
        // What may have arrived is sent once more at once, under the same id; not so what is lost again and again.
        Outcome::Arrived(_) | Outcome::Lost => {
            (false, 0, if tried.attempts < 2 { 0 } else { pause_secs(tried.attempts - 1) })
        }
    };
    let at = now.saturating_add(pause.max(asked).saturating_mul(SECOND_US));
    let past = |limit: Option<Micros>| limit.is_some_and(|limit| at > limit);
    let hurried = next.is_some() && past(too_late);
    if permanent || hurried || past(Some(tried.since.saturating_add(TRIED_FOR_US))) {
        return over;
    }
    Then::Retry { at }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(retry_after_secs: Option<u32>) -> Trouble {
        Trouble { kind: "refused 451".into(), permanent: false, retry_after_secs, gone: false }
    }

    fn failed(permanent: bool, retry_after_secs: Option<u32>) -> Outcome {
        Outcome::Failed(Trouble { permanent, ..trouble(retry_after_secs) })
    }

    #[test]
    fn pauses_grow_and_end_within_a_day() {
        let (mut now, mut attempts, mut pauses) = (0, 0, Vec::new());
        loop {
            attempts += 1;
            match then(&failed(false, None), Tried { since: 0, attempts }, now, None, None) {
                Then::Retry { at } => {
                    pauses.push((at - now) / SECOND_US);
                    now = at;
                }
                end => break assert_eq!(end, Then::GiveUp),
            }
        }
        assert_eq!(pauses, [10, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 14_400, 14_400, 14_400, 14_400]);
        assert!(now <= TRIED_FOR_US);
    }

    /// Proves part of: N7
    #[test]
    fn what_is_lost_again_and_again_ends_within_a_day() {
        let (mut now, mut attempts, mut pauses) = (0, 0, Vec::new());
        let end = loop {
            attempts += 1;
            match then(&Outcome::Lost, Tried { since: 0, attempts }, now, None, None) {
                Then::Retry { at } => {
                    pauses.push((at - now) / SECOND_US);
                    now = at;
                }
                end => break end,
            }
        };
        assert_eq!((end, &pauses[..4], pauses.len()), (Then::GiveUp, [0, 10, 30, 120].as_slice(), 13));
        let next = Some(Medium::Webhook);
        let over = Then::FallThrough { medium: Medium::Webhook };
        let tried = Tried { since: 0, attempts: 2 };
        assert_eq!(then(&Outcome::Lost, tried, 0, next, Some(9 * SECOND_US)), over, "there is no time to wait");
    }

    /// Proves part of: N7
    #[test]
    fn what_cannot_help_falls_through_at_once() {
        let tried = Tried { since: 0, attempts: 1 };
        let next = Some(Medium::Webhook);
        let over = Then::FallThrough { medium: Medium::Webhook };
        assert_eq!(then(&failed(true, None), tried, 0, next, None), over);
        assert_eq!(then(&failed(true, None), tried, 0, None, None), Then::GiveUp);
        assert_eq!(then(&failed(false, None), tried, 0, next, Some(9 * SECOND_US)), over, "there is no time to wait");
        let waits = |secs: Micros| Then::Retry { at: secs * SECOND_US };
        assert_eq!(then(&failed(false, None), tried, 0, None, Some(9 * SECOND_US)), waits(10), "nothing else is left");
        assert_eq!(then(&failed(false, Some(300)), tried, 0, next, None), waits(300), "the other side asked for it");
        assert_eq!(then(&failed(false, Some(90_000)), tried, 0, next, None), over);
        assert_eq!(then(&Outcome::Lost, tried, 7, next, None), Then::Retry { at: 7 });
        let paced = Outcome::Failed(Trouble { kind: PACED.into(), ..trouble(Some(3)) });
        assert_eq!(
            then(&paced, Tried { since: 0, attempts: 8 }, 0, next, None),
            waits(3),
            "it only waits for its turn"
        );
    }
}
