//! The medical device information base: all descriptors and all states at one version.

use std::collections::HashMap;

use markup::Element;

use crate::basic::LocalizedText;
use crate::descriptor::{self, Descriptor};
use crate::shape::{AttributeField, Fault, Problem, Shape};
use crate::{MOST_PARTS, MSG, PM, State};

/// Which version of which sequence (`MdibVersionGroup`). Versions of different sequences or
/// instances can't be compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MdibVersion {
    /// Counts the changes within the sequence.
    pub version: u64,
    /// A URI that changes when counting begins anew.
    pub sequence: String,
    /// Counts the device's starts, where it can.
    pub instance: Option<u64>,
}

impl Shape for MdibVersion {
    fn read(element: &Element) -> Result<Self, Fault> {
        let version: Option<u64> = AttributeField::fetch(element, "MdibVersion")?;
        Ok(Self {
            version: version.unwrap_or(0),
            sequence: AttributeField::fetch(element, "SequenceId")?,
            instance: AttributeField::fetch(element, "InstanceId")?,
        })
    }

    fn write(&self, element: &mut Element) {
        self.version.store(element, "MdibVersion");
        self.sequence.store(element, "SequenceId");
        self.instance.store(element, "InstanceId");
    }
}

/// A descriptor and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Handle of its parent; none for an MDS.
    pub parent: Option<String>,
    /// The descriptor.
    pub descriptor: Descriptor,
}

/// All that a device says of itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mdib {
    /// The version that it is of.
    pub version: MdibVersion,
    /// Version of the description, where it is counted.
    pub description_version: Option<u64>,
    /// Version of the states, where they are counted.
    pub state_version: Option<u64>,
    /// Descriptors, parents before children, siblings in order.
    pub descriptors: Vec<Entry>,
    /// States.
    pub states: Vec<State>,
}

impl Mdib {
    /// Reads a `GetMdibResponse` or a bare `Mdib`. Descriptors (with what is in them) and states
    /// that can't be read are left out and told.
    ///
    /// # Errors
    ///
    /// [`Fault`] when it is no MDIB, has no sequence, or a handle stands twice.
    pub fn read(element: &Element) -> Result<(Self, Vec<Fault>), Fault> {
        let mdib = match &*element.name {
            "GetMdibResponse" if &*element.ns == MSG => {
                element.find(MSG, "Mdib").ok_or_else(|| Fault::new("Mdib", Problem::Missing))?
            }
            "Mdib" if [MSG, PM].contains(&&*element.ns) => element,
            _ => return Err(Fault::new("Mdib", Problem::UnknownType)),
        };
        let mut read = Self { version: MdibVersion::read(mdib)?, ..Self::default() };
        let mut faults = Vec::new();
        if let Some(description) = mdib.find(PM, "MdDescription") {
            read.description_version = AttributeField::fetch(description, "DescriptionVersion")?;
            read.descriptors = read_tree(description, &mut faults)?;
        }
        if let Some(states) = mdib.find(PM, "MdState") {
            read.state_version = AttributeField::fetch(states, "StateVersion")?;
            for element in states.all(PM, "State") {
                limit(read.states.len())?;
                match State::read(element, "") {
                    Ok(state) => read.states.push(state),
                    Err(fault) => faults.push(fault),
                }
            }
        }
        Ok((read, faults))
    }

    /// The MDIB as `msg:Mdib`.
    #[must_use]
    pub fn write(&self) -> Element {
        let mut element = Element::new(MSG, "Mdib");
        self.version.write(&mut element);
        let all: Vec<&str> = Vec::new();
        element.children.push(self.write_description(&all));
        let mut states = Element::new(PM, "MdState");
        self.state_version.store(&mut states, "StateVersion");
        states.children = self.states.iter().map(|s| s.write(PM, "State", "")).collect();
        element.child(states)
    }

    /// The description as `pm:MdDescription`: of the MDSs with these handles, of all where none is
    /// named.
    #[must_use]
    pub fn write_description(&self, handles: &[impl AsRef<str>]) -> Element {
        let mut description = Element::new(PM, "MdDescription");
        self.description_version.store(&mut description, "DescriptionVersion");
        let mut children: HashMap<Option<&str>, Vec<&Descriptor>> = HashMap::new();
        for entry in &self.descriptors {
            children.entry(entry.parent.as_deref()).or_default().push(&entry.descriptor);
        }
        for mds in children.get(&None).into_iter().flatten() {
            if handles.is_empty() || handles.iter().any(|handle| handle.as_ref() == mds.handle) {
                description.children.push(write_tree(mds, &children));
            }
        }
        description
    }

    /// The descriptor of this handle.
    #[must_use]
    pub fn descriptor(&self, handle: &str) -> Option<&Descriptor> {
        self.entry(handle).map(|entry| &entry.descriptor)
    }

