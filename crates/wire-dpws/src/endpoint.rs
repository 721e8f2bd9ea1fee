//! Endpoint references (WS-Addressing 1.0, core).

use markup::Element;

use crate::Error;
use crate::names::{ANONYMOUS, WSA};

/// Most reference parameters that are kept of one endpoint.
const PARAMETERS_MAX: usize = 16;
/// Longest address, in bytes.
const ADDRESS_MAX: usize = 2_048;

/// Where messages go.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Endpoint {
    /// Address, an IRI.
    pub address: String,
    /// What has to come back as headers of each message that goes there.
    pub parameters: Vec<Element>,
}

impl Endpoint {
    /// An address without parameters.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into(), parameters: Vec::new() }
    }

    /// The answer's way: the connection that the question came on.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::new(ANONYMOUS)
    }

    /// Reads the children of an element that is an endpoint reference.
    ///
    /// # Errors
    /// [`Error`] without address, or when it is longer than accepted.
    pub fn of(element: &Element) -> Result<Self, Error> {
        let address = element.text_of(WSA, "Address").filter(|address| !address.is_empty());
        let address = address.ok_or(Error::Missing("wsa:Address"))?;
        if address.len() > ADDRESS_MAX {
            return Err(Error::Limit("bytes of an address"));
        }
        let parameters = element.find(WSA, "ReferenceParameters").map_or(&[][..], |p| &p.children);
        if parameters.len() > PARAMETERS_MAX {
            return Err(Error::Limit("reference parameters"));
        }
        Ok(Self { address: address.to_owned(), parameters: parameters.to_vec() })
    }

    /// Writes it as an element of this name.
    #[must_use]
    pub fn element(&self, ns: &str, name: &str) -> Element {
        let mut element =
            Element::new(ns, name).child(Element::with_text(WSA, "Address", self.address.clone()));
        if !self.parameters.is_empty() {
            let mut parameters = Element::new(WSA, "ReferenceParameters");
            parameters.children.clone_from(&self.parameters);
            element.children.push(parameters);
        }
        element
    }
}
