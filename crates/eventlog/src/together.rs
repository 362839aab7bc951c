//! One question to the store for all who ask the same at about the same time.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

/// A question that many ask. Whoever comes while it is being asked waits for the next answer: none is older than its asking.
#[derive(Debug)]
pub(crate) struct Together<T> {
    came: AtomicU64,
    /// The last answer, and how many had come when it was asked for.
    answered: Mutex<Option<(u64, T)>>,
}

impl<T> Default for Together<T> {
    fn default() -> Self {
        Self { came: AtomicU64::new(0), answered: Mutex::default() }
    }
}

impl<T: Copy> Together<T> {
    /// The answer; asked for now, unless somebody else who began after this call did so.
    pub(crate) async fn ask<E>(&self, question: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let place = self.came.fetch_add(1, Ordering::SeqCst) + 1;
        let mut answered = self.answered.lock().await;
        if let Some((come, answer)) = *answered
            && come >= place
        {
            return Ok(answer);
        }
        let come = self.came.load(Ordering::SeqCst);
        let answer = question.await?;
        *answered = Some((come, answer));
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn those_who_ask_at_once_share_an_answer_that_is_not_older_than_they() {
        let (together, asked) = (Together::default(), Cell::new(0));
        let ask = || {
            together.ask(async {
                asked.set(asked.get() + 1);
                tokio::task::yield_now().await;
                Ok::<_, ()>(asked.get())
            })
        };
        assert_eq!(ask().await, Ok(1));
        assert_eq!(ask().await, Ok(2), "what was answered before is too old");
        // The first asks for itself alone, since the others come while it asks.
        assert_eq!(join_all((0..9).map(|_| ask())).await, [vec![Ok(3)], vec![Ok(4); 8]].concat());
    }

    #[tokio::test]
    async fn no_answer_is_nobodys() {
        let together = Together::default();
        assert_eq!(together.ask(async { Err::<u8, _>("gone") }).await, Err("gone"));
        assert_eq!(together.ask(async { Ok::<_, &str>(1) }).await, Ok(1));
    }
}
