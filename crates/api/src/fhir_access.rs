//! Who may use `/fhir`: the same doorkeeper as everywhere, answering in FHIR's own form.

use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use guard::Permission;

use crate::error::ApiError;
use crate::fhir::Sender;
use crate::state::Api;

/// Lets a request in, or answers with an OperationOutcome.
pub(crate) async fn enter(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    // What the server can do is no secret.
    if request.uri().path().ends_with("/metadata") {
        return next.run(request).await;
    }
    let searched = request.uri().path().ends_with("/_search");
    let reads = matches!(*request.method(), Method::GET | Method::HEAD) || searched;
    let permission = if reads { Permission::ReadFhir } else { Permission::WriteFhir };
    match api.enter(request.headers(), permission, "/fhir", None).await {
        Ok(actor) => {
            request.extensions_mut().insert(Sender(actor.name));
            next.run(request).await
        }
        Err(error) => outcome(error),
    }
}

fn outcome(error: ApiError) -> Response {
    let code = match error {
        ApiError::Unauthorised => "login",
        ApiError::Forbidden => "forbidden",
        _ => "transient",
    };
    let body = serde_json::json!({
        "resourceType": "OperationOutcome",
        "issue": [{ "severity": "error", "code": code, "diagnostics": error.to_string() }],
    });
    let status = error.into_response().status();
    let kind = [(header::CONTENT_TYPE, "application/fhir+json")];
    (status, kind, body.to_string()).into_response()
}
