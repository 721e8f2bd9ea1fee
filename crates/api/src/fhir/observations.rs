//! Searches of observations: which readings, and shown as what. A reading is an observation; a
//! systolic one also stands for the panel of its blood pressure. A panel is shown to who asks for
//! its code or its id; a search for neither lists and counts each stored reading once.

use serde_json::Value as Json;
use vitals::{DeviceId, MetricCode, PatientId, ReadingRef};
use wire_fhir::guide::{self, Guide};
use wire_fhir::search::{Criterion, DateFilter, Range, Search, Token};
use wire_fhir::{IssueCode, Kind, Stored, code, names, panel, project, time};

use super::Fhir;
use super::answer::Done;
use super::backend::{BackendError, Cursor, Order, ReadingQuery};
use super::find::Failure;
use super::guided::Seeking;

/// More readings than this with one identifier are not listed.
const NAMED_MAX: usize = 10_000;

/// Readings to show, each as itself or (true) as its panel.
pub(super) struct Matches {
    /// How many there are on all pages.
    pub total: u64,
    /// This page's.
    pub matches: Vec<(Stored, bool)>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// In the form of which guide they are asked for.
    pub guide: Option<Guide>,
}

/// What a search asks for.
#[derive(Default)]
struct Wanted {
    /// Criteria that hold for the readings, whatever they are shown as.
    query: ReadingQuery,
    /// Metrics shown as themselves; none: all.
    metrics: Option<Vec<MetricCode>>,
    /// Systolic parts shown as their panels; none: no code was asked for.
    panels: Option<Vec<MetricCode>>,
    /// Names of readings, and whether the panel is meant; none: not asked by name.
    names: Option<Vec<(ReadingRef, bool)>>,
    /// Ids by which readings are asked for.
    ids: Vec<(ReadingRef, bool, String)>,
    /// In the form of which guide; none: as themselves.
    guide: Option<Guide>,
}

impl Wanted {
    fn takes(&self, name: ReadingRef, metric: MetricCode, as_panel: bool) -> bool {
        let named = self.names.as_ref().is_none_or(|list| list.contains(&(name, as_panel)));
        let metrics = if as_panel { &self.panels } else { &self.metrics };
        let coded = match metrics {
            Some(list) => list.contains(&metric),
            None => !as_panel || self.names.is_some(),
        };
        named && coded && (!as_panel || panel::compound_of(metric).is_some())
    }

    /// A reading under each id by which it is asked for; by none: as it is.
    fn under(&self, stored: Stored, as_panel: bool) -> Vec<(Stored, bool)> {
        let name = stored.reference();
        let asked = self.ids.iter().filter(|(of, panel, _)| *of == name && *panel == as_panel);
        let mut ids: Vec<&String> = asked.map(|(.., id)| id).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return vec![(stored, as_panel)];
        }
        ids.into_iter().map(|id| (under(stored.clone(), id, as_panel), as_panel)).collect()
    }
}

/// A reading under the id by which it is asked for: one of its sender's, or the one that the platform gave it.
pub(super) fn under(mut stored: Stored, id: &str, as_panel: bool) -> Stored {
    let ours = id.parse::<ReadingRef>().is_ok() || panel::anchor(id).is_some();
    let of_sender = |name: &String| matches!(names::read(name), Some((panel, names::Name::Id(_))) if panel == as_panel);
    stored.names.retain(|name| !of_sender(name));
    if !ours {
        stored.names.insert(0, names::by_id(id, as_panel));
    }
    stored
}

