//! Metrics: what is measured, set or shown.

use crate::basic::{CodedValue, Handles, InstanceIdentifier, Quantity, Range, Span};
use crate::shape::shape;
use crate::words::{Availability, Derivation, MetricCategory, RelationKind};

shape! {
    /// How a metric belongs to others.
    Relation {
        elem code: Option<CodedValue> = "Code",
        elem identification: Option<InstanceIdentifier> = "Identification",
        attr kind: RelationKind = "Kind",
        attr entries: Handles = "Entries",
    }
    /// What all metrics have.
    MetricDescriptor {
        elem unit: CodedValue = "Unit",
        elem body_sites: Vec<CodedValue> = "BodySite",
        elem relations: Vec<Relation> = "Relation",
        attr category: MetricCategory = "MetricCategory",
        attr derivation: Option<Derivation> = "DerivationMethod",
        attr availability: Availability = "MetricAvailability",
        attr max_measurement_time: Option<Span> = "MaxMeasurementTime",
        attr max_delay: Option<Span> = "MaxDelayTime",
        attr determination_period: Option<Span> = "DeterminationPeriod",
        attr life_time: Option<Span> = "LifeTimePeriod",
        attr activation_duration: Option<Span> = "ActivationDuration",
    }
    /// A number.
    NumericMetricDescriptor {
        base metric: MetricDescriptor = "AbstractMetricDescriptor",
        elem technical_ranges: Vec<Range> = "TechnicalRange",
        attr resolution: f64 = "Resolution",
        attr averaging_period: Option<Span> = "AveragingPeriod",
    }
    /// A text.
    StringMetricDescriptor {
        base metric: MetricDescriptor = "AbstractMetricDescriptor",
    }
    /// One value of an enumeration.
    AllowedValue {
        elem value: String = "Value",
        elem code: Option<CodedValue> = "Type",
        elem identification: Option<InstanceIdentifier> = "Identification",
        elem characteristic: Option<Quantity> = "Characteristic",
    }
    /// One of some texts.
    EnumStringMetricDescriptor {
        base metric: MetricDescriptor = "AbstractMetricDescriptor",
        elem allowed: Vec<AllowedValue> = "AllowedValue",
    }
    /// A waveform.
    RealTimeSampleArrayMetricDescriptor {
        base metric: MetricDescriptor = "AbstractMetricDescriptor",
        elem technical_ranges: Vec<Range> = "TechnicalRange",
        attr resolution: f64 = "Resolution",
        attr sample_period: Span = "SamplePeriod",
    }
    /// A distribution: one number for each step of a range.
    DistributionSampleArrayMetricDescriptor {
        base metric: MetricDescriptor = "AbstractMetricDescriptor",
        elem technical_ranges: Vec<Range> = "TechnicalRange",
        elem domain_unit: CodedValue = "DomainUnit",
        elem distribution_range: Range = "DistributionRange",
        attr resolution: f64 = "Resolution",
    }
}
