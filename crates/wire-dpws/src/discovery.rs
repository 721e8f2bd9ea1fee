//! WS-Discovery 1.1: who is there. Over UDP multicast, or with a discovery proxy over HTTP: the messages are
//! the same, addressed to [`crate::names::EVERYBODY`] or to the proxy.

use std::collections::{HashSet, VecDeque};

use markup::Element;

use crate::names::{WSA, WSD};
use crate::scope::Rule;
use crate::{Endpoint, Envelope, Error, Name, Payload, Prefixes};

/// Address and port of the multicast group, IPv4.
pub const MULTICAST_V4: ([u8; 4], u16) = ([239, 255, 255, 250], 3702);
/// Most types, scopes or addresses of one service, and services in one answer.
const MANY: usize = 256;

const HELLO: &str = "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/Hello";
const BYE: &str = "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/Bye";
const PROBE: &str = "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/Probe";
const PROBE_MATCHES: &str = "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/ProbeMatches";
const RESOLVE: &str = "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/Resolve";
const RESOLVE_MATCHES: &str = "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/ResolveMatches";

/// A device, or a discovery proxy, as discovery knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Service {
    /// Its name for ever, a URI: `urn:uuid:…`.
    pub endpoint: String,
    /// What it is.
    pub types: Vec<Name>,
    /// Where it is and what for.
    pub scopes: Vec<String>,
    /// Where it answers; empty when that has to be resolved first.
    pub addresses: Vec<String>,
    /// Grows when what is said about it changes.
    pub metadata_version: u32,
}

/// What is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probe {
    /// All of these types.
    pub types: Vec<Name>,
    /// All of these scopes.
    pub scopes: Vec<String>,
    /// How scopes are compared; none: a rule that is not known here.
    pub rule: Option<Rule>,
}

impl Probe {
    /// Medical devices, anywhere.
    #[must_use]
    pub fn medical_devices() -> Self {
        Self {
            types: vec![Name::device(), Name::medical_device()],
            scopes: Vec::new(),
            rule: Some(Rule::default()),
        }
    }

    /// Whether a service is what is looked for.
    #[must_use]
    pub fn matches(&self, service: &Service) -> bool {
        let Some(rule) = self.rule else { return false };
        let scopes = || match rule {
            Rule::None => service.scopes.is_empty(),
            rule => self.scopes.iter().all(|asked| service.scopes.iter().any(|has| rule.matches(asked, has))),
        };
        self.types.iter().all(|asked| service.types.contains(asked)) && scopes()
    }
}

/// A message of discovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discovery {
    /// A service came, or changed.
    Hello(Service),
    /// A service leaves.
    Bye(String),
    /// Who is like this?
    Probe(Probe),
    /// These are.
    ProbeMatches(Vec<Service>),
    /// Where is the service of this name?
    Resolve(String),
    /// Here; none: a proxy that does not know.
    ResolveMatches(Option<Service>),
}

impl Payload for Discovery {
    fn action(&self) -> &'static str {
        match self {
            Self::Hello(_) => HELLO,
            Self::Bye(_) => BYE,
            Self::Probe(_) => PROBE,
            Self::ProbeMatches(_) => PROBE_MATCHES,
            Self::Resolve(_) => RESOLVE,
            Self::ResolveMatches(_) => RESOLVE_MATCHES,
        }
    }

    fn element(&self, prefixes: &mut Prefixes) -> Option<Element> {
        Some(match self {
            Self::Hello(service) => service.element("Hello", prefixes),
            Self::Bye(endpoint) => named("Bye", endpoint),
            Self::Probe(probe) => probe_element(probe, prefixes),
            Self::ProbeMatches(services) => {
                let mut element = Element::new(WSD, "ProbeMatches");
                element.children.extend(services.iter().map(|s| s.element("ProbeMatch", prefixes)));
                element
            }
            Self::Resolve(endpoint) => named("Resolve", endpoint),
            Self::ResolveMatches(service) => {
                let mut element = Element::new(WSD, "ResolveMatches");
                element.children.extend(service.iter().map(|s| s.element("ResolveMatch", prefixes)));
                element
            }
        })
    }

    fn read(envelope: &Envelope) -> Result<Self, Error> {
        let body = envelope.body.as_ref().ok_or(Error::Other("a discovery message"))?;
        let all = |name| body.all(WSD, name).map(Service::of).collect::<Result<Vec<_>, _>>();
        let message = match (&*body.ns, &*body.name) {
            (WSD, "Hello") => Self::Hello(Service::of(body)?),
            (WSD, "Bye") => Self::Bye(endpoint_of(body)?),
            (WSD, "Probe") => Self::Probe(probe_of(body)?),
            (WSD, "ProbeMatches") if body.children.len() > MANY => return Err(Error::Limit("matches")),
            (WSD, "ProbeMatches") => Self::ProbeMatches(all("ProbeMatch")?),
            (WSD, "Resolve") => Self::Resolve(endpoint_of(body)?),
            (WSD, "ResolveMatches") => {
                Self::ResolveMatches(body.find(WSD, "ResolveMatch").map(Service::of).transpose()?)
            }
            _ => return Err(Error::Other("a discovery message")),
        };
        if envelope.header.action != message.action() {
            return Err(Error::Shape("action and body differ"));
        }
        Ok(message)
    }
}