impl Fhir {
    /// One page of the readings that a search finds, and how many it finds.
    pub(super) async fn matching_readings(&self, search: &Search) -> Result<Matches, Failure> {
        let wanted = self.wanted(search).await?;
        if wanted.names.is_some() {
            return self.named_readings(search, wanted).await;
        }
        let mut query = wanted.query.clone();
        query.metrics = match (&wanted.metrics, &wanted.panels) {
            (Some(metrics), Some(panels)) => {
                let mut both = metrics.clone();
                both.extend(panels.iter().filter(|metric| !metrics.contains(metric)));
                Some(both)
            }
            (metrics, _) => metrics.clone(),
        };
        // Where a reading is shown as itself and as its panel it takes two places.
        let panels = wanted.panels.iter().flatten().copied();
        let twice: Vec<MetricCode> = panels
            .filter(|metric| wanted.metrics.as_ref().is_some_and(|list| list.contains(metric)))
            .collect();
        let count = if twice.is_empty() { search.count } else { (search.count / 2).max(1) };
        query.limit = if search.count_only { 0 } else { count };
        query.after = search.page.as_deref().map(|p| cursor(p).ok_or(Failure::Page)).transpose()?;
        let mut total = 0;
        if !twice.is_empty() {
            let again = ReadingQuery { metrics: Some(twice), limit: 0, after: None, ..query.clone() };
            total += self.backend.readings(again).await?.total;
        }
        let page = self.backend.readings(query.clone()).await?;
        total += page.total;
        let last = page.readings.last().filter(|_| page.more && !search.count_only);
        let next = last.map(|last| format!("{}~{}", query.time_of(&last.point), last.reference()));
        let mut matches = Vec::new();
        for stored in page.readings {
            shown(&wanted, stored, &mut matches);
        }
        Ok(Matches { total, matches, next, guide: wanted.guide })
    }

    /// The same for a search by id or identifier: few are found, and all are looked at.
    async fn named_readings(&self, search: &Search, wanted: Wanted) -> Result<Matches, Failure> {
        let mut references: Vec<ReadingRef> =
            wanted.names.iter().flatten().map(|(name, _)| *name).collect();
        references.sort_unstable();
        references.dedup();
        if references.len() > NAMED_MAX {
            let detail = "Too many observations have this identifier: narrow the search.";
            return Err(Failure::Refused(IssueCode::TooCostly, detail));
        }
        let query =
            ReadingQuery { references: Some(references), limit: NAMED_MAX, ..wanted.query.clone() };
        let mut all = Vec::new();
        for stored in self.backend.readings(query).await?.readings {
            shown(&wanted, stored, &mut all);
        }
        let mut all: Vec<(Stored, bool)> =
            all.into_iter().flat_map(|(stored, as_panel)| wanted.under(stored, as_panel)).collect();
        let total = all.len();
        let start: usize = match &search.page {
            Some(page) => page.parse().map_err(|_| Failure::Page)?,
            None => 0,
        };
        let end = start.saturating_add(search.count).min(total);
        if search.count_only {
            all.clear();
        }
        let matches = all.into_iter().skip(start).take(search.count).collect();
        let next = (end < total && !search.count_only).then(|| end.to_string());
        Ok(Matches { total: total as u64, matches, next, guide: wanted.guide })
    }

    /// Readings as resources, in order.
    pub(super) async fn projected(
        &self,
        matches: Vec<(Stored, bool)>,
        guide: Option<Guide>,
    ) -> Result<Vec<Json>, BackendError> {
        let anchors = matches.iter().filter(|(_, as_panel)| *as_panel);
        let anchors: Vec<Stored> = anchors.map(|(stored, _)| stored.clone()).collect();
        let mut panels = if anchors.is_empty() {
            Vec::new()
        } else {
            self.backend.panels(anchors).await?
        }
        .into_iter();
        let mut resources = Vec::with_capacity(matches.len());
        let mut seeking = Seeking::default();
        for (stored, as_panel) in &matches {
            let json = if *as_panel {
                panels.next().as_ref().map(panel::observation)
            } else {
                Some(project::observation(stored))
            };
            if let Some(json) = json {
                resources.push(self.guided(json, stored, guide, &mut seeking).await?);
            }
        }
        Ok(resources)
    }

    /// One reading, or its panel, as an answer.
    pub(super) async fn observation(
        &self,
        stored: Stored,
        as_panel: bool,
    ) -> Result<Done, BackendError> {
        let done = observed_answer(&stored, as_panel);
        let resource = self.projected(vec![(stored, as_panel)], None).await?.pop();
        Ok(Done { resource, ..done })
    }

