//! Keys of applications that keep them at an address of their own.

use std::sync::Arc;

use jsonwebtoken::jwk::JwkSet;

use crate::state::Api;

/// The keys at an application's address; none when it has none there, or they can't be had.
pub(super) async fn of(_api: &Api, _client: &str) -> Option<Arc<JwkSet>> {
    None
}
