//! The server's certificate from the house's own authority, for a start without a hospital's.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use gateway::tls::TlsFiles;
use guard::Guard;
use sha2::{Digest, Sha256};

use crate::clock::clock;

/// A certificate that ends sooner is made anew, microseconds.
const RENEW_BEFORE: i64 = 30 * 24 * vitals::time::HOUR;
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// The files of our own certificate in a folder; made when they are not there, end soon, or are not
/// of the authority of today. Beside them lies the authority's certificate, for clients to trust.
pub(crate) fn own(folder: &Path, addresses: &[IpAddr], guard: &Guard) -> anyhow::Result<TlsFiles> {
    let files = TlsFiles {
        certificate: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
        ..TlsFiles::default()
    };
    let authority = guard.authority_pem(clock()).context("cannot make or use the certificate authority")?;
    if stands(&files, &authority) {
        return Ok(files);
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.extend(host_name());
    // An address that stands for all has no name of its own.
    let named = addresses.iter().filter(|address| !address.is_unspecified());
    names.extend(named.map(IpAddr::to_string));
    names.sort();
    names.dedup();
    let (chain, key) = guard.server_certificate(&names, clock()).context("cannot make a certificate")?;
    // The key first: a certificate without one would be taken for complete.
    Guard::keep_private(&files.key, key.as_bytes())?;
    Guard::keep_private(&files.certificate, chain.as_bytes())?;
    let trusted = folder.join("authority.pem");
    Guard::keep_private(&trusted, authority.as_bytes())?;
    tracing::info!(
        authority = %trusted.display(), sha256 = %fingerprint(guard)?,
        "made a certificate, signed by our own authority: let clients trust that authority"
    );
    Ok(files)
}

/// SHA-256 of the authority's certificate, as people compare it.
pub(crate) fn fingerprint(guard: &Guard) -> anyhow::Result<String> {
    let digest = Sha256::digest(guard.authority_der(clock())?);
    Ok(digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":"))
}

/// Whether what is there can stay.
fn stands(files: &TlsFiles, authority: &str) -> bool {
    let Ok(chain) = std::fs::read_to_string(&files.certificate) else { return false };
    let lasts = gateway::tls::valid_until(&files.certificate)
        .is_ok_and(|(until_s, _)| until_s.saturating_mul(1_000_000) - clock().micros() > RENEW_BEFORE);
    files.key.exists() && lasts && chain.contains(authority.trim())
}

/// Makes the certificate anew before it ends, for as long as it is polled; listeners read it again.
pub(crate) async fn renew(folder: std::path::PathBuf, addresses: Vec<IpAddr>, guard: Guard) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let (folder, addresses, guard) = (folder.clone(), addresses.clone(), guard.clone());
        let made = tokio::task::spawn_blocking(move || own(&folder, &addresses, &guard).map(drop));
        match made.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!("the server's certificate was not made anew: {error:#}"),
            Err(_) => return,
        }
    }
}

/// The machine's name, if it is one that certificates can have.
pub(crate) fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim().to_owned();
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
    (plain && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_made_once_and_usable() {
        let folder = tempfile::tempdir().expect("a folder");
        let guard = Guard::trial(&folder.path().join("guard")).expect("a guard");
        let tls = folder.path().join("tls");
        let files = own(&tls, &[IpAddr::from([192, 0, 2, 7])], &guard).expect("made");
        gateway::tls::acceptor(&files).expect("usable");
        let (_, names) = gateway::tls::valid_until(&files.certificate).expect("readable");
        assert!(names.contains(&"localhost".to_owned()), "{names:?}");
        let before = std::fs::read(&files.certificate).expect("there");
        own(&tls, &[], &guard).expect("kept");
        assert_eq!(before, std::fs::read(&files.certificate).expect("there"));
        std::fs::write(&files.certificate, "-----BEGIN CERTIFICATE-----\n").expect("written");
        own(&tls, &[], &guard).expect("made anew");
        gateway::tls::acceptor(&files).expect("usable again");
        assert_eq!(fingerprint(&guard).expect("there").len(), 32 * 3 - 1);
    }
}
