//! Why the access policy decides as it does: any decision asked and explained, without doing it.

use axum::extract::State;
use axum::http::{HeaderMap, Method};
use guard::{Account, Asking, Category, Kind, Permission, Purpose, Target, Units};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vitals::{PatientId, Role};

use crate::access::kind_of;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Query};
use crate::rules::{Rule, rule};
use crate::state::Api;
use crate::viewer::Whereabouts;

const ROUTE: &str = "/api/v1/policy/decisions";

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    account: Option<String>,
    role: Option<String>,
    unit: Option<String>,
    permission: Option<String>,
    route: Option<String>,
    patient: Option<String>,
    category: Option<String>,
    strong: Option<bool>,
    purpose: Option<String>,
    zone: Option<String>,
}

/// One rule that decided.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecidingRule {
    /// Its `@id`.
    id: String,
    /// Whether it permits; else it forbids.
    permits: bool,
    /// What it means, in a sentence.
    meaning: String,
    /// File and line.
    place: String,
    /// As it is written.
    text: String,
}

/// What the access policy says, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Explained {
    allowed: bool,
    permission: String,
    /// Kind of data.
    category: String,
    /// A code of HL7 v3 PurposeOfUse.
    purpose: String,
    /// The unit where the patient lies, if that is known.
    unit: Option<String>,
    /// The rules that decided; none when no rule permits it.
    rules: Vec<DecidingRule>,
    /// For a denial: changes of which each would do by itself.
    would_need: Vec<String>,
}

/// The permission of a route as it is written, such as `GET /api/v1/ward`: none when it needs none.
#[must_use]
pub fn permission_of(route: &str) -> Option<Permission> {
    let (method, path) = route.split_once(' ')?;
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    let path = path.split('?').next().unwrap_or(path);
    let fits = |template: &str| {
        let (mut parts, mut pattern) = (path.split('/'), template.split('/'));
        loop {
            match (parts.next(), pattern.next()) {
                (None, None) => return true,
                (Some(_), Some(wild)) if wild.starts_with("{*") => return true,
                (Some(part), Some(own)) if own.starts_with('{') || own == part => {}
                _ => return false,
            }
        }
    };
    let exact = crate::rules::ROUTES.iter().find(|(_, template, _)| *template == path);
    let template = exact.or_else(|| crate::rules::ROUTES.iter().find(|(_, template, _)| fits(template)));
    match rule(&method, template.map(|(_, template, _)| *template), path) {
        Some(Rule::Needs(permission)) => Some(permission),
        _ => None,
    }
}

fn account(api: &Api, asked: &Asked) -> Result<Account, ApiError> {
    match (&asked.account, &asked.role) {
        (Some(name), _) => {
            let all = api.guard.list_users().map_err(|error| ApiError::internal(&error))?;
            let found = all.into_iter().find(|account| account.name.eq_ignore_ascii_case(name));
            found.ok_or(ApiError::NotFound("account"))
        }
        (None, Some(role)) => {
            let role = Role::from_name(role)
                .ok_or_else(|| ApiError::bad("role: a name such as nurse or security-officer"))?;
            let mut account = Account::new("(nobody in particular)", role, Kind::Person);
            if let Some(units) = &asked.unit {
                account.units = units.split(',').collect::<Units>();
            }
            Ok(account)
        }
        (None, None) => Err(ApiError::bad("give account or role")),
    }
}

/// What the access policy decides, by which rules, and what would be needed.
#[utoipa::path(get, path = "/api/v1/policy/decisions", tag = "policy",
    params(
        ("account" = Option<String>, Query, description = "Name of an account"),
        ("role" = Option<String>, Query, description = "Or anybody in a role"),
        ("unit" = Option<String>, Query, description = "With role: units, separated by commas"),
        ("permission" = Option<String>, Query, description = "To do what, such as see-patients"),
        ("route" = Option<String>, Query, description = "Or a route, such as GET /api/v1/ward"),
        ("patient" = Option<String>, Query, description = "About whom"),
        ("category" = Option<String>, Query, description = "Kind of data, such as vital-signs"),
        ("strong" = Option<bool>, Query, description = "Whether with a second factor"),
        ("purpose" = Option<String>, Query, description = "Naming a purpose of use, such as HRESCH"),
        ("zone" = Option<String>, Query, description = "From a network zone"),
    ),
    responses((status = 200, body = Explained), (status = 400, body = dto::ErrorBody),
        (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn explain(
    State(api): State<Api>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Json<Explained>, ApiError> {
    let patient = asked.patient.as_deref().map(PatientId::new).transpose();
    let patient = patient.map_err(|error| ApiError::bad(error.to_string()))?;
    api.enter(&headers, Permission::SeePolicyDecisions, ROUTE, patient.as_ref()).await?;
    let permission = match (&asked.permission, &asked.route) {
        (Some(name), _) => Permission::from_name(name),
        (None, Some(route)) => permission_of(route),
        (None, None) => None,
    };
    let permission = permission.ok_or_else(|| {
        ApiError::bad("permission: a name such as see-patients; or route, such as GET /api/v1/ward, that needs one")
    })?;
    let category = match &asked.category {
        Some(name) => Category::from_name(name)
            .ok_or_else(|| ApiError::bad("category: a kind of data such as vital-signs"))?,
        None => kind_of(asked.route.as_deref().unwrap_or_default()),
    };
    let account = account(&api, &asked)?;
    let purpose = asked.purpose.as_deref().map(|code| {
        Purpose::from_code(code).ok_or_else(|| ApiError::bad("purpose: a code of HL7 PurposeOfUse, such as TREAT"))
    });
    let purpose = purpose.transpose()?;
    let asking = Asking { account: &account, strong: asked.strong.unwrap_or(false), zone: asked.zone.as_deref().unwrap_or_default(), purpose };
    let place = patient.as_ref().map(|id| Whereabouts::at(&api.live, id)).unwrap_or_default();
    let target = match &patient {
        Some(id) if permission.about_patients() => place.target(id),
        _ => Target::House,
    };
    let now = api.now();
    let decision = api.guard.decide(asking, permission, target, category, now);
    let wanting = api.guard.wanting(asking, permission, target, category, now);
    Ok(Json(Explained {
        allowed: decision.allowed,
        permission: permission.name().to_owned(),
        category: category.name().to_owned(),
        purpose: decision.purpose.to_owned(),
        unit: place.unit().map(str::to_owned),
        rules: rules(&api, &decision.rules),
        would_need: wanting.iter().map(ToString::to_string).collect(),
    }))
}

fn rules(api: &Api, ids: &[std::sync::Arc<str>]) -> Vec<DecidingRule> {
    api.guard.with_policies(|policies| {
        let found = ids.iter().filter_map(|id| policies.rule(id));
        let shown = found.map(|rule| DecidingRule {
            id: rule.id.clone(),
            permits: rule.permits,
            meaning: rule.meaning.clone(),
            place: format!("{}:{}", rule.file, rule.line),
            text: rule.text.clone(),
        });
        shown.collect()
    })
}
