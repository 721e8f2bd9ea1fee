//! What is answered when a request is refused: RFC 6749 §§ 4.1.2.1 and 5.2, OpenID Connect Core
//! § 3.1.2.6, RFC 6750 § 3.1.

/// The error codes of the standards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A parameter is missing, twice there, or wrong.
    InvalidRequest,
    /// The client is not known, or did not prove that it is itself.
    InvalidClient,
    /// The code or refresh token is not valid, or of another client.
    InvalidGrant,
    /// This client may not do this.
    UnauthorizedClient,
    /// Not a way to get a token here.
    UnsupportedGrantType,
    /// Only codes are given.
    UnsupportedResponseType,
    /// None of what was asked for can be given.
    InvalidScope,
    /// The person said no, or may not.
    AccessDenied,
    /// A person would have to be asked, which the request rules out.
    InteractionRequired,
    /// Nobody is logged in, and the request rules out that they do.
    LoginRequired,
    /// Request objects are not understood.
    RequestNotSupported,
    /// Neither are those by reference.
    RequestUriNotSupported,
    /// The kind of token is not known (RFC 7009).
    UnsupportedTokenType,
    /// Something failed inside.
    ServerError,
    /// It will work again later.
    TemporarilyUnavailable,
}

impl Code {
    /// As it is written in an answer.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::InteractionRequired => "interaction_required",
            Self::LoginRequired => "login_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }

    /// The HTTP status with which the token endpoint answers.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidClient => 401,
            Self::ServerError => 500,
            Self::TemporarilyUnavailable => 503,
            _ => 400,
        }
    }
}

/// A refusal, with a text for the application's developer: without any value that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", code.name())]
pub struct OauthError {
    /// Which.
    pub code: Code,
    /// What is wrong and what would be right.
    pub detail: &'static str,
}

impl OauthError {
    /// A refusal.
    #[must_use]
    pub const fn new(code: Code, detail: &'static str) -> Self {
        Self { code, detail }
    }

    /// [`Code::InvalidRequest`].
    #[must_use]
    pub const fn request(detail: &'static str) -> Self {
        Self::new(Code::InvalidRequest, detail)
    }
}
