//! Which path leads where, and what every answer carries.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use guard::Permission;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::{
    alerts, decisions, devices, erasure, model, own_normal, patients, policy, profiles, quarantine, readings, scan, trends, ward,
};
use crate::dto;
use crate::error::ApiError;
use crate::fhir::backend::FhirBackend;
use crate::fhir_backend::Scoped;
use crate::state::Api;
use crate::{access, assets, audit, burden, commands, document, edges, fhir, fhir_access, fleet, foresight, identity, inlets, laboratory, live_stream, measures, privacy, ready, smart, trust, waves, worklist};

/// Largest body of a request to `/api`, in bytes.
const BODY_MAX: usize = 4 * 1024 * 1024;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vitalwire",
        description = "The application API: what the pages use. Times are milliseconds since 1970, \
            UTC. Record systems use FHIR R4 under /fhir instead."
    ),
    paths(live_stream::live, profiles::put_profile),
    components(schemas(dto::LiveEvent))
)]
struct Described;

fn described() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Described::openapi())
        .merge(identity::routes())
        .routes(routes!(waves::waves_live))
        .routes(routes!(waves::get_waveforms))
        .routes(routes!(waves::get_waveform))
        .routes(routes!(waves::export_waveforms))
        .routes(routes!(waves::get_beats))
        .routes(routes!(waves::get_holds, waves::post_hold))
        .routes(routes!(waves::delete_hold))
        .merge(large())
        .merge(smart::described())
        .merge(privacy::routes())
        .routes(routes!(ward::get_ward))
        .routes(routes!(patients::find_patients))
        .routes(routes!(patients::get_patient))
        .routes(routes!(erasure::erase, erasure::erased))
        .routes(routes!(patients::put_limits))
        .routes(routes!(patients::put_spo2_scale))
        .routes(routes!(own_normal::get_own_normal, own_normal::post_own_normal))
        .routes(routes!(trends::get_trends))
        .routes(routes!(readings::get_reading))
        .routes(routes!(alerts::get_alerts))
        .routes(routes!(alerts::get_alert))
        .routes(routes!(alerts::post_alert))
        .routes(routes!(devices::get_devices))
        .routes(routes!(devices::get_device))
        .routes(routes!(model::get_model))
        .routes(routes!(model::get_proposals))
        .routes(routes!(devices::associate, devices::disassociate))
        .routes(routes!(devices::mount))
        .routes(routes!(devices::bulk))
        .routes(routes!(scan::scan))
        .routes(routes!(devices::get_locations))
        .routes(routes!(quarantine::get_quarantine))
        .routes(routes!(quarantine::release_matching))
        .routes(routes!(quarantine::get_item))
        .routes(routes!(quarantine::release))
        .routes(routes!(quarantine::discard))
        .routes(routes!(profiles::get_profiles))
        .routes(routes!(profiles::test_profile))
        .routes(routes!(policy::get_policy, policy::put_policy))
        .routes(routes!(decisions::explain))
        .merge(commands::routes())
        .merge(worklist::routes())
        .merge(trusting())
        .merge(fleet::routes())
        .merge(edges::routes())
        .merge(inlets::described())
        .merge(audit::routes())
        .merge(foresight::routes())
        .merge(burden::routes())
        .merge(laboratory::routes())
}

/// Trust in devices.
fn trusting() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(trust::devices::get_trusted))
        .routes(routes!(trust::devices::get_trusted_one))
        .routes(routes!(trust::devices::announce))
        .routes(routes!(trust::devices::claim))
        .routes(routes!(trust::devices::new_code))
        .routes(routes!(trust::devices::step))
        .routes(routes!(trust::devices::put_rights))
        .routes(routes!(trust::certificates::get_certificates))
        .routes(routes!(trust::certificates::revoke))
        .routes(routes!(trust::certificates::get_authority))
        .routes(routes!(trust::zones::get_zones))
        .routes(routes!(trust::events::get_events))
        .routes(routes!(trust::events::get_open))
        .routes(routes!(trust::events::take))
        .routes(routes!(trust::readings::post_measurements))
}