impl Service {
    fn of(element: &Element) -> Result<Self, Error> {
        let version = element.text_of(WSD, "MetadataVersion").map(str::parse);
        let version = version.transpose().map_err(|_| Error::Shape("wsd:MetadataVersion"))?;
        Ok(Self {
            endpoint: endpoint_of(element)?,
            types: types_of(element.find(WSD, "Types"))?,
            scopes: words(element.text_of(WSD, "Scopes"))?,
            addresses: words(element.text_of(WSD, "XAddrs"))?,
            metadata_version: version.unwrap_or(0),
        })
    }

    fn element(&self, name: &str, prefixes: &mut Prefixes) -> Element {
        let mut element = named(name, &self.endpoint);
        for (name, text) in [
            ("Types", prefixes.names(&self.types)),
            ("Scopes", self.scopes.join(" ")),
            ("XAddrs", self.addresses.join(" ")),
        ] {
            if !text.is_empty() {
                element.children.push(Element::with_text(WSD, name, text));
            }
        }
        element.child(Element::with_text(WSD, "MetadataVersion", self.metadata_version.to_string()))
    }
}

fn named(name: &str, endpoint: &str) -> Element {
    Element::new(WSD, name).child(Endpoint::new(endpoint).element(WSA, "EndpointReference"))
}

fn endpoint_of(element: &Element) -> Result<String, Error> {
    let reference = element.find(WSA, "EndpointReference");
    Ok(Endpoint::of(reference.ok_or(Error::Missing("wsa:EndpointReference"))?)?.address)
}

fn words(text: Option<&str>) -> Result<Vec<String>, Error> {
    let words: Vec<String> = text.unwrap_or("").split_ascii_whitespace().take(MANY + 1).map(str::to_owned).collect();
    if words.len() > MANY { Err(Error::Limit("words in a list")) } else { Ok(words) }
}

/// The qualified names in an element's text. Names whose prefix is not declared are an error.
pub(crate) fn types_of(element: Option<&Element>) -> Result<Vec<Name>, Error> {
    let Some(element) = element else { return Ok(Vec::new()) };
    let all: Result<Vec<Name>, Error> = words(Some(&element.text))?
        .iter()
        .map(|word| element.resolve(word).map(|(ns, local)| Name { ns, local: local.into() }))
        .map(|name| name.filter(|n| !n.local.is_empty()).ok_or(Error::Shape("a qualified name")))
        .collect();
    all
}

fn probe_of(body: &Element) -> Result<Probe, Error> {
    let scopes = body.find(WSD, "Scopes");
    let rule = match scopes.and_then(|scopes| scopes.attribute("MatchBy")) {
        Some(uri) => Rule::of_uri(uri),
        None => Some(Rule::default()),
    };
    Ok(Probe { types: types_of(body.find(WSD, "Types"))?, scopes: words(scopes.map(|s| s.text.trim()))?, rule })
}

fn probe_element(probe: &Probe, prefixes: &mut Prefixes) -> Element {
    let mut element = Element::new(WSD, "Probe");
    if !probe.types.is_empty() {
        element.children.push(Element::with_text(WSD, "Types", prefixes.names(&probe.types)));
    }
    let rule = probe.rule.unwrap_or_default();
    if !probe.scopes.is_empty() || rule != Rule::default() {
        let mut scopes = Element::with_text(WSD, "Scopes", probe.scopes.join(" "));
        if rule != Rule::default() {
            scopes = scopes.attr("MatchBy", rule.uri());
        }
        element.children.push(scopes);
    }
    element
}

/// Remembers the ids of messages that were seen, for UDP messages are sent more than once.
#[derive(Debug, Default)]
pub struct Seen {
    known: HashSet<String>,
    order: VecDeque<String>,
}

impl Seen {
    /// Most ids that are remembered.
    pub const MAX: usize = 512;

    /// Notes an id; whether it is new.
    pub fn first(&mut self, message_id: &str) -> bool {
        if !self.known.insert(message_id.to_owned()) {
            return false;
        }
        self.order.push_back(message_id.to_owned());
        if self.order.len() > Self::MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_new_once() {
        let mut seen = Seen::default();
        assert!(seen.first("a") && !seen.first("a"));
        for number in 0..Seen::MAX {
            assert!(seen.first(&number.to_string()));
        }
        assert!(seen.first("a"), "long ago");
        assert_eq!(seen.known.len(), Seen::MAX);
    }
}
