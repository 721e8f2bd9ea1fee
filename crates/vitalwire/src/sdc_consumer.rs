//! Starts the SDC consumer where the configuration has one.

use std::sync::Arc;

use anyhow::Context;
use gateway::{Authenticator, ClientIdentity};
use journal::Appender;
use sdc::consumer::{Commands, Consumer, Parts};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use vitals::Message;

use crate::clock::clock;
use crate::config::Config;

/// Starts it; gives its tasks.
pub(crate) async fn start(
    config: &Config,
    identify: Arc<dyn Authenticator>,
    (appender, commands): (&Appender, &Commands),
    stopping: watch::Receiver<bool>,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let Some(settings) = config.sdc_consumer()? else { return Ok(Vec::new()) };
    let within = move |message: &mut Message| {
        let Some(restrictions) = identify.restrictions() else { return };
        let who = ClientIdentity::peer(&message.origin.sender);
        for violation in restrictions.keep_within(message) {
            identify.violated(&who, &violation);
        }
    };
    let parts = Parts { appender: appender.clone(), clock, within: Arc::new(within), commands: commands.clone(), stopping };
    let consumer = Consumer::new(settings, parts).await.context("cannot start the SDC consumer")?;
    Ok(vec![tokio::spawn(consumer.run())])
}
