//! Safety information of MDPWS (IEEE 11073-20702, clause 9): what a device wants to be shown with a call of an
//! operation. A `SafetyReq` in the operation's description selects parts of the call (dual channel: each is
//! sent a second time, as a digest) and parts of the MDIB (safety context: what the caller saw); the call
//! carries a `SafetyInfo` among its headers with the values.
//!
//! What is absent: selectors beyond paths of child and descendant steps with simple predicates, whole
//! elements as values, digests other than SHA-1 in Base64. A requirement that needs them is refused, so that
//! no call is made with half of it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use markup::Element;
use sha1::{Digest, Sha1};

use crate::names::MDPWS;
use crate::path::Path;

/// Most selectors of one requirement.
const SELECTORS_MAX: usize = 64;

/// Why a requirement can't be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SafetyError {
    /// Not of the standard's form, or more than a limit allows.
    #[error("the device's safety requirement is not understood")]
    Form,
    /// A digest or a transformation that is not known here.
    #[error("the device wants a digest that is not known here")]
    Algorithm,
    /// A path that is not known here.
    #[error("the device selects in a way that is not known here")]
    Path,
    /// What is selected is not there, or more than once.
    #[error("what the device wants to be shown is not there exactly once")]
    Selected,
}

/// What a device wants to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct SafetyReq {
    dual_channel: Vec<Selector>,
    context: Vec<Selector>,
}

/// A part that is selected.
#[derive(Debug, Clone, PartialEq)]
struct Selector {
    id: String,
    path: Path,
}

impl SafetyReq {
    /// The requirement among extensions, if there is one.
    ///
    /// # Errors
    /// [`SafetyError`] when it can't be met whole.
    pub fn among(extensions: &[Element]) -> Result<Option<Self>, SafetyError> {
        extensions.iter().find(|element| element.is(MDPWS, "SafetyReq")).map(Self::read).transpose()
    }

    fn read(element: &Element) -> Result<Self, SafetyError> {
        let dual = element.find(MDPWS, "DualChannelDef");
        if let Some(dual) = dual {
            // Base64 of SHA-1 over the canonical form is what holds where nothing is said (MDPWS, 9.2).
            let known = |name: &str, words: &[&str]| {
                let said = dual.attribute(name).and_then(|said| said.rsplit(':').next()).map(str::to_ascii_lowercase);
                said.is_none_or(|said| words.contains(&said.as_str()))
            };
            if !known("Algorithm", &["base64sha1", "base64-sha1", "b64sha1"]) || !known("Transform", &["xml-exc-c14n"]) {
                return Err(SafetyError::Algorithm);
            }
        }
        let context = element.find(MDPWS, "SafetyContextDef");
        Ok(Self { dual_channel: selectors(dual)?, context: selectors(context)? })
    }

    /// The information that a call carries: `message` is its body, `mdib` what the caller saw.
    ///
    /// # Errors
    /// [`SafetyError::Selected`].
    pub fn meet(&self, message: &Element, mdib: &Element) -> Result<SafetyInfo, SafetyError> {
        let values = |selectors: &[Selector], document: &Element| -> Result<Vec<(String, String)>, SafetyError> {
            let value = |selector: &Selector| {
                let value = selector.path.value(document).ok_or(SafetyError::Selected)?;
                Ok((selector.id.clone(), value))
            };
            selectors.iter().map(value).collect()
        };
        let mut dual_channel = values(&self.dual_channel, message)?;
        for (_, value) in &mut dual_channel {
            *value = digest(value);
        }
        Ok(SafetyInfo { dual_channel, context: values(&self.context, mdib)? })
    }
}

fn selectors(definition: Option<&Element>) -> Result<Vec<Selector>, SafetyError> {
    let Some(definition) = definition else { return Ok(Vec::new()) };
    if definition.children.len() > SELECTORS_MAX {
        return Err(SafetyError::Form);
    }
    let selector = |element: &Element| {
        let id = element.attribute("Id").ok_or(SafetyError::Form)?.to_owned();
        let path = Path::read(&element.text, &element.scope).ok_or(SafetyError::Path)?;
        Ok(Selector { id, path })
    };
    definition.all(MDPWS, "Selector").map(selector).collect()
}

/// Base64 of the SHA-1 of a text in its canonical form (Exclusive XML Canonicalization 1.0, text nodes).
fn digest(text: &str) -> String {
    let mut canonical = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => canonical.push_str("&amp;"),
            '<' => canonical.push_str("&lt;"),
            '>' => canonical.push_str("&gt;"),
            '\r' => canonical.push_str("&#xD;"),
            c => canonical.push(c),
        }
    }
    BASE64_STANDARD.encode(Sha1::digest(canonical))
}

