//! What goes wrong, in two texts: one safe for a screen, one for the log.

use axum::Json;
use axum::http::StatusCode;
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
        let body = ErrorBody { error: error.to_owned(), message: self.to_string() };
        (status, Json(body)).into_response()
    }
}
