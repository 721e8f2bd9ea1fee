//! How much one identity may send, over all its connections to one listener.
//!
//! Whoever sends more is slowed by its own socket: nothing that arrived is dropped, and nobody else
//! waits. What is absent: limits on what one message may hold (the listeners' limits).

use std::net::IpAddr;
use std::time::{Duration, Instant};

use fleet::habit::Heard;
use fleet::limit::{Buckets, Rate};
use parking_lot::Mutex;
use vitals::{Content, Message, TimeBase};

use crate::{Authenticator, ClientIdentity};

/// Identities remembered at once; the ones unheard for longest go first.
const IDENTITIES_MAX: usize = 100_000;
/// Longest that a connection is not read at a time; then its debt is looked at again.
const SLOW_MAX: Duration = Duration::from_secs(5);

/// What an identity may send.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowance {
    /// Messages.
    pub messages: Rate,
    /// Bytes of messages.
    pub bytes: Rate,
}

/// What is left of everybody's allowance.
pub(crate) struct Quotas {
    protocol: &'static str,
    started: Instant,
    left: Mutex<(Buckets<String>, Buckets<String>)>,
}

impl Quotas {
    pub(crate) fn new(protocol: &'static str) -> Self {
        let buckets = || Buckets::new(IDENTITIES_MAX);
        Self { protocol, started: Instant::now(), left: Mutex::new((buckets(), buckets())) }
    }

    /// Takes what was sent from the allowance: how long to read no more, if it is used up.
    pub(crate) fn charge(
        &self,
        identity: &ClientIdentity,
        allowance: Allowance,
        messages: usize,
        bytes: usize,
    ) -> Option<Duration> {
        let now_us = i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX);
        let (of_messages, of_bytes) = {
            let mut left = self.left.lock();
            let (by_messages, by_bytes) = &mut *left;
            (
                by_messages.charge(&identity.name, allowance.messages, messages as f64, now_us),
                by_bytes.charge(&identity.name, allowance.bytes, bytes as f64, now_us),
            )
        };
        let (wait_us, reason) = match of_messages >= of_bytes {
            true => (of_messages, "messages"),
            false => (of_bytes, "bytes"),
        };
        if wait_us == 0 {
            return None;
        }
        metrics::counter!("vitalwire_gateway_slowed_total", "protocol" => self.protocol, "reason" => reason)
            .increment(1);
        Some(Duration::from_micros(wait_us).min(SLOW_MAX))
    }
}

/// Tells who watches behaviour what a live message says of each device.
pub(crate) fn tell(identify: &dyn Authenticator, message: &Message, topic: &str, address: Option<IpAddr>) {
    if message.time_base != TimeBase::Live {
        return;
    }
    for content in &message.content {
        if let Content::Reading(reading) = content {
            // A native topic names its device, whose own habit it is all the same.
            let of_device = topic.strip_prefix("vitalwire/").and_then(|rest| rest.split_once('/'));
            identify.heard(&Heard {
                device: &reading.device,
                topic: of_device.map_or(topic, |(_, rest)| rest),
                address,
                received_us: message.received.0,
                measurements: &reading.measurements,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_identity_uses_up_its_own_allowance_only() {
        let quotas = Quotas::new("test");
        let allowance = Allowance {
            messages: Rate { per_s: 0.001, burst: 100.0 },
            bytes: Rate { per_s: 0.001, burst: 1_000.0 },
        };
        let (flood, other) = (ClientIdentity::peer("flood"), ClientIdentity::peer("other"));
        assert_eq!(quotas.charge(&flood, allowance, 100, 10), None);
        assert_eq!(quotas.charge(&flood, allowance, 1, 10), Some(SLOW_MAX));
        assert_eq!(quotas.charge(&other, allowance, 1, 10), None);
        assert_eq!(quotas.charge(&other, allowance, 1, 2_000), Some(SLOW_MAX), "bytes count as well");
    }
}
