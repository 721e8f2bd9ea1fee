//! SOAP 1.2 faults.

use markup::Element;

use crate::names::{DPWS, FAULT, S12, WSA, WSD, WSE, XML};
use crate::{Envelope, Error, Name, Payload, Prefixes};

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Code {
    /// The message was wrong.
    #[default]
    Sender,
    /// The receiver could not.
    Receiver,
    /// A header that must be understood was not.
    MustUnderstand,
    /// Not SOAP 1.2.
    VersionMismatch,
    /// An unknown encoding of data.
    DataEncodingUnknown,
}

const CODES: &[(Code, &str)] = &[
    (Code::Sender, "Sender"),
    (Code::Receiver, "Receiver"),
    (Code::MustUnderstand, "MustUnderstand"),
    (Code::VersionMismatch, "VersionMismatch"),
    (Code::DataEncodingUnknown, "DataEncodingUnknown"),
];

/// A fault.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fault {
    /// Whose.
    pub code: Code,
    /// What exactly.
    pub subcode: Option<Name>,
    /// In words; safe to show.
    pub reason: String,
}

impl Fault {
    /// The sender's fault.
    #[must_use]
    pub fn sender(ns: &str, subcode: &str, reason: impl Into<String>) -> Self {
        Self { code: Code::Sender, subcode: Some(Name::new(ns, subcode)), reason: reason.into() }
    }

    /// The receiver's fault.
    #[must_use]
    pub fn receiver(ns: &str, subcode: &str, reason: impl Into<String>) -> Self {
        Self { code: Code::Receiver, ..Self::sender(ns, subcode, reason) }
    }

    /// Nobody here does that (WS-Addressing).
    #[must_use]
    pub fn action_not_supported() -> Self {
        Self::sender(WSA, "ActionNotSupported", "this action is not offered here")
    }

    /// A subscription that is not, or no longer, known (WS-Eventing).
    #[must_use]
    pub fn unknown_subscription() -> Self {
        Self::receiver(WSE, "InvalidMessage", "no such subscription")
    }

    /// A filter that no report can pass (WS-Eventing; DPWS 1.1, 6.2).
    #[must_use]
    pub fn filter_not_supported() -> Self {
        Self::sender(DPWS, "FilterActionNotSupported", "no report of this service passes the filter")
    }

    /// A rule of matching scopes that is not known (WS-Discovery 1.1, 5.1).
    #[must_use]
    pub fn matching_rule_not_supported() -> Self {
        Self::sender(WSD, "MatchingRuleNotSupported", "this rule of matching scopes is not known")
    }

    /// The fault that answers an unreadable message.
    #[must_use]
    pub fn of_error(error: &Error) -> Self {
        let (code, subcode) = match error {
            Error::MustUnderstand => (Code::MustUnderstand, None),
            Error::Envelope => (Code::VersionMismatch, None),
            Error::Missing("wsa:Action") => (Code::Sender, Some(Name::new(WSA, "MessageAddressingHeaderRequired"))),
            _ => (Code::Sender, None),
        };
        Self { code, subcode, reason: error.to_string() }
    }

    /// Reads the element; what is missing stays empty, for a fault about a fault helps nobody.
    #[must_use]
    pub fn of(element: &Element) -> Self {
        let code = element.find(S12, "Code");
        let value = |of: &Element| {
            let value = of.find(S12, "Value")?;
            let (ns, local) = value.resolve(value.text.trim())?;
            Some(Name { ns, local: local.into() })
        };
        let main = code.and_then(value).filter(|name| &*name.ns == S12);
        let known = main.and_then(|name| CODES.iter().find(|(_, text)| *text == &*name.local));
        let reason = element.find(S12, "Reason").and_then(|reason| reason.text_of(S12, "Text"));
        Self {
            code: known.map_or(Code::Receiver, |(code, _)| *code),
            subcode: code.and_then(|code| code.find(S12, "Subcode")).and_then(value),
            reason: reason.unwrap_or_default().to_owned(),
        }
    }
}

impl Payload for Fault {
    fn action(&self) -> &'static str {
        FAULT
    }

    fn element(&self, prefixes: &mut Prefixes) -> Option<Element> {
        let name = CODES.iter().find(|(code, _)| *code == self.code).map_or("Receiver", |(_, name)| name);
        let value = |text| Element::with_text(S12, "Value", text);
        let mut code = Element::new(S12, "Code").child(value(prefixes.name(&Name::new(S12, name))));
        if let Some(subcode) = &self.subcode {
            code = code.child(Element::new(S12, "Subcode").child(value(prefixes.name(subcode))));
        }
        let mut text = Element::with_text(S12, "Text", self.reason.clone());
        text.set(XML, "lang", "en");
        let reason = Element::new(S12, "Reason").child(text);
        Some(Element::new(S12, "Fault").child(code).child(reason))
    }

    fn read(envelope: &Envelope) -> Result<Self, Error> {
        envelope.fault().ok_or(Error::Other("Fault"))
    }
}
