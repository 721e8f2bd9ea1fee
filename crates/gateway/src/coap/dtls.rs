//! DTLS 1.2 with a key that both sides know beforehand (RFC 4279, RFC 6655), by OpenSSL: datagrams in
//! and out, no socket. Whoever comes in shows its name; its key is asked for then. Nothing is resumed,
//! nothing renegotiated, nothing older spoken.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, OnceLock};

use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{
    ErrorCode, Ssl, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslSessionCacheMode,
    SslStream, SslVersion,
};
use parking_lot::Mutex;

use super::hello::{Hello, is_sealed};
use crate::{Authenticator, ClientIdentity, Door, Refused};

/// What is spoken, most wanted first. The suites with a short tag and without authenticated
/// encryption are those that LwM2M 1.1 asks of a server (Transport Bindings, 5.2.8); the library gives
/// the first of them only at security level 0, so everything is named and nothing else is there.
const SUITES: &str = "PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384:PSK-AES128-CCM:PSK-AES256-CCM:\
     PSK-AES128-CCM8:PSK-AES256-CCM8:PSK-AES128-CBC-SHA256:@SECLEVEL=0";
/// The longest datagram of ours, bytes: fits through any path of IPv6 with room for a tunnel.
const MTU: u32 = 1_200;
/// The longest record's content.
const PLAIN_MAX: usize = 1 << 14;

/// Datagrams that wait to be read, and those that were written.
#[derive(Debug, Default)]
struct Pipe {
    incoming: VecDeque<Vec<u8>>,
    outgoing: Vec<Vec<u8>>,
}

impl Read for Pipe {
    /// One datagram at a time, as the library wants it.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let datagram = self.incoming.pop_front().ok_or(io::ErrorKind::WouldBlock)?;
        let length = datagram.len().min(buffer.len());
        buffer[..length].copy_from_slice(&datagram[..length]);
        Ok(length)
    }
}

impl Write for Pipe {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.outgoing.push(buffer.to_vec());
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is known of a handshake.
#[derive(Debug, Default)]
struct Known {
    door: Door,
    cookie: Vec<u8>,
    /// Who it says it is, and whether that one may come in.
    asked: Option<(String, Result<ClientIdentity, Refused>)>,
}

type Shared = Arc<Mutex<Known>>;

/// Where the library keeps what we know of a handshake.
fn index() -> Result<Index<Ssl, Shared>, ErrorStack> {
    static INDEX: OnceLock<Index<Ssl, Shared>> = OnceLock::new();
    if let Some(index) = INDEX.get() {
        return Ok(*index);
    }
    let made = Ssl::new_ex_index()?;
    Ok(*INDEX.get_or_init(|| made))
}

/// What all handshakes have in common.
pub(super) struct Terms {
    context: SslContext,
}

impl Terms {
    /// Handshakes of those whom `identify` knows.
    pub(super) fn new(identify: Arc<dyn Authenticator>) -> Result<Self, ErrorStack> {
        let known = index()?;
        let mut builder = SslContextBuilder::new(SslMethod::dtls())?;
        builder.set_min_proto_version(Some(SslVersion::DTLS1_2))?;
        builder.set_cipher_list(SUITES)?;
        builder.set_options(
            SslOptions::COOKIE_EXCHANGE
                | SslOptions::CIPHER_SERVER_PREFERENCE
                | SslOptions::NO_QUERY_MTU
                | SslOptions::NO_TICKET
                | SslOptions::NO_RENEGOTIATION
                | SslOptions::NO_COMPRESSION,
        );
        builder.set_mode(SslMode::RELEASE_BUFFERS);
        builder.set_session_cache_mode(SslSessionCacheMode::OFF);
        let cookie = move |ssl: &mut openssl::ssl::SslRef| {
            ssl.ex_data(known).map_or_else(Vec::new, |shared| shared.lock().cookie.clone())
        };
        // Both were checked before the library saw anything ([`super::hello`]).
        builder.set_cookie_generate_cb(move |ssl, into| {
            let cookie = cookie(ssl);
            into[..cookie.len()].copy_from_slice(&cookie);
            Ok(cookie.len())
        });
        builder.set_cookie_verify_cb(move |ssl, shown| cookie(ssl) == shown);
        builder.set_psk_server_callback(move |ssl, name, into| {
            let Some(shared) = ssl.ex_data(known).cloned() else { return Ok(0) };
            Ok(key_of(identify.as_ref(), &mut shared.lock(), name.unwrap_or_default(), into))
        });
        Ok(Self { context: builder.build() })
    }
}

/// Asks for the key of whoever shows this name. Who is not let in gets a key that nobody has: what
/// follows looks the same as with a wrong key, so that names can't be tried out (RFC 4279 2).
fn key_of(identify: &dyn Authenticator, known: &mut Known, name: &[u8], into: &mut [u8]) -> usize {
    let shown = String::from_utf8_lossy(name).into_owned();
    let (asked, key) = match identify.coap(&known.door, name) {
        Ok((identity, key)) if (1..=into.len()).contains(&key.len()) => (Ok(identity), key),
        Ok(_) => (Err(Refused::NotAllowed), Vec::new()),
        Err(refused) => (Err(refused), Vec::new()),
    };
    known.asked = Some((shown, asked));
    if key.is_empty() {
        let nobody = &mut into[..32];
        return if getrandom::fill(nobody).is_ok() { nobody.len() } else { 0 };
    }
    into[..key.len()].copy_from_slice(&key);
    key.len()
}

/// One sensor's association, from its hello on.
pub(super) struct Secure {
    stream: SslStream<Pipe>,
    known: Shared,
    random: [u8; 32],
    established: bool,
}

/// What came of a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// The handshake goes on.
    Handshake,
    /// The handshake goes on, but what is sealed with the sensor's key can't be read: it has another.
    Unreadable,
    /// These are the contents that could be read; of one that could not, nothing.
    Plain(Vec<Vec<u8>>),
    /// It is over: closed by the sensor, or broken.
    Over,
}

