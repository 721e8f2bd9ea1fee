//! Prefixes for names that stand in content, where no serialiser sees them.

use crate::Name;
use crate::names::{CONTENT, KNOWN};

/// The prefixes that a message declares at its root.
#[derive(Debug, Clone, Default)]
pub struct Prefixes(Vec<(String, String)>);

impl Prefixes {
    /// A name as content, with its prefix declared; names without namespace stand alone.
    pub fn name(&mut self, name: &Name) -> String {
        if name.ns.is_empty() {
            return name.local.to_string();
        }
        format!("{}:{}", self.prefix(&name.ns), name.local)
    }

    /// Names as content, blanks between.
    pub fn names(&mut self, names: &[Name]) -> String {
        names.iter().map(|name| self.name(name)).collect::<Vec<_>>().join(" ")
    }

    /// Declares a namespace and gives its prefix.
    pub fn prefix(&mut self, ns: &str) -> String {
        let known = KNOWN.iter().chain(CONTENT).find(|(_, known)| *known == ns);
        if let Some((prefix, _)) = self.0.iter().find(|(_, known)| known == ns) {
            return prefix.clone();
        }
        let prefix = known.map_or_else(|| format!("q{}", self.0.len()), |(prefix, _)| (*prefix).to_owned());
        self.0.push((prefix.clone(), ns.to_owned()));
        prefix
    }

    /// Prefix and namespace of each, those of every envelope included.
    pub(crate) fn all(&self) -> Vec<(&str, &str)> {
        let own = self.0.iter().map(|(prefix, ns)| (prefix.as_str(), ns.as_str()));
        let common = KNOWN.iter().copied().filter(|(_, ns)| !self.0.iter().any(|(_, own)| own == ns));
        common.chain(own).collect()
    }
}
