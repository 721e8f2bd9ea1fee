//! Where a request comes from: address, encryption, and the page that sent it.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method, header};

use crate::access::session_token;

/// The connection that a request came on: put among the request's extensions by whoever listens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Peer {
    /// The other end.
    pub address: Option<IpAddr>,
    /// Whether the connection is encrypted by us.
    pub encrypted: bool,
}

/// Where a request comes from, once proxies that we trust have been believed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) address: Option<IpAddr>,
    pub(crate) encrypted: bool,
}

impl Origin {
    /// Believes `X-Forwarded-For` and `X-Forwarded-Proto` of trusted proxies only: from the right,
    /// the first address that is no trusted proxy is the client's.
    pub(crate) fn of(peer: Peer, headers: &HeaderMap, trusted: &[IpAddr]) -> Self {
        let is_trusted = |address: IpAddr| trusted.contains(&address.to_canonical());
        if !peer.address.is_some_and(is_trusted) {
            return Self { address: peer.address, encrypted: peer.encrypted };
        }
        let proto = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
        let encrypted = match proto {
            Some(proto) => proto.trim().eq_ignore_ascii_case("https"),
            None => peer.encrypted,
        };
        let lists: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        let named = lists.iter().flat_map(|list| list.split(',')).collect::<Vec<_>>();
        let mut address = peer.address;
        for text in named.into_iter().rev() {
            // What is no address can't be believed, nor what stands to the left of it.
            let Ok(named) = text.trim().parse::<IpAddr>() else { break };
            address = Some(named.to_canonical());
            if !is_trusted(named) {
                break;
            }
        }
        Self { address, encrypted }
    }
}

/// Why a request is refused for the page or name that it came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strange {
    /// A page of another site sent it.
    OtherSite,
    /// A name that is not this machine's, while everybody may do everything.
    OtherHost,
}

/// Whether a browser was made to send this by somebody else's page. Browsers say where an unsafe
/// request comes from; programs with a token are not browsers.
pub(crate) fn strange(method: &Method, headers: &HeaderMap, open: bool) -> Option<Strange> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("host").unwrap_or_default();
    // A page elsewhere may give its own name our address (DNS rebinding): in a trial nothing else
    // would stop it.
    if open && !host.is_empty() && !is_loopback_name(host) {
        return Some(Strange::OtherHost);
    }
    if method.is_safe() {
        return None;
    }
    let program = headers.contains_key(header::AUTHORIZATION) && session_token(headers).is_none();
    if program {
        return None;
    }
    let by_site = text("sec-fetch-site").map(|site| matches!(site, "same-origin" | "none"));
    let by_origin = text("origin").map(|origin| {
        let name = origin.split_once("://").map_or("", |(_, name)| name);
        !name.is_empty() && name.eq_ignore_ascii_case(host)
    });
    match (by_site, by_origin) {
        (Some(false), _) | (None, Some(false)) => Some(Strange::OtherSite),
        _ => None,
    }
}

fn is_loopback_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (header::HeaderName::from_static(name), value.parse().expect("a value"))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        let trusted = [ip("10.0.0.1"), ip("10.0.0.2")];
        for (peer, forwarded, proto, expected, encrypted) in [
            ("192.0.2.9", "198.51.100.1", "https", "192.0.2.9", false),
            ("10.0.0.1", "198.51.100.1", "https", "198.51.100.1", true),
            ("10.0.0.1", "203.0.113.5, 198.51.100.1, 10.0.0.2", "http", "198.51.100.1", false),
            ("::ffff:10.0.0.1", "198.51.100.1", "https", "198.51.100.1", true),
            ("10.0.0.1", "nonsense", "https", "10.0.0.1", true),
            ("10.0.0.1", "198.51.100.1, nonsense", "https", "10.0.0.1", true),
        ] {
            let headers = headers(&[("x-forwarded-for", forwarded), ("x-forwarded-proto", proto)]);
            let peer = Peer { address: Some(ip(peer)), encrypted: false };
            let found = Origin::of(peer, &headers, &trusted);
            assert_eq!(found.address, Some(ip(expected)), "{forwarded}");
            assert_eq!(found.encrypted, encrypted, "{forwarded}");
        }
    }

    #[test]
    fn writes_from_other_pages_are_strange() {
        let host = ("host", "ward.example:8080");
        let cookie = ("cookie", "vitalwire-session=x");
        for (method, pairs, expected) in [
            ("POST", vec![host, cookie], None),
            ("POST", vec![host, cookie, ("origin", "https://ward.example:8080")], None),
            ("POST", vec![host, cookie, ("origin", "https://evil.example")], Some(Strange::OtherSite)),
            ("POST", vec![host, ("origin", "null")], Some(Strange::OtherSite)),
            ("POST", vec![host, ("sec-fetch-site", "cross-site")], Some(Strange::OtherSite)),
            ("POST", vec![host, ("sec-fetch-site", "same-site")], Some(Strange::OtherSite)),
            ("POST", vec![host, ("sec-fetch-site", "same-origin")], None),
            ("GET", vec![host, ("sec-fetch-site", "cross-site")], None),
            ("POST", vec![host, ("authorization", "Bearer x"), ("origin", "https://a.example")], None),
        ] {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            assert_eq!(strange(&method, &headers(&pairs), false), expected, "{pairs:?}");
        }
    }

    #[test]
    fn a_trial_answers_to_its_own_names_only() {
        for (host, expected) in [
            ("127.0.0.1:8080", None),
            ("localhost", None),
            ("[::1]:8080", None),
            ("127.0.0.1.evil.example", Some(Strange::OtherHost)),
            ("evil.example:8080", Some(Strange::OtherHost)),
        ] {
            assert_eq!(strange(&Method::GET, &headers(&[("host", host)]), true), expected, "{host}");
        }
    }
}
