//! Reports: what a device sends to its subscribers.

use markup::Element;

use crate::basic::{CodedValue, InstanceIdentifier, LocalizedText};
use crate::mdib::limit;
use crate::shape::{AttributeField, ElementField, Fault, Problem, Shape};
use crate::words::{InvocationError, InvocationState, Modification};
use crate::{ACTIONS, Descriptor, MSG, MdibVersion, State};

/// Kinds of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportKind {
    /// Metrics that changed.
    EpisodicMetric,
    /// Metrics as they are, now and then.
    PeriodicMetric,
    /// Alerts that changed.
    EpisodicAlert,
    /// Alerts as they are.
    PeriodicAlert,
    /// Components that changed.
    EpisodicComponent,
    /// Components as they are.
    PeriodicComponent,
    /// Operations that changed.
    EpisodicOperationalState,
    /// Operations as they are.
    PeriodicOperationalState,
    /// Contexts that changed.
    EpisodicContext,
    /// Contexts as they are.
    PeriodicContext,
    /// Samples.
    Waveform,
    /// Descriptors that came, changed or went.
    DescriptionModification,
    /// How far an operation is.
    OperationInvoked,
    /// Something went wrong in the device.
    SystemError,
}

impl ReportKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::EpisodicMetric,
        Self::PeriodicMetric,
        Self::EpisodicAlert,
        Self::PeriodicAlert,
        Self::EpisodicComponent,
        Self::PeriodicComponent,
        Self::EpisodicOperationalState,
        Self::PeriodicOperationalState,
        Self::EpisodicContext,
        Self::PeriodicContext,
        Self::Waveform,
        Self::DescriptionModification,
        Self::OperationInvoked,
        Self::SystemError,
    ];

    /// Name of its element.
    #[must_use]
    pub const fn element(self) -> &'static str {
        match self {
            Self::EpisodicMetric => "EpisodicMetricReport",
            Self::PeriodicMetric => "PeriodicMetricReport",
            Self::EpisodicAlert => "EpisodicAlertReport",
            Self::PeriodicAlert => "PeriodicAlertReport",
            Self::EpisodicComponent => "EpisodicComponentReport",
            Self::PeriodicComponent => "PeriodicComponentReport",
            Self::EpisodicOperationalState => "EpisodicOperationalStateReport",
            Self::PeriodicOperationalState => "PeriodicOperationalStateReport",
            Self::EpisodicContext => "EpisodicContextReport",
            Self::PeriodicContext => "PeriodicContextReport",
            Self::Waveform => "WaveformStream",
            Self::DescriptionModification => "DescriptionModificationReport",
            Self::OperationInvoked => "OperationInvokedReport",
            Self::SystemError => "SystemErrorReport",
        }
    }

    /// The service (port type) that sends it.
    #[must_use]
    pub const fn service(self) -> &'static str {
        match self {
            Self::EpisodicContext | Self::PeriodicContext => "ContextService",
            Self::Waveform => "WaveformService",
            Self::DescriptionModification => "DescriptionEventService",
            Self::OperationInvoked => "SetService",
            _ => "StateEventService",
        }
    }

    /// The SOAP action under which it is subscribed to and sent (11073-20701).
    #[must_use]
    pub fn action(self) -> String {
        format!("{ACTIONS}/{}/{}", self.service(), self.element())
    }

    /// Name of the element of a state, for reports of states.
    const fn state_element(self) -> &'static str {
        match self {
            Self::EpisodicMetric | Self::PeriodicMetric => "MetricState",
            Self::EpisodicAlert | Self::PeriodicAlert => "AlertState",
            Self::EpisodicComponent | Self::PeriodicComponent => "ComponentState",
            Self::EpisodicOperationalState | Self::PeriodicOperationalState => "OperationState",
            Self::EpisodicContext | Self::PeriodicContext => "ContextState",
            _ => "State",
        }
    }
}

/// One report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Which kind.
    pub kind: ReportKind,
    /// The version of the MDIB that it makes.
    pub version: MdibVersion,
    /// What it says.
    pub body: ReportBody,
}

/// What a report says, by its kind.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportBody {
    /// States; of all kinds but the following.
    States(Vec<Part>),
    /// Changes of the description.
    Description(Vec<DescriptionChange>),
    /// How far operations are.
    Invoked(Vec<Invoked>),
    /// What went wrong.
    Errors(Vec<SystemError>),
}

/// States of one MDS.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Part {
    /// Handle of the MDS, where it is said.
    pub source_mds: Option<String>,
    /// The states.
    pub states: Vec<State>,
}

