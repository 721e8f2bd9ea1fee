//! Against servers on this machine: who is trusted, and where each limit is.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use outgoing::{Address, Ask, Client, OutgoingError};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;

/// An authority in a file, and a server's certificate by it.
struct House {
    _folder: tempfile::TempDir,
    authority: PathBuf,
    authority_der: CertificateDer<'static>,
    key: KeyPair,
    params: CertificateParams,
    acceptor: TlsAcceptor,
}

impl House {
    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }
}

fn house(name: &str) -> House {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("a certificate");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).expect("signed");
    let own = KeyPair::generate().expect("a key");
    let issuer = Issuer::from_params(&params, &key);
    let leaf = CertificateParams::new(vec![name.to_owned()]).expect("a certificate");
    let certificate = leaf.signed_by(&own, &issuer).expect("signed");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).expect("written");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(own.serialize_der()).into(),
        )
        .expect("fits");
    let authority_der = authority.der().clone();
    House { _folder: folder, authority: file, authority_der, key, params, acceptor: TlsAcceptor::from(Arc::new(config)) }
}

/// Answers every request with this text; its port.
async fn serve(acceptor: Option<TlsAcceptor>, answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut line: Box<dyn Both> = match &acceptor {
                None => Box::new(stream),
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(secure) => Box::new(secure),
                    Err(_) => continue,
                },
            };
            let mut heard = Vec::new();
            let mut chunk = [0; 1_024];
            while !heard.windows(4).any(|end| end == b"\r\n\r\n") {
                match line.read(&mut chunk).await {
                    Ok(read) if read > 0 => heard.extend_from_slice(&chunk[..read]),
                    _ => break,
                }
            }
            let _ = line.write_all(answer.as_bytes()).await;
            let _ = line.shutdown().await;
        }
    });
    port
}

trait Both: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send> Both for T {}

const YES: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn address(text: String) -> Address {
    Address::parse(&text).expect("an address")
}

#[tokio::test]
async fn an_authority_is_trusted_and_another_is_not() {
    let (here, elsewhere) = (house("localhost"), house("localhost"));
    let port = serve(Some(here.acceptor.clone()), YES).await;
    let right = address(format!("https://localhost:{port}/x"));
    let client = Client::new(Some(&here.authority)).expect("reads");
    let answer = client.send(Ask::get(&right)).await.expect("answered");
    assert_eq!((answer.status, answer.body.as_ref()), (200, b"ok".as_slice()));
    // The same server by a name that its certificate does not have.
    let misnamed = address(format!("https://127.0.0.1:{port}/x"));
    for (client, asked) in [
        (client, &misnamed),
        (Client::new(Some(&elsewhere.authority)).expect("reads"), &right),
        (Client::new(None).expect("the system's"), &right),
        (Client::plain().expect("none"), &right),
    ] {
        let error = client.send(Ask::get(asked)).await.expect_err("not trusted");
        assert!(matches!(&error, OutgoingError::Connection(why) if why.contains("certificate")), "{error}");
    }
}

#[tokio::test]
async fn plain_http_is_sent_only_where_it_was_said_to_do() {
    let port = serve(None, YES).await;
    let (client, asked) = (Client::plain().expect("none"), address(format!("http://127.0.0.1:{port}/")));
    let refused = client.send(Ask::get(&asked)).await;
    assert!(matches!(refused, Err(OutgoingError::NotAsked(_))), "{refused:?}");
    let sent = client.send(Ask::post(&asked, "application/json", "{}").plain_too()).await;
    assert_eq!(sent.map(|answer| answer.is_success()).ok(), Some(true));
    let clouds = address("http://169.254.169.254/latest".to_owned());
    let refused = client.send(Ask::get(&clouds).plain_too()).await;
    assert!(matches!(refused, Err(OutgoingError::NotAsked(_))), "{refused:?}");
}

