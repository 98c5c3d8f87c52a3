//! Turns of tenants: costly work of one tenant is done one after the other, so that others wait for a part of a processor, never for its queue.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use uuid::Uuid;

#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<Uuid, Weak<Turn<()>>>>);

impl Turns {
    /// Waits until nothing of the tenant has its turn; it has it until what is returned is dropped.
    pub(crate) async fn of(&self, tenant: Uuid) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().expect("the lock is never poisoned");
            turns.retain(|one, turn| *one == tenant || turn.strong_count() > 0);
            let known = turns.get(&tenant).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let new = Arc::default();
                turns.insert(tenant, Arc::downgrade(&new));
                new
            })
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use uuid::Uuid;

    use super::Turns;

    #[test]
    fn a_tenant_has_one_turn_at_a_time_and_no_other_waits_for_it() {
        let turns = Turns::default();
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(first) = pin!(turns.of(one)).poll(&mut context) else { panic!("nobody is before it") };
        let mut second = pin!(turns.of(one));
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert!(pin!(turns.of(other)).poll(&mut context).is_ready());
        drop(first);
        assert!(second.as_mut().poll(&mut context).is_ready());
    }

    #[tokio::test]
    async fn nothing_is_kept_of_a_tenant_that_does_nothing() {
        let turns = Turns::default();
        for tenant in 0..100 {
            drop(turns.of(Uuid::from_u128(tenant)).await);
        }
        assert_eq!(turns.0.lock().expect("never poisoned").len(), 1);
    }
}
