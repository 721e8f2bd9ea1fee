//! WS-Eventing as DPWS 1.1 profiles it: pushes, filtered by action, until a time that both agreed on.

use markup::Element;

use crate::names::{WSE, XML};
use crate::{Endpoint, Envelope, Error, Payload, Prefixes, duration};

/// The only way of delivery in DPWS.
pub const PUSH: &str = "http://schemas.xmlsoap.org/ws/2004/08/eventing/DeliveryModes/Push";
/// Filter by action (DPWS 1.1, 6.1).
pub const BY_ACTION: &str = "http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01/Action";
/// Most actions in one filter.
const ACTIONS_MAX: usize = 128;

/// Asks for reports.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Subscribe {
    /// Where reports go.
    pub notify_to: Endpoint,
    /// Where a notice goes when it ends unasked.
    pub end_to: Option<Endpoint>,
    /// Actions of the reports asked for; empty: all.
    pub actions: Vec<String>,
    /// For how long, in milliseconds; none: as long as the device likes.
    pub expires_ms: Option<u64>,
}

/// Why a subscription ended unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EndStatus {
    /// Reports could not be delivered.
    DeliveryFailure,
    /// The device is going away.
    #[default]
    ShuttingDown,
    /// Another reason.
    Canceling,
}

const STATUS: &[(EndStatus, &str)] = &[
    (EndStatus::DeliveryFailure, "http://schemas.xmlsoap.org/ws/2004/08/eventing/DeliveryFailure"),
    (EndStatus::ShuttingDown, "http://schemas.xmlsoap.org/ws/2004/08/eventing/SourceShuttingDown"),
    (EndStatus::Canceling, "http://schemas.xmlsoap.org/ws/2004/08/eventing/SourceCanceling"),
];

/// A message about subscriptions.
#[derive(Debug, Clone, PartialEq)]
pub enum Eventing {
    /// Asks for reports.
    Subscribe(Box<Subscribe>),
    /// Granted: who manages it, and for how long in milliseconds.
    SubscribeResponse(Endpoint, u64),
    /// Asks for longer, in milliseconds; none: as long as the device likes.
    Renew(Option<u64>),
    /// Granted, for so long in milliseconds.
    RenewResponse(u64),
    /// Asks how long it still lasts.
    GetStatus,
    /// So long, in milliseconds.
    GetStatusResponse(u64),
    /// Ends it.
    Unsubscribe,
    /// Ended.
    UnsubscribeResponse,
    /// Ended unasked: which, why, and in words.
    SubscriptionEnd(Endpoint, EndStatus, String),
}

const NAMES: [(&str, &str); 9] = [
    ("Subscribe", "http://schemas.xmlsoap.org/ws/2004/08/eventing/Subscribe"),
    ("SubscribeResponse", "http://schemas.xmlsoap.org/ws/2004/08/eventing/SubscribeResponse"),
    ("Renew", "http://schemas.xmlsoap.org/ws/2004/08/eventing/Renew"),
    ("RenewResponse", "http://schemas.xmlsoap.org/ws/2004/08/eventing/RenewResponse"),
    ("GetStatus", "http://schemas.xmlsoap.org/ws/2004/08/eventing/GetStatus"),
    ("GetStatusResponse", "http://schemas.xmlsoap.org/ws/2004/08/eventing/GetStatusResponse"),
    ("Unsubscribe", "http://schemas.xmlsoap.org/ws/2004/08/eventing/Unsubscribe"),
    ("UnsubscribeResponse", "http://schemas.xmlsoap.org/ws/2004/08/eventing/UnsubscribeResponse"),
    ("SubscriptionEnd", "http://schemas.xmlsoap.org/ws/2004/08/eventing/SubscriptionEnd"),
];

impl Eventing {
    fn index(&self) -> usize {
        match self {
            Self::Subscribe(_) => 0,
            Self::SubscribeResponse(..) => 1,
            Self::Renew(_) => 2,
            Self::RenewResponse(_) => 3,
            Self::GetStatus => 4,
            Self::GetStatusResponse(_) => 5,
            Self::Unsubscribe => 6,
            Self::UnsubscribeResponse => 7,
            Self::SubscriptionEnd(..) => 8,
        }
    }

    /// Whether an action is one of these messages'.
    #[must_use]
    pub fn is_action(action: &str) -> bool {
        NAMES.iter().any(|(_, known)| *known == action)
    }
}