/// What a call shows: by selector, digests of its own parts, and values that the caller saw.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SafetyInfo {
    /// Digests of parts of the call.
    pub dual_channel: Vec<(String, String)>,
    /// Values of the MDIB.
    pub context: Vec<(String, String)>,
}

impl SafetyInfo {
    /// The header.
    #[must_use]
    pub fn write(&self) -> Element {
        let mut info = Element::new(MDPWS, "SafetyInfo");
        for (outer, inner, values) in
            [("DualChannel", "DcValue", &self.dual_channel), ("SafetyContext", "CtxtValue", &self.context)]
        {
            if !values.is_empty() {
                let mut part = Element::new(MDPWS, outer);
                let value = |(id, value): &(String, String)| {
                    Element::with_text(MDPWS, inner, value.clone()).attr("ReferencedSelector", id.clone())
                };
                part.children.extend(values.iter().map(value));
                info.children.push(part);
            }
        }
        info
    }

    /// Reads the header.
    #[must_use]
    pub fn read(info: &Element) -> Self {
        let values = |outer: &str, inner: &str| {
            let of = info.find(MDPWS, outer).into_iter().flat_map(|part| part.children.iter());
            of.filter(|child| child.is(MDPWS, inner))
                .filter_map(|child| Some((child.attribute("ReferencedSelector")?.to_owned(), child.text.trim().to_owned())))
                .collect()
        };
        Self { dual_channel: values("DualChannel", "DcValue"), context: values("SafetyContext", "CtxtValue") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{MSG, PM};

    fn read(text: &str) -> Element {
        let text = format!(r#"<r xmlns:mdpws="{MDPWS}" xmlns:msg="{MSG}" xmlns:pm="{PM}">{text}</r>"#);
        markup::read(text.as_bytes(), &crate::LIMITS).expect("XML").children.remove(0)
    }

    fn requirement(dual: &str, context: &str) -> Result<Option<SafetyReq>, SafetyError> {
        SafetyReq::among(&[read(&format!(
            "<mdpws:SafetyReq><mdpws:DualChannelDef {dual}</mdpws:DualChannelDef>\
             <mdpws:SafetyContextDef><mdpws:Selector Id='c'>{context}</mdpws:Selector></mdpws:SafetyContextDef></mdpws:SafetyReq>"
        ))])
    }

    const STATE: &str = "/msg:Mdib/pm:MdState/pm:State[@DescriptorHandle='m']/pm:MetricValue/@Value";
    const VALUE: &str = "><mdpws:Selector Id='d'>/msg:SetValue/msg:RequestedNumericValue/text()</mdpws:Selector>";

    #[test]
    fn a_requirement_is_met() {
        let message = read("<msg:SetValue><msg:OperationHandleRef>o</msg:OperationHandleRef>\
            <msg:RequestedNumericValue>5.5</msg:RequestedNumericValue></msg:SetValue>");
        let mdib = read("<msg:Mdib><pm:MdState><pm:State DescriptorHandle='n'/><pm:State DescriptorHandle='m'>\
            <pm:MetricValue Value='4'/></pm:State></pm:MdState></msg:Mdib>");
        let required = requirement(VALUE, STATE).expect("understood").expect("there");
        let info = required.meet(&message, &mdib).expect("met");
        // printf %s 5.5 | openssl sha1 -binary | base64
        assert_eq!(info.dual_channel, [("d".to_owned(), "X2b/oNeD34TGe6N1M/kbnzeCoGM=".to_owned())]);
        assert_eq!(info.context, [("c".to_owned(), "4".to_owned())]);
        assert_eq!(SafetyInfo::read(&info.write()), info);
        let gone = read("<msg:Mdib><pm:MdState/></msg:Mdib>");
        assert_eq!(required.meet(&message, &gone), Err(SafetyError::Selected));
    }

    #[test]
    fn what_is_not_known_is_refused_whole() {
        assert_eq!(SafetyReq::among(&[read("<pm:Other/>")]), Ok(None));
        for (dual, context, expected) in [
            ("Algorithm='mdpws:sha512'>", STATE, SafetyError::Algorithm),
            ("Transform='mdpws:none'>", STATE, SafetyError::Algorithm),
            (VALUE, "count(/msg:Mdib)", SafetyError::Path),
            (VALUE, "/msg:Mdib/other:State/@Value", SafetyError::Path),
            ("><mdpws:Selector>/a/text()</mdpws:Selector>", STATE, SafetyError::Form),
        ] {
            assert_eq!(requirement(dual, context), Err(expected), "{dual} {context}");
        }
        assert!(requirement("Algorithm='mdpws:Base64SHA1' Transform='mdpws:xml-exc-c14n'>", STATE).is_ok());
    }
}
