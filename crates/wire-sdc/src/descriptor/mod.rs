//! Descriptors: what a device can say and do. They are kept flat, each with its parent's handle,
//! as changes of the description name them; [`crate::Mdib`] writes them into each other again.

mod alert;
mod component;
mod context;
mod metric;
mod operation;

use markup::Element;

use crate::PM;
use crate::basic::CodedValue;
use crate::shape::{AttributeField, ElementField, Extension, Fault, kinds, type_of};
use crate::words::SafetyClassification;

pub use alert::{
    AlertConditionDescriptor, AlertSignalDescriptor, AlertSystemDescriptor, CauseInfo,
    LimitAlertConditionDescriptor,
};
pub use component::{
    ApprovedJurisdictions, BatteryDescriptor, ChannelDescriptor, ClockDescriptor, MdsDescriptor,
    MetaData, ProductionSpecification, ScoDescriptor, SystemContextDescriptor, Udi, VmdDescriptor,
};
pub use metric::{
    AllowedValue, DistributionSampleArrayMetricDescriptor, EnumStringMetricDescriptor,
    MetricDescriptor, NumericMetricDescriptor, RealTimeSampleArrayMetricDescriptor, Relation,
    StringMetricDescriptor,
};
pub use operation::{
    ActivateOperationDescriptor, Argument, OperationDescriptor, SetStateOperationDescriptor,
    SetStringOperationDescriptor,
};

/// One descriptor without its children.
#[derive(Debug, Clone, PartialEq)]
pub struct Descriptor {
    /// Its name within the device, unique.
    pub handle: String,
    /// Version; 0 where none is said.
    pub version: Option<u64>,
    /// What harm may come of using it.
    pub safety: Option<SafetyClassification>,
    /// What it is.
    pub code: Option<CodedValue>,
    /// Vendors' additions.
    pub extension: Extension,
    /// The rest, by kind.
    pub kind: DescriptorKind,
}

kinds! {
    /// The kinds of descriptor, by their `xsi:type`.
    DescriptorKind {
        Mds(MdsDescriptor) = "MdsDescriptor",
        Vmd(VmdDescriptor) = "VmdDescriptor",
        Channel(ChannelDescriptor) = "ChannelDescriptor",
        Clock(ClockDescriptor) = "ClockDescriptor",
        Battery(BatteryDescriptor) = "BatteryDescriptor",
        Sco(ScoDescriptor) = "ScoDescriptor",
        SystemContext(SystemContextDescriptor) = "SystemContextDescriptor",
        NumericMetric(NumericMetricDescriptor) = "NumericMetricDescriptor",
        StringMetric(StringMetricDescriptor) = "StringMetricDescriptor",
        EnumStringMetric(EnumStringMetricDescriptor) = "EnumStringMetricDescriptor",
        RealTimeSampleArrayMetric(RealTimeSampleArrayMetricDescriptor) = "RealTimeSampleArrayMetricDescriptor",
        DistributionSampleArrayMetric(DistributionSampleArrayMetricDescriptor) = "DistributionSampleArrayMetricDescriptor",
        AlertSystem(AlertSystemDescriptor) = "AlertSystemDescriptor",
        AlertCondition(AlertConditionDescriptor) = "AlertConditionDescriptor",
        LimitAlertCondition(LimitAlertConditionDescriptor) = "LimitAlertConditionDescriptor",
        AlertSignal(AlertSignalDescriptor) = "AlertSignalDescriptor",
        SetValueOperation(SetValueOperationDescriptor) = "SetValueOperationDescriptor",
        SetStringOperation(SetStringOperationDescriptor) = "SetStringOperationDescriptor",
        ActivateOperation(ActivateOperationDescriptor) = "ActivateOperationDescriptor",
        SetContextStateOperation(SetContextStateOperationDescriptor) = "SetContextStateOperationDescriptor",
        SetMetricStateOperation(SetMetricStateOperationDescriptor) = "SetMetricStateOperationDescriptor",
        SetComponentStateOperation(SetComponentStateOperationDescriptor) = "SetComponentStateOperationDescriptor",
        SetAlertStateOperation(SetAlertStateOperationDescriptor) = "SetAlertStateOperationDescriptor",
        PatientContext(PatientContextDescriptor) = "PatientContextDescriptor",
        LocationContext(LocationContextDescriptor) = "LocationContextDescriptor",
        EnsembleContext(EnsembleContextDescriptor) = "EnsembleContextDescriptor",
        OperatorContext(OperatorContextDescriptor) = "OperatorContextDescriptor",
        WorkflowContext(WorkflowContextDescriptor) = "WorkflowContextDescriptor",
        MeansContext(MeansContextDescriptor) = "MeansContextDescriptor",
    }
}

