//! Parameters of a query or a form (`application/x-www-form-urlencoded`).

use crate::OauthError;

/// Parameters that one request may have.
const PARAMETERS_MAX: usize = 64;

/// Parameters of a request, each at most once (RFC 6749 § 3.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a query or a form's body.
    ///
    /// # Errors
    /// `invalid_request` when a parameter is there twice, or there are far too many.
    pub fn read(text: &[u8]) -> Result<Self, OauthError> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text) {
            if pairs.len() == PARAMETERS_MAX {
                return Err(OauthError::request("too many parameters"));
            }
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(OauthError::request("a parameter is there twice"));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    /// A parameter's value. One without a value counts as not there (RFC 6749 § 3.1).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, value)| known == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// A parameter that has to be there.
    ///
    /// # Errors
    /// `invalid_request` with the given text.
    pub fn need(&self, name: &str, missing: &'static str) -> Result<&str, OauthError> {
        self.get(name).ok_or(OauthError::request(missing))
    }
}

/// Names and values of a query, in their order.
#[must_use]
pub fn pairs(query: &str) -> Vec<(String, String)> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// An address with parameters added to its query.
#[must_use]
pub fn with_parameters(address: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let mark = match address.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{address}{mark}{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_there_once_or_not() {
        let form = Form::read(b"a=1&b=&c=x%20y+z&%26=%3D").expect("a form");
        for (name, expected) in [("a", Some("1")), ("b", None), ("c", Some("x y z")), ("&", Some("="))] {
            assert_eq!(form.get(name), expected, "{name}");
        }
        assert!(Form::read(b"a=1&a=1").is_err());
        assert!(Form::read(b"a=&").is_ok());
        let many: String = (0..65).map(|n| format!("p{n}=1&")).collect();
        assert!(Form::read(many.as_bytes()).is_err());
    }

    #[test]
    fn parameters_are_added_to_any_address() {
        for (address, expected) in [
            ("https://a/cb", "https://a/cb?code=x+y&s=%26"),
            ("https://a/cb?", "https://a/cb?code=x+y&s=%26"),
            ("https://a/cb?k=v", "https://a/cb?k=v&code=x+y&s=%26"),
        ] {
            assert_eq!(with_parameters(address, &[("code", "x y"), ("s", "&")]), expected);
        }
    }
}
