//! From the first byte to CONNACK: who is there, may it come in, does it have a session.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use wire_mqtt::codec::encode::{self, ConnAckProperties};
use wire_mqtt::codec::{Connect, Packet, decode, split};
use wire_mqtt::session::Link;
use wire_mqtt::topic::check_name;
use wire_mqtt::{MqttError, Publication, Reason, Version};

use super::broker::{Broker, count_refused};
use super::ingest::may_publish;
use super::registry::Client;
use crate::{ClientIdentity, Door, Refused};

/// Longest client id taken, bytes.
const CLIENT_ID_BYTES: usize = 256;
/// How long a client's former connection may take to end before it is taken over.
const LET_GO: Duration = Duration::from_millis(250);

/// A connected client, as far as it does not change until it leaves.
pub(super) struct Peer {
    pub(super) client: Arc<Client>,
    pub(super) epoch: u64,
    pub(super) wake: Arc<Notify>,
    pub(super) version: Version,
    pub(super) identity: ClientIdentity,
    /// Where it speaks from.
    pub(super) address: Option<IpAddr>,
    /// Up to which change of accounts that is known to hold.
    pub(super) standing: u64,
    /// Whether it wants explanations in acknowledgements.
    pub(super) explain: bool,
    /// Session expiry asked for in CONNECT, seconds.
    pub(super) expiry_asked_s: u32,
    /// Silence after which it is gone.
    pub(super) patience: Option<Duration>,
    pub(super) link: Link,
    pub(super) will: Option<Will>,
}

/// A will with its delay.
pub(super) struct Will {
    pub(super) publication: Publication,
    pub(super) content_type: Option<String>,
    pub(super) delay_s: u32,
    pub(super) expiry_s: Option<u32>,
}

/// Why a client did not get in.
struct Rejection {
    version: Version,
    reason: Reason,
    why: String,
    counted: &'static str,
}

impl Rejection {
    fn new(version: Version, reason: Reason, counted: &'static str, why: &str) -> Self {
        Self { version, reason, why: why.to_owned(), counted }
    }
}

/// Reads CONNECT and answers it. `inbox` keeps what the client sent behind it, `out` is to be
/// sent first. None when the connection is to be closed; the client has been told why.
pub(super) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    broker: &Arc<Broker>,
    door: &Door,
    io: &mut S,
    inbox: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Option<Peer> {
    let rejection = match first_packet(broker, io, inbox).await {
        Ok(None) => {
            count_refused("no-connect");
            return None;
        }
        Ok(Some(length)) => {
            let packet: Vec<u8> = inbox.drain(..length).collect();
            match admit(broker, door, &packet, out).await {
                Ok(peer) => return Some(peer),
                Err(rejection) => rejection,
            }
        }
        Err(error) => rejected(error),
    };
    count_refused(rejection.counted);
    out.clear();
    let properties =
        ConnAckProperties { reason_string: Some(&rejection.why), ..ConnAckProperties::default() };
    encode::conn_ack(out, rejection.version, false, rejection.reason, &properties);
    // The client may be gone already; there is nobody else to tell.
    let _ = io.write_all(out).await;
    let _ = io.shutdown().await;
    None
}

/// Waits until the first packet is complete; its length.
async fn first_packet<S: AsyncRead + Unpin>(
    broker: &Broker,
    io: &mut S,
    inbox: &mut Vec<u8>,
) -> Result<Option<usize>, MqttError> {
    loop {
        if inbox.first().is_some_and(|header| *header != 0x10) {
            return Err(MqttError::Protocol("the first packet must be CONNECT"));
        }
        if let Some(frame) = split(inbox, broker.limits.packet_bytes as usize)? {
            return Ok(Some(frame.length));
        }
        match io.read_buf(inbox).await {
            Ok(0) | Err(_) => return Ok(None),
            Ok(_) => {}
        }
    }
}

/// Whoever does not speak 3.1.1 is answered in version 5, as the standard advises (4.13).
fn rejected(error: MqttError) -> Rejection {
    let version = match error {
        MqttError::UnsupportedVersion => Version::V3,
        _ => Version::V5,
    };
    Rejection::new(version, error.reason(), error.name(), &error.to_string())
}

