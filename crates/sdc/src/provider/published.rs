//! One host's MDIB and its versions: what changed since the last look becomes reports.

use std::collections::{BTreeMap, HashMap};

use wire_sdc::words::Modification;
use wire_sdc::{
    DescriptionChange, Entry, Invoked, Mdib, MdibVersion, Part, Report, ReportBody, ReportKind, State, StateKind,
};

/// The MDIB of a host.
#[derive(Debug)]
pub(super) struct Published {
    mdib: Mdib,
    /// Where each descriptor and each state is.
    descriptors: HashMap<String, usize>,
    states: HashMap<String, usize>,
}

impl Published {
    /// An empty one; `sequence` is a URI never used before, `instance` larger than at any start before.
    pub(super) fn new(sequence: String, instance: u64) -> Self {
        let version = MdibVersion { version: 0, sequence, instance: Some(instance) };
        let mdib = Mdib { version, description_version: Some(0), state_version: Some(0), ..Mdib::default() };
        Self { mdib, descriptors: HashMap::new(), states: HashMap::new() }
    }

    pub(super) fn mdib(&self) -> &Mdib {
        &self.mdib
    }

    /// Takes the host as it is now, parents before children; gives the reports of what changed.
    pub(super) fn take(&mut self, entries: Vec<Entry>, states: Vec<State>) -> Vec<Report> {
        let mut states: HashMap<String, State> = states.into_iter().map(|s| (s.handle().to_owned(), s)).collect();
        let mut reports = Vec::new();
        let changes = self.describe(entries, &mut states);
        if !changes.is_empty() {
            self.mdib.description_version = self.mdib.description_version.map(|version| version + 1);
            reports.push(self.report(ReportKind::DescriptionModification, ReportBody::Description(changes)));
        }
        let mut changed: BTreeMap<u8, (ReportKind, Vec<State>)> = BTreeMap::new();
        let mut states: Vec<State> = states.into_values().collect();
        states.sort_by(|a, b| a.handle().cmp(b.handle()));
        for state in states {
            let kind = kind_of(&state.kind);
            if let Some(state) = self.put(state) {
                changed.entry(kind as u8).or_insert_with(|| (kind, Vec::new())).1.push(state);
            }
        }
        for (kind, states) in changed.into_values() {
            let part = Part { source_mds: None, states };
            reports.push(self.report(kind, ReportBody::States(vec![part])));
        }
        reports
    }

    /// Takes samples; gives the report.
    pub(super) fn samples(&mut self, states: Vec<State>) -> Option<Report> {
        let states: Vec<State> = states.into_iter().filter_map(|state| self.put(state)).collect();
        let part = Part { source_mds: None, states };
        (!part.states.is_empty()).then(|| self.report(ReportKind::Waveform, ReportBody::States(vec![part])))
    }

    /// The report on how far an operation is: it makes no new version.
    pub(super) fn invoked(&self, invoked: Invoked) -> Report {
        Report {
            kind: ReportKind::OperationInvoked,
            version: self.mdib.version.clone(),
            body: ReportBody::Invoked(vec![invoked]),
        }
    }

    fn report(&mut self, kind: ReportKind, body: ReportBody) -> Report {
        self.mdib.version.version += 1;
        self.mdib.state_version = self.mdib.state_version.map(|version| version + 1);
        Report { kind, version: self.mdib.version.clone(), body }
    }

    /// Descriptors that are new or changed, with their states.
    fn describe(&mut self, entries: Vec<Entry>, states: &mut HashMap<String, State>) -> Vec<DescriptionChange> {
        let mut changes: Vec<DescriptionChange> = Vec::new();
        let known_before = self.mdib.descriptors.len();
        let mut grown: Vec<usize> = Vec::new();
        for mut entry in entries {
            let handle = entry.descriptor.handle.clone();
            let modification = match self.descriptors.get(&handle) {
                Some(index) => {
                    let known = &mut self.mdib.descriptors[*index];
                    entry.descriptor.version = known.descriptor.version;
                    if *known == entry {
                        continue;
                    }
                    entry.descriptor.version = Some(entry.descriptor.version.unwrap_or(0) + 1);
                    known.clone_from(&entry);
                    Modification::Updated
                }
                None => {
                    entry.descriptor.version = Some(0);
                    let parent = entry.parent.as_ref().and_then(|parent| self.descriptors.get(parent)).copied();
                    grown.extend(parent.filter(|parent| *parent < known_before && !grown.contains(parent)));
                    self.descriptors.insert(handle.clone(), self.mdib.descriptors.len());
                    self.mdib.descriptors.push(entry.clone());
                    Modification::Created
                }
            };
            // A context has any number of states; they are reported as contexts.
            let state = states.get(&handle).cloned().filter(|_| !entry.descriptor.is_context());
            let state = state.map(|state| self.put(state.clone()).unwrap_or(state));
            changes.push(DescriptionChange {
                source_mds: None,
                parent: entry.parent.clone(),
                modification: Some(modification),
                descriptors: vec![entry.descriptor],
                states: state.into_iter().collect(),
            });
        }
        for parent in grown {
            changes.extend(self.grow(parent, &changes, states));
        }
        changes
    }

