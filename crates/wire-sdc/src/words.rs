//! The standard's enumerations.

use crate::shape::words;

words! {
    /// What a value is worth (BICEPS `MeasurementValidity`).
    Validity {
        NotAvailable = "NA" "There is no value.",
        Valid = "Vld" "Correct by the device's rules.",
        Validated = "Vldated" "Correct, and confirmed by a person.",
        Ongoing = "Ong" "The measurement goes on: no result yet.",
        Questionable = "Qst" "Can't be relied on.",
        Calibrating = "Calib" "Calibration goes on.",
        Invalid = "Inv" "Wrong.",
        Overflow = "Oflw" "Above what can be measured.",
        Underflow = "Uflw" "Below what can be measured.",
    }
    /// Where a value comes from (`GenerationMode`).
    GenerationMode {
        Real = "Real" "From the patient.",
        Test = "Test" "Known test data.",
        Demo = "Demo" "Demonstration.",
    }
    /// Width of a text on screens (`LocalizedTextWidth`).
    TextWidth {
        ExtraSmall = "xs" "Some characters.",
        Small = "s" "A word.",
        Medium = "m" "A line.",
        Large = "l" "A long line.",
        ExtraLarge = "xl" "Some lines.",
        Largest = "xxl" "More.",
    }
    /// Harm that may come of using it (`SafetyClassification`).
    SafetyClassification {
        Informational = "Inf" "For information only.",
        MedA = "MedA" "No injury or damage to health.",
        MedB = "MedB" "Injury that is not serious.",
        MedC = "MedC" "Death or serious injury.",
    }
    /// Whether a component works (`ComponentActivation`).
    ComponentActivation {
        On = "On" "Works.",
        NotReady = "NotRdy" "Initialising.",
        StandBy = "StndBy" "Stands by.",
        Off = "Off" "Off.",
        Shutdown = "Shtdn" "Shutting down.",
        Failure = "Fail" "Failed.",
    }
    /// How a device is used (`MdsOperatingMode`).
    OperatingModeMds {
        Normal = "Nml" "On patients.",
        Demo = "Dmo" "For demonstration.",
        Service = "Srv" "In service.",
        Maintenance = "Mtn" "In maintenance.",
    }
    /// Whether an operation can be called (`OperatingMode`).
    OperatingMode {
        Disabled = "Dis" "Not now.",
        Enabled = "En" "Yes.",
        NotAvailable = "NA" "Not at all.",
    }
    /// `CalibrationState`.
    CalibrationState {
        NotCalibrated = "No" "Not calibrated.",
        Required = "Req" "Calibration is due.",
        Running = "Run" "Calibration goes on.",
        Calibrated = "Cal" "Calibrated.",
        Other = "Oth" "Something else.",
    }
    /// `CalibrationType`.
    CalibrationType {
        Unspecified = "Unspec" "Not said.",
        Offset = "Offset" "Offset.",
        Gain = "Gain" "Gain.",
        TwoPoint = "TP" "Two points.",
    }
    /// Whether alarms work (`AlertActivation`).
    AlertActivation {
        On = "On" "On.",
        Off = "Off" "Off.",
        Paused = "Psd" "Paused.",
    }
    /// What an alert is about (`AlertConditionKind`).
    AlertConditionKind {
        Other = "Oth" "Anything else.",
        Physiological = "Phy" "The patient.",
        Technical = "Tec" "The device.",
    }
    /// `AlertConditionPriority`.
    AlertPriority {
        None = "None" "Awareness only.",
        Low = "Lo" "Awareness is required.",
        Medium = "Me" "Prompt response is required.",
        High = "Hi" "Immediate response is required.",
    }
    /// Which limits are watched (`AlertConditionMonitoredLimits`).
    MonitoredLimits {
        All = "All" "Both.",
        LowOff = "LoOff" "Only the upper one.",
        HighOff = "HiOff" "Only the lower one.",
        None = "None" "None.",
    }
    /// How an alert shows (`AlertSignalManifestation`).
    Manifestation {
        Other = "Oth" "Otherwise.",
        Auditory = "Aud" "It sounds.",
        Visual = "Vis" "It shows.",
        Tangible = "Tan" "It is felt.",
    }
    /// Whether an alert signal is given (`AlertSignalPresence`).
    SignalPresence {
        Off = "Off" "No.",
        On = "On" "Yes.",
        Latched = "Latch" "Yes, though its condition is gone.",
        Acknowledged = "Ack" "Somebody took it.",
    }
    /// Where an alert signal is given (`AlertSignalPrimaryLocation`).
    SignalLocation {
        Local = "Loc" "At the device.",
        Remote = "Rem" "Elsewhere.",
    }
    /// How a metric comes to be (`MetricCategory`).
    MetricCategory {
        Unspecified = "Unspec" "Not said.",
        Measurement = "Msrmt" "Measured.",
        Calculation = "Clc" "Calculated.",
        Setting = "Set" "Set.",
        Presetting = "Preset" "Set, not yet in force.",
        Recommendation = "Rcmm" "Recommended.",
    }
    /// `DerivationMethod`.
    Derivation {
        Automatic = "Auto" "By the device.",
        Manual = "Man" "By a person.",
    }
    /// `MetricAvailability`.
    Availability {
        Intermittent = "Intr" "From time to time.",
        Continuous = "Cont" "Always.",
    }
    /// Who may call an operation (`AccessLevel`).
    AccessLevel {
        User = "Usr" "Any user.",
        ClinicalSuperUser = "CSUsr" "A clinical super user.",
        ResponsibleOrganization = "RO" "The responsible organisation.",
        ServicePersonnel = "SP" "Service.",
        Other = "Oth" "Somebody else.",
    }
    /// How two metrics belong together (`Relation/@Kind`).
    RelationKind {
        Other = "Oth" "Otherwise.",
        Recommendation = "Rcm" "A set of recommendations.",
        Preset = "PS" "A preset.",
        StatisticalSet = "SST" "Statistics.",
        EffectOnContainment = "ECE" "Effects on the entries.",
        DependsOnContainment = "DCE" "Does not affect the entries.",
    }
    /// `ChargeStatus`.
    ChargeStatus {
        Full = "Ful" "Full.",
        Charging = "ChB" "Charging.",
        Discharging = "DisChB" "Discharging.",
        Empty = "DEB" "Empty.",
    }
    /// Whether a context holds (`ContextAssociation`).
    ContextAssociation {
        NotAssociated = "No" "It does not; also what is meant where nothing is said.",
        PreAssociated = "Pre" "It is prepared, not yet confirmed.",
        Associated = "Assoc" "It holds.",
        Disassociated = "Dis" "It held.",
    }
    /// `Sex`.
    Sex {
        Unspecified = "Unspec" "Not said.",
        Male = "M" "Male.",
        Female = "F" "Female.",
        Unknown = "Unkn" "Not known.",
    }
    /// `PatientType`.
    PatientType {
        Unspecified = "Unspec" "Not said.",
        Adult = "Ad" "Adult.",
        Adolescent = "Ado" "Adolescent.",
        Pediatric = "Ped" "Child.",
        Infant = "Inf" "Infant.",
        Neonatal = "Neo" "Newborn.",
        Other = "Oth" "Other.",
    }
    /// How far an operation is (`InvocationState`).
    InvocationState {
        Waiting = "Wait" "In the queue.",
        Started = "Start" "Begun.",
        Cancelled = "Cnclld" "Cancelled by the device.",
        CancelledManually = "CnclldMan" "Cancelled by a person.",
        Finished = "Fin" "Done.",
        FinishedModified = "FinMod" "Done, otherwise than asked.",
        Failed = "Fail" "Failed.",
    }
    /// `InvocationError`.
    InvocationError {
        Unspecified = "Unspec" "Not said.",
        UnknownOperation = "Unkn" "No such operation.",
        InvalidValue = "Inv" "The value can't be.",
        Other = "Oth" "Another.",
    }
    /// What happened to a description (`DescriptionModificationType`).
    Modification {
        Updated = "Upt" "Changed; also what is meant where nothing is said.",
        Created = "Crt" "New.",
        Deleted = "Del" "Gone.",
    }
}

impl InvocationState {
    /// Whether nothing more will come of the operation.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Started)
    }
}
