//! Namespaces, and names in them.

use std::sync::Arc;

/// SOAP 1.2 envelope.
pub const S12: &str = "http://www.w3.org/2003/05/soap-envelope";
/// WS-Addressing 1.0.
pub const WSA: &str = "http://www.w3.org/2005/08/addressing";
/// WS-Discovery 1.1.
pub const WSD: &str = "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01";
/// WS-Eventing.
pub const WSE: &str = "http://schemas.xmlsoap.org/ws/2004/08/eventing";
/// WS-MetadataExchange.
pub const WSX: &str = "http://schemas.xmlsoap.org/ws/2004/09/mex";
/// WS-Transfer.
pub const WXF: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";
/// DPWS 1.1.
pub const DPWS: &str = "http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01";
/// WSDL 1.1.
pub const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
/// WSDL 1.1, binding to SOAP 1.2.
pub const WSDL_S12: &str = "http://schemas.xmlsoap.org/wsdl/soap12/";
/// MDPWS, IEEE 11073-20702.
pub const MDPWS: &str = "http://standards.ieee.org/downloads/11073/11073-20702-2016";
/// SDC glue, IEEE 11073-20701.
pub const SDC: &str = "http://standards.ieee.org/downloads/11073/11073-20701-2018";
/// BICEPS messages, IEEE 11073-10207.
pub const MSG: &str = "http://standards.ieee.org/downloads/11073/11073-10207-2017/message";
/// BICEPS participant model, IEEE 11073-10207.
pub const PM: &str = "http://standards.ieee.org/downloads/11073/11073-10207-2017/participant";
/// BICEPS extensions, IEEE 11073-10207.
pub const EXT: &str = "http://standards.ieee.org/downloads/11073/11073-10207-2017/extension";
/// The prefix `xml`.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// To whom an answer on the same connection goes (WS-Addressing).
pub const ANONYMOUS: &str = "http://www.w3.org/2005/08/addressing/anonymous";
/// To whom an ad hoc discovery message goes (WS-Discovery 1.1).
pub const EVERYBODY: &str = "urn:docs-oasis-open-org:ws-dd:ns:discovery:2009:01";
/// Action of a fault (WS-Addressing).
pub const FAULT: &str = "http://www.w3.org/2005/08/addressing/fault";
/// Action of a SOAP fault that WS-Addressing has no word for.
pub const SOAP_FAULT: &str = "http://www.w3.org/2005/08/addressing/soap/fault";

/// Prefixes that messages are written with.
pub const KNOWN: &[(&str, &str)] = &[("s12", S12), ("wsa", WSA)];
/// Prefixes for names in content.
pub(crate) const CONTENT: &[(&str, &str)] = &[
    ("wsd", WSD),
    ("wse", WSE),
    ("wsx", WSX),
    ("dpws", DPWS),
    ("mdpws", MDPWS),
    ("sdc", SDC),
    ("msg", MSG),
    ("pm", PM),
    ("ext", EXT),
];

/// A name in a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// Namespace; empty for none.
    pub ns: Arc<str>,
    /// Local name.
    pub local: Box<str>,
}

impl Name {
    /// A name.
    #[must_use]
    pub fn new(ns: &str, local: &str) -> Self {
        Self { ns: ns.into(), local: local.into() }
    }

    /// The type of every DPWS device.
    #[must_use]
    pub fn device() -> Self {
        Self::new(DPWS, "Device")
    }

    /// The type of every medical device (MDPWS).
    #[must_use]
    pub fn medical_device() -> Self {
        Self::new(MDPWS, "MedicalDevice")
    }

    /// The type of a discovery proxy (WS-Discovery, managed mode).
    #[must_use]
    pub fn discovery_proxy() -> Self {
        Self::new(WSD, "DiscoveryProxy")
    }
}
