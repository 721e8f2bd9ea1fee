//! A thousand devices that come back at once over TLS with their certificates, as after a power cut:
//! how long until the last is back and acknowledged, and what an acknowledgement costs others meanwhile.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures_util::future::try_join_all;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use serde_json::json;
use sim::wire::mqtt::{self, Answer, Connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::Bench;
use crate::report::{Budget, Report};
use crate::server::{How, Server, free_ports};

/// Devices.
const DEVICES: usize = 1_000;
/// How long one may take.
const WITHIN: Duration = Duration::from_secs(120);
/// What each says when it is back.
const PAYLOAD: &[u8] = br#"[{"n":"MDC_ECG_HEART_RATE","v":71}]"#;

/// The authority of the house, made for this run.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
}

/// Measures it.
///
/// # Errors
/// When the platform fails, or a device is not let in.
pub async fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let folder = bench.folder()?;
    let authority = Authority::make(folder.path())?;
    let [secure] = free_ports()?;
    let mut how = How::locked(&bench.binary, folder.path())?;
    let files = |name: &str| -> &'static str { folder.path().join(name).display().to_string().leak() };
    how.environment.extend([
        ("VITALWIRE_MQTT_CERTIFICATE", files("server.pem")),
        ("VITALWIRE_MQTT_KEY", files("server.key")),
        ("VITALWIRE_TLS_AUTHORITY", files("ca.pem")),
        ("VITALWIRE_TLS_AUTHORITY_KEY", files("ca.key")),
        ("VITALWIRE_MQTT_TLS_LISTEN", secure.clone().leak()),
    ]);
    let (server, _) = Server::start_as(&bench.binary, folder.path(), &how).await?;
    let mut devices = Vec::with_capacity(DEVICES);
    for n in 0..DEVICES {
        let id = format!("bench-{n}");
        server.http.post(&format!("/api/v1/trust/devices/{id}/claim"), &json!({ "why": "bench" })).await?;
        for step in ["verify", "activate"] {
            let path = format!("/api/v1/trust/devices/{id}/steps/{step}");
            server.http.post(&path, &json!({ "why": "bench" })).await?;
        }
        devices.push(Arc::new((authority.client(&id)?, id)));
    }
    let comes_back = |device: &Arc<(TlsConnector, String)>| {
        let (device, address) = (Arc::clone(device), secure.clone());
        tokio::spawn(async move { tokio::time::timeout(WITHIN, back(&device.0, &address, &device.1)).await? })
    };
    // The first time the program also records certificates that it has not seen before.
    let first = all(devices.iter().map(comes_back)).await?;
    drop(first);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let credentials = how.credentials().context("locked")?;
    let (quiet, _) = acknowledged(&server.mqtt, &credentials, tokio::time::sleep(Duration::from_secs(5))).await?;
    let cpu = server.usage();
    let began = Instant::now();
    let returning = all(devices.iter().map(comes_back));
    let (busy, held) = acknowledged(&server.mqtt, &credentials, returning).await?;
    let took = began.elapsed().as_secs_f64();
    drop(held?);
    let what = format!("{DEVICES} devices reconnect at once over mutual TLS, last one acknowledged");
    report.against("tls_reconnect_s", &what, took, "s", Budget::AtMost(20.0));
    let spent = server.usage().cpu_s - cpu.cpu_s;
    report.add("tls_reconnect_cpu_ms", "… server's processor time a device", spent * 1_000.0 / DEVICES as f64, "ms");
    report.add("tls_reconnect_ack_quiet_p99_ms", "… acknowledgement of others before, p99", quiet, "ms");
    report.add("tls_reconnect_ack_busy_p99_ms", "… acknowledgement of others meanwhile, p99", busy, "ms");
    server.stop().await
}

type Connected = tokio::task::JoinHandle<anyhow::Result<TlsStream<TcpStream>>>;

async fn all(devices: impl Iterator<Item = Connected>) -> anyhow::Result<Vec<TlsStream<TcpStream>>> {
    try_join_all(devices).await?.into_iter().collect()
}

