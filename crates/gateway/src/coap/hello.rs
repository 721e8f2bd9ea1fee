//! The first step of DTLS 1.2 without keeping anything (RFC 6347 4.2.1): whoever says hello must show
//! a cookie that was sent to its address, so that invented addresses cost nothing but an answer no
//! longer than the question. No library, no state.

use std::net::{IpAddr, SocketAddr};

/// Bytes before a record's content, and before a handshake message's.
const RECORD: usize = 13;
const MESSAGE: usize = 12;
/// Content types and handshake messages.
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const HELLO_VERIFY: u8 = 3;
/// How long a cookie is, bytes, and for how long it is taken, at least, in milliseconds.
const COOKIE: usize = 20;
const PERIOD_MS: u64 = 60_000;

/// A client's hello: one record, one message, nothing behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hello<'a> {
    datagram: &'a [u8],
    /// Where the cookie's length stands.
    at: usize,
    /// What it shows; empty: nothing yet.
    pub(super) cookie: &'a [u8],
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])))
}

fn u24_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(*bytes.get(at)?) << 16 | u16_at(bytes, at + 1)?)
}

impl<'a> Hello<'a> {
    /// The hello in a datagram; none if it is anything else. A hello in pieces is none: those of
    /// sensors fit into one datagram.
    pub(super) fn read(datagram: &'a [u8]) -> Option<Self> {
        let record = datagram.get(RECORD..)?;
        let body = record.get(MESSAGE..)?;
        let version = datagram[1] == 0xfe;
        let first = datagram[0] == HANDSHAKE && version && u16_at(datagram, 3)? == 0;
        let whole = u16_at(datagram, 11)? == record.len()
            && u24_at(record, 1)? == body.len()
            && u24_at(record, 6)? == 0
            && u24_at(record, 9)? == body.len();
        if !first || !whole || record[0] != CLIENT_HELLO {
            return None;
        }
        // Version and random, the session that it would resume, then the cookie.
        let at = 35 + usize::from(*body.get(34)?);
        let length = usize::from(*body.get(at)?);
        let cookie = body.get(at + 1..at + 1 + length)?;
        Some(Self { datagram, at: RECORD + MESSAGE + at, cookie })
    }

    /// The random number that tells this hello from others.
    pub(super) fn random(&self) -> &'a [u8] {
        &self.datagram[RECORD + MESSAGE + 2..RECORD + MESSAGE + 34]
    }

    /// Whether it can be the answer to a question: the client's second message, in its second record
    /// or later.
    pub(super) fn is_second(&self) -> bool {
        self.message_number() == 1 && self.datagram[5..11] != [0; 6]
    }

    fn message_number(&self) -> u16 {
        u16::from_be_bytes([self.datagram[RECORD + 4], self.datagram[RECORD + 5]])
    }

    /// This hello as it was said before the cookie was asked for: what a library that counts messages
    /// expects first.
    pub(super) fn before(&self) -> Vec<u8> {
        let mut first = self.datagram[..=self.at].to_vec();
        first[self.at] = 0;
        first.extend(&self.datagram[self.at + 1 + self.cookie.len()..]);
        let length = first.len() - RECORD;
        let record = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        let body = u32::try_from(length - MESSAGE).unwrap_or(u32::MAX).to_be_bytes();
        first[11..13].copy_from_slice(&record);
        first[RECORD + 1..RECORD + 4].copy_from_slice(&body[1..]);
        first[RECORD + 4..RECORD + 6].copy_from_slice(&[0, 0]);
        first[RECORD + 9..RECORD + 12].copy_from_slice(&body[1..]);
        // One record before.
        let mut number = [0; 8];
        number[2..].copy_from_slice(&first[5..11]);
        let before = u64::from_be_bytes(number).saturating_sub(1).to_be_bytes();
        first[5..11].copy_from_slice(&before[2..]);
        first
    }

    /// The question for a cookie.
    pub(super) fn verify(&self, cookie: &[u8]) -> Vec<u8> {
        let body = cookie.len() + 3;
        let mut answer = vec![HANDSHAKE, 0xfe, 0xff, 0, 0];
        // The record's number is the hello's: we keep none (RFC 6347 4.2.1).
        answer.extend(&self.datagram[5..11]);
        answer.extend([0, (MESSAGE + body) as u8, HELLO_VERIFY, 0, 0, body as u8]);
        answer.extend(self.message_number().to_be_bytes());
        answer.extend([0, 0, 0, 0, 0, body as u8, 0xfe, 0xff, cookie.len() as u8]);
        answer.extend(cookie);
        answer
    }
}

/// Whether a datagram has a record that is sealed.
pub(super) fn is_sealed(mut datagram: &[u8]) -> bool {
    while let (Some(epoch), Some(length)) = (u16_at(datagram, 3), u16_at(datagram, 11)) {
        if epoch > 0 {
            return true;
        }
        datagram = datagram.get(RECORD + length..).unwrap_or_default();
    }
    false
}

