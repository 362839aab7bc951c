//! Things that happen at once, in an order that the dice choose.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::dice::Dice;

/// Turns after which whoever still waits waits for ever.
const MAX_TURNS: u32 = 20_000;

/// Something under way.
pub(crate) type Course<T> = Pin<Box<dyn Future<Output = T>>>;

/// A course of which one has patience for so many turns only, if it is limited: then it is dropped where it stands.
pub(crate) struct Task<T> {
    pub(crate) course: Course<T>,
    pub(crate) patience: Option<usize>,
}

enum Stage<T> {
    Running(Task<T>),
    Done(T),
    Dropped,
}

/// Runs the tasks to their end while `meanwhile` goes on; for each what it came to, or nothing if it was dropped.
/// Nothing at all if somebody waits for ever.
pub(crate) async fn interleave<T>(
    dice: &mut Dice,
    tasks: Vec<Task<T>>,
    mut meanwhile: Vec<Course<()>>,
) -> Option<Vec<Option<T>>> {
    let mut stages: Vec<_> = tasks.into_iter().map(Stage::Running).collect();
    let mut order: Vec<_> = (0..stages.len() + meanwhile.len()).collect();
    let mut turns = 0;
    let ended = poll_fn(|context| {
        dice.shuffle(&mut order);
        for n in &order {
            match stages.get_mut(*n) {
                Some(stage) => stage.turn(context),
                None => drop(meanwhile[*n - stages.len()].as_mut().poll(context)),
            }
        }
        turns += 1;
        if stages.iter().all(Stage::over) {
            return Poll::Ready(true);
        }
        if turns == MAX_TURNS {
            return Poll::Ready(false);
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    ended.then(|| stages.into_iter().map(Stage::outcome).collect())
}

/// Waits one turn.
pub(crate) async fn turn() {
    let mut waited = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

impl<T> Stage<T> {
    fn turn(&mut self, context: &mut Context<'_>) {
        let Self::Running(task) = self else { return };
        if let Poll::Ready(outcome) = task.course.as_mut().poll(context) {
            *self = Self::Done(outcome);
        } else if task.patience == Some(0) {
            *self = Self::Dropped;
        } else {
            task.patience = task.patience.map(|turns| turns - 1);
        }
    }

    fn over(&self) -> bool {
        !matches!(self, Self::Running(_))
    }

    fn outcome(self) -> Option<T> {
        if let Self::Done(outcome) = self { Some(outcome) } else { None }
    }
}
