//! What handlers take from a request, refused in the API's own form: which part is wrong, without
//! the value that was sent.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::ApiError;

/// A JSON body, in or out.
#[derive(Debug, FromRequest)]
#[from_request(via(axum::Json), rejection(ApiError))]
pub(crate) struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Query parameters.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ApiError))]
pub(crate) struct Query<T>(pub T);

/// Parts of the path.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub(crate) struct Path<T>(pub T);

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        let what = match &rejection {
            JsonRejection::MissingJsonContentType(_) => "a body is application/json".to_owned(),
            _ => without_values(&rejection.body_text()),
        };
        Self::Malformed(rejection.status(), what)
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::Malformed(rejection.status(), without_values(&rejection.body_text()))
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::Malformed(rejection.status(), without_values(&rejection.body_text()))
    }
}

/// A parser's message with everything in quotes left out: it may be what somebody typed.
fn without_values(message: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    for letter in message.chars() {
        match quote {
            Some(end) if letter == end => {
                quote = None;
                out.push('…');
                out.push(letter);
            }
            Some(_) => {}
            None => {
                out.push(letter);
                quote = matches!(letter, '"' | '`').then_some(letter);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::without_values;

    #[test]
    fn values_are_left_out() {
        for (message, expected) in [
            ("limit: invalid digit found in string", "limit: invalid digit found in string"),
            ("reason: invalid type: string \"Kowalczyk\", expected u32", "reason: invalid type: string \"…\", expected u32"),
            ("unknown field `Kowalczyk`, expected `reason`", "unknown field `…`, expected `…`"),
            ("cut off: \"Kowalczyk", "cut off: \""),
        ] {
            assert_eq!(without_values(message), expected);
        }
    }
}