    /// The descriptor of this handle with its parent's handle.
    #[must_use]
    pub fn entry(&self, handle: &str) -> Option<&Entry> {
        self.descriptors.iter().find(|entry| entry.descriptor.handle == handle)
    }

    /// From the MDS down to the descriptor of this handle; empty if there is none.
    #[must_use]
    pub fn path(&self, handle: &str) -> Vec<&Descriptor> {
        let mut path = Vec::new();
        let mut next = Some(handle);
        while let Some(entry) = next.and_then(|handle| self.entry(handle)) {
            path.push(&entry.descriptor);
            next = entry.parent.as_deref();
            // No tree of the standard is deeper than MDS, VMD, channel, metric and the like.
            if path.len() > 8 {
                break;
            }
        }
        path.reverse();
        path
    }

    /// The state of this handle: a context state's own, else its descriptor's.
    #[must_use]
    pub fn state(&self, handle: &str) -> Option<&State> {
        self.states.iter().find(|state| state.handle() == handle)
    }

    /// Every text of the description that refers to the localisation service.
    pub fn references(&self) -> impl Iterator<Item = &LocalizedText> {
        self.descriptors
            .iter()
            .filter_map(|entry| entry.descriptor.code.as_ref())
            .flat_map(|code| &code.descriptions)
            .filter(|text| text.reference.is_some())
    }
}

impl Mdib {
    /// Puts texts of the localisation service beside the references to them.
    pub fn localise(&mut self, texts: &[LocalizedText]) {
        for code in self.descriptors.iter_mut().filter_map(|entry| entry.descriptor.code.as_mut()) {
            let referred = |text: &&LocalizedText| {
                text.reference.is_some() && code.descriptions.iter().any(|known| known.reference == text.reference)
            };
            let found: Vec<LocalizedText> = texts.iter().filter(referred).cloned().collect();
            code.descriptions.retain(|known| !found.iter().any(|text| text.reference == known.reference && text.lang == known.lang));
            code.descriptions.extend(found);
        }
    }
}

pub(crate) fn limit(number: usize) -> Result<(), Fault> {
    if number >= MOST_PARTS { Err(Fault::new("", Problem::Limit)) } else { Ok(()) }
}

fn read_tree(description: &Element, faults: &mut Vec<Fault>) -> Result<Vec<Entry>, Fault> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut open: Vec<(&Element, &str, Option<String>)> =
        description.all(PM, "Mds").map(|mds| (mds, "MdsDescriptor", None)).collect();
    open.reverse();
    while let Some((element, usual, parent)) = open.pop() {
        limit(entries.len())?;
        match Descriptor::read(element, usual) {
            Ok(descriptor) => {
                let handle = descriptor.handle.clone();
                if !seen.insert(handle.clone()) {
                    return Err(Fault::new("@Handle", Problem::BadValue).within(&element.name));
                }
                let inner = open.len();
                open.extend(descriptor::places(element).map(|(e, usual)| (e, usual, Some(handle.clone()))));
                open[inner..].reverse();
                entries.push(Entry { parent, descriptor });
            }
            Err(fault) => faults.push(fault),
        }
    }
    Ok(entries)
}

fn write_tree(descriptor: &Descriptor, children: &HashMap<Option<&str>, Vec<&Descriptor>>) -> Element {
    let mut element = descriptor.write(descriptor.place());
    if let Some(inner) = children.get(&Some(&*descriptor.handle)) {
        element.children.extend(inner.iter().map(|child| write_tree(child, children)));
        descriptor::sort(&mut element);
    }
    element
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basic::CodedValue;
    use crate::descriptor::MdsDescriptor;

    fn text(text: &str, lang: &str, reference: &str) -> LocalizedText {
        LocalizedText { reference: Some(reference.to_owned()), ..LocalizedText::new(text, lang) }
    }

    #[test]
    fn texts_come_beside_the_references_to_them() {
        let reference = LocalizedText { reference: Some("r1".to_owned()), ..LocalizedText::default() };
        let code = CodedValue { descriptions: vec![reference], ..CodedValue::mdc(1) };
        let entry = |handle: &str, code: &CodedValue| Entry {
            parent: None,
            descriptor: Descriptor::new(handle, MdsDescriptor::default()).coded(code.clone()),
        };
        let mut mdib = Mdib { descriptors: vec![entry("a", &code), entry("b", &CodedValue::mdc(2))], ..Mdib::default() };
        assert_eq!(mdib.references().count(), 1);
        for _ in 0..2 {
            mdib.localise(&[text("Monitor", "en", "r1"), text("Überwacher", "de", "r1"), text("Other", "en", "r2")]);
        }
        let label = |handle: &str, lang: &str| mdib.descriptor(handle).and_then(|d| d.code.as_ref()).map(|c| c.label(lang));
        assert_eq!((label("a", "de"), label("a", "fr"), label("b", "de")), (Some("Überwacher"), Some("Monitor"), Some("2")));
        assert_eq!(mdib.references().count(), 3, "once each, however often");
    }
}
