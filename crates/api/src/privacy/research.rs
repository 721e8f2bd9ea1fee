//! Measurements for research, of whoever agreed to it, without whatever tells whose they are: what
//! 45 CFR 164.514(b)(2) ("Safe Harbor") lists is left out or made coarse. Names are pseudonyms of one
//! study; times are moved by subject, so that no date, weekday or time of day is left; ages above 89
//! are one group; there are no places, devices, identifiers, texts or samples.

use axum::extract::State;
use axum::http::HeaderMap;
use engine::PatientView;
use guard::{Account, Categories, Category, Permission, Pseudonym};
use serde::Deserialize;
use store::{Read, SeriesFilter, Span, StoreError};
use vitals::{Metric, PatientId};

use super::shapes::{StudyData, StudySeries, StudySubject, StudySubjects};
use super::{account, guarded, records};
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;

/// Points of one answer.
const POINTS_MAX: usize = 1_000_000;
/// Oldest age that is told: all above are one group.
const AGE_MAX: u32 = 89;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    metrics: Option<String>,
}

/// Somebody who agreed, with what they agreed to.
struct Agreed {
    seen: std::sync::Arc<PatientView>,
    name: Pseudonym,
    categories: Categories,
}

fn study_name(study: &str) -> Result<(), ApiError> {
    if vitals::id::is_logical_id(study) {
        Ok(())
    } else {
        Err(ApiError::bad("a study is named with 1 to 64 characters of A-Z a-z 0-9 - ."))
    }
}

/// Whoever agreed to be in research, under the names of a study.
async fn agreed(api: &Api, caller: &Account, study: String) -> Result<Vec<Agreed>, ApiError> {
    if api.guard.is_open() {
        // Without accounts there are no consents.
        return Ok(Vec::new());
    }
    let (now, stance) = (api.now(), api.guard.stance());
    let mut found = Vec::new();
    for seen in api.live.patients() {
        let of = |id: &PatientId| api.guard.patient_facts(id).consented(caller, None, now, stance);
        // A refusal on any of the records that became one holds for all.
        let own = of(&seen.patient.id);
        let categories = seen.merged.iter().filter(|id| !api.guard.patient_facts(id).consents.is_empty());
        let categories = categories.fold(own, |all, id| all.and(of(id)));
        if !categories.is_empty() {
            found.push((seen, categories));
        }
    }
    let ids: Vec<PatientId> = found.iter().map(|(seen, _)| seen.patient.id.clone()).collect();
    let names = guarded(api, move |guard| guard.pseudonyms(&study, &ids)).await?;
    let mut agreed: Vec<Agreed> = found
        .into_iter()
        .zip(names)
        .map(|((seen, categories), name)| Agreed { seen, name, categories })
        .collect();
    agreed.sort_by(|a, b| a.name.name.cmp(&b.name.name));
    Ok(agreed)
}

/// Whoever agreed to research, under names of this study.
#[utoipa::path(get, path = "/api/v1/research/{study}/subjects", tag = "privacy",
    params(("study" = String, Path, description = "Name of the study: names of one mean nothing in another")),
    responses((status = 200, body = StudySubjects), (status = 400, body = dto::ErrorBody)))]
pub(crate) async fn get_subjects(
    State(api): State<Api>,
    Path(study): Path<String>,
    headers: HeaderMap,
) -> Result<Json<StudySubjects>, ApiError> {
    let route = "/api/v1/research/{study}/subjects";
    api.enter(&headers, Permission::SeeDeidentified, route, None).await?;
    study_name(&study)?;
    let caller = account(&api, &headers)?;
    let agreed = agreed(&api, &caller, study).await?;
    let subjects = agreed.iter().map(|one| StudySubject {
        subject: one.name.name.clone(),
        sex: crate::view::patient(&one.seen.patient, None).sex,
        age: one.seen.age_years.map(|age| grouped(age as u32)),
        categories: one.categories.iter().map(|category| category.name().to_owned()).collect(),
    });
    Ok(Json(StudySubjects { subjects: subjects.collect() }))
}

/// An age that tells nobody apart.
fn grouped(years: u32) -> String {
    if years > AGE_MAX { "90+".to_owned() } else { years.to_string() }
}

/// The measurements of one subject.
#[utoipa::path(get, path = "/api/v1/research/{study}/subjects/{subject}", tag = "privacy",
    params(("study" = String, Path, description = "Name of the study"),
        ("subject" = String, Path, description = "Pseudonym"),
        ("metrics" = Option<String>, Query, description = "Only these reference ids, separated by commas")),
    responses((status = 200, body = StudyData), (status = 400, body = dto::ErrorBody),
        (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_series(
    State(api): State<Api>,
    Path((study, subject)): Path<(String, String)>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Json<StudyData>, ApiError> {
    let route = "/api/v1/research/{study}/subjects/{subject}";
    let caller = account(&api, &headers)?;
    let found = match study_name(&study) {
        Ok(()) if caller.role == vitals::Role::Researcher || api.guard.is_open() => {
            agreed(&api, &caller, study.clone()).await?.into_iter().find(|one| one.name.name == subject)
        }
        _ => None,
    };
    let id = found.as_ref().map(|one| one.seen.patient.id.clone());
    api.enter(&headers, Permission::SeeDeidentified, route, id.as_ref()).await?;
    study_name(&study)?;
    let one = found
        .filter(|one| one.categories.has(Category::VitalSigns))
        .ok_or(ApiError::NotFound("subject in this study who agreed"))?;
    let metrics = asked
        .metrics
        .iter()
        .flat_map(|list| list.split(','))
        .map(|name| Metric::by_refid(name).map(|metric| metric.code))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| ApiError::bad("metrics: reference ids such as MDC_ECG_HEART_RATE"))?;
    let filter = SeriesFilter { subjects: records(&one.seen), metrics, ..SeriesFilter::default() };
    let offset = one.name.offset_us;
    let (series, more) = api.ask_settled(move |store| measured(store, &filter, offset)).await?;
    Ok(Json(StudyData { subject, series, more }))
}

/// Values by metric, in whole seconds since the day before the first of all began to count.
fn measured(
    store: &dyn Read,
    filter: &SeriesFilter,
    offset_us: i64,
) -> Result<(Vec<StudySeries>, bool), StoreError> {
    let mut all = Vec::new();
    let (mut count, mut more) = (0, false);
    for info in store.series(filter)? {
        // What has no row in the table may be named by whoever sent it.
        let Some(metric) = info.key.metric.metric() else { continue };
        let points = store.points(info.id, Span::ALL)?;
        let points: Vec<(i64, f64)> = points
            .iter()
            .filter(|point| point.value.is_finite())
            .map(|point| (point.time.micros(), point.value))
            .collect();
        if points.is_empty() {
            continue;
        }
        if count + points.len() > POINTS_MAX {
            more = true;
            break;
        }
        count += points.len();
        all.push((metric, points));
    }
    let first = all.iter().flat_map(|(_, points)| points.first()).map(|(at, _)| *at).min().unwrap_or(0);
    let moved = |at: i64| (at - first + offset_us).div_euclid(1_000_000);
    let series = all.into_iter().map(|(metric, points)| StudySeries {
        metric: metric.code.refid(),
        unit: metric.unit.display().to_owned(),
        points: points.into_iter().map(|(at, value)| (moved(at), value)).collect(),
    });
    Ok((series.collect(), more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_are_one_group() {
        assert_eq!([0, 89, 90, 104].map(grouped), ["0", "89", "90+", "90+"]);
    }
}