impl Secure {
    /// Begins with a hello whose cookie was checked.
    pub(super) fn begin(terms: &Terms, hello: &Hello<'_>, door: Door) -> Result<Self, ErrorStack> {
        let known = Known { door, cookie: hello.cookie.to_vec(), asked: None };
        let known = Arc::new(Mutex::new(known));
        let mut ssl = Ssl::new(&terms.context)?;
        ssl.set_mtu(MTU)?;
        ssl.set_ex_data(index()?, Arc::clone(&known));
        let mut random = [0; 32];
        random.copy_from_slice(hello.random());
        let mut secure = Self { stream: SslStream::new(ssl, Pipe::default())?, known, random, established: false };
        // The library counts messages: it asks for the cookie once more, and is answered.
        secure.take(&hello.before());
        secure.outgoing();
        Ok(secure)
    }

    /// Whether it began with this hello.
    pub(super) fn is_of(&self, hello: &Hello<'_>) -> bool {
        self.random == hello.random()
    }

    /// Takes a datagram.
    pub(super) fn take(&mut self, datagram: &[u8]) -> Taken {
        let sealed = is_sealed(datagram);
        self.stream.get_mut().incoming.push_back(datagram.to_vec());
        if !self.established {
            match self.stream.accept() {
                Ok(()) => self.established = true,
                Err(error) if error.code() == ErrorCode::WANT_READ => {
                    let asked = self.known.lock().asked.is_some();
                    return if sealed && asked { Taken::Unreadable } else { Taken::Handshake };
                }
                Err(_) => return Taken::Over,
            }
        }
        let mut plain = Vec::new();
        let mut buffer = vec![0; PLAIN_MAX];
        loop {
            match self.stream.ssl_read(&mut buffer) {
                Ok(length) => plain.push(buffer[..length].to_vec()),
                Err(error) if error.code() == ErrorCode::WANT_READ => return Taken::Plain(plain),
                Err(_) if plain.is_empty() => return Taken::Over,
                // The goodbye is seen when what came before it has been taken.
                Err(_) => return Taken::Plain(plain),
            }
        }
    }

    /// Whether the handshake is through: the sensor has its key.
    pub(super) fn is_established(&self) -> bool {
        self.established
    }

    /// Who it says it is, and whether that one may come in; none before it has said so.
    pub(super) fn asked(&self) -> Option<(String, Result<ClientIdentity, Refused>)> {
        self.known.lock().asked.clone()
    }

    /// Time has passed in a handshake: what was not answered is sent again when it is time.
    pub(super) fn again(&mut self) {
        if !self.established {
            // The library has a clock of its own for this; whatever it says is told by the next datagram.
            let _ = self.stream.accept();
        }
    }

    /// Seals a message; whether it could be.
    pub(super) fn seal(&mut self, plain: &[u8]) -> bool {
        self.established && self.stream.ssl_write(plain).is_ok()
    }

    /// Says goodbye.
    pub(super) fn close(&mut self) {
        // Whether the sensor hears it or not: it is over.
        let _ = self.stream.shutdown();
    }

    /// Datagrams to send.
    pub(super) fn outgoing(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.stream.get_mut().outgoing)
    }
}