/// Descriptors that came, changed or went, all below one parent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescriptionChange {
    /// Handle of the MDS, where it is said.
    pub source_mds: Option<String>,
    /// Handle of the parent; none for an MDS.
    pub parent: Option<String>,
    /// What happened.
    pub modification: Option<Modification>,
    /// The descriptors, without children.
    pub descriptors: Vec<Descriptor>,
    /// Their states.
    pub states: Vec<State>,
}

/// How far an operation is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InvocationInfo {
    /// Number of the call.
    pub transaction: u32,
    /// How far.
    pub state: InvocationState,
    /// Why it failed, if it did.
    pub error: Option<InvocationError>,
    /// The same for people.
    pub messages: Vec<LocalizedText>,
}

/// An operation that somebody called, and how far it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Invoked {
    /// Handle of the MDS, where it is said.
    pub source_mds: Option<String>,
    /// How far.
    pub info: InvocationInfo,
    /// Who called.
    pub source: InstanceIdentifier,
    /// Handle of the operation.
    pub operation: String,
    /// Handle of what it changed.
    pub target: Option<String>,
}

/// Something that went wrong in the device.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SystemError {
    /// Handle of the MDS, where it is said.
    pub source_mds: Option<String>,
    /// What.
    pub code: CodedValue,
    /// The same for people.
    pub info: Option<LocalizedText>,
}

impl Report {
    /// Reads a report. States and descriptors that can't be read are left out and told.
    ///
    /// # Errors
    ///
    /// [`Fault`] when it is no report or has no version.
    pub fn read(element: &Element) -> Result<(Self, Vec<Fault>), Fault> {
        let kind = ReportKind::ALL
            .into_iter()
            .find(|kind| element.is(MSG, kind.element()))
            .ok_or_else(|| Fault::new("Report", Problem::UnknownType))?;
        let version = MdibVersion::read(element)?;
        let mut faults = Vec::new();
        let parts = || element.all(MSG, "ReportPart");
        let body = match kind {
            ReportKind::Waveform => {
                let states = states(element, kind, "RealTimeSampleArrayMetricState", &mut faults)?;
                ReportBody::States(vec![Part { source_mds: None, states }])
            }
            ReportKind::DescriptionModification => ReportBody::Description(
                parts().map(|part| change(part, &mut faults)).collect::<Result<_, _>>()?,
            ),
            ReportKind::OperationInvoked => {
                ReportBody::Invoked(parts().map(invoked).collect::<Result<_, _>>()?)
            }
            ReportKind::SystemError => {
                ReportBody::Errors(parts().map(error).collect::<Result<_, _>>()?)
            }
            _ => ReportBody::States(
                parts()
                    .map(|part| {
                        let source_mds = source_mds(part);
                        Ok(Part { source_mds, states: states(part, kind, "", &mut faults)? })
                    })
                    .collect::<Result<_, Fault>>()?,
            ),
        };
        Ok((Self { kind, version, body }, faults))
    }

    /// The report as an element.
    #[must_use]
    pub fn write(&self) -> Element {
        let mut element = Element::new(MSG, self.kind.element());
        self.version.write(&mut element);
        match &self.body {
            ReportBody::States(parts) if self.kind == ReportKind::Waveform => {
                for state in parts.iter().flat_map(|part| &part.states) {
                    element.children.push(state.write(MSG, "State", "RealTimeSampleArrayMetricState"));
                }
            }
            ReportBody::States(parts) => {
                for part in parts {
                    let mut written = new_part(part.source_mds.as_deref());
                    let name = self.kind.state_element();
                    written.children.extend(part.states.iter().map(|s| s.write(MSG, name, "")));
                    element.children.push(written);
                }
            }
            ReportBody::Description(changes) => {
                element.children.extend(changes.iter().map(write_change));
            }
            ReportBody::Invoked(parts) => element.children.extend(parts.iter().map(write_invoked)),
            ReportBody::Errors(parts) => {
                for part in parts {
                    let mut written = new_part(part.source_mds.as_deref());
                    part.code.put(&mut written, MSG, "ErrorCode");
                    part.info.put(&mut written, MSG, "ErrorInfo");
                    element.children.push(written);
                }
            }
        }
        element
    }

