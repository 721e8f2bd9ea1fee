//! Where a request goes.

use hyper::Uri;

/// Longest address that is taken, in bytes.
const LENGTH_MAX: usize = 2_048;

/// An address of the web: `https`, or `http` where that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(Uri);

/// Why a text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It can't be read as one.
    #[error("write an address such as https://host.example/path")]
    Form,
    /// Another scheme.
    #[error("an address begins with https:// (or http://, where that is taken)")]
    Scheme,
    /// User names belong into no address: logs and people see it.
    #[error("an address holds no user name, no password and no part behind #")]
    Extra,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        // The library drops what stands behind `#` silently.
        if text.contains(['#', '@']) {
            return Err(AddressError::Extra);
        }
        if text.len() > LENGTH_MAX || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(AddressError::Form);
        }
        let uri: Uri = text.parse().map_err(|_| AddressError::Form)?;
        match uri.scheme_str() {
            Some("https" | "http") => {}
            Some(_) => return Err(AddressError::Scheme),
            None => return Err(AddressError::Form),
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(AddressError::Form)?;
        // The library takes a port that is none, and asks the usual one.
        let named = uri.authority().is_some_and(|whole| whole.as_str().len() > host.len());
        if named && uri.port_u16().is_none() {
            return Err(AddressError::Form);
        }
        Ok(Self(uri))
    }

    /// Whether what is sent there is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }

    /// Whether it is on this very machine, by its name.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.0.host().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// Scheme, host and port: what stands before the path, in lower case.
    #[must_use]
    pub fn origin(&self) -> String {
        let (scheme, authority) = (self.0.scheme_str(), self.0.authority());
        let authority = authority.map_or("", |authority| authority.as_str()).to_ascii_lowercase();
        let usual = if self.is_encrypted() { ":443" } else { ":80" };
        let authority = authority.strip_suffix(usual).unwrap_or(&authority);
        format!("{}://{authority}", scheme.unwrap_or_default())
    }

    pub(crate) const fn uri(&self) -> &Uri {
        &self.0
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_are_taken() {
        for (text, good) in [
            ("https://a.example", true),
            ("https://a.example:8443/x?y=z", true),
            ("http://127.0.0.1:9/hook", true),
            ("https://[::1]/", true),
            ("ftp://a.example", false),
            ("a.example", false),
            ("/x", false),
            ("https://", false),
            ("https://user:word@a.example/", false),
            ("https://a.example/#x", false),
            ("https://a.example/a b", false),
            ("https://a.example:99999/", false),
            ("https://ä.example/", false),
        ] {
            assert_eq!(Address::parse(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn origins_and_this_machine() {
        for (text, origin, here) in [
            ("https://A.example:443/x", "https://a.example", false),
            ("http://localhost:80/", "http://localhost", true),
            ("http://127.0.0.9:81/", "http://127.0.0.9:81", true),
            ("https://[::1]:8443/", "https://[::1]:8443", true),
            ("https://localhost.example/", "https://localhost.example", false),
        ] {
            let address = Address::parse(text).expect(text);
            assert_eq!((address.origin().as_str(), address.is_loopback()), (origin, here));
        }
    }
}
