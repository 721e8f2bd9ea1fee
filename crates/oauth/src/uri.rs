//! Addresses that an application registers.

use crate::ClientError;

/// Longest address that is taken, in bytes.
const LENGTH_MAX: usize = 2_048;

/// Schemes that browsers run instead of going to.
const DANGEROUS: [&str; 6] = ["javascript", "data", "vbscript", "file", "blob", "about"];

/// An address in its parts: lower-case scheme, host and port as written, the rest.
struct Parts<'a> {
    scheme: String,
    authority: Option<&'a str>,
}

fn parts(uri: &str) -> Option<Parts<'_>> {
    let printable = uri.len() <= LENGTH_MAX && uri.bytes().all(|b| matches!(b, 0x21..=0x7e));
    if !printable || uri.contains(['\\', '"', '<', '>', '^', '`', '{', '|', '}']) {
        return None;
    }
    let (scheme, rest) = uri.split_once(':')?;
    let mut bytes = scheme.bytes();
    let starts = bytes.next().is_some_and(|b| b.is_ascii_alphabetic());
    if !starts || !bytes.all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
        return None;
    }
    let authority = rest.strip_prefix("//").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    Some(Parts { scheme: scheme.to_ascii_lowercase(), authority })
}

fn host(authority: &str) -> Option<&str> {
    // No user names: they make an address look like another's.
    if authority.contains('@') {
        return None;
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':').or(rest.is_empty().then_some("0"))?)
        }
        None => authority.split_once(':').unwrap_or((authority, "0")),
    };
    let named = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:".contains(&b));
    (named && port.parse::<u16>().is_ok()).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1")
}

/// Checks an address that codes may be sent to: `https`; `http` on this machine alone (RFC 8252
/// § 7.3, and for development); or a native application's own scheme, which has a dot (RFC 8252
/// § 7.1). No fragment, no user name.
///
/// # Errors
/// [`ClientError::Address`].
pub(crate) fn check_redirect(uri: &str) -> Result<(), ClientError> {
    let fine = parts(uri).is_some_and(|found| {
        let clean = !uri.contains('#');
        clean && match (found.scheme.as_str(), found.authority) {
            ("https", Some(authority)) => host(authority).is_some(),
            ("http", Some(authority)) => host(authority).is_some_and(is_loopback),
            ("https" | "http", None) => false,
            (scheme, _) => scheme.contains('.') && !DANGEROUS.contains(&scheme),
        }
    });
    if fine { Ok(()) } else { Err(ClientError::Address) }
}

/// Checks an address of the web: as [`check_redirect`], without native schemes.
///
/// # Errors
/// [`ClientError::Address`].
pub(crate) fn check_web(uri: &str) -> Result<(), ClientError> {
    check_redirect(uri)?;
    let web = parts(uri).is_some_and(|found| matches!(found.scheme.as_str(), "https" | "http"));
    if web { Ok(()) } else { Err(ClientError::Address) }
}

/// Checks an address that we ask ourselves: `https` alone, wherever it is.
///
/// # Errors
/// [`ClientError::Address`].
pub(crate) fn check_encrypted(uri: &str) -> Result<(), ClientError> {
    check_web(uri)?;
    let encrypted = parts(uri).is_some_and(|found| found.scheme == "https");
    if encrypted { Ok(()) } else { Err(ClientError::Address) }
}

/// The origin of a web address as browsers send it (RFC 6454 § 6.2): lower case, without the
/// scheme's usual port. None for what is no web address.
#[must_use]
pub fn origin(uri: &str) -> Option<String> {
    let found = parts(uri)?;
    let usual = match found.scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let authority = found.authority.filter(|authority| host(authority).is_some())?;
    let authority = authority.strip_suffix(usual).unwrap_or(authority);
    Some(format!("{}://{}", found.scheme, authority.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_go_to_safe_addresses_only() {
        for (uri, good) in [
            ("https://app.example/cb", true),
            ("https://app.example:8443/cb?k=v", true),
            ("http://localhost:3000/cb", true),
            ("http://127.0.0.1/cb", true),
            ("http://[::1]:9/cb", true),
            ("com.example.app:/cb", true),
            ("com.example.app://cb", true),
            ("http://app.example/cb", false),
            ("http://127.0.0.1.evil.example/cb", false),
            ("https://app.example/cb#f", false),
            ("https://user@app.example/cb", false),
            ("https://app.example\\@evil.example/", false),
            ("https://app.example:99999/", false),
            ("https:///cb", false),
            ("https:app.example", false),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("myapp:/cb", false),
            ("/cb", false),
            ("", false),
            ("https://app.example/c b", false),
            ("https://app.example/\r\nSet-Cookie:x", false),
            ("https://ápp.example/", false),
        ] {
            assert_eq!(check_redirect(uri).is_ok(), good, "{uri}");
        }
        assert!(check_web("com.example.app:/cb").is_err() && check_web("https://a.example/").is_ok());
    }

    #[test]
    fn origins_are_as_browsers_send_them() {
        for (uri, expected) in [
            ("https://App.Example:443/cb?x", Some("https://app.example")),
            ("http://localhost:3000/cb", Some("http://localhost:3000")),
            ("com.example.app:/cb", None),
            ("https://u@x/", None),
        ] {
            assert_eq!(origin(uri).as_deref(), expected, "{uri}");
        }
    }
}
