//! SOAP 1.2 envelopes and the headers of WS-Addressing and WS-Discovery in them.

use markup::{Element, Limits};

use crate::names::{ANONYMOUS, MDPWS, S12, WSA, WSD};
use crate::{Endpoint, Error, Fault, Payload, Prefixes};

/// What an envelope over HTTP may be at most: 4 MiB, 64 deep.
pub const LIMITS: Limits = Limits { bytes: 4 << 20, depth: 64, nodes: 200_000 };
/// What an envelope over UDP may be at most: one datagram.
pub const LIMITS_UDP: Limits = Limits { bytes: 65_535, depth: 16, nodes: 2_000 };

/// Longest action or message id, in bytes.
const TEXT_MAX: usize = 1_024;
/// Most reference parameters among the headers.
const PARAMETERS_MAX: usize = 16;

/// Order of a device's discovery messages (WS-Discovery 1.1, 7).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppSequence {
    /// Grows with every start of the device.
    pub instance: u64,
    /// Sequence within the instance.
    pub sequence: Option<String>,
    /// Number of the message.
    pub number: u64,
}

/// Headers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Header {
    /// What the message is.
    pub action: String,
    /// Id of the message, a URI.
    pub message_id: Option<String>,
    /// To whom it goes.
    pub to: Option<String>,
    /// Which message it answers.
    pub relates_to: Option<String>,
    /// From whom.
    pub from: Option<Endpoint>,
    /// Where the answer shall go.
    pub reply_to: Option<Endpoint>,
    /// Where a fault shall go.
    pub fault_to: Option<Endpoint>,
    /// Order of discovery messages.
    pub sequence: Option<AppSequence>,
    /// Reference parameters of the endpoint that it was sent to.
    pub parameters: Vec<Element>,
    /// Further headers, written as they are; of those that are read, the safety information of MDPWS.
    pub more: Vec<Element>,
}

impl Header {
    /// A request to an address.
    #[must_use]
    pub fn request(action: impl Into<String>, to: impl Into<String>, message_id: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            to: Some(to.into()),
            message_id: Some(message_id.into()),
            ..Self::default()
        }
    }

    /// A message to an endpoint, its parameters among the headers.
    #[must_use]
    pub fn to(action: impl Into<String>, to: &Endpoint, message_id: impl Into<String>) -> Self {
        let header = Self::request(action, to.address.clone(), message_id);
        Self { parameters: to.parameters.clone(), ..header }
    }

    /// The answer to a message with these headers.
    #[must_use]
    pub fn answer(&self, action: impl Into<String>, message_id: impl Into<String>) -> Self {
        let to = self.reply_to.as_ref().map_or(ANONYMOUS, |reply| reply.address.as_str());
        Self {
            relates_to: self.message_id.clone(),
            parameters: self.reply_to.as_ref().map(|reply| reply.parameters.clone()).unwrap_or_default(),
            ..Self::request(action, to, message_id)
        }
    }

    fn read(element: &Element) -> Result<Self, Error> {
        let mut header = Self::default();
        for child in &element.children {
            header.take(child)?;
        }
        Ok(header)
    }

    fn take(&mut self, child: &Element) -> Result<(), Error> {
        let text = child.text.trim();
        if text.len() > TEXT_MAX {
            return Err(Error::Limit("bytes of a header"));
        }
        let flag = |ns, name| child.attribute_ns(ns, name).is_some_and(|v| matches!(v.trim(), "true" | "1"));
        if flag(WSA, "IsReferenceParameter") {
            if self.parameters.len() >= PARAMETERS_MAX {
                return Err(Error::Limit("reference parameters"));
            }
            let mut parameter = child.clone();
            parameter.attributes.retain(|a| !(&*a.ns == WSA && &*a.name == "IsReferenceParameter"));
            self.parameters.push(parameter);
            return Ok(());
        }
        match (&*child.ns, &*child.name) {
            (WSA, "Action") => self.action = text.to_owned(),
            (WSA, "MessageID") => self.message_id = Some(text.to_owned()),
            (WSA, "To") => self.to = Some(text.to_owned()),
            (WSA, "RelatesTo") => self.relates_to = Some(text.to_owned()),
            (WSA, "From") => self.from = Some(Endpoint::of(child)?),
            (WSA, "ReplyTo") => self.reply_to = Some(Endpoint::of(child)?),
            (WSA, "FaultTo") => self.fault_to = Some(Endpoint::of(child)?),
            (WSD, "AppSequence") => self.sequence = Some(sequence(child)?),
            (MDPWS, "SafetyInfo") => self.more.push(child.clone()),
            _ if flag(S12, "mustUnderstand") => return Err(Error::MustUnderstand),
            _ => {}
        }
        Ok(())
    }

    fn element(&self) -> Element {
        let mut header = Element::new(S12, "Header");
        let mut put = |name: &str, text: &Option<String>| {
            if let Some(text) = text {
                header.children.push(Element::with_text(WSA, name, text.clone()));
            }
        };
        put("To", &self.to);
        put("Action", &Some(self.action.clone()));
        put("MessageID", &self.message_id);
        put("RelatesTo", &self.relates_to);
        for (name, endpoint) in [("From", &self.from), ("ReplyTo", &self.reply_to), ("FaultTo", &self.fault_to)] {
            header.children.extend(endpoint.as_ref().map(|endpoint| endpoint.element(WSA, name)));
        }
        if let Some(AppSequence { instance, sequence, number }) = &self.sequence {
            let mut element = Element::new(WSD, "AppSequence").attr("InstanceId", instance.to_string());
            if let Some(sequence) = sequence {
                element = element.attr("SequenceId", sequence.clone());
            }
            header.children.push(element.attr("MessageNumber", number.to_string()));
        }
        for parameter in &self.parameters {
            let mut parameter = parameter.clone();
            parameter.set(WSA, "IsReferenceParameter", "true");
            header.children.push(parameter);
        }
        header.children.extend(self.more.iter().cloned());
        header
    }
}

