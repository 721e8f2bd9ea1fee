//! The same work with what a team would otherwise put together: mosquitto, and a subscriber that
//! writes batches to PostgreSQL, one transaction a batch.
//!
//! Made as fast as is fair: the subscriber is compiled, holds one connection to each, takes
//! whatever has arrived as one batch (10,000 messages at most), copies it in binary form and
//! acknowledges to the broker after the commit; the broker may send it as much as MQTT allows;
//! PostgreSQL has memory and room for its log. What is kept equal: the load generator, QoS 1 from
//! end to end, `synchronous_commit` and fsync on, one index to find a device's values by time.
//! What is not equal: mosquitto acknowledges to the device before anything is durable, keeps what
//! is on its way in memory only, and nothing is watched, scored or alerted.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures_util::pin_mut;
use sim::load::{self, MqttLoad};
use sim::wire::mqtt::Connect;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls};
use wire_mqtt::Version;
use wire_mqtt::codec::{Packet, decode, split};

use crate::ingest::CONNECTIONS;
use crate::report::Report;
use crate::server::free_ports;
use crate::Bench;

/// Rows in one transaction at most.
const BATCH: usize = 10_000;
/// Largest packet that the subscriber takes, bytes.
const PACKET_BYTES: usize = 1 << 20;

/// A child process that ends with its handle.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown; mosquitto ends at it, too.
        let _ = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}

