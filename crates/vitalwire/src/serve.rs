//! `vitalwire serve`: run the platform.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::{Misuse, start_log, wiring};

/// Arguments of `serve`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Data folder: journal, store, accounts, audit log, profiles.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// Configuration file (TOML); every value can be overridden by a VITALWIRE_… variable.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Address for HTTP: pages, application API, FHIR. [default: 127.0.0.1:8080]
    #[arg(long)]
    http: Option<SocketAddr>,
    /// Address for MQTT. [default: 127.0.0.1:1883]
    #[arg(long)]
    mqtt: Option<SocketAddr>,
    /// Address for HL7 v2 over MLLP. [default: 127.0.0.1:2575]
    #[arg(long)]
    mllp: Option<SocketAddr>,
    /// Certificate chain (PEM): HTTP speaks TLS, MQTT and MLLP open their TLS ports.
    #[arg(long, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM).
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Make a certificate in the data folder when there is none, and use it.
    #[arg(long, conflicts_with = "tls_cert")]
    tls_self_signed: bool,
    /// Allow an HTTP address that others reach without TLS: only behind a TLS proxy.
    #[arg(long)]
    insecure_http: bool,
    /// Turn authentication off for a trial; refuses any address but loopback.
    #[arg(long)]
    open: bool,
}

impl Args {
    fn configuration(&self) -> Result<Config, Misuse> {
        let mut config = Config::load(self.config.as_deref(), std::env::vars())?;
        config.http.listen = self.http.unwrap_or(config.http.listen);
        config.mqtt.listen = self.mqtt.unwrap_or(config.mqtt.listen);
        config.mllp.listen = self.mllp.unwrap_or(config.mllp.listen);
        config.http.insecure |= self.insecure_http;
        config.tls.self_signed |= self.tls_self_signed;
        if self.tls_cert.is_some() {
            config.tls.certificate.clone_from(&self.tls_cert);
            config.tls.key.clone_from(&self.tls_key);
        }
        check_exposure(&config, self.open)?;
        for (section, key, value) in self.flags() {
            let section = config.said.entry(section).or_insert_with(|| toml::Table::new().into());
            if let Some(section) = section.as_table_mut() {
                section.insert(key.to_owned(), value);
            }
        }
        Ok(config)
    }

    /// What flags say, as it would stand in the configuration.
    fn flags(&self) -> Vec<(&'static str, &'static str, toml::Value)> {
        let address = |address: Option<SocketAddr>| address.map(|address| address.to_string().into());
        let file = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string().into());
        let yes = |yes: bool| yes.then_some(toml::Value::Boolean(true));
        [
            ("http", "listen", address(self.http)),
            ("mqtt", "listen", address(self.mqtt)),
            ("mllp", "listen", address(self.mllp)),
            ("tls", "certificate", file(&self.tls_cert)),
            ("tls", "key", file(&self.tls_key)),
            ("tls", "self_signed", yes(self.tls_self_signed)),
            ("http", "insecure", yes(self.insecure_http)),
            ("flag", "open", yes(self.open)),
        ]
        .into_iter()
        .filter_map(|(section, key, value)| Some((section, key, value?)))
        .collect()
    }
}

/// A trial stays on this machine; what others reach is encrypted, unless somebody said otherwise.
pub(crate) fn check_exposure(config: &Config, open: bool) -> Result<(), Misuse> {
    let own = config.tls.self_signed;
    let (http_tls, mqtt_tls, mllp_tls) =
        (config.http_tls().is_some(), config.mqtt_tls().is_some(), config.mllp_tls().is_some());
    let mut addresses = vec![config.http.listen, config.mqtt.listen, config.mllp.listen];
    addresses.extend((own || mqtt_tls).then_some(config.mqtt.tls_listen));
    addresses.extend((own || mllp_tls).then_some(config.mllp.tls_listen));
    addresses.extend(config.phd.listen.into_iter().chain(config.phd.tls_listen));
    addresses.extend(config.coap.listen.into_iter().chain(config.coap.plain_listen));
    let outside = |address: &SocketAddr| !address.ip().is_loopback();
    if open && let Some(address) = addresses.iter().find(|address| outside(address)) {
        return Err(Misuse(format!(
            "--open turns authentication off and refuses {address}: only loopback addresses such \
             as 127.0.0.1 will do"
        )));
    }
    if !open && config.coap.plain_listen.is_some() {
        return Err(Misuse(
            "coap.plain_listen: without encryption nobody proves who they are; use coap.listen, and \
             give each sensor a key with `vitalwire device key`"
                .to_owned(),
        ));
    }
    let (http, mqtt, mllp) = (&config.http, &config.mqtt, &config.mllp);
    let local = SocketAddr::from(([127, 0, 0, 1], 0));
    let phd = config.phd.listen.unwrap_or(local);
    for (section, address, safe, instead) in [
        ("http", http.listen, http.insecure || http_tls || own, "give --tls-cert and --tls-key, or --tls-self-signed"),
        ("mqtt", mqtt.listen, mqtt.insecure, "open mqtt.tls_listen to others instead, with a certificate"),
        ("mllp", mllp.listen, mllp.insecure, "open mllp.tls_listen to others instead, with a certificate"),
        ("phd", phd, config.phd.insecure, "open phd.tls_listen to others instead, with a certificate"),
    ] {
        if !safe && outside(&address) {
            return Err(Misuse(format!(
                "{section}.listen: {address} is reached from outside and not encrypted: {instead}; \
                 or say {section}.insecure = true (VITALWIRE_{}_INSECURE=true) if something else \
                 encrypts it", section.to_uppercase()
            )));
        }
    }
    Ok(())
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let config = args.configuration()?;
    start_log();
    let runtime = tokio::runtime::Runtime::new().context("cannot start")?;
    runtime.block_on(async {
        let platform = wiring::start(&args.data, &config, args.open).await?;
        tracing::info!(
            http = %platform.http, mqtt = %platform.mqtt, mllp = %platform.mllp,
            open = args.open, "vitalwire is running"
        );
        if let Some(code) = platform.first_start() {
            tell_link(&code, &platform, &config, &args.data);
        }
        stop_signal().await?;
        tracing::info!("stopping");
        platform.stop().await;
        Ok(())
    })
}

