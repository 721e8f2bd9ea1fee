//! `/api/v1/edges`: the list of edges, and what edges themselves ask for: to enrol, to be configured,
//! to deliver. `/api/v1/edge` on an edge: how it gets on.

mod deliver;
mod down;
mod manage;
mod view;

use std::collections::HashMap;
use std::sync::Arc;

use edge::{EdgeError, Registry};
use parking_lot::Mutex;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::state::Api;

pub use view::{EdgeLeftOut, ThisEdgeView};

/// Every route of this part.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(manage::get_edges, manage::post_edge))
        .routes(routes!(manage::get_edge, manage::delete_edge))
        .routes(routes!(manage::put_rules))
        .routes(routes!(manage::post_code))
        .routes(routes!(manage::post_rotation))
        .routes(routes!(manage::this_edge))
        .routes(routes!(deliver::enrol))
        .routes(routes!(deliver::post_token))
        .routes(routes!(deliver::get_configuration))
        .routes(routes!(deliver::post_batch))
}

/// The list of edges, for whoever answers; each delivers one batch at a time.
#[derive(Debug)]
pub struct Edges {
    registry: Registry,
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    resets: down::Resets,
}

impl Edges {
    /// Answers for this list.
    #[must_use]
    pub fn new(registry: Registry) -> Arc<Self> {
        Arc::new(Self { registry, turns: Mutex::default(), resets: down::Resets::default() })
    }

    /// Follows what people do to alerts, so that edges are told. Ends with the program.
    pub async fn follow(self: Arc<Self>, live: live::Live) {
        self.resets.follow(&live).await;
    }

    fn turn(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.turns.lock().entry(id.to_owned()).or_default())
    }
}

/// How this edge gets on, if it is one.
#[derive(Debug, Clone, Default)]
pub struct ThisEdge(pub Arc<Mutex<Option<ThisEdgeView>>>);

/// Asks the list on a thread that may block.
async fn ask<T: Send + 'static>(
    edges: &Arc<Edges>,
    question: impl FnOnce(&Registry) -> Result<T, EdgeError> + Send + 'static,
) -> Result<T, ApiError> {
    let edges = Arc::clone(edges);
    let answer = tokio::task::spawn_blocking(move || question(&edges.registry)).await;
    answer.map_err(|error| ApiError::internal(&error))?.map_err(|error| match error {
        EdgeError::Unknown => ApiError::NotFound("edge"),
        EdgeError::Taken => ApiError::Conflict(error.to_string()),
        EdgeError::Refused => ApiError::Unauthorised,
        error => ApiError::internal(&error),
    })
}

/// 160 random bits, to be read aloud or typed.
fn secret() -> Result<String, ApiError> {
    let mut bytes = [0_u8; 20];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::internal(&error))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
