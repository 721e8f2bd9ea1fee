//! Update campaigns: make one, look at it, begin, pause, roll back.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use fleet::campaign::{Hours, Plan, Ring};
use guard::Permission;

use super::ask;
use super::dto::{CampaignDetail, CampaignRequest, CampaignView, CampaignMember, RingRequest, CampaignWhy};
use crate::dto::ErrorBody;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

/// Every campaign, newest first.
#[utoipa::path(get, path = "/api/v1/fleet/campaigns", tag = "fleet",
    responses((status = 200, body = Vec<CampaignView>)))]
pub(crate) async fn get_campaigns(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<Vec<CampaignView>>, ApiError> {
    api.enter(&headers, Permission::SeeDevices, "/api/v1/fleet/campaigns", None).await?;
    let campaigns = ask(&api, depot::Depot::campaigns).await?;
    Ok(Json(campaigns.iter().map(|(number, campaign)| CampaignView::of(*number, campaign)).collect()))
}

/// One campaign with its devices.
#[utoipa::path(get, path = "/api/v1/fleet/campaigns/{number}", tag = "fleet",
    params(("number" = i64, Path, description = "Number of the campaign")),
    responses((status = 200, body = CampaignDetail), (status = 404, body = ErrorBody)))]
pub(crate) async fn get_campaign(
    State(api): State<Api>,
    Path(number): Path<i64>,
    headers: HeaderMap,
) -> Result<Json<CampaignDetail>, ApiError> {
    api.enter(&headers, Permission::SeeDevices, "/api/v1/fleet/campaigns/{number}", None).await?;
    let campaign = ask(&api, move |depot| depot.campaign(number)).await?;
    let members = campaign.members.iter().map(|(device, member)| CampaignMember::of(device, member)).collect();
    Ok(Json(CampaignDetail { campaign: CampaignView::of(number, &campaign), members }))
}

/// Makes a campaign, as a draft, for every device of the image's model that runs another version.
#[utoipa::path(post, path = "/api/v1/fleet/campaigns", tag = "fleet", request_body = CampaignRequest,
    responses((status = 200, body = CampaignView), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(crate) async fn post_campaign(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(wanted): Json<CampaignRequest>,
) -> Result<Json<CampaignView>, ApiError> {
    api.enter(&headers, Permission::ManageFirmware, "/api/v1/fleet/campaigns", None).await?;
    if !(1..=100).contains(&wanted.name.trim().chars().count()) {
        return Err(ApiError::bad("give a name of 1 to 100 characters"));
    }
    let now = api.now().0;
    api.deed("make-campaign", wanted.name.trim(), "").await?;
    let make = move |depot: &depot::Depot| {
        let images = depot.targets()?;
        let image = images.iter().find(|image| image.signed.sha256 == wanted.sha256);
        let target = image.ok_or(depot::DepotError::Unknown("signed firmware image"))?.signed.target();
        let number = depot.create_campaign(plan(wanted, target), now)?;
        Ok((number, depot.campaign(number)?))
    };
    let (number, campaign) = ask(&api, make).await?;
    Ok(Json(CampaignView::of(number, &campaign)))
}

fn plan(wanted: CampaignRequest, target: depot::Target) -> Plan {
    let careful = Plan::careful(wanted.name.trim(), target);
    let ring = |ring| match ring {
        RingRequest::Percent(percent) => Ring::Percent(percent),
        RingRequest::Devices(devices) => Ring::Devices(devices),
    };
    Plan {
        rings: wanted.rings.map_or(careful.rings, |rings| rings.into_iter().map(ring).collect()),
        hours: wanted.hours.map(|(from_min, to_min)| Hours { from_min, to_min }),
        battery_min_percent: wanted.battery_min_percent.unwrap_or(careful.battery_min_percent),
        at_once: wanted.at_once.map_or(careful.at_once, usize::from),
        failures_max_percent: wanted.failures_max_percent.unwrap_or(careful.failures_max_percent),
        confirmed_min_percent: wanted.confirmed_min_percent.unwrap_or(careful.confirmed_min_percent),
        soak_min: wanted.soak_min.unwrap_or(careful.soak_min),
        patience_min: wanted.patience_min.unwrap_or(careful.patience_min),
        ..careful
    }
}

/// Begins a campaign or goes on with it (`resume`), pauses it (`pause`), takes it back
/// (`rollback`).
#[utoipa::path(post, path = "/api/v1/fleet/campaigns/{number}/{action}", tag = "fleet",
    params(("number" = i64, Path, description = "Number of the campaign"),
        ("action" = String, Path, description = "`resume`, `pause` or `rollback`")),
    request_body = CampaignWhy,
    responses((status = 204), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn act(
    State(api): State<Api>,
    Path((number, action)): Path<(i64, String)>,
    headers: HeaderMap,
    Json(wanted): Json<CampaignWhy>,
) -> Result<StatusCode, ApiError> {
    let route = "/api/v1/fleet/campaigns/{number}/{action}";
    api.enter(&headers, Permission::ManageFirmware, route, None).await?;
    let why: String = wanted.why.chars().take(500).collect();
    let now = api.now().0;
    let deed = match action.as_str() {
        "resume" => "resume-campaign",
        "pause" => "pause-campaign",
        "rollback" => "roll-back-campaign",
        _ => return Err(ApiError::NotFound("action")),
    };
    api.deed(deed, &number.to_string(), "").await?;
    let told = match action.as_str() {
        "resume" => ask(&api, move |depot| depot.resume_campaign(number).map(|()| Vec::new())).await?,
        "pause" => ask(&api, move |depot| depot.pause_campaign(number, &why, now)).await?,
        "rollback" => ask(&api, move |depot| depot.roll_back_campaign(number, &why, now)).await?,
        _ => return Err(ApiError::NotFound("action")),
    };
    api.depot.tell(told);
    Ok(StatusCode::NO_CONTENT)
}
