//! Keys of applications that keep them at an address of their own.

use std::sync::Arc;

use jsonwebtoken::jwk::JwkSet;
use outgoing::Address;

use crate::state::Api;

/// The keys at an application's address, among them the one that its proof names if it is there;
/// none when it has none there, or they can't be had.
pub(super) async fn of(api: &Api, client: &str, assertion: &str) -> Option<Arc<JwkSet>> {
    let registered = api.guard.client(client).ok().flatten()?;
    let address = Address::parse(registered.jwks_uri.as_deref()?).ok()?;
    // Registered before this was asked for: nobody's keys come over a line that others write on.
    if !address.is_encrypted() {
        tracing::warn!(client, "an application's keys are at an address without https: not fetched");
        return None;
    }
    let kid = jsonwebtoken::decode_header(assertion).ok()?.kid;
    let outgoing = api.outside.client.as_ref()?;
    api.outside.keys(outgoing, &address, kid.as_deref(), api.now()).await
}
