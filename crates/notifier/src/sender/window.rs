//! The letters under way: so many at once, so many of one tenant, and room left for what is urgent.

use std::collections::{BTreeSet, VecDeque};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use decider::{Micros, Tenant};
use eventlog::StoreError;

use crate::command::Attempt;
use crate::outbox::Owed;

/// Letters under way at once.
pub(super) const AT_ONCE: usize = 96;
/// Of one tenant: whose addresses are slow holds nobody else up.
const OF_TENANT: usize = 32;
/// Of these, such as can wait: slow ones hold nothing urgent of the same tenant up.
const CALM_OF_TENANT: usize = 24;
/// Of all, those that nothing takes that can wait: slow letters of however many tenants hold nothing urgent up.
const FOR_URGENT: usize = 24;
/// Letters begun between two looks at what is owed.
const MAX_BEGUN: usize = 4_096;

type UnderWay = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;
type Key = (Tenant, Attempt, Micros);

/// What is under way, and what was tried since the last look: it is tried again after the next.
#[derive(Default)]
pub(super) struct Window {
    under_way: Vec<(Owed, UnderWay)>,
    tried: BTreeSet<Key>,
    /// The ends nobody has heard of yet.
    ended: VecDeque<Result<(), StoreError>>,
}

fn key(owed: &Owed) -> Key {
    (owed.tenant.clone(), owed.attempt.clone(), owed.since)
}

impl Window {
    /// What was tried may be tried again.
    pub(super) fn look_again(&mut self) {
        self.tried = self.under_way.iter().map(|(owed, _)| key(owed)).collect();
    }

    /// How many more letters of this tenant may begin, of urgent ones or of such as can wait.
    pub(super) fn room(&self, tenant: &Tenant, urgent: bool) -> usize {
        let theirs = self.under_way.iter().filter(|(owed, _)| owed.tenant == *tenant).count();
        let most = if urgent { OF_TENANT } else { CALM_OF_TENANT };
        most.saturating_sub(theirs).min(self.free(urgent))
    }

    /// How many more letters may begin, of whatever tenant.
    fn free(&self, urgent: bool) -> usize {
        let free = (AT_ONCE - self.under_way.len()).min(MAX_BEGUN.saturating_sub(self.tried.len()));
        let calm = self.under_way.iter().filter(|(owed, _)| !owed.urgent).count();
        if urgent { free } else { free.min((AT_ONCE - FOR_URGENT).saturating_sub(calm)) }
    }

    /// Of what each tenant has room for, as much as there is room for altogether: what is urgent first, then the first.
    pub(super) fn fitting(&self, owed: Vec<Owed>) -> Vec<Owed> {
        let (mut fitting, calm): (Vec<_>, Vec<_>) = owed.into_iter().partition(|one| one.urgent);
        fitting.extend(calm.into_iter().take(self.free(false)));
        fitting.truncate(self.free(true));
        fitting
    }

    /// Whether an attempt was not tried since the last look.
    pub(super) fn is_new(&self, owed: &Owed) -> bool {
        !self.tried.contains(&key(owed))
    }

    /// Whether this very attempt is under way here.
    pub(super) fn carries(&self, attempt: &Attempt) -> bool {
        self.under_way.iter().any(|(owed, _)| owed.attempt == *attempt)
    }

    /// Begins a letter.
    pub(super) fn begin(&mut self, owed: Owed, letter: impl Future<Output = Result<(), StoreError>> + Send + 'static) {
        self.tried.insert(key(&owed));
        self.under_way.push((owed, Box::pin(letter)));
    }

    /// The end of the next letter that ends; nothing if none is under way.
    pub(super) async fn next(&mut self) -> Option<Result<(), StoreError>> {
        poll_fn(|context| {
            self.go_on(context);
            match self.ended.pop_front() {
                None if !self.under_way.is_empty() => Poll::Pending,
                ended => Poll::Ready(ended),
            }
        })
        .await
    }

    /// The ends of all others that have ended by now.
    pub(super) fn also_ended(&mut self) -> Result<(), StoreError> {
        self.ended.drain(..).collect()
    }

    /// Brings something else to its end while the letters go on: one of them may hold what it waits for.
    pub(super) async fn beside<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = pin!(other);
        poll_fn(|context| {
            self.go_on(context);
            other.as_mut().poll(context)
        })
        .await
    }

    fn go_on(&mut self, context: &mut Context<'_>) {
        let mut place = 0;
        while place < self.under_way.len() {
            match self.under_way[place].1.as_mut().poll(context) {
                Poll::Pending => place += 1,
                Poll::Ready(end) => {
                    drop(self.under_way.swap_remove(place));
                    self.ended.push_back(end);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Attempt;
    use std::sync::Arc;
    use ticket::notifier::Medium;
    use tokio::sync::Mutex;
    use uuid::Uuid;

    fn letter(tenant: &str, number: u32, urgent: bool) -> Owed {
        let (ticket, reminder) = (Uuid::nil(), Uuid::nil());
        let attempt = Attempt { ticket, reminder, number, medium: Medium::Email };
        Owed { tenant: Tenant::new(tenant), attempt, since: 0, urgent }
    }

    /// Proves part of: N4
    #[test]
    fn what_can_wait_leaves_room_for_what_is_urgent_however_many_tenants_send_it() {
        let mut window = Window::default();
        let tenants = ["one", "two", "three", "four"];
        let most = |window: &Window, tenant: &str, urgent| {
            let room = window.room(&Tenant::new(tenant), urgent);
            (0..u32::try_from(room).unwrap()).map(|number| letter(tenant, number, urgent)).collect::<Vec<_>>()
        };
        let wanted: Vec<_> = tenants.into_iter().flat_map(|tenant| most(&window, tenant, false)).collect();
        assert_eq!(wanted.len(), AT_ONCE, "they would fill it");
        for one in window.fitting(wanted) {
            window.begin(one, std::future::pending());
        }
        assert_eq!(window.under_way.len(), AT_ONCE - FOR_URGENT);
        assert!(tenants.iter().chain(&["five"]).all(|tenant| window.room(&Tenant::new(tenant), false) == 0));
        let mixed = most(&window, "one", true).into_iter().chain(most(&window, "five", true));
        let urgent = window.fitting([letter("five", 9, false)].into_iter().chain(mixed).collect());
        assert_eq!(urgent.len(), FOR_URGENT);
        assert!(urgent.iter().all(|one| one.urgent));
    }

    #[tokio::test]
    async fn a_letter_that_holds_what_a_look_needs_goes_on_meanwhile() {
        let shared = Arc::new(Mutex::new(()));
        let mut window = Window::default();
        let holder = {
            let shared = Arc::clone(&shared);
            async move {
                let _held = shared.lock().await;
                tokio::task::yield_now().await;
                Ok(())
            }
        };
        window.begin(letter("demo", 1, false), holder);
        window.beside(std::future::ready(())).await;
        assert!(shared.try_lock().is_err(), "the letter has it");
        drop(window.beside(shared.lock()).await);
        assert!(matches!(window.next().await, Some(Ok(()))));
        assert!(window.next().await.is_none());
    }
}
