//! What is asked of others: the client for it, and the public keys that they show at an address.
//!
//! Keys are kept for an hour. One that is not among them is looked for again, but an address is
//! asked at most once a minute, whoever knocks with what: nobody has us knock at another's door.

use std::collections::HashMap;
use std::sync::Arc;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use outgoing::{Address, Ask, Client};
use parking_lot::Mutex;
use vitals::ReceiveTime;
use vitals::time::{HOUR, MINUTE};

use crate::sign_on::SignOn;

/// How long keys are taken without asking again, in microseconds.
const FRESH: i64 = HOUR;
/// How long keys are taken while their address does not answer, in microseconds.
const STALE: i64 = 24 * HOUR;
/// An address is asked at most this often, in microseconds.
const ASK_EVERY: i64 = MINUTE;
/// Keys of one address that are looked at.
const KEYS_MAX: usize = 64;
/// Addresses whose keys are kept; above that all are asked for anew.
const ADDRESSES_MAX: usize = 1_024;

/// What is asked of others.
#[derive(Debug, Default)]
pub struct Outside {
    /// Sends requests; none: nobody is asked.
    pub client: Option<Client>,
    /// The site's identity provider, where people sign on too.
    pub sign_on: Option<SignOn>,
    sets: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Kept>>>>,
}

/// The keys at one address.
#[derive(Debug, Default)]
struct Kept {
    keys: Option<(Arc<JwkSet>, i64)>,
    tried: Option<i64>,
}

impl Kept {
    /// The keys that may be taken now, if the address need not be asked.
    fn take(&self, kid: Option<&str>, now: i64) -> Option<Option<Arc<JwkSet>>> {
        let age = |at: i64| now.saturating_sub(at);
        // A clock that was set back makes nothing last longer.
        let kept = self.keys.as_ref().filter(|(_, at)| (0..STALE).contains(&age(*at)));
        let known = |keys: &JwkSet| kid.is_none_or(|kid| keys.find(kid).is_some());
        if let Some((keys, _)) = kept.filter(|(keys, at)| age(*at) < FRESH && known(keys)) {
            return Some(Some(Arc::clone(keys)));
        }
        let just_tried = self.tried.is_some_and(|at| (0..ASK_EVERY).contains(&age(at)));
        just_tried.then(|| kept.map(|(keys, _)| Arc::clone(keys)))
    }
}

impl Outside {
    /// Asks others by this client; people sign on at that provider, if there is one.
    #[must_use]
    pub fn new(client: Client, sign_on: Option<SignOn>) -> Self {
        Self { client: Some(client), sign_on, ..Self::default() }
    }

    /// The keys at an address, among them the one named if it is there. None when they can't be had.
    pub(crate) async fn keys(
        &self,
        client: &Client,
        address: &Address,
        kid: Option<&str>,
        now: ReceiveTime,
    ) -> Option<Arc<JwkSet>> {
        let entry = {
            let mut sets = self.sets.lock();
            if sets.len() >= ADDRESSES_MAX {
                sets.clear();
            }
            Arc::clone(sets.entry(address.to_string()).or_default())
        };
        // Held while asking: those who come meanwhile wait for the one answer.
        let mut kept = entry.lock().await;
        if let Some(found) = kept.take(kid, now.micros()) {
            return found;
        }
        kept.tried = Some(now.micros());
        match fetch(client, address).await {
            Ok(keys) => kept.keys = Some((Arc::new(keys), now.micros())),
            Err(why) => tracing::warn!(%address, "public keys could not be had: {why}"),
        }
        kept.take(kid, now.micros()).flatten()
    }
}

async fn fetch(client: &Client, address: &Address) -> Result<JwkSet, String> {
    let mut ask = Ask::get(address);
    if address.is_loopback() {
        ask = ask.plain_too();
    }
    let answer = client.send(ask).await.map_err(|error| error.to_string())?;
    if !answer.is_success() {
        return Err(format!("answered {}", answer.status));
    }
    read(&answer.body).ok_or_else(|| "the answer is no JWK set".to_owned())
}

/// Reads a set. Keys of kinds that we do not know are no reason to take none of the others.
fn read(body: &[u8]) -> Option<JwkSet> {
    let set: serde_json::Value = serde_json::from_slice(body).ok()?;
    let keys = set.get("keys")?.as_array()?.iter().take(KEYS_MAX);
    let keys = keys.filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
    Some(JwkSet { keys: keys.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use vitals::time::SECOND;

    const KEYS: &str = r#"{"keys":[{"kty":"later","kid":"x"},
        {"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}]}"#;

    /// Serves these keys; says how often it was asked.
    async fn serve() -> (Address, Arc<Mutex<(u32, bool)>>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}/jwks", listener.local_addr().expect("bound"));
        let asked = Arc::new(Mutex::new((0, true)));
        let (seen, mut request) = (Arc::clone(&asked), [0; 2_048]);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut request).await;
                let works = {
                    let mut seen = seen.lock();
                    seen.0 += 1;
                    seen.1
                };
                let status = if works { "200 OK" } else { "503 Later" };
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{KEYS}", KEYS.len());
                let _ = stream.write_all(head.as_bytes()).await;
            }
        });
        (Address::parse(&address).expect("an address"), asked)
    }

    #[tokio::test]
    async fn keys_are_kept_and_an_unknown_one_is_asked_for_once_a_minute() {
        let (address, asked) = serve().await;
        let client = Client::plain().expect("a client");
        let outside = Outside::default();
        let at = |seconds: i64| ReceiveTime(1_000_000 * SECOND + seconds * SECOND);
        for (second, kid, works, there, times) in [
            (0, "a", true, true, 1),
            (1, "a", true, true, 1),
            (2, "b", true, false, 1),
            (30, "b", true, false, 1),
            (61, "b", true, false, 2),
            (3_700, "a", false, true, 3),
            (3_701, "a", true, true, 3),
            (90_000, "a", false, false, 4),
        ] {
            asked.lock().1 = works;
            let keys = outside.keys(&client, &address, Some(kid), at(second)).await;
            let found = keys.is_some_and(|keys| keys.find(kid).is_some());
            assert_eq!((found, asked.lock().0), (there, times), "{kid} after {second} s");
        }
    }
}