pub use context::{
    EnsembleContextDescriptor, LocationContextDescriptor, MeansContextDescriptor,
    OperatorContextDescriptor, PatientContextDescriptor, WorkflowContextDescriptor,
};
pub use operation::{
    SetAlertStateOperationDescriptor, SetComponentStateOperationDescriptor,
    SetContextStateOperationDescriptor, SetMetricStateOperationDescriptor,
    SetValueOperationDescriptor,
};

/// Elements that hold a descriptor within another: the element's name, and the type that it has
/// where no `xsi:type` says another (none: it must say).
const PLACES: [(&str, &str); 17] = [
    ("AlertSystem", "AlertSystemDescriptor"),
    ("Sco", "ScoDescriptor"),
    ("SystemContext", "SystemContextDescriptor"),
    ("Clock", "ClockDescriptor"),
    ("Battery", "BatteryDescriptor"),
    ("Vmd", "VmdDescriptor"),
    ("Channel", "ChannelDescriptor"),
    ("Metric", ""),
    ("AlertCondition", "AlertConditionDescriptor"),
    ("AlertSignal", "AlertSignalDescriptor"),
    ("Operation", ""),
    ("PatientContext", "PatientContextDescriptor"),
    ("LocationContext", "LocationContextDescriptor"),
    ("EnsembleContext", "EnsembleContextDescriptor"),
    ("OperatorContext", "OperatorContextDescriptor"),
    ("WorkflowContext", "WorkflowContextDescriptor"),
    ("MeansContext", "MeansContextDescriptor"),
];

/// The order of a device component's elements in the schema.
const ORDER: [&str; 14] = [
    "Extension", "Type", "ProductionSpecification", "AlertSystem", "Sco", "MetaData", "SystemContext",
    "Clock", "Battery", "ApprovedJurisdictions", "Vmd", "Channel", "AlertCondition", "AlertSignal",
];

impl Descriptor {
    /// A descriptor of this handle and kind with nothing else said.
    #[must_use]
    pub fn new(handle: impl Into<String>, kind: impl Into<DescriptorKind>) -> Self {
        Self {
            handle: handle.into(),
            version: None,
            safety: None,
            code: None,
            extension: Extension::default(),
            kind: kind.into(),
        }
    }

    /// The same with a code.
    #[must_use]
    pub fn coded(self, code: CodedValue) -> Self {
        Self { code: Some(code), ..self }
    }

    /// What all metrics have, if it is one.
    #[must_use]
    pub fn metric(&self) -> Option<&MetricDescriptor> {
        match &self.kind {
            DescriptorKind::NumericMetric(m) => Some(&m.metric),
            DescriptorKind::StringMetric(m) => Some(&m.metric),
            DescriptorKind::EnumStringMetric(m) => Some(&m.metric),
            DescriptorKind::RealTimeSampleArrayMetric(m) => Some(&m.metric),
            DescriptorKind::DistributionSampleArrayMetric(m) => Some(&m.metric),
            _ => None,
        }
    }

    /// What all alert conditions have, if it is one.
    #[must_use]
    pub fn condition(&self) -> Option<&AlertConditionDescriptor> {
        match &self.kind {
            DescriptorKind::AlertCondition(c) => Some(c),
            DescriptorKind::LimitAlertCondition(c) => Some(&c.condition),
            _ => None,
        }
    }

