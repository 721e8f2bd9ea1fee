//! The floor under any server of waveforms: a process that takes the same bytes over as many
//! connections, checksums them and writes them durably, and does nothing else.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use flate2::Crc;
use sim::load::bed::{self, WaveBed};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::Bench;
use crate::process::Usage;
use crate::server::free_ports;

/// What has arrived is made durable this often.
const COMMIT_EVERY: Duration = Duration::from_millis(5);

/// Processor time of the floor for a bed-hour, s.
///
/// # Errors
/// When it can't be run or loses something.
pub async fn measure(bench: &Bench, beds: usize, seconds: u64) -> anyhow::Result<f64> {
    let folder = bench.folder()?;
    let file = folder.path().join("floor");
    let [address] = free_ports()?;
    let child = Command::new(std::env::current_exe().context("who am I?")?)
        .arg("--floor")
        .arg(format!("{address}={}", file.display()))
        .stdin(Stdio::null())
        .spawn()
        .context("cannot start the floor")?;
    let child = Ended(child);
    while TcpStream::connect(&address).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let laps = bed::laps(1, beds);
    let begin = Instant::now() + Duration::from_secs(2);
    let before = Usage::of(child.0.id()).cpu_s;
    let mut tasks = JoinSet::new();
    for index in 0..beds {
        let phase = Duration::from_micros(index as u64 * 1_000_000 / beds as u64);
        let bed = WaveBed::new("wave", &laps, index, crate::ward::now_us());
        tasks.spawn(send(address.clone(), bed, begin + phase, seconds));
    }
    let mut sent = 0;
    while let Some(done) = tasks.join_next().await {
        sent += done??;
    }
    while file.metadata().map_or(0, |about| about.len()) < sent {
        ensure!(begin.elapsed().as_secs() < seconds + 60, "the floor has not written everything");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let used_s = Usage::of(child.0.id()).cpu_s - before;
    Ok(used_s / ((beds as u64 * seconds) as f64 / 3_600.0))
}

/// Ends the process with the measure.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The frames and numerics of a bed, a second apart; the bytes sent.
async fn send(address: String, bed: WaveBed, begin: Instant, seconds: u64) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    let mut sent = 0;
    for second in 0..seconds {
        tokio::time::sleep_until(begin + Duration::from_secs(second)).await;
        let mut bytes = Vec::with_capacity(2_048);
        bed.frame(second, &mut bytes);
        bytes.extend(bed.numerics(second));
        stream.write_all(&bytes).await?;
        sent += bytes.len() as u64;
    }
    stream.shutdown().await?;
    Ok(sent)
}

/// The floor itself: `address=file`. Runs until it is killed.
///
/// # Errors
/// When it can't listen or write.
pub fn run(what: &str) -> anyhow::Result<()> {
    let (address, file) = what.split_once('=').context("address=file")?;
    let file = File::create(Path::new(file)).context("cannot make the file")?;
    let waiting = Arc::new(Mutex::new((Vec::new(), 0_u32)));
    let written = Arc::clone(&waiting);
    std::thread::spawn(move || write(file, &written));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await.context("cannot listen")?;
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(receive(stream, Arc::clone(&waiting)));
        }
    })
}

async fn receive(mut stream: TcpStream, waiting: Arc<Mutex<(Vec<u8>, u32)>>) {
    let mut bytes = Vec::with_capacity(4_096);
    while let Ok(count) = stream.read_buf(&mut bytes).await {
        if count == 0 {
            break;
        }
        let mut crc = Crc::new();
        crc.update(&bytes);
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.0.extend_from_slice(&bytes);
        waiting.1 ^= crc.sum();
        drop(waiting);
        bytes.clear();
    }
}

fn write(mut file: File, waiting: &Mutex<(Vec<u8>, u32)>) {
    let mut bytes = Vec::new();
    loop {
        std::thread::sleep(COMMIT_EVERY);
        std::mem::swap(&mut bytes, &mut waiting.lock().unwrap_or_else(PoisonError::into_inner).0);
        if !bytes.is_empty() {
            if file.write_all(&bytes).and_then(|()| file.sync_data()).is_err() {
                return;
            }
            bytes.clear();
        }
    }
}