/// Returns at SIGINT or SIGTERM.
pub(crate) async fn stop_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot watch for SIGINT")?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// To whoever looks at the terminal, and not into the log: the link is a secret until it is used.
/// The code stands behind `#`, which browsers send to nobody: no proxy's log has it.
fn tell_link(code: &str, platform: &wiring::Platform, config: &Config, data: &Path) {
    let (scheme, data) = (if platform.https { "https" } else { "http" }, data.display());
    let origin = config.origin().unwrap_or_else(|| format!("{scheme}://{}", platform.http));
    println!(
        "\nNobody can administer yet. Open this link and make the first account:\n\n    \
         {origin}/setup#{code}\n\nIt can be used once, and each start prints a new one. Or run: \
         vitalwire user add NAME --role administrator --data {data}\n"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)], open: bool) -> Result<(), String> {
        let environment =
            pairs.iter().map(|(k, v)| (format!("VITALWIRE_{k}"), (*v).to_owned()));
        let config = Config::load(None, environment).expect("well-formed");
        check_exposure(&config, open).map_err(|error| error.to_string())
    }

    #[test]
    fn what_others_reach_is_encrypted_or_said_to_be() {
        let cert = [("TLS_CERTIFICATE", "/c"), ("TLS_KEY", "/k")];
        let with = |pair: (&'static str, &'static str)| [&[pair], cert.as_slice()].concat();
        for (pairs, open, refused) in [
            (vec![], false, None),
            (vec![], true, None),
            (vec![("HTTP_LISTEN", "0.0.0.0:1")], false, Some("http.insecure")),
            (vec![("HTTP_LISTEN", "0.0.0.0:1"), ("HTTP_INSECURE", "true")], false, None),
            (vec![("HTTP_LISTEN", "0.0.0.0:1"), ("TLS_SELF_SIGNED", "true")], false, None),
            (with(("HTTP_LISTEN", "0.0.0.0:1")), false, None),
            (with(("MQTT_LISTEN", "0.0.0.0:1")), false, Some("mqtt.insecure")),
            (with(("MQTT_TLS_LISTEN", "0.0.0.0:1")), false, None),
            (vec![("MLLP_LISTEN", "[::]:1")], false, Some("mllp.insecure")),
            (vec![("MLLP_LISTEN", "[::]:1"), ("MLLP_INSECURE", "true")], false, None),
            (vec![("MLLP_LISTEN", "[::]:1"), ("MLLP_INSECURE", "true")], true, Some("--open")),
            (vec![("COAP_LISTEN", "[::]:1")], false, None),
            (vec![("COAP_LISTEN", "[::]:1")], true, Some("--open")),
            (vec![("COAP_PLAIN_LISTEN", "127.0.0.1:1")], false, Some("coap.listen")),
            (vec![("COAP_PLAIN_LISTEN", "127.0.0.1:1")], true, None),
            (with(("MQTT_TLS_LISTEN", "0.0.0.0:1")), true, Some("--open")),
        ] {
            match (check(&pairs, open), refused) {
                (Ok(()), None) => {}
                (Err(error), Some(word)) => assert!(error.contains(word), "{error}"),
                (found, _) => panic!("{pairs:?} open={open}: {found:?}"),
            }
        }
    }
}