/// Makes cookies, and knows its own again.
pub(super) struct Cookies {
    secret: [u8; 32],
}

impl Cookies {
    pub(super) fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    /// The cookie of an address that says this hello now.
    pub(super) fn make(&self, peer: SocketAddr, hello: &Hello<'_>, now_ms: u64) -> [u8; COOKIE] {
        self.of(peer, hello, now_ms / PERIOD_MS)
    }

    /// Whether the hello shows the cookie that its address was sent.
    pub(super) fn fits(&self, peer: SocketAddr, hello: &Hello<'_>, now_ms: u64) -> bool {
        let now = now_ms / PERIOD_MS;
        [now, now.saturating_sub(1)].into_iter().any(|period| self.of(peer, hello, period) == hello.cookie)
    }

    fn of(&self, peer: SocketAddr, hello: &Hello<'_>, period: u64) -> [u8; COOKIE] {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        match peer.ip() {
            IpAddr::V4(ip) => hasher.update(&ip.octets()),
            IpAddr::V6(ip) => hasher.update(&ip.octets()),
        };
        hasher.update(&peer.port().to_be_bytes()).update(&period.to_be_bytes());
        // What it says beside the cookie, which must be the same both times.
        hasher.update(&hello.datagram[RECORD + MESSAGE..hello.at]);
        hasher.update(&hello.datagram[hello.at + 1 + hello.cookie.len()..]);
        let mut cookie = [0; COOKIE];
        hasher.finalize_xof().fill(&mut cookie);
        cookie
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hello with this cookie, as record and message of these numbers.
    fn hello(cookie: &[u8], record: u8, message: u8) -> Vec<u8> {
        let mut body = vec![0xfe, 0xfd];
        body.extend([7; 32]);
        body.extend([0, cookie.len() as u8]);
        body.extend(cookie);
        body.extend([0, 2, 0xc0, 0xa8, 1, 0]);
        let length = body.len() as u8;
        let mut datagram = vec![22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, record, 0, length + 12];
        datagram.extend([1, 0, 0, length, 0, message, 0, 0, 0, 0, 0, length]);
        datagram.extend(body);
        datagram
    }

    #[test]
    fn a_cookie_is_its_addresss_and_its_hellos() {
        let cookies = Cookies::new([3; 32]);
        let (here, there): (SocketAddr, SocketAddr) =
            ("10.0.0.1:5683".parse().expect("an address"), "10.0.0.1:5684".parse().expect("an address"));
        let first = hello(&[], 0, 0);
        let first = Hello::read(&first).expect("a hello");
        let cookie = cookies.make(here, &first, 100_000);
        let question = first.verify(&cookie);
        assert_eq!(question.len(), 13 + 12 + 3 + COOKIE);
        assert!(question.len() <= first.datagram.len(), "no longer than what it answers");
        assert_eq!(question[RECORD], HELLO_VERIFY);
        assert_eq!(&question[question.len() - COOKIE..], cookie);
        let second = hello(&cookie, 1, 1);
        let second = Hello::read(&second).expect("a hello");
        assert!(second.is_second() && !first.is_second());
        assert!(cookies.fits(here, &second, 130_000));
        assert!(!cookies.fits(here, &second, 250_000), "it is old");
        assert!(!cookies.fits(there, &second, 100_000), "another address");
        assert!(!Cookies::new([4; 32]).fits(here, &second, 100_000), "another's cookie");
        assert!(!cookies.fits(here, &first, 100_000));
        assert_eq!(second.before(), first.datagram, "said as before");
        assert_eq!(second.random(), [7; 32]);
    }

    #[test]
    fn what_is_no_hello() {
        let whole = hello(b"cookie", 1, 1);
        assert!(Hello::read(&whole).is_some());
        for cut in 0..whole.len() {
            assert_eq!(Hello::read(&whole[..cut]), None, "cut after {cut}");
        }
        for (at, value) in [(0, 23), (1, 3), (4, 1), (13, 2), (20, 1), (21, 9), (59, 200), (60, 200)] {
            let mut other = whole.clone();
            other[at] = value;
            assert_eq!(Hello::read(&other), None, "byte {at}");
        }
        // No byte anywhere makes it panic, whichever it is.
        for at in 0..whole.len() {
            for value in 0..=255 {
                let mut other = whole.clone();
                other[at] = value;
                if let Some(hello) = Hello::read(&other) {
                    hello.before();
                    hello.verify(&[1; COOKIE]);
                }
                is_sealed(&other);
            }
        }
    }

    #[test]
    fn sealed_records_are_seen_behind_others() {
        let mut datagram = hello(&[], 0, 0);
        assert!(!is_sealed(&datagram));
        datagram.extend([22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 9]);
        assert!(is_sealed(&datagram));
        assert!(!is_sealed(&[]));
    }
}