/// One device: handshake, CONNECT, a publish, its acknowledgement.
async fn back(tls: &TlsConnector, address: &str, id: &str) -> anyhow::Result<TlsStream<TcpStream>> {
    let plain = TcpStream::connect(address).await?;
    plain.set_nodelay(true)?;
    let mut stream = tls.connect(ServerName::try_from("localhost")?, plain).await.context("handshake")?;
    stream.write_all(&Connect { client_id: id, ..Connect::default() }.encode()).await?;
    let mut incoming = Vec::new();
    match answer(&mut stream, &mut incoming).await? {
        Answer::Connected { reason: 0, .. } => {}
        other => bail!("{id}: {other:?}"),
    }
    stream.write_all(&mqtt::publish(&format!("vitalwire/{id}/measurements"), 1, "", PAYLOAD)).await?;
    match answer(&mut stream, &mut incoming).await? {
        Answer::Acknowledged { reason, .. } if reason < 0x80 => Ok(stream),
        other => bail!("{id}: {other:?}"),
    }
}

async fn answer(stream: &mut (impl AsyncReadExt + Unpin), incoming: &mut Vec<u8>) -> anyhow::Result<Answer> {
    loop {
        if let Some((answer, length)) = mqtt::parse(incoming) {
            incoming.drain(..length);
            return Ok(answer);
        }
        if stream.read_buf(incoming).await? == 0 {
            bail!("the server closed the connection");
        }
    }
}

/// Publishes one after the other over a plain connection while something goes on; the 99th percentile
/// of the time to the acknowledgement, milliseconds, and what came of the other.
async fn acknowledged<T>(
    address: &str,
    (user, password): &(String, String),
    meanwhile: impl Future<Output = T>,
) -> anyhow::Result<(f64, T)> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (user, password) = (Some(user.as_str()), Some(password.as_str()));
    let connect = Connect { client_id: "bench-probe", user, password, ..Connect::default() };
    stream.write_all(&connect.encode()).await?;
    let mut incoming = Vec::new();
    answer(&mut stream, &mut incoming).await?;
    let mut times = Vec::new();
    let mut meanwhile = std::pin::pin!(meanwhile);
    loop {
        let probe = async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let began = Instant::now();
            stream.write_all(&mqtt::publish("vitalwire/bench-probe/measurements", 1, "", PAYLOAD)).await?;
            answer(&mut stream, &mut incoming).await?;
            anyhow::Ok(began.elapsed().as_secs_f64() * 1_000.0)
        };
        tokio::select! {
            biased;
            time = probe => times.push(time?),
            done = &mut meanwhile => {
                times.sort_by(f64::total_cmp);
                let at = (times.len() * 99 / 100).min(times.len().saturating_sub(1));
                return Ok((times.get(at).copied().unwrap_or(f64::NAN), done));
            }
        }
    }
}

impl Authority {
    /// Makes the authority and a server's certificate, as files in a folder.
    fn make(folder: &Path) -> anyhow::Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "bench");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let own = params.self_signed(&key)?;
        std::fs::write(folder.join("ca.pem"), own.pem())?;
        std::fs::write(folder.join("ca.key"), key.serialize_pem())?;
        let issuer = Issuer::new(params, key);
        let server_key = KeyPair::generate()?;
        let server = CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&server_key, &issuer)?;
        std::fs::write(folder.join("server.pem"), server.pem())?;
        std::fs::write(folder.join("server.key"), server_key.serialize_pem())?;
        Ok(Self { issuer, der: own.der().clone() })
    }

    /// A device with its certificate.
    fn client(&self, id: &str) -> anyhow::Result<TlsConnector> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, id);
        params.subject_alt_names = vec![SanType::URI(format!("urn:vitalwire:device:{id}").try_into()?)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer)?;
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.der.clone())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )?;
        Ok(TlsConnector::from(Arc::new(config)))
    }
}
