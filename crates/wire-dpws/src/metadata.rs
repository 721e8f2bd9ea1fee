//! What a device says about itself and its services (DPWS 1.1, 4; WS-Transfer Get, WS-MetadataExchange).

use markup::Element;

use crate::discovery::types_of;
use crate::names::{DPWS, WSA, WSDL, WSX, WXF, XML};
use crate::{Endpoint, Envelope, Error, Name, Payload, Prefixes};

/// Action of the question to a device.
pub const GET: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get";
/// Action of a device's answer.
pub const GET_RESPONSE: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer/GetResponse";
/// Action of the question to a hosted service.
pub const GET_METADATA: &str = "http://schemas.xmlsoap.org/ws/2004/09/mex/GetMetadata/Request";
/// Action of a hosted service's answer.
pub const GET_METADATA_RESPONSE: &str = "http://schemas.xmlsoap.org/ws/2004/09/mex/GetMetadata/Response";

const THIS_MODEL: &str = "http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01/ThisModel";
const THIS_DEVICE: &str = "http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01/ThisDevice";
const RELATIONSHIP: &str = "http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01/Relationship";
const HOST: &str = "http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01/host";
/// Most sections, and most hosted services.
const MANY: usize = 64;

/// A kind of device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThisModel {
    /// Who made it: language (empty: none said) and text.
    pub manufacturer: Vec<(String, String)>,
    /// Where the maker is on the web.
    pub manufacturer_url: Option<String>,
    /// What it is called: language and text.
    pub model_name: Vec<(String, String)>,
    /// Its number.
    pub model_number: Option<String>,
}

/// One device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThisDevice {
    /// Its name: language and text.
    pub friendly_name: Vec<(String, String)>,
    /// Its firmware.
    pub firmware: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
}

/// A service that a device hosts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hosted {
    /// Where.
    pub endpoints: Vec<Endpoint>,
    /// Port types.
    pub types: Vec<Name>,
    /// Its name on the device.
    pub id: String,
}

/// The host and what it hosts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Relationship {
    /// The device's own endpoint reference; its name, not its address.
    pub host: Option<Endpoint>,
    /// The device's types.
    pub host_types: Vec<Name>,
    /// Its services.
    pub hosted: Vec<Hosted>,
}

/// What is said in answer to [`GET`] and [`GET_METADATA`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// The kind of device.
    pub model: Option<ThisModel>,
    /// The device.
    pub device: Option<ThisDevice>,
    /// What it hosts.
    pub relationship: Option<Relationship>,
    /// Where the service's WSDL can be fetched.
    pub wsdl: Option<String>,
}

impl Payload for Metadata {
    fn action(&self) -> &'static str {
        if self.device.is_some() { GET_RESPONSE } else { GET_METADATA_RESPONSE }
    }

    fn element(&self, prefixes: &mut Prefixes) -> Option<Element> {
        prefixes.prefix(DPWS);
        prefixes.prefix(WSX);
        let section = |dialect: &str, content: Element| {
            Element::new(WSX, "MetadataSection").attr("Dialect", dialect).child(content)
        };
        let mut metadata = Element::new(WSX, "Metadata");
        metadata.children.extend(self.model.as_ref().map(|model| section(THIS_MODEL, model.element())));
        metadata.children.extend(self.device.as_ref().map(|device| section(THIS_DEVICE, device.element())));
        let relationship = self.relationship.as_ref().map(|r| section(RELATIONSHIP, r.element(prefixes)));
        metadata.children.extend(relationship);
        let location = |url: &String| section(WSDL, Element::with_text(WSX, "Location", url.clone()));
        metadata.children.extend(self.wsdl.as_ref().map(location));
        Some(metadata)
    }

    fn read(envelope: &Envelope) -> Result<Self, Error> {
        let body = envelope.expect(WSX, "Metadata")?;
        if body.children.len() > MANY {
            return Err(Error::Limit("metadata sections"));
        }
        let mut metadata = Self::default();
        for section in body.all(WSX, "MetadataSection") {
            match section.attribute("Dialect").map(str::trim) {
                Some(THIS_MODEL) => metadata.model = section.find(DPWS, "ThisModel").map(ThisModel::of),
                Some(THIS_DEVICE) => metadata.device = section.find(DPWS, "ThisDevice").map(ThisDevice::of),
                Some(RELATIONSHIP) => {
                    for element in section.all(DPWS, "Relationship") {
                        if element.attribute("Type").is_none_or(|kind| kind.trim() == HOST) {
                            metadata.relationship.get_or_insert_default().take(element)?;
                        }
                    }
                }
                Some(WSDL) => metadata.wsdl = section.text_of(WSX, "Location").map(str::to_owned),
                _ => {}
            }
        }
        Ok(metadata)
    }
}

