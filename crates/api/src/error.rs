//! What goes wrong, in two texts: one safe for a screen, one for the log.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::dto::ErrorBody;

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Not logged in.
    #[error("not logged in")]
    Unauthorised,
    /// Logged in, but not allowed.
    #[error("this account may not do that; ask an administrator for the right")]
    Forbidden,
    /// Not allowed, but for an emergency.
    #[error("this patient is not one of yours; in an emergency you may open them, with a reason")]
    BreakGlass,
    /// Refused, whoever asks.
    #[error("refused: {0}")]
    Refused(&'static str),
    /// The path knows other methods.
    #[error("this address does not take that method")]
    NoSuchMethod,
    /// No such account, or another password.
    #[error("name or password is wrong")]
    WrongPassword,
    /// The setup code is wrong, used up or replaced.
    #[error("the setup code is wrong; each start of the server prints a new one")]
    WrongCode,
    /// Too many failed attempts just now.
    #[error("too many failed attempts: wait a moment and try again")]
    SlowDown {
        /// How long, in milliseconds.
        wait_ms: u64,
    },
    /// There is no such thing.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The request is wrong.
    #[error("{0}")]
    BadRequest(String),
    /// The request can't be read: the HTTP status, and what is wrong without the value.
    #[error("{1}")]
    Malformed(StatusCode, String),
    /// It does not fit what is there.
    #[error("{0}")]
    Conflict(String),
    /// It will work again later.
    #[error("not available now; nothing was changed, try again in a moment")]
    Unavailable,
    /// Something is broken inside.
    #[error("something failed inside; it is in the log")]
    Internal,
}

impl ApiError {
    /// Logs why, tells the screen only that.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!("a request failed: {cause}");
        Self::Internal
    }

    /// Logs why, tells the screen only that.
    pub fn unavailable(cause: &str) -> Self {
        tracing::warn!("a request was put off: {cause}");
        Self::Unavailable
    }

    /// The request is wrong: says how.
    pub fn bad(problem: impl Into<String>) -> Self {
        Self::BadRequest(problem.into())
    }

    fn parts(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthorised => (StatusCode::UNAUTHORIZED, "unauthorised"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            Self::BreakGlass => (StatusCode::FORBIDDEN, "forbidden"),
            Self::Refused(_) => (StatusCode::FORBIDDEN, "refused"),
            Self::NoSuchMethod => (StatusCode::METHOD_NOT_ALLOWED, "method"),
            Self::WrongPassword => (StatusCode::UNAUTHORIZED, "wrong-password"),
            Self::WrongCode => (StatusCode::UNAUTHORIZED, "wrong-code"),
            Self::SlowDown { .. } => (StatusCode::TOO_MANY_REQUESTS, "slow-down"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not-found"),
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad-request"),
            Self::Malformed(status, _) => (*status, "bad-request"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, error) = self.parts();
        let break_glass = matches!(self, Self::BreakGlass);
        let body = ErrorBody { error: error.to_owned(), message: self.to_string(), break_glass };
        let mut answer = (status, Json(body)).into_response();
        if let Self::SlowDown { wait_ms } = self {
            let seconds = HeaderValue::from(wait_ms.div_ceil(1_000).max(1));
            answer.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        answer
    }
}
