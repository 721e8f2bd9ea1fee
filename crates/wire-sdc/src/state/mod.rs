//! States: how what a descriptor describes is now.

mod alert;
mod component;
mod context;
mod metric;
mod operation;

use markup::Element;

use crate::PM;
use crate::shape::{AttributeField, Extension, Fault, kinds, type_of};

pub use alert::{
    AlertConditionState, AlertSignalState, AlertSystemState, LimitAlertConditionState,
    SystemSignalActivation,
};
pub use component::{
    BatteryState, ChannelState, ClockState, ComponentState, MdsState, OperationGroup, ScoState,
    SystemContextState, VmdState,
};
pub use context::{
    ContextState, EnsembleContextState, LocationContextState, LocationDetail, MeansContextState,
    OperatorContextState, PatientContextState, PatientData, PersonName, WorkflowContextState,
    WorkflowDetail,
};
pub use metric::{
    Annotation, ApplyAnnotation, DistributionSampleArrayMetricState, EnumStringMetricState,
    MetricQuality, MetricState, NumericMetricState, NumericMetricValue,
    RealTimeSampleArrayMetricState, SampleArrayValue, StringMetricState, StringMetricValue,
    ValueBase,
};
pub use operation::{
    ActivateOperationState, AllowedValues, OperationState, SetAlertStateOperationState,
    SetComponentStateOperationState, SetContextStateOperationState, SetMetricStateOperationState,
    SetStringOperationState, SetValueOperationState,
};

/// One state.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Handle of its descriptor.
    pub descriptor: String,
    /// Version of its descriptor; 0 where none is said.
    pub descriptor_version: Option<u64>,
    /// Version; 0 where none is said.
    pub version: Option<u64>,
    /// Vendors' additions.
    pub extension: Extension,
    /// The rest, by kind.
    pub kind: StateKind,
}

kinds! {
    /// The kinds of state, by their `xsi:type`.
    StateKind {
        Mds(MdsState) = "MdsState",
        Vmd(VmdState) = "VmdState",
        Channel(ChannelState) = "ChannelState",
        Clock(ClockState) = "ClockState",
        Battery(BatteryState) = "BatteryState",
        Sco(ScoState) = "ScoState",
        SystemContext(SystemContextState) = "SystemContextState",
        NumericMetric(NumericMetricState) = "NumericMetricState",
        StringMetric(StringMetricState) = "StringMetricState",
        EnumStringMetric(EnumStringMetricState) = "EnumStringMetricState",
        RealTimeSampleArrayMetric(RealTimeSampleArrayMetricState) = "RealTimeSampleArrayMetricState",
        DistributionSampleArrayMetric(DistributionSampleArrayMetricState) = "DistributionSampleArrayMetricState",
        AlertSystem(AlertSystemState) = "AlertSystemState",
        AlertCondition(AlertConditionState) = "AlertConditionState",
        LimitAlertCondition(LimitAlertConditionState) = "LimitAlertConditionState",
        AlertSignal(AlertSignalState) = "AlertSignalState",
        SetValueOperation(SetValueOperationState) = "SetValueOperationState",
        SetStringOperation(SetStringOperationState) = "SetStringOperationState",
        ActivateOperation(ActivateOperationState) = "ActivateOperationState",
        SetContextStateOperation(SetContextStateOperationState) = "SetContextStateOperationState",
        SetMetricStateOperation(SetMetricStateOperationState) = "SetMetricStateOperationState",
        SetComponentStateOperation(SetComponentStateOperationState) = "SetComponentStateOperationState",
        SetAlertStateOperation(SetAlertStateOperationState) = "SetAlertStateOperationState",
        PatientContext(PatientContextState) = "PatientContextState",
        LocationContext(LocationContextState) = "LocationContextState",
        EnsembleContext(EnsembleContextState) = "EnsembleContextState",
        OperatorContext(OperatorContextState) = "OperatorContextState",
        WorkflowContext(WorkflowContextState) = "WorkflowContextState",
        MeansContext(MeansContextState) = "MeansContextState",
    }
}

impl State {
    /// A state of this descriptor and kind.
    #[must_use]
    pub fn new(descriptor: impl Into<String>, kind: impl Into<StateKind>) -> Self {
        Self {
            descriptor: descriptor.into(),
            descriptor_version: None,
            version: None,
            extension: Extension::default(),
            kind: kind.into(),
        }
    }

    /// The handle that names the state: a context state's own, else its descriptor's.
    #[must_use]
    pub fn handle(&self) -> &str {
        self.context().map_or(&self.descriptor, |context| &context.handle)
    }

    /// What all context states have, if it is one.
    #[must_use]
    pub fn context(&self) -> Option<&ContextState> {
        match &self.kind {
            StateKind::PatientContext(c) => Some(&c.context),
            StateKind::LocationContext(c) => Some(&c.context),
            StateKind::EnsembleContext(c) => Some(&c.context),
            StateKind::OperatorContext(c) => Some(&c.context),
            StateKind::WorkflowContext(c) => Some(&c.context),
            StateKind::MeansContext(c) => Some(&c.context),
            _ => None,
        }
    }

    /// What all alert conditions' states have, if it is one.
    #[must_use]
    pub fn condition(&self) -> Option<&AlertConditionState> {
        match &self.kind {
            StateKind::AlertCondition(c) => Some(c),
            StateKind::LimitAlertCondition(c) => Some(&c.condition),
            _ => None,
        }
    }

    /// What all metrics' states have, if it is one.
    #[must_use]
    pub fn metric(&self) -> Option<&MetricState> {
        match &self.kind {
            StateKind::NumericMetric(m) => Some(&m.metric),
            StateKind::StringMetric(m) => Some(&m.metric),
            StateKind::EnumStringMetric(m) => Some(&m.metric),
            StateKind::RealTimeSampleArrayMetric(m) => Some(&m.metric),
            StateKind::DistributionSampleArrayMetric(m) => Some(&m.metric),
            _ => None,
        }
    }

    pub(crate) fn read(element: &Element, usual: &str) -> Result<Self, Fault> {
        let descriptor: String = AttributeField::fetch(element, "DescriptorHandle")?;
        let read = || -> Result<Self, Fault> {
            Ok(Self {
                descriptor_version: AttributeField::fetch(element, "DescriptorVersion")?,
                version: AttributeField::fetch(element, "StateVersion")?,
                extension: Extension::of(element),
                kind: StateKind::read(type_of(element, usual)?, element)?,
                descriptor: descriptor.clone(),
            })
        };
        let cut = &descriptor[..descriptor.floor_char_boundary(64)];
        read().map_err(|fault| fault.within(&format!("{}[{cut}]", element.name)))
    }

    /// The state as an element of this name, with `xsi:type` unless it is `usual`.
    pub(crate) fn write(&self, ns: &str, name: &str, usual: &str) -> Element {
        let mut element = Element::new(ns, name);
        if usual != self.kind.type_name() {
            element.set_type(PM, self.kind.type_name());
        }
        element.set("", "DescriptorHandle", self.descriptor.clone());
        self.descriptor_version.store(&mut element, "DescriptorVersion");
        self.version.store(&mut element, "StateVersion");
        self.extension.put(&mut element);
        self.kind.write(&mut element);
        element
    }
}
