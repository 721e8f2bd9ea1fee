//! `vitalwire doctor --security`: what a security officer asks of an installation. Each check is a
//! line of [`CHECKS`].

use std::io::Read;
use std::path::{Path, PathBuf};

use vault::Source;

use crate::backup;
use crate::clock::clock;
use crate::config::Config;
use crate::sealed;
use crate::wiring::Folder;

/// How a check ended.
pub(super) enum Verdict {
    /// As it should be.
    Fine(String),
    /// It works, and somebody should think about it.
    Mind(String),
    /// To be mended.
    Bad(String),
}

use Verdict::{Bad, Fine, Mind};

type Check = fn(&Folder, &Config) -> Verdict;

/// Every check, with its name.
pub(super) const CHECKS: &[(&str, Check)] = &[
    ("encryption", encryption),
    ("master key", master_key),
    ("modes of keys", modes),
    ("databases", databases),
    ("keyring's copy", copy),
    ("backup", backup_age),
    ("public address", public_address),
];

/// A backup older than this is told of.
const BACKUP_OLD_MS: i64 = 7 * 24 * 3_600 * 1_000;

fn started(folder: &Folder) -> bool {
    folder.keys().join(vault::KEYRING_FILE).exists()
}

fn encryption(folder: &Folder, config: &Config) -> Verdict {
    if !started(folder) {
        return match (config.keys.encrypt, folder.store().exists()) {
            (false, _) => Bad("keys.encrypt = false: what is kept lies open on the disk".to_owned()),
            (true, true) => Bad("not encrypted yet: start the program once, it does it".to_owned()),
            (true, false) => Fine("begins with the first start".to_owned()),
        };
    }
    match sealed::unlock(folder, &config.keys) {
        Ok(sealed) => {
            let status = sealed.vault.map(|vault| vault.status());
            let patients = status.map_or(0, |status| status.patients);
            Fine(format!("the keyring opens; {patients} patients have keys of their own"))
        }
        Err(error) => Bad(format!("{error:#}")),
    }
}

fn master_key(folder: &Folder, config: &Config) -> Verdict {
    let source = match sealed::source(folder, &config.keys) {
        Ok(source) => source,
        Err(error) => return Bad(format!("{error:#}")),
    };
    match &source {
        Source::File(path) if beside(path, &folder.0) => Mind(format!(
            "{} lies beside what it encrypts: whoever takes the disk has both. Put it elsewhere: \
             vitalwire keys rotate --to file:PATH (or a token, a credential)",
            path.display()
        )),
        Source::Environment(name) => Mind(format!(
            "in the variable {name}: whoever may look at the process may read it; a systemd \
             credential or a token is better"
        )),
        other => Fine(other.describe()),
    }
}

fn beside(path: &Path, folder: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    real(path).starts_with(real(folder))
}

/// Nobody else may read what holds a secret.
fn modes(folder: &Folder, config: &Config) -> Verdict {
    let mut secrets: Vec<PathBuf> = std::fs::read_dir(folder.keys())
        .map(|items| items.filter_map(|item| Some(item.ok()?.path())).collect())
        .unwrap_or_default();
    secrets.push(folder.keys());
    secrets.extend(config.keys.token_pin_file.clone());
    secrets.extend(config.keys.copy.clone());
    if let Ok(Source::File(path)) = sealed::source(folder, &config.keys) {
        secrets.push(path);
    }
    let open: Vec<String> = secrets
        .iter()
        .filter(|path| path.exists() && !vault::private(path))
        .map(|path| path.display().to_string())
        .collect();
    match open.is_empty() {
        true => Fine("for their owner alone".to_owned()),
        false => Bad(format!("others may use {0}: chmod go= {0}", open.join(" "))),
    }
}

fn databases(folder: &Folder, _config: &Config) -> Verdict {
    let files = [folder.store(), folder.guard().join(guard::DATABASE_FILE)];
    let plain: Vec<String> = files
        .iter()
        .filter(|file| is_plain(file))
        .map(|file| file.display().to_string())
        .collect();
    match plain.is_empty() {
        true => Fine("encrypted, or not there yet".to_owned()),
        false => Bad(format!("not encrypted: {}; start the program once, it does it", plain.join(" "))),
    }
}

fn is_plain(file: &Path) -> bool {
    let mut start = [0; 16];
    let read = std::fs::File::open(file).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *seal::database::PLAIN
}

fn copy(folder: &Folder, config: &Config) -> Verdict {
    match &config.keys.copy {
        _ if !started(folder) => Fine("none needed yet".to_owned()),
        None => Mind(
            "keys.copy is not set: without a copy of the keyring a lost disk loses every backup, \
             and an erasure cannot reach them"
                .to_owned(),
        ),
        Some(copy) if !copy.exists() => {
            Bad(format!("{} is not there: vitalwire keys copy --to {0}", copy.display()))
        }
        Some(copy) if beside(copy, &folder.0) => {
            Bad(format!("{} is in the data folder: it goes when that goes", copy.display()))
        }
        Some(copy) => Fine(copy.display().to_string()),
    }
}

/// Links, redirects and the audience of tokens name this server: where it does not know its own name,
/// each request says it, and whoever sends one with another `Host` is believed.
fn public_address(_folder: &Folder, config: &Config) -> Verdict {
    match &config.http.public_url {
        Some(url) => Fine(url.clone()),
        None if config.http.listen.ip().is_loopback() && config.http.trusted_proxies.is_empty() => {
            Fine("this machine alone".to_owned())
        }
        None => Mind(
            "http.public_url is not set, and others reach this server: each request says what it is called, \
             which tokens and links then repeat. Set it to the address that people use"
                .to_owned(),
        ),
    }
}

fn backup_age(folder: &Folder, _config: &Config) -> Verdict {
    if !started(folder) {
        return Fine("nothing to back up yet".to_owned());
    }
    let last = std::fs::read(folder.keys().join(backup::LAST)).ok();
    let last: Option<serde_json::Value> = last.and_then(|text| serde_json::from_slice(&text).ok());
    let Some(made) = last.as_ref().and_then(|last| last["made_ms"].as_i64()) else {
        return Mind("none was made: vitalwire backup --to FILE".to_owned());
    };
    let hours = (clock().millis() - made) / 3_600_000;
    match clock().millis() - made > BACKUP_OLD_MS {
        true => Mind(format!("the last one is {hours} hours old")),
        false => Fine(format!("the last one is {hours} hours old")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_others_reach_should_know_its_name() {
        let verdict = |pairs: &[(&str, &str)]| {
            let environment = pairs.iter().map(|(name, value)| (format!("VITALWIRE_{name}"), (*value).to_owned()));
            let config = Config::load(None, environment).expect("well-formed");
            public_address(&Folder(PathBuf::new()), &config)
        };
        assert!(matches!(verdict(&[]), Fine(_)));
        let outside = ("HTTP_LISTEN", "0.0.0.0:8080");
        assert!(matches!(verdict(&[outside]), Mind(why) if why.contains("http.public_url")));
        assert!(matches!(verdict(&[("HTTP_TRUSTED_PROXIES", "10.0.0.1")]), Mind(_)), "a proxy brings others");
        assert!(matches!(verdict(&[outside, ("HTTP_PUBLIC_URL", "https://ward.example")]), Fine(_)));
    }
}
