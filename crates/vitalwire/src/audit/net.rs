//! Connections that go out: plain or over TLS, with time limits, one thread each.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// How long connecting, and each read and write may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// An answer of a witness is not longer, in bytes.
const ANSWER_MAX: u64 = 64 << 10;

/// A connection.
pub(super) enum Line {
    Plain(TcpStream),
    Secure(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Line {
    /// Connects to `host:port`.
    pub(super) fn open(address: &str, tls: Option<&Arc<ClientConfig>>) -> anyhow::Result<Self> {
        let found = address.to_socket_addrs().with_context(|| format!("no such address: {address}"))?;
        let mut last = None;
        for one in found {
            match TcpStream::connect_timeout(&one, PATIENCE) {
                Ok(stream) => return Self::over(stream, address, tls),
                Err(error) => last = Some(error),
            }
        }
        match last {
            Some(error) => Err(error).with_context(|| format!("cannot connect to {address}")),
            None => anyhow::bail!("no such address: {address}"),
        }
    }

    fn over(stream: TcpStream, address: &str, tls: Option<&Arc<ClientConfig>>) -> anyhow::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let Some(config) = tls else { return Ok(Self::Plain(stream)) };
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())?;
        let connection = ClientConnection::new(Arc::clone(config), name)?;
        let mut secure = StreamOwned::new(connection, stream);
        // Shake hands now: what is wrong with a certificate is told before anything is sent.
        secure.flush().context("TLS")?;
        Ok(Self::Secure(Box::new(secure)))
    }

    /// Whether the other side has hung up; nothing is expected from it.
    pub(super) fn is_over(&mut self) -> bool {
        let socket = match self {
            Self::Plain(stream) => stream,
            Self::Secure(secure) => secure.get_mut(),
        };
        let _ = socket.set_nonblocking(true);
        let peeked = socket.peek(&mut [0]);
        let _ = socket.set_nonblocking(false);
        match peeked {
            Ok(0) => true,
            // Over TLS this may be an alert, or keys of a session: let the connection take it.
            Ok(_) => match self {
                Self::Plain(_) => false,
                Self::Secure(secure) => {
                    let closed = secure.conn.read_tls(&mut secure.sock).map_or(true, |got| got == 0);
                    closed || secure.conn.process_new_packets().map_or(true, |state| state.peer_has_closed())
                }
            },
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Secure(secure) => secure.read(buffer),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Secure(secure) => secure.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Secure(secure) => secure.flush(),
        }
    }
}

/// How TLS is spoken to whom: the authority that signs their certificates, and our own.
pub(super) fn tls(
    authority: &Path,
    own: Option<(&Path, &Path)>,
) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(authority)
        .with_context(|| format!("cannot read {}", authority.display()))?
    {
        roots.add(certificate?)?;
    }
    let builder = ClientConfig::builder().with_root_certificates(roots);
    let config = match own {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<_, _>>()?;
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(key)?)?
        }
    };
    Ok(Arc::new(config))
}

/// The status and body of the answer to a POST of text.
pub(super) fn post(url: &str, body: &str, tls: Option<&Arc<ClientConfig>>) -> anyhow::Result<(u16, String)> {
    let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        _ => anyhow::bail!("a URL begins with http:// or https://"),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let port = if secure { 443 } else { 80 };
    let address = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:{port}") };
    if secure && tls.is_none() {
        anyhow::bail!("https needs `authority`: the file of the authority that signs its certificate");
    }
    let mut line = Line::open(&address, tls.filter(|_| secure))?;
    write!(
        line,
        "POST /{path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    line.flush()?;
    let mut answer = Vec::new();
    // Some servers end TLS without a goodbye: what came until then is the answer.
    let _ = line.take(ANSWER_MAX).read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no HTTP status")?;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    Ok((status, if chunked { unchunked(body) } else { body.to_owned() }))
}

fn unchunked(mut body: &str) -> String {
    let mut text = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let Ok(size) = usize::from_str_radix(size.trim(), 16) else { break };
        let Some(chunk) = rest.get(..size).filter(|_| size > 0) else { break };
        text.push_str(chunk);
        body = rest.get(size + 2..).unwrap_or("");
    }
    text
}
