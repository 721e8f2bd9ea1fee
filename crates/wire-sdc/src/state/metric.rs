//! Values of metrics.

use crate::basic::{CodedValue, Numbers, PhysicalConnector, Range, Span, Timestamp};
use crate::shape::shape;
use crate::words::{ComponentActivation, GenerationMode, Validity};

shape! {
    /// What all metrics' states have.
    MetricState {
        elem body_sites: Vec<CodedValue> = "BodySite",
        elem connector: Option<PhysicalConnector> = "PhysicalConnector",
        attr activation: Option<ComponentActivation> = "ActivationState",
        attr determination_period: Option<Span> = "ActiveDeterminationPeriod",
        attr life_time: Option<Span> = "LifeTimePeriod",
    }
    /// What a value is worth; `quality_indicator` is from 0 (worst) to 1.
    MetricQuality {
        attr validity: Validity = "Validity",
        attr mode: Option<GenerationMode> = "Mode",
        attr quality_indicator: Option<f64> = "Qi",
    }
    /// A remark about a value or a sample.
    Annotation {
        elem kind: CodedValue = "Type",
    }
    /// What all values have.
    ValueBase {
        elem quality: MetricQuality = "MetricQuality",
        elem annotations: Vec<Annotation> = "Annotation",
        attr start: Option<Timestamp> = "StartTime",
        attr stop: Option<Timestamp> = "StopTime",
        attr determined: Option<Timestamp> = "DeterminationTime",
    }
    /// A number.
    NumericMetricValue {
        base base: ValueBase = "AbstractMetricValue",
        attr value: Option<f64> = "Value",
    }
    /// A text.
    StringMetricValue {
        base base: ValueBase = "AbstractMetricValue",
        attr value: Option<String> = "Value",
    }
    /// Which annotation stands at which sample.
    ApplyAnnotation {
        attr annotation: u32 = "AnnotationIndex",
        attr sample: u32 = "SampleIndex",
    }
    /// Samples; the first one at `determined`.
    SampleArrayValue {
        base base: ValueBase = "AbstractMetricValue",
        elem applied: Vec<ApplyAnnotation> = "ApplyAnnotation",
        attr samples: Option<Numbers> = "Samples",
    }
    /// State of a number.
    NumericMetricState {
        base metric: MetricState = "AbstractMetricState",
        elem value: Option<NumericMetricValue> = "MetricValue",
        elem physiological_ranges: Vec<Range> = "PhysiologicalRange",
        attr averaging_period: Option<Span> = "ActiveAveragingPeriod",
    }
    /// State of a text.
    StringMetricState {
        base metric: MetricState = "AbstractMetricState",
        elem value: Option<StringMetricValue> = "MetricValue",
    }
    /// State of one of some texts.
    EnumStringMetricState {
        base metric: MetricState = "AbstractMetricState",
        elem value: Option<StringMetricValue> = "MetricValue",
    }
    /// State of a waveform.
    RealTimeSampleArrayMetricState {
        base metric: MetricState = "AbstractMetricState",
        elem value: Option<SampleArrayValue> = "MetricValue",
        elem physiological_ranges: Vec<Range> = "PhysiologicalRange",
    }
    /// State of a distribution.
    DistributionSampleArrayMetricState {
        base metric: MetricState = "AbstractMetricState",
        elem value: Option<SampleArrayValue> = "MetricValue",
        elem physiological_ranges: Vec<Range> = "PhysiologicalRange",
    }
}