    /// Every state that the report carries.
    pub fn states(&self) -> impl Iterator<Item = &State> {
        let (parts, changes): (&[Part], &[DescriptionChange]) = match &self.body {
            ReportBody::States(parts) => (parts, &[]),
            ReportBody::Description(changes) => (&[], changes),
            _ => (&[], &[]),
        };
        let deleted = |change: &&DescriptionChange| change.modification != Some(Modification::Deleted);
        parts
            .iter()
            .flat_map(|part| &part.states)
            .chain(changes.iter().filter(deleted).flat_map(|change| &change.states))
    }
}

impl InvocationInfo {
    pub(crate) fn read_from(parent: &Element) -> Result<Self, Fault> {
        let info = parent
            .find(MSG, "InvocationInfo")
            .ok_or_else(|| Fault::new("InvocationInfo", Problem::Missing))?;
        Ok(Self {
            transaction: ElementField::get(info, MSG, "TransactionId")?,
            state: ElementField::get(info, MSG, "InvocationState")?,
            error: ElementField::get(info, MSG, "InvocationError")?,
            messages: ElementField::get(info, MSG, "InvocationErrorMessage")?,
        })
    }

    pub(crate) fn write_to(&self, parent: &mut Element) {
        let mut info = Element::new(MSG, "InvocationInfo");
        self.transaction.put(&mut info, MSG, "TransactionId");
        self.state.put(&mut info, MSG, "InvocationState");
        self.error.put(&mut info, MSG, "InvocationError");
        self.messages.put(&mut info, MSG, "InvocationErrorMessage");
        parent.children.push(info);
    }
}

fn new_part(source_mds: Option<&str>) -> Element {
    let mut part = Element::new(MSG, "ReportPart");
    if let Some(handle) = source_mds {
        part.children.push(Element::with_text(MSG, "SourceMds", handle));
    }
    part
}

fn source_mds(part: &Element) -> Option<String> {
    part.text_of(MSG, "SourceMds").map(str::to_owned)
}

fn states(
    part: &Element,
    kind: ReportKind,
    usual: &str,
    faults: &mut Vec<Fault>,
) -> Result<Vec<State>, Fault> {
    let mut states = Vec::new();
    for element in part.all(MSG, kind.state_element()) {
        limit(states.len())?;
        match State::read(element, usual) {
            Ok(state) => states.push(state),
            Err(fault) => faults.push(fault),
        }
    }
    Ok(states)
}

fn change(part: &Element, faults: &mut Vec<Fault>) -> Result<DescriptionChange, Fault> {
    let mut change = DescriptionChange {
        source_mds: source_mds(part),
        parent: AttributeField::fetch(part, "ParentDescriptor")?,
        modification: AttributeField::fetch(part, "ModificationType")?,
        ..DescriptionChange::default()
    };
    for element in part.all(MSG, "Descriptor") {
        limit(change.descriptors.len())?;
        match Descriptor::read(element, "") {
            Ok(descriptor) => change.descriptors.push(descriptor),
            Err(fault) => faults.push(fault),
        }
    }
    change.states = states(part, ReportKind::DescriptionModification, "", faults)?;
    Ok(change)
}

fn write_change(change: &DescriptionChange) -> Element {
    let mut part = new_part(change.source_mds.as_deref());
    change.parent.store(&mut part, "ParentDescriptor");
    change.modification.store(&mut part, "ModificationType");
    for descriptor in &change.descriptors {
        let mut element = descriptor.write("Descriptor");
        element.ns = MSG.into();
        part.children.push(element);
    }
    part.children.extend(change.states.iter().map(|state| state.write(MSG, "State", "")));
    part
}

fn invoked(part: &Element) -> Result<Invoked, Fault> {
    Ok(Invoked {
        source_mds: source_mds(part),
        info: InvocationInfo::read_from(part)?,
        source: ElementField::get(part, MSG, "InvocationSource")?,
        operation: AttributeField::fetch(part, "OperationHandleRef")?,
        target: AttributeField::fetch(part, "OperationTarget")?,
    })
}

fn write_invoked(invoked: &Invoked) -> Element {
    let mut part = new_part(invoked.source_mds.as_deref());
    invoked.info.write_to(&mut part);
    invoked.source.put(&mut part, MSG, "InvocationSource");
    invoked.operation.store(&mut part, "OperationHandleRef");
    invoked.target.store(&mut part, "OperationTarget");
    part
}

fn error(part: &Element) -> Result<SystemError, Fault> {
    Ok(SystemError {
        source_mds: source_mds(part),
        code: ElementField::get(part, MSG, "ErrorCode")?,
        info: ElementField::get(part, MSG, "ErrorInfo")?,
    })
}