    /// A descriptor that got a child is another version of itself (BICEPS, versioning of descriptors).
    fn grow(
        &mut self,
        index: usize,
        changes: &[DescriptionChange],
        states: &HashMap<String, State>,
    ) -> Option<DescriptionChange> {
        let entry = self.mdib.descriptors.get_mut(index)?;
        let handle = entry.descriptor.handle.clone();
        if changes.iter().flat_map(|change| &change.descriptors).any(|told| told.handle == handle) {
            return None;
        }
        entry.descriptor.version = Some(entry.descriptor.version.unwrap_or(0) + 1);
        let entry = entry.clone();
        let state = states.get(&handle).cloned().map(|state| self.put(state.clone()).unwrap_or(state));
        Some(DescriptionChange {
            source_mds: None,
            parent: entry.parent,
            modification: Some(Modification::Updated),
            descriptors: vec![entry.descriptor],
            states: state.into_iter().collect(),
        })
    }

    /// Keeps a state; gives it back with its version if it is another than before.
    fn put(&mut self, mut state: State) -> Option<State> {
        let descriptor = self.descriptors.get(&state.descriptor)?;
        state.descriptor_version = self.mdib.descriptors[*descriptor].descriptor.version;
        match self.states.get(state.handle()) {
            Some(index) => {
                let known = &mut self.mdib.states[*index];
                state.version = known.version;
                if *known == state {
                    return None;
                }
                state.version = Some(state.version.unwrap_or(0) + 1);
                known.clone_from(&state);
            }
            None => {
                state.version = Some(0);
                self.states.insert(state.handle().to_owned(), self.mdib.states.len());
                self.mdib.states.push(state.clone());
            }
        }
        Some(state)
    }
}

/// In which report a state stands.
fn kind_of(kind: &StateKind) -> ReportKind {
    match kind {
        StateKind::NumericMetric(_)
        | StateKind::StringMetric(_)
        | StateKind::EnumStringMetric(_)
        | StateKind::DistributionSampleArrayMetric(_) => ReportKind::EpisodicMetric,
        StateKind::RealTimeSampleArrayMetric(_) => ReportKind::Waveform,
        StateKind::AlertSystem(_)
        | StateKind::AlertCondition(_)
        | StateKind::LimitAlertCondition(_)
        | StateKind::AlertSignal(_) => ReportKind::EpisodicAlert,
        StateKind::PatientContext(_)
        | StateKind::LocationContext(_)
        | StateKind::EnsembleContext(_)
        | StateKind::OperatorContext(_)
        | StateKind::WorkflowContext(_)
        | StateKind::MeansContext(_) => ReportKind::EpisodicContext,
        StateKind::SetValueOperation(_)
        | StateKind::SetStringOperation(_)
        | StateKind::ActivateOperation(_)
        | StateKind::SetContextStateOperation(_)
        | StateKind::SetMetricStateOperation(_)
        | StateKind::SetComponentStateOperation(_)
        | StateKind::SetAlertStateOperation(_) => ReportKind::EpisodicOperationalState,
        _ => ReportKind::EpisodicComponent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire_sdc::descriptor::{MdsDescriptor, NumericMetricDescriptor};
    use wire_sdc::state::{MdsState, NumericMetricState, NumericMetricValue};
    use wire_sdc::{Descriptor, LiveMdib};

    fn entry(parent: Option<&str>, descriptor: Descriptor) -> Entry {
        Entry { parent: parent.map(str::to_owned), descriptor }
    }

    fn host(value: f64, more: bool) -> (Vec<Entry>, Vec<State>) {
        let number = NumericMetricValue { value: Some(value), ..NumericMetricValue::default() };
        let metric = |value| NumericMetricState { value, ..NumericMetricState::default() };
        let mut entries = vec![
            entry(None, Descriptor::new("mds", MdsDescriptor::default())),
            entry(Some("mds"), Descriptor::new("m.1", NumericMetricDescriptor::default())),
        ];
        let mut states = vec![State::new("mds", MdsState::default()), State::new("m.1", metric(Some(number)))];
        if more {
            entries.push(entry(Some("mds"), Descriptor::new("m.2", NumericMetricDescriptor::default())));
            states.push(State::new("m.2", metric(None)));
        }
        (entries, states)
    }

    #[test]
    fn a_follower_of_the_reports_has_the_same_mdib() {
        let mut published = Published::new("urn:uuid:s".into(), 1);
        let mut take = |value, more| {
            let (entries, states) = host(value, more);
            let reports = published.take(entries, states);
            (reports, published.mdib().clone())
        };
        let (first, mdib) = take(1.0, false);
        assert_eq!(first.len(), 1, "all is new, in one report");
        let mut follower = LiveMdib::new(mdib);
        assert!(take(1.0, false).0.is_empty(), "nothing changed");
        for (value, more, kinds) in [
            (2.0, false, vec![ReportKind::EpisodicMetric]),
            (2.0, true, vec![ReportKind::DescriptionModification]),
            (3.0, true, vec![ReportKind::EpisodicMetric]),
        ] {
            let (reports, mdib) = take(value, more);
            assert_eq!(reports.iter().map(|report| report.kind).collect::<Vec<_>>(), kinds);
            for report in &reports {
                follower.apply(report).expect("no gap");
            }
            let version = mdib.descriptor("mds").and_then(|mds| mds.version);
            assert_eq!(version, Some(u64::from(more)), "the parent has another version with another child");
            let state = mdib.state("mds").and_then(|state| state.descriptor_version);
            assert_eq!(state, version, "and so says its state");
            let sorted = |mdib: &Mdib| {
                let mut states = mdib.states.clone();
                states.sort_by(|a, b| a.handle().cmp(b.handle()));
                states
            };
            assert_eq!(follower.mdib().version, mdib.version);
            assert_eq!(sorted(follower.mdib()), sorted(&mdib));
            assert_eq!(follower.mdib().descriptors.len(), mdib.descriptors.len());
        }
    }
}