/// The question for metadata: empty to a device, [`GET_METADATA`] to a hosted service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// A device, by WS-Transfer.
    Device,
    /// A hosted service, by WS-MetadataExchange.
    Service,
}

impl Payload for Ask {
    fn action(&self) -> &'static str {
        match self {
            Self::Device => GET,
            Self::Service => GET_METADATA,
        }
    }

    fn element(&self, _: &mut Prefixes) -> Option<Element> {
        match self {
            Self::Device => None,
            Self::Service => Some(Element::new(WSX, "GetMetadata")),
        }
    }

    fn read(envelope: &Envelope) -> Result<Self, Error> {
        match envelope.header.action.as_str() {
            GET => Ok(Self::Device),
            GET_METADATA => envelope.expect(WSX, "GetMetadata").map(|_| Self::Service),
            _ => Err(Error::Other(WXF)),
        }
    }
}

impl ThisModel {
    fn of(element: &Element) -> Self {
        Self {
            manufacturer: texts(element, "Manufacturer"),
            manufacturer_url: text(element, "ManufacturerUrl"),
            model_name: texts(element, "ModelName"),
            model_number: text(element, "ModelNumber"),
        }
    }

    fn element(&self) -> Element {
        let mut element = Element::new(DPWS, "ThisModel");
        put_texts(&mut element, "Manufacturer", &self.manufacturer);
        put(&mut element, "ManufacturerUrl", &self.manufacturer_url);
        put_texts(&mut element, "ModelName", &self.model_name);
        put(&mut element, "ModelNumber", &self.model_number);
        element
    }
}

impl ThisDevice {
    fn of(element: &Element) -> Self {
        Self {
            friendly_name: texts(element, "FriendlyName"),
            firmware: text(element, "FirmwareVersion"),
            serial: text(element, "SerialNumber"),
        }
    }

    fn element(&self) -> Element {
        let mut element = Element::new(DPWS, "ThisDevice");
        put_texts(&mut element, "FriendlyName", &self.friendly_name);
        put(&mut element, "FirmwareVersion", &self.firmware);
        put(&mut element, "SerialNumber", &self.serial);
        element
    }
}

impl Relationship {
    /// A device may have several relationship sections (DPWS 1.1, 4.3).
    fn take(&mut self, element: &Element) -> Result<(), Error> {
        if let Some(host) = element.find(DPWS, "Host") {
            self.host = host.find(WSA, "EndpointReference").map(Endpoint::of).transpose()?;
            self.host_types = types_of(host.find(DPWS, "Types"))?;
        }
        for hosted in element.all(DPWS, "Hosted") {
            if self.hosted.len() >= MANY {
                return Err(Error::Limit("hosted services"));
            }
            let endpoints: Result<Vec<_>, _> = hosted.all(WSA, "EndpointReference").map(Endpoint::of).collect();
            self.hosted.push(Hosted {
                endpoints: endpoints?,
                types: types_of(hosted.find(DPWS, "Types"))?,
                id: hosted.text_of(DPWS, "ServiceId").ok_or(Error::Missing("dpws:ServiceId"))?.to_owned(),
            });
        }
        Ok(())
    }

    fn element(&self, prefixes: &mut Prefixes) -> Element {
        let mut element = Element::new(DPWS, "Relationship").attr("Type", HOST);
        if let Some(endpoint) = &self.host {
            let mut host = Element::new(DPWS, "Host").child(endpoint.element(WSA, "EndpointReference"));
            if !self.host_types.is_empty() {
                host.children.push(Element::with_text(DPWS, "Types", prefixes.names(&self.host_types)));
            }
            element.children.push(host);
        }
        for hosted in &self.hosted {
            let mut child = Element::new(DPWS, "Hosted");
            child.children.extend(hosted.endpoints.iter().map(|e| e.element(WSA, "EndpointReference")));
            child.children.push(Element::with_text(DPWS, "Types", prefixes.names(&hosted.types)));
            child.children.push(Element::with_text(DPWS, "ServiceId", hosted.id.clone()));
            element.children.push(child);
        }
        element
    }
}

fn texts(element: &Element, name: &str) -> Vec<(String, String)> {
    let language = |e: &Element| e.attribute_ns(XML, "lang").unwrap_or("").to_owned();
    element.all(DPWS, name).take(MANY).map(|e| (language(e), e.text.trim().to_owned())).collect()
}

fn put_texts(element: &mut Element, name: &str, texts: &[(String, String)]) {
    for (language, text) in texts {
        let mut child = Element::with_text(DPWS, name, text.clone());
        if !language.is_empty() {
            child.set(XML, "lang", language.clone());
        }
        element.children.push(child);
    }
}

fn text(element: &Element, name: &str) -> Option<String> {
    element.text_of(DPWS, name).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn put(element: &mut Element, name: &str, text: &Option<String>) {
    element.children.extend(text.as_ref().map(|text| Element::with_text(DPWS, name, text.clone())));
}
