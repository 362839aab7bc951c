//! The pace a robot keeps: what is too much for it gets a turn of its own later, and is never dropped.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Robots whose pace is kept at once; the one silent for longest gives way.
const MAX_ROBOTS: usize = 1_024;
/// Turns given ahead to one robot; what comes then is told to come again at the last of them.
const MAX_TURNS: usize = 4_096;

/// At most so many letters in any such time.
pub(super) type Limit = (usize, Duration);

/// The pace of every robot of one kind, each by its address.
pub(super) struct Pace {
    limits: &'static [Limit],
    robots: Mutex<BTreeMap<String, Turns>>,
}

/// The turns of one robot, in order: those past that still count, and those given ahead, each with the letter it is for
/// until it is taken.
#[derive(Default)]
struct Turns {
    given: VecDeque<(Instant, String)>,
}

impl Pace {
    pub(super) fn new(limits: &'static [Limit]) -> Self {
        Self { limits, robots: Mutex::default() }
    }

    /// Whether this letter may go to this robot now; else how long its turn is ahead. A letter keeps its turn.
    pub(super) fn turn(&self, robot: &str, letter: &str, now: Instant) -> Result<(), Duration> {
        let mut robots = self.robots.lock().unwrap_or_else(PoisonError::into_inner);
        if !robots.contains_key(robot) && robots.len() == MAX_ROBOTS {
            let stalest = robots.iter().min_by_key(|(_, turns)| turns.given.back().map(|(at, _)| *at));
            if let Some(stalest) = stalest.map(|(name, _)| name.clone()) {
                robots.remove(&stalest);
            }
        }
        robots.entry(robot.to_owned()).or_default().turn(self.limits, letter, now)
    }
}

impl Turns {
    fn turn(&mut self, limits: &[Limit], letter: &str, now: Instant) -> Result<(), Duration> {
        let longest = limits.iter().map(|(_, within)| *within).max().unwrap_or_default();
        while self.given.front().is_some_and(|(at, _)| *at + longest <= now) {
            self.given.pop_front();
        }
        let ahead = |at: Instant| at.saturating_duration_since(now);
        if let Some((at, whose)) = self.given.iter_mut().find(|(_, whose)| whose == letter) {
            if *at > now {
                return Err(ahead(*at));
            }
            // Taken: what is sent once more needs a turn once more.
            whose.clear();
            return Ok(());
        }
        if let Some((last, _)) = self.given.back().filter(|_| self.given.len() >= MAX_TURNS) {
            return Err(ahead(*last));
        }
        let free = |(many, within): &Limit| {
            let before = self.given.len().checked_sub(*many).and_then(|nth| self.given.get(nth));
            before.map(|(at, _)| *at + *within)
        };
        let last = self.given.back().map(|(at, _)| *at);
        let at = limits.iter().filter_map(free).chain(last).fold(now, Instant::max);
        let whose = if at <= now { String::new() } else { letter.to_owned() };
        self.given.push_back((at, whose));
        if at <= now { Ok(()) } else { Err(ahead(at)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Proves part of: N1, N5
    #[test]
    fn no_robot_gets_more_than_its_limits_and_every_letter_gets_a_turn() {
        const LIMITS: [Limit; 2] = [(5, SECOND), (20, Duration::from_mins(1))];
        let pace = Pace::new(&LIMITS);
        let start = Instant::now();
        let mut sent = Vec::new();
        let mut owed: Vec<_> = (0..70).map(|n| (start, format!("m{n}"))).collect();
        while let Some(next) = (0..owed.len()).min_by_key(|n| owed[*n].0) {
            let (now, letter) = owed.swap_remove(next);
            match pace.turn("robot", &letter, now) {
                Ok(()) => sent.push(now),
                Err(wait) => owed.push((now + wait, letter)),
            }
        }
        assert_eq!(sent.len(), 70, "none is dropped");
        for (many, within) in LIMITS {
            assert!(sent.windows(many + 1).all(|some| some[many] >= some[0] + within));
        }
        assert!(*sent.last().unwrap() < start + Duration::from_mins(4), "nor waits longer than it must");
        assert!(pace.turn("another", "m", start).is_ok(), "each robot has its own pace");
    }
}
