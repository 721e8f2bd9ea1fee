//! How device components are.

use crate::basic::{CalibrationInfo, CodedValue, Handles, InstanceIdentifier, PhysicalConnector, Quantity, Timestamp};
use crate::shape::shape;
use crate::words::{ChargeStatus, ComponentActivation, OperatingMode, OperatingModeMds};

shape! {
    /// What all components' states have.
    ComponentState {
        elem calibration: Option<CalibrationInfo> = "CalibrationInfo",
        elem next_calibration: Option<CalibrationInfo> = "NextCalibration",
        elem connector: Option<PhysicalConnector> = "PhysicalConnector",
        attr activation: Option<ComponentActivation> = "ActivationState",
        attr operating_hours: Option<u32> = "OperatingHours",
        attr operating_cycles: Option<i32> = "OperatingCycles",
    }
    /// How an MDS is.
    MdsState {
        base component: ComponentState = "AbstractComplexDeviceComponentState",
        elem jurisdiction: Option<InstanceIdentifier> = "OperatingJurisdiction",
        attr lang: Option<String> = "Lang",
        attr mode: Option<OperatingModeMds> = "OperatingMode",
    }
    /// How a VMD is.
    VmdState {
        base component: ComponentState = "AbstractComplexDeviceComponentState",
        elem jurisdiction: Option<InstanceIdentifier> = "OperatingJurisdiction",
    }
    /// How a channel is.
    ChannelState {
        base component: ComponentState = "AbstractDeviceComponentState",
    }
    /// Operations of one kind, and whether they can be called.
    OperationGroup {
        elem kind: CodedValue = "Type",
        attr mode: Option<OperatingMode> = "OperatingMode",
        attr operations: Option<Handles> = "Operations",
    }
    /// How an SCO is.
    ScoState {
        base component: ComponentState = "AbstractDeviceComponentState",
        elem groups: Vec<OperationGroup> = "OperationGroup",
        attr requested: Option<Handles> = "InvocationRequested",
        attr required: Option<Handles> = "InvocationRequired",
    }
    /// How the clock is.
    ClockState {
        base component: ComponentState = "AbstractDeviceComponentState",
        elem protocol: Option<CodedValue> = "ActiveSyncProtocol",
        elem sources: Vec<String> = "ReferenceSource",
        attr time: Option<Timestamp> = "DateAndTime",
        attr remote_sync: bool = "RemoteSync",
        attr accuracy: Option<f64> = "Accuracy",
        attr last_set: Option<Timestamp> = "LastSet",
        attr time_zone: Option<String> = "TimeZone",
        attr critical_use: Option<bool> = "CriticalUse",
    }
    /// How a battery is.
    BatteryState {
        base component: ComponentState = "AbstractDeviceComponentState",
        elem capacity: Option<Quantity> = "CapacityRemaining",
        elem voltage: Option<Quantity> = "Voltage",
        elem current: Option<Quantity> = "Current",
        elem temperature: Option<Quantity> = "Temperature",
        elem remaining: Option<Quantity> = "RemainingBatteryTime",
        attr charge: Option<ChargeStatus> = "ChargeStatus",
        attr cycles: Option<u32> = "ChargeCycles",
    }
    /// How a system context is.
    SystemContextState {
        base component: ComponentState = "AbstractDeviceComponentState",
    }
}
