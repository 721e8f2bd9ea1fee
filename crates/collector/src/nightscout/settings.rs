//! Which site is read, as whom, for which device.

use std::time::Duration;

use outgoing::Address;
use vitals::DeviceId;

/// Longest name of a source, and what it may be made of: it names a file.
const NAME_MAX: usize = 32;
/// How often a site is asked, in seconds.
const EVERY_S: std::ops::RangeInclusive<u32> = 5..=86_400;
/// How far back a site is read that was never read, in days.
const BACK_DAYS: std::ops::RangeInclusive<u32> = 0..=3_650;

/// What a site knows us by.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// An access token (`name-0123456789abcdef`): read by version 3 where the site has it.
    Token(String),
    /// The site's API secret: it opens all of the site, so a token is better. Version 1.
    Secret(String),
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token(…)",
            Self::Secret(_) => "Secret(…)",
        })
    }
}

/// One source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What it is called here; its file is called by it.
    pub name: String,
    /// The site's address, without a path at its end.
    pub site: String,
    /// Whether `http` will do.
    pub plain: bool,
    /// What it knows us by.
    pub credential: Credential,
    /// The device that all documents are of here.
    pub device: DeviceId,
    /// How often it is asked.
    pub every: Duration,
    /// How far back it is read at first.
    pub back: Duration,
}

/// What can't be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The name.
    #[error("name: 1 to 32 of a-z 0-9 -")]
    Name,
    /// The address.
    #[error("url: {0}")]
    Url(String),
    /// Nobody should read the credential on the way.
    #[error("url: the site's token would go out unencrypted: write https://, or insecure = true")]
    Plain,
    /// The credential.
    #[error("the file of the token or secret holds nothing, or more than one line")]
    Credential,
    /// How often.
    #[error("every_s: 5 to 86400")]
    Every,
    /// How far back.
    #[error("back_days: 0 to 3650")]
    Back,
}

impl Settings {
    /// Checks what a configuration says.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn new(
        name: &str,
        url: &str,
        insecure: bool,
        credential: Credential,
        device: DeviceId,
        (every_s, back_days): (u32, u32),
    ) -> Result<Self, SettingsError> {
        let named = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(named) {
            return Err(SettingsError::Name);
        }
        let address = Address::parse(url).map_err(|error| SettingsError::Url(error.to_string()))?;
        if url.contains('?') {
            return Err(SettingsError::Url("without a question mark: the token has a file of its own".to_owned()));
        }
        if !address.is_encrypted() && !address.is_loopback() && !insecure {
            return Err(SettingsError::Plain);
        }
        // A secret may be a sentence; a token stands in an address.
        let good = match &credential {
            Credential::Token(token) => !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()),
            Credential::Secret(secret) => !secret.is_empty() && !secret.contains(char::is_control),
        };
        if !good {
            return Err(SettingsError::Credential);
        }
        if !EVERY_S.contains(&every_s) {
            return Err(SettingsError::Every);
        }
        if !BACK_DAYS.contains(&back_days) {
            return Err(SettingsError::Back);
        }
        Ok(Self {
            name: name.to_owned(),
            site: url.trim_end_matches('/').to_owned(),
            plain: !address.is_encrypted(),
            credential,
            device,
            every: Duration::from_secs(u64::from(every_s)),
            back: Duration::from_secs(u64::from(back_days) * 86_400),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_source_may_be() {
        let device = DeviceId::sanitised("cgm-1");
        let token = || Credential::Token("reader-0123456789abcdef".to_owned());
        let check = |name: &str, url: &str, insecure, credential, numbers| {
            Settings::new(name, url, insecure, credential, device.clone(), numbers).map(|settings| settings.site)
        };
        for (name, url, insecure, numbers, expected) in [
            ("anna", "https://ns.example/", false, (60, 7), Ok("https://ns.example".to_owned())),
            ("anna", "https://x.example/ns", false, (60, 7), Ok("https://x.example/ns".to_owned())),
            ("anna", "http://127.0.0.1:1337", false, (5, 0), Ok("http://127.0.0.1:1337".to_owned())),
            ("anna", "http://ns.example", true, (60, 7), Ok("http://ns.example".to_owned())),
            ("anna", "http://ns.example", false, (60, 7), Err(SettingsError::Plain)),
            ("../x", "https://ns.example", false, (60, 7), Err(SettingsError::Name)),
            ("", "https://ns.example", false, (60, 7), Err(SettingsError::Name)),
            ("anna", "https://ns.example", false, (1, 7), Err(SettingsError::Every)),
            ("anna", "https://ns.example", false, (60, 9_999), Err(SettingsError::Back)),
        ] {
            assert_eq!(check(name, url, insecure, token(), numbers), expected, "{name} {url}");
        }
        assert!(check("anna", "https://ns.example?token=x", false, token(), (60, 7)).is_err());
        let sentence = Credential::Secret("a long secret".to_owned());
        assert!(check("anna", "https://ns.example", false, sentence, (60, 7)).is_ok());
        let two_lines = Credential::Secret("a\nb".to_owned());
        assert_eq!(check("anna", "https://ns.example", false, two_lines, (60, 7)), Err(SettingsError::Credential));
        assert_eq!(format!("{:?}", token()), "Token(…)");
    }
}