/// Enrolment over secure transport (RFC 7030), and the list of revoked certificates.
fn enrolment() -> Router<Api> {
    Router::new()
        .route("/.well-known/est/cacerts", get(trust::est::cacerts))
        .route("/.well-known/est/csrattrs", get(trust::est::csrattrs))
        .route("/.well-known/est/simpleenroll", post(trust::est::simpleenroll))
        .route("/.well-known/est/simplereenroll", post(trust::est::simplereenroll))
        .route("/.well-known/est/serverkeygen", post(trust::est::serverkeygen))
        .route("/.well-known/vitalwire.crl", get(trust::certificates::revocation_list))
}

/// Routes that take whole recordings.
fn large() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(waves::import_waveforms))
        .layer(DefaultBodyLimit::max(waves::FILE_MAX))
}

/// The OpenAPI document of `/api/v1`.
#[must_use]
pub fn openapi() -> Document {
    let mut document = described().split_for_parts().1;
    document::complete(&mut document);
    document
}

/// Everything over HTTP.
pub fn router(api: Api, fhir_backend: Arc<dyn FhirBackend>) -> Router {
    let routes = described().split_for_parts().0;
    let document = serde_json::to_value(openapi()).unwrap_or_default();
    let scoped = Arc::new(Scoped::new(fhir_backend, api.clone()));
    let guarded_fhir = fhir::router(scoped)
        .merge(privacy::fhir::router(api.clone()))
        .merge(audit::fhir::router(api.clone()))
        .merge(foresight::fhir::router(api.clone()))
        .layer(middleware::from_fn_with_state(api.clone(), fhir_access::enter));
    let app = routes
        .route("/api/v1/live", get(live_stream::live))
        // Profile names hold slashes, which OpenAPI's paths can't say.
        .route("/api/v1/profiles/{*name}", axum::routing::put(profiles::put_profile))
        .route("/api/openapi.json", get(move || std::future::ready(Json(document.clone()))))
        .route("/metrics", get(metrics))
        .merge(smart::standard())
        .merge(enrolment())
        .merge(inlets::routes())
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(api.clone());
    let probes = Router::new()
        .route("/healthz", get(|| std::future::ready("ok\n")))
        .route("/readyz", get(ready::ready))
        .with_state(api.clone());
    Router::new()
        .merge(app)
        .merge(probes)
        .merge(guarded_fhir)
        .fallback(missing_or_page)
        .layer(middleware::from_fn_with_state(api.clone(), trust::zones::gate))
        .layer(middleware::from_fn_with_state(api.clone(), access::gate))
        .layer(middleware::from_fn_with_state(api.clone(), fleet::limit))
        .layer(middleware::from_fn_with_state(api, smart::cors))
        .layer(middleware::from_fn(harden))
        .layer(middleware::from_fn(measures::count))
}

/// Paths of programs get a program's answer; all others are pages.
async fn missing_or_page(request: Request) -> Response {
    if request.uri().path().starts_with("/api/") {
        return ApiError::NotFound("route").into_response();
    }
    let (parts, _) = request.into_parts();
    assets::page(parts.uri, parts.headers).await
}

async fn metrics(State(api): State<Api>, headers: HeaderMap) -> Result<Response, ApiError> {
    api.enter(&headers, Permission::SeeMetrics, "/metrics", None).await?;
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    Ok((kind, measures::render(&api)).into_response())
}

/// Headers that keep browsers from doing what these pages never ask for.
async fn harden(request: Request, next: Next) -> Response {
    let patient_data = request.uri().path().starts_with("/api/")
        || request.uri().path().starts_with("/fhir");
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
             form-action 'self'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if patient_data && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    answer
}