    async fn wanted(&self, search: &Search) -> Result<Wanted, Failure> {
        let now = self.backend.now().micros();
        let mut wanted = Wanted::default();
        let query = &mut wanted.query;
        if let Some((name, descending)) = search.sort.first() {
            query.order = Order { by_received: *name == "_lastUpdated", ascending: !descending };
        }
        for criterion in &search.criteria {
            match criterion {
                Criterion::Id(ids) => {
                    wanted.ids = self.by_id(ids).await?;
                    let found = wanted.ids.iter().map(|(name, as_panel, _)| (*name, *as_panel));
                    narrow(&mut wanted.names, found.collect());
                }
                Criterion::Reference("device", ids, tokens) => {
                    let mut found: Vec<DeviceId> =
                        ids.iter().filter_map(|id| DeviceId::new(id).ok()).collect();
                    let named = self.by_identifier(Kind::Device, tokens).await?;
                    found.extend(named.iter().filter_map(|id| DeviceId::new(id).ok()));
                    narrow(&mut wanted.query.devices, found);
                }
                Criterion::Reference(_, ids, tokens) => {
                    let mut found: Vec<PatientId> =
                        ids.iter().filter_map(|id| PatientId::new(id).ok()).collect();
                    for id in self.by_identifier(Kind::Patient, tokens).await? {
                        let Ok(id) = PatientId::new(&id) else { continue };
                        found.extend(self.backend.same_person(&id).await?);
                    }
                    narrow(&mut wanted.query.subjects, found);
                }
                Criterion::Token("code", tokens) => {
                    let found: Vec<MetricCode> = tokens.iter().flat_map(Token::metrics).collect();
                    narrow(&mut wanted.panels, found.iter().copied().filter_map(panel::anchor_of).collect());
                    narrow(&mut wanted.metrics, found);
                }
                Criterion::Token("category", tokens) => category(&mut wanted, tokens),
                Criterion::Token("identifier", tokens) => {
                    let found = self.by_names(tokens).await?;
                    narrow(&mut wanted.names, found);
                }
                Criterion::Token(_, tokens) => {
                    let statuses = tokens.iter().map(|token| token.code.clone()).collect();
                    narrow(&mut wanted.query.statuses, statuses);
                }
                Criterion::Date("_lastUpdated", filters) => {
                    intersect(&mut wanted.query.received, filters, now);
                }
                Criterion::Date(_, filters) => intersect(&mut wanted.query.effective, filters, now),
                Criterion::Uri(_, profiles) => profiled(&mut wanted, profiles),
                Criterion::Text(..) => {}
            }
        }
        Ok(wanted)
    }

    /// The readings with these logical ids.
    async fn by_id(&self, ids: &[String]) -> Result<Vec<(ReadingRef, bool, String)>, BackendError> {
        let mut found = Vec::new();
        for id in ids {
            if let Ok(name) = id.parse() {
                found.push((name, false, id.clone()));
            } else if let Some(name) = panel::anchor(id) {
                found.push((name, true, id.clone()));
            } else {
                let mut named = Vec::new();
                for as_panel in [false, true] {
                    let newest = self.backend.named(&names::by_id(id, as_panel)).await?;
                    named.extend(newest.first().map(|name| (*name, as_panel)));
                }
                let newest = named.into_iter().max_by_key(|(name, _)| name.offset);
                found.extend(newest.map(|(name, as_panel)| (name, as_panel, id.clone())));
            }
        }
        Ok(found)
    }

