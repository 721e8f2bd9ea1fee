//! Device components: MDS, VMD, channel, clock, battery, SCO, system context.

use crate::basic::{CodedValue, InstanceIdentifier, LocalizedText, Quantity, Span};
use crate::shape::shape;

shape! {
    /// A part number, hardware revision, software revision or the like.
    ProductionSpecification {
        elem kind: CodedValue = "SpecType",
        elem value: String = "ProductionSpec",
        elem component: Option<InstanceIdentifier> = "ComponentId",
    }
    /// Where the device may be used.
    ApprovedJurisdictions {
        elem jurisdictions: Vec<InstanceIdentifier> = "ApprovedJurisdiction",
    }
    /// Unique device identification.
    Udi {
        elem device: String = "DeviceIdentifier",
        elem carrier: String = "HumanReadableForm",
        elem issuer: InstanceIdentifier = "Issuer",
        elem jurisdiction: Option<InstanceIdentifier> = "Jurisdiction",
    }
    /// Who made the device, and which it is.
    MetaData {
        elem udis: Vec<Udi> = "Udi",
        elem lot: Option<String> = "LotNumber",
        elem manufacturer: Vec<LocalizedText> = "Manufacturer",
        elem manufactured: Option<String> = "ManufactureDate",
        elem expires: Option<String> = "ExpirationDate",
        elem model_name: Vec<LocalizedText> = "ModelName",
        elem model_number: Option<String> = "ModelNumber",
        elem serial_numbers: Vec<String> = "SerialNumber",
    }
    /// A medical device system.
    MdsDescriptor {
        elem specifications: Vec<ProductionSpecification> = "ProductionSpecification",
        elem meta: Option<MetaData> = "MetaData",
        elem jurisdictions: Option<ApprovedJurisdictions> = "ApprovedJurisdictions",
    }
    /// A virtual medical device: a module of an MDS.
    VmdDescriptor {
        elem specifications: Vec<ProductionSpecification> = "ProductionSpecification",
        elem jurisdictions: Option<ApprovedJurisdictions> = "ApprovedJurisdictions",
    }
    /// A channel: metrics that belong together.
    ChannelDescriptor {
        elem specifications: Vec<ProductionSpecification> = "ProductionSpecification",
    }
    /// The service control object: holds the operations of its parent.
    ScoDescriptor {
        elem specifications: Vec<ProductionSpecification> = "ProductionSpecification",
    }
    /// Holds the contexts of an MDS.
    SystemContextDescriptor {
        elem specifications: Vec<ProductionSpecification> = "ProductionSpecification",
    }
    /// The device's clock.
    ClockDescriptor {
        elem specifications: Vec<ProductionSpecification> = "ProductionSpecification",
        elem protocols: Vec<CodedValue> = "TimeProtocol",
        attr resolution: Option<Span> = "Resolution",
    }
    /// A battery.
    BatteryDescriptor {
        elem specifications: Vec<ProductionSpecification> = "ProductionSpecification",
        elem capacity_full: Option<Quantity> = "CapacityFullCharge",
        elem capacity_specified: Option<Quantity> = "CapacitySpecified",
        elem voltage_specified: Option<Quantity> = "VoltageSpecified",
    }
}
