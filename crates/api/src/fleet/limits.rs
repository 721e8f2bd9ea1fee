//! How many requests an account, or an address before login, may make: above it 429, with when to come
//! again. One that floods spends its own allowance and nobody else's.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use fleet::limit::{Buckets, Rate};
use parking_lot::Mutex;

use crate::error::ApiError;
use crate::origin::{Origin, Peer};
use crate::state::Api;

/// Identities remembered at once.
const IDENTITIES_MAX: usize = 50_000;
/// How much more may come at once after a pause than in a second.
const BURST: f64 = 5.0;

/// Requests a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HttpLimits {
    /// Of one account or device.
    pub account_per_s: f64,
    /// From one address, of requests that show no credentials.
    pub address_per_s: f64,
}

impl Default for HttpLimits {
    /// Far above what a page, a bench or a record system asks.
    fn default() -> Self {
        Self { account_per_s: 2_000.0, address_per_s: 500.0 }
    }
}

/// What is left of everybody's allowance; clones share it.
#[derive(Clone)]
pub struct Limiter {
    limits: HttpLimits,
    left: Arc<Mutex<Left>>,
}

struct Left {
    /// By the hash of credentials that were good when they were last shown.
    known: HashSet<u64>,
    of_known: Buckets<u64>,
    of_address: Buckets<IpAddr>,
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limiter").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new(HttpLimits::default())
    }
}

impl Limiter {
    /// With these limits.
    #[must_use]
    pub fn new(limits: HttpLimits) -> Self {
        let left = Left {
            known: HashSet::new(),
            of_known: Buckets::new(IDENTITIES_MAX),
            of_address: Buckets::new(IDENTITIES_MAX),
        };
        Self { limits, left: Arc::new(Mutex::new(left)) }
    }

    /// Takes one request out of what its credentials, if they were good before, or else its address have left.
    fn take(&self, shown: Option<u64>, address: Option<IpAddr>, trial: bool, now_us: i64) -> Result<(), (u64, &'static str)> {
        let rate = |per_s: f64| Rate { per_s, burst: per_s * BURST };
        let mut left = self.left.lock();
        if let Some(shown) = shown.filter(|shown| left.known.contains(shown)) {
            let of_account = rate(self.limits.account_per_s);
            return left.of_known.take(&shown, of_account, 1.0, now_us).map_err(|wait| (wait, "account"));
        }
        let Some(address) = address else { return Ok(()) };
        let per_s = if trial { self.limits.account_per_s } else { self.limits.address_per_s };
        left.of_address.take(&address, rate(per_s), 1.0, now_us).map_err(|wait| (wait, "address"))
    }

    /// Remembers whether credentials were good.
    fn learn(&self, shown: u64, good: bool) {
        let mut left = self.left.lock();
        if !good {
            left.known.remove(&shown);
        } else if left.known.len() < IDENTITIES_MAX || left.known.contains(&shown) {
            left.known.insert(shown);
        } else {
            // Everybody counts for their address until they are known again.
            left.known.clear();
        }
    }
}

/// Lets a request through while its identity has some allowance left. Credentials that were never
/// good are no identity: they count for their address.
pub(crate) async fn limit(State(api): State<Api>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied().unwrap_or_default();
    let address = Origin::of(peer, request.headers(), &api.trusted_proxies).address;
    let shown = credentials(request.headers());
    if let Err((wait_us, reason)) = api.limiter.take(shown, address, api.guard.is_open(), api.now().0) {
        metrics::counter!("vitalwire_gateway_slowed_total", "protocol" => "http", "reason" => reason)
            .increment(1);
        return ApiError::SlowDown { wait_ms: wait_us.div_ceil(1_000) }.into_response();
    }
    let public = is_public(request.uri().path());
    let answer = next.run(request).await;
    if let Some(shown) = shown {
        match answer.status() {
            StatusCode::UNAUTHORIZED => api.limiter.learn(shown, false),
            // Who it is was asked, and answered.
            status if !public && !status.is_server_error() && status != StatusCode::NOT_FOUND => {
                api.limiter.learn(shown, true);
            }
            _ => {}
        }
    }
    answer
}

/// Whether a path is answered without a look at credentials: pages, probes, what logs in.
fn is_public(path: &str) -> bool {
    let asks = ["/api/v1/", "/api/v3/", "/fhir/"].iter().any(|start| path.starts_with(start));
    let open = ["/api/v1/login", "/api/v1/setup", "/api/v1/logout", "/api/v1/oidc", "/fhir/metadata"];
    !asks || open.iter().any(|start| path.starts_with(start))
}

/// A hash of what a request shows to say who it is.
fn credentials(headers: &HeaderMap) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        value.as_bytes().hash(&mut hasher);
    } else {
        crate::access::session_token(headers)?.hash(&mut hasher);
    }
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_spends_its_own_allowance() {
        let limiter = Limiter::new(HttpLimits { account_per_s: 10.0, address_per_s: 1.0 });
        let take = |shown, last, now| limiter.take(shown, Some(IpAddr::from([10, 0, 0, last])), false, now);
        limiter.learn(1, true);
        limiter.learn(2, true);
        for _ in 0..50 {
            assert_eq!(take(Some(1), 1, 0), Ok(()));
        }
        assert_eq!(take(Some(1), 1, 0), Err((100_000, "account")));
        assert_eq!(take(Some(2), 1, 0), Ok(()), "another account at that address");
        for made_up in 100..105 {
            assert_eq!(take(Some(made_up), 1, 0), Ok(()));
        }
        assert_eq!(take(Some(200), 1, 0), Err((1_000_000, "address")), "made-up credentials are one address");
        assert_eq!(take(None, 1, 0), Err((1_000_000, "address")));
        assert_eq!(take(None, 2, 0), Ok(()));
        assert_eq!(take(Some(1), 1, 1_000_000), Ok(()), "a second later");
        limiter.learn(1, false);
        assert_eq!(take(Some(1), 3, 1_000_000), Ok(()), "revoked: by its address now");
    }
}