fn sequence(element: &Element) -> Result<AppSequence, Error> {
    let number = |name| element.attribute(name).and_then(|value| value.trim().parse().ok());
    Ok(AppSequence {
        instance: number("InstanceId").ok_or(Error::Shape("wsd:AppSequence"))?,
        sequence: element.attribute("SequenceId").map(str::to_owned),
        number: number("MessageNumber").ok_or(Error::Shape("wsd:AppSequence"))?,
    })
}

/// One message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Envelope {
    /// Headers.
    pub header: Header,
    /// What the body holds: one element, or nothing.
    pub body: Option<Element>,
}

impl Envelope {
    /// Reads an envelope.
    ///
    /// # Errors
    /// [`Error`]: no SOAP 1.2 envelope, no action, a header that must be understood, or over a limit.
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut root = markup::read(bytes, limits)?;
        if !root.is(S12, "Envelope") {
            return Err(Error::Envelope);
        }
        let header = root.find(S12, "Header").map(Header::read).transpose()?.unwrap_or_default();
        let body = root.children.iter_mut().find(|child| child.is(S12, "Body")).ok_or(Error::Envelope)?;
        if body.children.len() > 1 {
            return Err(Error::Shape("more than one element in the body"));
        }
        let body = body.children.pop();
        let fault = body.as_ref().is_some_and(|body| body.is(S12, "Fault"));
        if header.action.is_empty() && !fault {
            return Err(Error::Missing("wsa:Action"));
        }
        Ok(Self { header, body })
    }

    /// A message with this header and payload; the header's action becomes the payload's.
    #[must_use]
    pub fn write_payload<P: Payload>(mut header: Header, payload: &P) -> String {
        let mut prefixes = Prefixes::default();
        payload.action().clone_into(&mut header.action);
        let body = payload.element(&mut prefixes);
        Self { header, body }.write(&prefixes)
    }

    /// Writes the envelope, with the prefixes that its body needs.
    #[must_use]
    pub fn write(&self, prefixes: &Prefixes) -> String {
        let mut body = Element::new(S12, "Body");
        body.children.extend(self.body.clone());
        let root = Element::new(S12, "Envelope").child(self.header.element()).child(body);
        markup::write(&root, &prefixes.all())
    }

    /// The body, when it has this name.
    ///
    /// # Errors
    /// [`Error::Other`] naming what was expected.
    pub fn expect(&self, ns: &str, name: &'static str) -> Result<&Element, Error> {
        self.body.as_ref().filter(|body| body.is(ns, name)).ok_or(Error::Other(name))
    }

    /// The fault that the envelope carries, if it carries one.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.body.as_ref().filter(|body| body.is(S12, "Fault")).map(Fault::of)
    }
}