#[tokio::test]
async fn redirects_are_answers_and_large_or_late_ones_are_none() {
    let client = Client::plain().expect("none");
    let moved = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    let asked = address(format!("http://127.0.0.1:{}/", serve(None, moved).await));
    let answer = client.send(Ask::get(&asked).plain_too()).await.expect("answered");
    assert_eq!((answer.status, answer.is_success()), (302, false));
    // Without a length: the limit is on what comes, not on what is announced.
    let endless = "HTTP/1.1 200 OK\r\n\r\n0123456789";
    let asked = address(format!("http://127.0.0.1:{}/", serve(None, endless).await));
    let large = client.send(Ask::get(&asked).plain_too().answer_max(9)).await;
    assert!(matches!(large, Err(OutgoingError::Large(9))), "{large:?}");
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let asked = address(format!("http://{}/", silent.local_addr().expect("bound")));
    let ask = Ask::get(&asked).plain_too().within(Duration::from_millis(200));
    let late = client.send(ask).await;
    assert!(matches!(late, Err(OutgoingError::Late(_))), "{late:?}");
}

#[test]
fn a_file_without_certificates_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    assert!(Client::new(Some(&file)).is_err(), "there is none");
    std::fs::write(&file, "nothing").expect("written");
    assert!(Client::new(Some(&file)).is_err(), "nothing in it");
}

/// A server that wants a certificate by this house's authority; answers one HL7 message.
async fn strict_manager(house: &House, theirs: &str) -> u16 {
    let pem = |name: &str| house._folder.path().join(name);
    let own = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a certificate");
    let certificate = params.signed_by(&own, &house.issuer()).expect("signed");
    let ours = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![theirs.to_owned()]).expect("a certificate");
    let shown = params.signed_by(&ours, &house.issuer()).expect("signed");
    std::fs::write(pem("me.pem"), shown.pem()).expect("written");
    std::fs::write(pem("me.key"), ours.serialize_pem()).expect("written");
    std::fs::write(pem("other.key"), own.serialize_pem()).expect("written");
    let mut roots = tokio_rustls::rustls::RootCertStore::empty();
    roots.add(house.authority_der.clone()).expect("an authority");
    let provider = Arc::new(ring::default_provider());
    let asks = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().expect("asks");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_client_cert_verifier(asks)
        .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(own.serialize_der()).into())
        .expect("fits");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut line) = acceptor.accept(stream).await else { continue };
            let mut chunk = [0; 1_024];
            let _ = line.read(&mut chunk).await;
            let _ = line.write_all(b"\x0bMSA|AA|1\r\x1c\r").await;
            let _ = line.shutdown().await;
        }
    });
    port
}

#[tokio::test]
async fn who_asks_for_a_certificate_is_shown_ours() {
    let here = house("localhost");
    let port = strict_manager(&here, "vitalwire").await;
    let peer = outgoing::Peer::parse(&format!("mllps://localhost:{port}")).expect("an address");
    let pem = |name: &str| here._folder.path().join(name);
    let known = Client::with_certificate(Some(&here.authority), &pem("me.pem"), &pem("me.key")).expect("reads");
    let patience = Duration::from_secs(60);
    let answer = known.exchange(&peer, b"MSH|1\r", patience).await.expect("answered");
    assert_eq!(answer, b"MSA|AA|1\r");
    let nobody = Client::new(Some(&here.authority)).expect("reads");
    assert!(nobody.exchange(&peer, b"MSH|1\r", patience).await.is_err(), "without a certificate nothing is answered");
    let wrong = Client::with_certificate(Some(&here.authority), &pem("me.pem"), &pem("other.key"));
    assert!(matches!(wrong, Err(OutgoingError::Tls(_))), "another's key");
    let wrong = Client::with_certificate(Some(&here.authority), &pem("me.key"), &pem("me.key"));
    assert!(matches!(wrong, Err(OutgoingError::Own(..))), "no certificate");
    let wrong = Client::with_certificate(Some(&here.authority), &pem("me.pem"), &pem("me.pem"));
    assert!(matches!(wrong, Err(OutgoingError::Own(..))), "no key");
}
