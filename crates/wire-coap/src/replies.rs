//! What was answered to which message: a message that comes again is answered again, and taken once
//! (RFC 7252 4.2).

use std::collections::VecDeque;

/// How long a message's number stands for the same message (EXCHANGE_LIFETIME).
const LIFETIME_MS: u64 = 247_000;
/// The most messages remembered of a connection.
const MOST: usize = 256;

/// What is known of a message that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing: it is new.
    New,
    /// It is being kept; the answer follows.
    Pending,
    /// It was answered with this.
    Answered(Vec<u8>),
}

/// The messages of one connection.
#[derive(Debug, Default)]
pub(crate) struct Replies(VecDeque<(u16, u64, Option<Vec<u8>>)>);

impl Replies {
    /// What is known of the message, which is remembered from now on.
    pub(crate) fn take(&mut self, id: u16, now_ms: u64) -> Known {
        while self.0.front().is_some_and(|(_, at, _)| now_ms.saturating_sub(*at) > LIFETIME_MS) {
            self.0.pop_front();
        }
        if let Some((_, _, reply)) = self.0.iter().find(|(known, _, _)| *known == id) {
            return reply.clone().map_or(Known::Pending, Known::Answered);
        }
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((id, now_ms, None));
        Known::New
    }

    /// Remembers what a message was answered with.
    pub(crate) fn answered(&mut self, id: u16, reply: &[u8]) {
        if let Some(one) = self.0.iter_mut().find(|(known, _, _)| *known == id) {
            one.2 = Some(reply.to_vec());
        }
    }

    /// Forgets a message that was not kept: sent again, it is tried again.
    pub(crate) fn forget(&mut self, id: u16) {
        self.0.retain(|(known, _, _)| *known != id);
    }
}