impl Payload for Eventing {
    fn action(&self) -> &'static str {
        NAMES[self.index()].1
    }

    fn element(&self, _: &mut Prefixes) -> Option<Element> {
        let mut element = Element::new(WSE, NAMES[self.index()].0);
        let expires = |ms: u64| Element::with_text(WSE, "Expires", duration::write(ms));
        match self {
            Self::Subscribe(subscribe) => element = subscribe.element(element),
            Self::SubscribeResponse(manager, ms) => {
                element = element.child(manager.element(WSE, "SubscriptionManager")).child(expires(*ms));
            }
            Self::Renew(ms) => element.children.extend(ms.map(expires)),
            Self::RenewResponse(ms) | Self::GetStatusResponse(ms) => element = element.child(expires(*ms)),
            Self::GetStatus | Self::Unsubscribe => {}
            Self::UnsubscribeResponse => return None,
            Self::SubscriptionEnd(manager, status, reason) => {
                let uri = STATUS.iter().find(|(known, _)| known == status).map_or("", |(_, uri)| uri);
                let mut text = Element::with_text(WSE, "Reason", reason.clone());
                text.set(XML, "lang", "en");
                element = element
                    .child(manager.element(WSE, "SubscriptionManager"))
                    .child(Element::with_text(WSE, "Status", uri))
                    .child(text);
            }
        }
        Some(element)
    }

    fn read(envelope: &Envelope) -> Result<Self, Error> {
        let known = NAMES.iter().find(|(_, action)| *action == envelope.header.action);
        let (name, _) = known.ok_or(Error::Other("a message of WS-Eventing"))?;
        if *name == "UnsubscribeResponse" {
            return Ok(Self::UnsubscribeResponse);
        }
        let body = envelope.expect(WSE, name)?;
        let granted = || expires_of(body)?.ok_or(Error::Missing("wse:Expires"));
        let manager = || {
            let element = body.find(WSE, "SubscriptionManager");
            Endpoint::of(element.ok_or(Error::Missing("wse:SubscriptionManager"))?)
        };
        Ok(match *name {
            "Subscribe" => Self::Subscribe(Box::new(Subscribe::of(body)?)),
            "SubscribeResponse" => Self::SubscribeResponse(manager()?, granted()?),
            "Renew" => Self::Renew(expires_of(body)?),
            "RenewResponse" => Self::RenewResponse(granted()?),
            "GetStatus" => Self::GetStatus,
            "GetStatusResponse" => Self::GetStatusResponse(granted()?),
            "Unsubscribe" => Self::Unsubscribe,
            _ => {
                let status = body.text_of(WSE, "Status");
                let status = STATUS.iter().find(|(_, uri)| Some(*uri) == status);
                let reason = body.text_of(WSE, "Reason").unwrap_or_default();
                let status = status.map_or(EndStatus::Canceling, |(status, _)| *status);
                Self::SubscriptionEnd(manager()?, status, reason.to_owned())
            }
        })
    }
}

impl Subscribe {
    fn of(body: &Element) -> Result<Self, Error> {
        let delivery = body.find(WSE, "Delivery").ok_or(Error::Missing("wse:Delivery"))?;
        if delivery.attribute("Mode").is_some_and(|mode| mode.trim() != PUSH) {
            return Err(Error::Shape("a way of delivery that is not offered"));
        }
        let notify_to = delivery.find(WSE, "NotifyTo").ok_or(Error::Missing("wse:NotifyTo"))?;
        let filter = body.find(WSE, "Filter");
        if filter.is_some_and(|filter| filter.attribute("Dialect").map(str::trim) != Some(BY_ACTION)) {
            return Err(Error::Shape("a filter that is not by action"));
        }
        let actions: Vec<String> = filter
            .map_or("", |filter| filter.text.as_str())
            .split_ascii_whitespace()
            .take(ACTIONS_MAX + 1)
            .map(str::to_owned)
            .collect();
        if actions.len() > ACTIONS_MAX {
            return Err(Error::Limit("actions in a filter"));
        }
        if filter.is_some() && actions.is_empty() {
            return Err(Error::Shape("a filter without actions"));
        }
        Ok(Self {
            notify_to: Endpoint::of(notify_to)?,
            end_to: body.find(WSE, "EndTo").map(Endpoint::of).transpose()?,
            actions,
            expires_ms: expires_of(body)?,
        })
    }

    fn element(&self, mut element: Element) -> Element {
        element.children.extend(self.end_to.as_ref().map(|end| end.element(WSE, "EndTo")));
        let notify = self.notify_to.element(WSE, "NotifyTo");
        element = element.child(Element::new(WSE, "Delivery").attr("Mode", PUSH).child(notify));
        if let Some(ms) = self.expires_ms {
            element = element.child(Element::with_text(WSE, "Expires", duration::write(ms)));
        }
        if !self.actions.is_empty() {
            let filter = Element::with_text(WSE, "Filter", self.actions.join(" "));
            element = element.child(filter.attr("Dialect", BY_ACTION));
        }
        element
    }
}

/// Times of day, which WS-Eventing allows and DPWS lets a device refuse, are refused: our clock is not theirs.
fn expires_of(body: &Element) -> Result<Option<u64>, Error> {
    let text = body.text_of(WSE, "Expires");
    text.map(|text| duration::read(text).ok_or(Error::Shape("wse:Expires"))).transpose()
}
