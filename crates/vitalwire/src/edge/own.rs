//! The certificate that the edge shows its centre, and the client that shows it. Read again when the file
//! is another one: certificates are renewed while the edge runs.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use parking_lot::Mutex;

use crate::Misuse;
use crate::config::Config;

/// Who asks the centre.
pub(crate) struct Own {
    files: Option<(PathBuf, PathBuf)>,
    authorities: Option<PathBuf>,
    client: Mutex<Kept>,
}

struct Kept {
    /// When the files were last written, as of the last look.
    written: [Option<SystemTime>; 2],
    client: outgoing::Client,
}

impl Own {
    /// As configured.
    ///
    /// # Errors
    /// [`Misuse`] naming the key.
    pub(crate) fn new(config: &Config) -> Result<Self, Misuse> {
        let edge = &config.edge;
        let files = edge.certificate.clone().zip(edge.key.clone());
        if files.is_none() && (edge.certificate.is_some() || edge.key.is_some()) {
            return Err(Misuse("edge.certificate, edge.key: give both or none".to_owned()));
        }
        let authorities = config.outgoing.ca_file.clone();
        let client = match &files {
            None => config.outgoing()?,
            Some((certificate, key)) => outgoing::Client::with_certificate(authorities.as_deref(), certificate, key)
                .map_err(|error| Misuse(format!("edge.certificate: {error}")))?,
        };
        let written = files.as_ref().map_or([None; 2], written);
        Ok(Self { files, authorities, client: Mutex::new(Kept { written, client }) })
    }

    /// The client, with the certificate that is in its file now. While that one can't be used, the one
    /// before is shown.
    pub(crate) fn client(&self) -> outgoing::Client {
        let mut kept = self.client.lock();
        if let Some(files) = &self.files {
            let now = written(files);
            if now != kept.written {
                // Certificate and key are two files: what does not fit yet is tried again when either is written.
                kept.written = now;
                match outgoing::Client::with_certificate(self.authorities.as_deref(), &files.0, &files.1) {
                    Ok(client) => kept.client = client,
                    Err(error) => tracing::warn!("the edge's new certificate can't be used, the one before is shown: {error}"),
                }
            }
        }
        kept.client.clone()
    }
}

fn written((certificate, key): &(PathBuf, PathBuf)) -> [Option<SystemTime>; 2] {
    let of = |file: &Path| std::fs::metadata(file).ok()?.modified().ok();
    [of(certificate), of(key)]
}
