//! An MLLP listener over a journal in a scratch folder, for trying clients against it:
//! `cargo run -p gateway --example mllp_server -- 127.0.0.1:2575`. It prints a line for each
//! journal entry: offset, message type, control id, readings, problems.

use std::sync::Arc;

use gateway::mllp::{MllpConfig, serve};
use gateway::{Doors, OpenDoor};
use journal::{Appender, EmbeddedJournal, Limits};
use vitals::{Event, Origin, ReceiveTime};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:2575".to_owned());
    let folder = tempfile::tempdir()?;
    let journal = EmbeddedJournal::open(folder.path())?;
    let (sink, feed) = std::sync::mpsc::sync_channel::<Arc<[journal::Entry]>>(64);
    std::thread::spawn(move || {
        for entry in feed.iter().flat_map(|batch| batch.to_vec()) {
            if let Event::Message(message) = entry.event {
                let readings = message.readings().count();
                let Origin { address, message_id, .. } = &message.origin;
                let problems = message.problems.len();
                println!("{} {address} {message_id} {readings} {problems}", entry.offset);
            }
        }
    });

    let appender = Appender::start(journal, Box::new(now), Limits::default(), sink)?;
    let (_stop, shutdown) = tokio::sync::watch::channel(false);
    let profiles = Arc::new(mapping::Profiles::compile(&[]).0);
    let doors = Doors {
        appender,
        profiles: Arc::new(move || Arc::clone(&profiles)),
        identify: Arc::new(OpenDoor),
        clock: now,
        shutdown,
    };
    let listener = tokio::net::TcpListener::bind(&address).await?;
    eprintln!("listening on {address}");
    serve(MllpConfig::default(), doors, listener).await?;
    Ok(())
}

fn now() -> ReceiveTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    ReceiveTime(since.map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX)))
}