/// Gives a client's former connection time to end by itself: its goodbye may have arrived, but not
/// have been read. One that is still open afterwards is taken over.
async fn let_go(broker: &Broker, client_id: &str) {
    let _ = tokio::time::timeout(LET_GO, async {
        while broker.registry.is_connected(client_id) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

async fn admit(
    broker: &Broker,
    door: &Door,
    packet: &[u8],
    out: &mut Vec<u8>,
) -> Result<Peer, Rejection> {
    let frame = split(packet, packet.len()).ok().flatten();
    let (header, body) = frame.map_or((0, packet), |f| (f.header, f.body));
    let connect = match decode(header, body, Version::V5) {
        Ok(Packet::Connect(connect)) => connect,
        Ok(_) => return Err(rejected(MqttError::Protocol("the first packet must be CONNECT"))),
        Err(error) => return Err(rejected(error)),
    };
    let version = connect.version;
    if broker.closing() {
        return Err(Rejection::new(version, Reason::SERVER_BUSY, "stopping", "the server stops"));
    }
    let client_id = client_id(broker, &connect)?;
    let standing = broker.standing();
    let identity = identify(broker, door, &connect, &client_id).await?;
    let will = check_will(broker, &connect, &identity)?;
    let asked = match version {
        Version::V3 if connect.clean => 0,
        Version::V3 => u32::MAX,
        Version::V5 => connect.properties.session_expiry_s.unwrap_or(0),
    };
    let expiry_s = asked.min(broker.limits.session_expiry_max_s);
    let max = broker.limits.sessions;
    let_go(broker, &client_id).await;
    let Some(opened) = broker.registry.open(&client_id, connect.clean, expiry_s, max) else {
        return Err(Rejection::new(
            version,
            Reason::QUOTA,
            "too-many-sessions",
            "too many sessions: raise the limit or let old ones expire",
        ));
    };
    if let Some(replaced) = &opened.replaced {
        broker.bury(replaced);
    }
    let keep_alive_s = keep_alive(broker, &connect);
    let limits = &broker.limits;
    let properties = ConnAckProperties {
        session_expiry_s: (expiry_s != asked).then_some(expiry_s),
        receive_maximum: limits.receive_maximum,
        maximum_packet: limits.packet_bytes,
        assigned_client_id: connect.client_id.is_empty().then_some(&*client_id),
        alias_maximum: limits.topic_aliases,
        server_keep_alive_s: (keep_alive_s != connect.keep_alive_s).then_some(keep_alive_s),
        reason_string: None,
    };
    encode::conn_ack(out, version, opened.present, Reason::SUCCESS, &properties);
    let wants = &connect.properties;
    let window = match version {
        Version::V3 => limits.send_window,
        Version::V5 => wants.receive_maximum.unwrap_or(u16::MAX).min(1_024),
    };
    let aliases = wants.alias_maximum.unwrap_or(0).min(1_024);
    Ok(Peer {
        will: will.map(|will| bind(will, opened.client.key)),
        client: opened.client,
        epoch: opened.epoch,
        wake: opened.wake,
        version,
        identity,
        address: door.peer.map(|peer| peer.ip().to_canonical()),
        standing,
        explain: version == Version::V5 && wants.request_problem.unwrap_or(true),
        expiry_asked_s: asked,
        patience: (keep_alive_s > 0).then(|| Duration::from_millis(1_500 * u64::from(keep_alive_s))),
        link: Link::new(version, window, wants.maximum_packet, aliases),
    })
}

/// The client's id, or one made up for it.
fn client_id(broker: &Broker, connect: &Connect<'_>) -> Result<String, Rejection> {
    let reject = |why| {
        Err(Rejection::new(connect.version, Reason::CLIENT_ID, "client-id", why))
    };
    match connect.client_id {
        "" if connect.version == Version::V3 && !connect.clean => {
            reject("an empty client id needs a clean session") // 3.1.3-8 of 3.1.1
        }
        "" => Ok(broker.made_up_id()),
        id if id.len() > CLIENT_ID_BYTES => reject("client id longer than 256 bytes"),
        id => Ok(id.to_owned()),
    }
}

async fn identify(
    broker: &Broker,
    door: &Door,
    connect: &Connect<'_>,
    client_id: &str,
) -> Result<ClientIdentity, Rejection> {
    let version = connect.version;
    if connect.properties.auth_method.is_some() {
        let why = "enhanced authentication is not offered: use user name and password";
        return Err(Rejection::new(version, Reason::BAD_METHOD, "auth-method", why));
    }
    let identify = Arc::clone(&broker.doors.identify);
    let answer = if connect.user.is_none() && connect.password.is_none() {
        identify.mqtt_at(door, client_id, None, None)
    } else {
        // Checking a password takes long on purpose; other connections must not wait for it.
        let (id, user) = (client_id.to_owned(), connect.user.map(str::to_owned));
        let password = connect.password.map(<[u8]>::to_vec);
        let door = door.clone();
        let check = move || identify.mqtt_at(&door, &id, user.as_deref(), password.as_deref());
        tokio::task::spawn_blocking(check).await.unwrap_or(Err(Refused::NotAllowed))
    };
    answer.map_err(|refused| {
        let (reason, counted) = match refused {
            Refused::BadCredentials => (Reason::BAD_CREDENTIALS, "bad-credentials"),
            Refused::NotAllowed => (Reason::NOT_AUTHORISED, "not-allowed"),
            Refused::Banned => (Reason::BANNED, "banned"),
        };
        Rejection::new(version, reason, counted, &refused.to_string())
    })
}

fn check_will(
    broker: &Broker,
    connect: &Connect<'_>,
    identity: &ClientIdentity,
) -> Result<Option<Will>, Rejection> {
    let Some(will) = &connect.will else { return Ok(None) };
    let version = connect.version;
    if let Err(error) = check_name(will.topic, broker.limits.topic) {
        let why = error.to_string();
        return Err(Rejection::new(version, Reason::BAD_TOPIC, "bad-will-topic", &why));
    }
    if !may_publish(identity, will.topic) {
        let why = "the will is for a topic that this account may not publish to";
        return Err(Rejection::new(version, Reason::NOT_AUTHORISED, "forbidden-will", why));
    }
    let as_publish = wire_mqtt::codec::Publish {
        dup: false,
        qos: will.qos,
        retain: will.retain,
        topic: will.topic,
        packet_id: 0,
        properties: will.properties,
        payload: will.payload,
    };
    Ok(Some(Will {
        publication: Publication::new(&as_publish, will.topic, 0, 0),
        content_type: will.properties.content_type.map(str::to_owned),
        delay_s: will.properties.will_delay_s.unwrap_or(0),
        expiry_s: will.properties.expiry_s,
    }))
}

fn bind(mut will: Will, key: u64) -> Will {
    will.publication.publisher = key;
    will.publication.expires_ms = None;
    will
}

/// The keep alive that holds, seconds. Only version 5 can be told another one than asked for.
fn keep_alive(broker: &Broker, connect: &Connect<'_>) -> u16 {
    let max = broker.limits.keep_alive_max_s;
    match connect.version {
        Version::V3 => connect.keep_alive_s,
        Version::V5 if connect.keep_alive_s == 0 => max,
        Version::V5 => connect.keep_alive_s.min(max),
    }
}
