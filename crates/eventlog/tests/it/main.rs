//! One suite for all three stores, and what each promises beside it.

/// Makes each case a test on every store.
#[cfg(test)]
macro_rules! on_every_store {
    ($($case:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(&crate::place::Place::memory()).await;
            })+
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                super::$case(&crate::place::Place::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $case() {
                if let Some(place) = crate::place::Place::postgres().await {
                    super::$case(&place).await;
                }
            })+
        }
    };
}

#[cfg(test)]
mod appending;
#[cfg(test)]
mod breaking;
#[cfg(test)]
mod bus;
#[cfg(test)]
mod bus_lost;
#[cfg(test)]
mod bus_tail;
#[cfg(test)]
mod contending;
#[cfg(test)]
mod erasing;
#[cfg(test)]
mod leasing;
#[cfg(test)]
mod line;
#[cfg(test)]
mod model;
#[cfg(test)]
mod nats;
#[cfg(test)]
mod outside;
#[cfg(test)]
mod parrot;
#[cfg(test)]
mod place;
#[cfg(test)]
mod proving;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod releasing;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod scanning;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod snapshotting;
#[cfg(test)]
mod sqlite_file;
#[cfg(test)]
mod undecidable;
