//! A certificate that the program makes for itself, for a start without a hospital's authority.

use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use gateway::tls::TlsFiles;
use sha2::{Digest, Sha256};

/// The files of our own certificate in a folder; made when they are not there.
pub(crate) fn own(folder: &Path, addresses: &[IpAddr]) -> anyhow::Result<TlsFiles> {
    let files = TlsFiles {
        certificate: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
        client_authority: None,
    };
    if files.certificate.exists() && files.key.exists() {
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
    let made = rcgen::generate_simple_self_signed(names).context("cannot make a certificate")?;
    // The key first: a certificate without one would be taken for complete.
    write_private(&files.key, made.signing_key.serialize_pem().as_bytes())?;
    write_private(&files.certificate, made.cert.pem().as_bytes())?;
    let digest = Sha256::digest(made.cert.der());
    let print: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    tracing::info!(
        certificate = %files.certificate.display(), sha256 = %print.join(":"),
        "made a certificate of our own: let clients trust this file, or put in one of your authority"
    );
    Ok(files)
}

fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim().to_owned();
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
    (plain && !name.is_empty()).then_some(name)
}

fn write_private(path: &PathBuf, bytes: &[u8]) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("cannot make {}", path.display()))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_made_once_and_usable() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = own(folder.path(), &[IpAddr::from([192, 0, 2, 7])]).expect("made");
        gateway::tls::acceptor(&files).expect("usable");
        let (_, names) = gateway::tls::valid_until(&files.certificate).expect("readable");
        assert!(names.contains(&"localhost".to_owned()), "{names:?}");
        let before = std::fs::read(&files.certificate).expect("there");
        own(folder.path(), &[]).expect("kept");
        assert_eq!(before, std::fs::read(&files.certificate).expect("there"));
    }
}
