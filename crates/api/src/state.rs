//! What every route works with.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use depot::Depot;
use guard::Guard;
use journal::{Appender, Draft, Lane, Outcome};
use library::Library;
use live::Live;
use metrics_exporter_prometheus::PrometheusHandle;
use store::{Read, Reader, StoreError};
use vitals::{Action, Actor, Event, Offset, ReceiveTime};

use crate::error::ApiError;
use crate::fleet::Limiter;
use crate::live_stream::Broadcast;
use crate::outside::Outside;

/// How long a request may wait for the engine to take in what it did.
const PATIENCE: Duration = Duration::from_secs(5);

/// What every route works with; cheap to clone.
#[derive(Clone)]
pub struct Api {
    /// Puts events into the journal.
    pub appender: Appender,
    /// What is true now.
    pub live: Live,
    /// What was concluded.
    pub reader: Reader,
    /// Device profiles.
    pub library: Library,
    /// Who may do what, and the audit trail.
    pub guard: Guard,
    /// Which commands which devices take.
    pub commands: Arc<command::Shelf>,
    /// Our clock.
    pub clock: fn() -> ReceiveTime,
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
    /// Proxies whose word on a client's address and encryption is taken.
    pub trusted_proxies: Arc<[IpAddr]>,
    /// The address under which people and programs reach us (`https://ehr.example`), without a slash
    /// at its end; none: whichever each request names.
    pub public_url: Option<Arc<str>>,
    /// Devices as things: inventory, firmware, habits.
    pub depot: Depot,
    /// How many requests each identity may make.
    pub limiter: Limiter,
    /// What is asked of others.
    pub outside: Arc<Outside>,
    /// The live stream's ready-made events.
    pub broadcast: Arc<Broadcast>,
}

impl Api {
    /// Now, by our clock.
    #[must_use]
    pub fn now(&self) -> ReceiveTime {
        (self.clock)()
    }

    /// Records what somebody does, appends it to the journal, and waits until the engine has taken
    /// it in.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] when no record can be kept, or the journal takes nothing.
    pub async fn act(&self, actor: Actor, action: Action) -> Result<Offset, ApiError> {
        self.record_act(&actor, &action).await?;
        self.append(Event::Action(actor, action), None).await
    }

    /// Appends an event to the journal, and waits until the engine has taken it in.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] when the journal takes nothing.
    pub async fn append(&self, event: Event, dedup: Option<u128>) -> Result<Offset, ApiError> {
        let draft = Draft { event, dedup, lane: Lane::Urgent };
        let offset = match self.appender.append(draft).await {
            Ok(Outcome::Committed(offset) | Outcome::Duplicate(offset)) => offset,
            Ok(Outcome::Failed(error)) => return Err(ApiError::unavailable(&error.to_string())),
            Err(closed) => return Err(ApiError::unavailable(&closed.to_string())),
        };
        self.live.progress().judge(offset, PATIENCE).await;
        Ok(offset)
    }

    /// Asks the store on a thread that may block.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when the store can't be read.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Read) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let reader = self.reader.clone();
        tokio::task::spawn_blocking(move || question(reader.as_ref()))
            .await
            .map_err(|error| ApiError::internal(&error))?
            .map_err(|error| ApiError::internal(&error))
    }

    /// Lets the store catch up, then asks it: for answers that must hold what was just done.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn ask_settled<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Read) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.live.progress().settle(PATIENCE).await;
        self.ask(question).await
    }
}