/// Measures the usual stack, and the ratio to what was measured of the platform before.
///
/// # Errors
/// When mosquitto or PostgreSQL is missing or fails.
pub async fn compare(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let folder = bench.folder()?;
    let [broker_at, database_at] = free_ports()?;
    let _database = start_database(folder.path(), &database_at).await?;
    let _broker = start_broker(folder.path(), &broker_at)?;
    let client = connect_database(&database_at).await?;
    client.batch_execute(TABLE).await.context("cannot make the table")?;
    let counting = connect_database(&database_at).await?;
    let subscriber = Subscriber::connect(&broker_at).await?;
    let storing = tokio::spawn(subscriber.run(client));
    let load = MqttLoad {
        address: broker_at,
        connections: CONNECTIONS,
        window: 16,
        seconds: bench.seconds(10.0),
        prefix: "peer".to_owned(),
        ..MqttLoad::default()
    };
    let began = Instant::now();
    let load = load::run_mqtt(load, |_| {}).await?;
    let connecting = began.elapsed().as_secs_f64() - load.seconds;
    let mut rows = 0;
    let (mut last, mut moved) = (0, Instant::now());
    while rows < load.acknowledged {
        if storing.is_finished() {
            bail!("the subscriber ended: {:?}", storing.await);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let row = counting.query_one("select count(*) from observation", &[]).await?;
        rows = row.get::<_, i64>(0) as u64;
        if rows > last {
            (last, moved) = (rows, Instant::now());
        }
        if moved.elapsed() > Duration::from_secs(60) {
            break;
        }
    }
    let seconds = began.elapsed().as_secs_f64() - connecting;
    storing.abort();
    let rate = rows as f64 / seconds;
    report.note(format!(
        "mosquitto and PostgreSQL: {} acknowledged to the devices at {:.0}/s, before they were \
         durable; {rows} rows after {seconds:.1} s",
        load.acknowledged, load.messages_per_s
    ));
    if rows < load.acknowledged {
        let lost = load.acknowledged - rows;
        report.note(format!("… {lost} acknowledged observations never came to the table"));
    }
    report.add("peer_stored_per_s", "mosquitto + subscriber + PostgreSQL, until all are stored", rate, "/s");
    if let Some(ours) = report.get("mqtt_stored_per_s") {
        report.add("peer_ratio", "… vitalwire stores this many times as many", ours / rate, "×");
    }
    Ok(())
}

const TABLE: &str = "create table observation (device text not null, metric text not null, \
    time double precision not null, value double precision not null, \
    received timestamptz not null default now()); \
    create index observation_by_device on observation (device, time)";

/// The folder with PostgreSQL's programs, as Debian lays it out, or the one in the path.
fn postgres_programs() -> PathBuf {
    let debian = PathBuf::from("/usr/lib/postgresql/15/bin");
    if debian.join("initdb").exists() { debian } else { PathBuf::new() }
}

/// A command as a user who may run PostgreSQL: it refuses to run as root.
fn unprivileged(program: &Path) -> Command {
    if std::fs::metadata("/proc/self").is_ok_and(|own| is_root(&own)) {
        // It becomes the program, which then gets our signals itself.
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
        return command;
    }
    Command::new(program)
}

fn is_root(own: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    own.uid() == 0
}

async fn start_database(folder: &Path, address: &str) -> anyhow::Result<Running> {
    // A folder of its own below the system's: the other user may not see into ours.
    let data = folder.join("postgres");
    std::fs::create_dir(&data)?;
    let programs = postgres_programs();
    let install = "install it with `apt-get install postgresql mosquitto`";
    let open = Command::new("chmod").args(["a+rx"]).arg(folder).status()?;
    ensure!(open.success(), "cannot open the folder to PostgreSQL's user");
    if unprivileged(Path::new("true")).get_program() == "setpriv" {
        let given = Command::new("chown").arg("postgres").arg(&data).status()?;
        ensure!(given.success(), "no user postgres; {install}");
    }
    let made = unprivileged(&programs.join("initdb"))
        .args(["--auth=trust", "--username=bench", "--encoding=UTF8", "--pgdata"])
        .arg(&data)
        .stdout(Stdio::null())
        .stdin(Stdio::null())
        .status()
        .context(install)?;
    ensure!(made.success(), "initdb failed; {install}");
    let (_, port) = address.rsplit_once(':').context("an address with a port")?;
    let log = std::fs::File::create(folder.join("postgres.log"))?;
    let child = unprivileged(&programs.join("postgres"))
        .arg("-D")
        .arg(&data)
        .args(["-p", port, "-c", "listen_addresses=127.0.0.1"])
        .args(["-c", "unix_socket_directories=", "-c", "synchronous_commit=on", "-c", "fsync=on"])
        .args(["-c", "shared_buffers=512MB", "-c", "max_wal_size=8GB", "-c", "wal_buffers=64MB"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .context(install)?;
    let running = Running(child);
    for _ in 0..600 {
        if connect_database(address).await.is_ok() {
            return Ok(running);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("PostgreSQL does not answer: {}", std::fs::read_to_string(folder.join("postgres.log"))?)
}

async fn connect_database(address: &str) -> anyhow::Result<Client> {
    let (host, port) = address.rsplit_once(':').context("an address with a port")?;
    let config = format!("host={host} port={port} user=bench dbname=postgres");
    let (client, connection) = tokio_postgres::connect(&config, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn start_broker(folder: &Path, address: &str) -> anyhow::Result<Running> {
    let (_, port) = address.rsplit_once(':').context("an address with a port")?;
    let file = folder.join("mosquitto.conf");
    // Unlimited where it would otherwise drop what the subscriber has not taken yet.
    let text = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\n\
         max_queued_messages 0\nmax_connections -1\nset_tcp_nodelay true\nlog_type error\n"
    );
    std::fs::write(&file, text)?;
    let child = Command::new("mosquitto")
        .arg("-c")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .or_else(|_| Command::new("/usr/sbin/mosquitto").arg("-c").arg(&file).spawn())
        .context("install it with `apt-get install mosquitto postgresql`")?;
    Ok(Running(child))
}

/// One observation on its way into the table.
struct Row {
    device: String,
    metric: String,
    time: f64,
    value: f64,
}

/// The program that a team would write.
struct Subscriber {
    stream: TcpStream,
    incoming: Vec<u8>,
}

impl Subscriber {
    async fn connect(address: &str) -> anyhow::Result<Self> {
        let mut tries = 0;
        let mut stream = loop {
            match TcpStream::connect(address).await {
                Ok(stream) => break stream,
                Err(_) if tries < 100 => tries += 1,
                Err(error) => return Err(error).context("mosquitto does not answer"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        stream.set_nodelay(true)?;
        let connect = Connect { client_id: "subscriber", ..Connect::default() };
        stream.write_all(&connect.encode()).await?;
        // SUBSCRIBE, packet id 1, no properties, QoS 1.
        let filter = b"vitalwire/+/measurements";
        let mut body = vec![0, 1, 0, 0, filter.len() as u8];
        body.extend_from_slice(filter);
        body.push(1);
        stream.write_all(&[0x82, body.len() as u8]).await?;
        stream.write_all(&body).await?;
        Ok(Self { stream, incoming: Vec::with_capacity(4 << 20) })
    }

    async fn run(mut self, mut client: Client) -> anyhow::Result<()> {
        let (mut rows, mut acks) = (Vec::with_capacity(BATCH), Vec::new());
        loop {
            self.take(&mut rows, &mut acks)?;
            if rows.is_empty() {
                if self.stream.read_buf(&mut self.incoming).await? == 0 {
                    bail!("mosquitto closed the connection");
                }
                // What else has arrived belongs to the same batch.
                while self.incoming.len() < 2 << 20
                    && self.stream.try_read_buf(&mut self.incoming).is_ok_and(|read| read > 0)
                {}
                continue;
            }
            store(&mut client, &rows).await?;
            self.stream.write_all(&acks).await?;
            rows.clear();
            acks.clear();
        }
    }

    /// Whole publishes among what has arrived become rows, and acknowledgements to send later.
    fn take(&mut self, rows: &mut Vec<Row>, acks: &mut Vec<u8>) -> anyhow::Result<()> {
        let mut at = 0;
        while rows.len() < BATCH {
            let Some(frame) = split(&self.incoming[at..], PACKET_BYTES)? else { break };
            at += frame.length;
            if frame.header >> 4 != 3 {
                continue;
            }
            if let Packet::Publish(publish) = decode(frame.header, frame.body, Version::V5)? {
                rows.push(row(publish.topic, publish.payload)?);
                let [high, low] = publish.packet_id.to_be_bytes();
                acks.extend_from_slice(&[0x40, 2, high, low]);
            }
        }
        self.incoming.drain(..at);
        Ok(())
    }
}

fn row(topic: &str, payload: &[u8]) -> anyhow::Result<Row> {
    let device = topic.split('/').nth(1).context("a topic with a device")?;
    let json: serde_json::Value = serde_json::from_slice(payload)?;
    let record = &json[0];
    Ok(Row {
        device: device.to_owned(),
        metric: record["n"].as_str().context("a name")?.to_owned(),
        time: record["t"].as_f64().context("a time")?,
        value: record["v"].as_f64().context("a value")?,
    })
}

async fn store(client: &mut Client, rows: &[Row]) -> anyhow::Result<()> {
    let transaction = client.transaction().await?;
    let sink = transaction
        .copy_in("copy observation (device, metric, time, value) from stdin (format binary)")
        .await?;
    let types = [Type::TEXT, Type::TEXT, Type::FLOAT8, Type::FLOAT8];
    let writer = BinaryCopyInWriter::new(sink, &types);
    pin_mut!(writer);
    for row in rows {
        writer.as_mut().write(&[&row.device, &row.metric, &row.time, &row.value]).await?;
    }
    writer.finish().await?;
    transaction.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publish_becomes_a_row() {
        let payload = br#"[{"n":"MDC_ECG_HEART_RATE","t":1700000000.5,"v":80}]"#;
        let row = row("vitalwire/m1/measurements", payload).expect("a row");
        assert_eq!((row.device.as_str(), row.time, row.value), ("m1", 1_700_000_000.5, 80.0));
        assert_eq!(row.metric, "MDC_ECG_HEART_RATE");
        assert!(super::row("x", b"[]").is_err());
    }
}