    /// The readings with one of these business identifiers.
    async fn by_names(&self, tokens: &[Token]) -> Result<Vec<(ReadingRef, bool)>, Failure> {
        let mut found = Vec::new();
        for token in tokens {
            if token.code.is_empty() {
                let detail = "Search parameter identifier: a value is needed, a system alone is not enough.";
                return Err(Failure::Refused(IssueCode::NotSupported, detail));
            }
            for as_panel in [false, true] {
                let name = match &token.system {
                    Some(system) => names::by_identifier(system, &token.code, as_panel),
                    None => names::by_value(&token.code, as_panel),
                };
                let named = self.backend.named(&name).await?;
                found.extend(named.into_iter().map(|name| (name, as_panel)));
            }
        }
        Ok(found)
    }
}

/// A reading as everything that a search wants to see it as.
fn shown(wanted: &Wanted, stored: Stored, into: &mut Vec<(Stored, bool)>) {
    let (name, metric) = (stored.reference(), stored.key.metric);
    if wanted.takes(name, metric, true) {
        into.push((stored.clone(), true));
    }
    if wanted.takes(name, metric, false) {
        into.push((stored, false));
    }
}

/// Restricts to categories; a panel has its compound's.
fn category(wanted: &mut Wanted, tokens: &[Token]) {
    let meant = |row: &vitals::Metric| {
        let category = code::category(row);
        tokens.iter().any(|token| token.matches(code::CATEGORY, category))
    };
    let all = vitals::Metric::all().filter(|row| meant(row)).map(|row| row.code);
    narrow(&mut wanted.metrics, all.collect());
    if let Some(panels) = &mut wanted.panels {
        let compound = |anchor: &MetricCode| panel::compound_of(*anchor).and_then(|c| c.metric());
        panels.retain(|anchor| compound(anchor).is_some_and(meant));
    }
}

/// Restricts to what can be shown as one of these profiles of a device guide; no other profile has
/// anything.
fn profiled(wanted: &mut Wanted, profiles: &[String]) {
    let known: Vec<(Guide, &str)> = profiles.iter().filter_map(|address| guide::of_profile(address)).collect();
    wanted.guide = known.first().map(|(guide, _)| *guide);
    let takes = |code: vitals::MetricCode| known.iter().any(|(_, name)| guide::takes(name, code));
    let fits: Vec<MetricCode> = vitals::Metric::all().map(|row| row.code).filter(|code| takes(*code)).collect();
    narrow(&mut wanted.panels, fits.iter().copied().filter_map(panel::anchor_of).collect());
    narrow(&mut wanted.metrics, fits);
}

fn narrow<T: PartialEq>(list: &mut Option<Vec<T>>, found: Vec<T>) {
    match list {
        Some(list) => list.retain(|item| found.contains(item)),
        None => *list = Some(found),
    }
}

/// Keeps of `ranges` what one of the filters takes.
#[expect(clippy::single_range_in_vec_init, reason = "a list of ranges is meant")]
fn intersect(ranges: &mut Option<Vec<Range>>, filters: &[DateFilter], now: i64) {
    let mut wanted: Vec<Range> = filters.iter().flat_map(|filter| filter.ranges(now)).collect();
    wanted.sort_by_key(|range| range.start);
    let mut merged: Vec<Range> = Vec::new();
    for range in wanted {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    let everything = [i64::MIN..i64::MAX];
    let before = ranges.as_deref().unwrap_or(&everything);
    let both = before.iter().flat_map(|a| {
        merged.iter().map(move |b| a.start.max(b.start)..a.end.min(b.end))
    });
    *ranges = Some(both.filter(|range| range.start < range.end).collect());
}

fn cursor(page: &str) -> Option<Cursor> {
    let (time, reference) = page.split_once('~')?;
    Some(Cursor { time: time.parse().ok()?, reference: reference.parse().ok()? })
}

/// A stored reading as an answer, its resource apart.
pub(super) fn observed_answer(stored: &Stored, as_panel: bool) -> Done {
    let id = project::id(stored, as_panel);
    Done {
        status: 200,
        location: Some(format!("Observation/{id}")),
        etag: Some(format!("W/\"{}\"", project::version(stored, as_panel))),
        last_modified: Some(time::format(stored.point.received.micros())),
        ..Done::default()
    }
}