    /// What all operations have, if it is one.
    #[must_use]
    pub fn operation(&self) -> Option<&OperationDescriptor> {
        match &self.kind {
            DescriptorKind::SetValueOperation(o) => Some(&o.operation),
            DescriptorKind::SetStringOperation(o) => Some(&o.operation),
            DescriptorKind::ActivateOperation(o) => Some(&o.set.operation),
            DescriptorKind::SetContextStateOperation(o) => Some(&o.set.operation),
            DescriptorKind::SetMetricStateOperation(o) => Some(&o.set.operation),
            DescriptorKind::SetComponentStateOperation(o) => Some(&o.set.operation),
            DescriptorKind::SetAlertStateOperation(o) => Some(&o.set.operation),
            _ => None,
        }
    }

    /// Whether its states have handles of their own, so that there may be several.
    #[must_use]
    pub const fn is_context(&self) -> bool {
        matches!(
            self.kind,
            DescriptorKind::PatientContext(_)
                | DescriptorKind::LocationContext(_)
                | DescriptorKind::EnsembleContext(_)
                | DescriptorKind::OperatorContext(_)
                | DescriptorKind::WorkflowContext(_)
                | DescriptorKind::MeansContext(_)
        )
    }

    pub(crate) fn read(element: &Element, usual: &str) -> Result<Self, Fault> {
        let handle: String = AttributeField::fetch(element, "Handle")?;
        let read = || -> Result<Self, Fault> {
            Ok(Self {
                version: AttributeField::fetch(element, "DescriptorVersion")?,
                safety: AttributeField::fetch(element, "SafetyClassification")?,
                code: ElementField::get(element, PM, "Type")?,
                extension: Extension::of(element),
                kind: DescriptorKind::read(type_of(element, usual)?, element)?,
                handle: handle.clone(),
            })
        };
        read().map_err(|fault| fault.within(&format!("{}[{}]", element.name, cut(&handle))))
    }

    /// The descriptor alone, as an element of this name; with `xsi:type` where the place's own type
    /// is not it.
    pub(crate) fn write(&self, place: &str) -> Element {
        let mut element = Element::new(PM, place);
        let usual = PLACES.iter().find(|(name, _)| *name == place).map_or("", |(_, usual)| usual);
        if usual != self.kind.type_name() && place != "Mds" {
            element.set_type(PM, self.kind.type_name());
        }
        element.set("", "Handle", self.handle.clone());
        self.version.store(&mut element, "DescriptorVersion");
        self.safety.store(&mut element, "SafetyClassification");
        self.extension.put(&mut element);
        self.code.put(&mut element, PM, "Type");
        self.kind.write(&mut element);
        element
    }

    /// Name of the element that it has within its parent.
    pub(crate) fn place(&self) -> &'static str {
        match &self.kind {
            DescriptorKind::Mds(_) => "Mds",
            _ if self.metric().is_some() => "Metric",
            _ if self.operation().is_some() => "Operation",
            _ if self.condition().is_some() => "AlertCondition",
            kind => {
                let name = kind.type_name();
                PLACES.iter().find(|(_, usual)| *usual == name).map_or("", |(place, _)| place)
            }
        }
    }
}

/// The places within an element, with the type that each has by default.
pub(crate) fn places(element: &Element) -> impl Iterator<Item = (&Element, &'static str)> {
    element.children.iter().filter(|child| &*child.ns == PM).filter_map(|child| {
        PLACES.iter().find(|(name, _)| *name == &*child.name).map(|(_, usual)| (child, *usual))
    })
}

/// Puts a device component's own elements and its children into the schema's order.
pub(crate) fn sort(element: &mut Element) {
    element.children.sort_by_key(|child| {
        ORDER.iter().position(|name| **name == *child.name).unwrap_or(ORDER.len())
    });
}

fn cut(handle: &str) -> &str {
    &handle[..handle.floor_char_boundary(64)]
}
