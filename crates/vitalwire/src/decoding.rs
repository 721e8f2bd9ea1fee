//! Payload decoders, each run in a child: this program again, asked on its standard input.

use std::process::Command;
use std::sync::Arc;

use decoder::{Pool, Settings};

/// The children's keeper. The first child starts with the first payload that needs one.
pub(crate) fn pool() -> Arc<Pool> {
    let launch = || {
        // A program that was replaced while it ran is found by the link that the kernel keeps.
        let own = std::env::current_exe().unwrap_or_else(|_| "/proc/self/exe".into());
        let mut command = Command::new(own);
        command.arg("decode-payloads");
        command
    };
    Arc::new(Pool::new(Arc::new(launch), Settings::default()))
}

/// What a child does, until its input ends.
pub(crate) fn work() -> anyhow::Result<()> {
    Ok(decoder::work(std::io::stdin().lock(), std::io::stdout().lock())?)
}
