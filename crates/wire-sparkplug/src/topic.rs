//! Topics: `spBv1.0/<group>/<type>/<node>[/<device>]` (Sparkplug 3.0, chapter 4).

use crate::SparkplugError;

/// What kind of message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A node begins, and says all that it has.
    NodeBirth,
    /// A node is gone.
    NodeDeath,
    /// What changed at a node.
    NodeData,
    /// A command to a node.
    NodeCommand,
    /// A device behind a node begins.
    DeviceBirth,
    /// A device is gone.
    DeviceDeath,
    /// What changed at a device.
    DeviceData,
    /// A command to a device.
    DeviceCommand,
}

impl Kind {
    const ALL: [(Self, &'static str); 8] = [
        (Self::NodeBirth, "NBIRTH"),
        (Self::NodeDeath, "NDEATH"),
        (Self::NodeData, "NDATA"),
        (Self::NodeCommand, "NCMD"),
        (Self::DeviceBirth, "DBIRTH"),
        (Self::DeviceDeath, "DDEATH"),
        (Self::DeviceData, "DDATA"),
        (Self::DeviceCommand, "DCMD"),
    ];

    /// As topics write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    fn of_device(self) -> bool {
        matches!(self, Self::DeviceBirth | Self::DeviceDeath | Self::DeviceData | Self::DeviceCommand)
    }
}

/// A topic, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic<'t> {
    /// Group.
    pub group: &'t str,
    /// Kind of message.
    pub kind: Kind,
    /// Edge node.
    pub node: &'t str,
    /// Device behind it; none: the node itself.
    pub device: Option<&'t str>,
}

impl<'t> Topic<'t> {
    /// Reads a topic.
    ///
    /// # Errors
    /// [`SparkplugError::Topic`].
    pub fn parse(text: &'t str) -> Result<Self, SparkplugError> {
        let mut levels = text.split('/');
        let mut next = || levels.next().filter(|level| !level.is_empty()).ok_or(SparkplugError::Topic);
        if next()? != "spBv1.0" {
            return Err(SparkplugError::Topic);
        }
        let (group, word, node) = (next()?, next()?, next()?);
        let found = Kind::ALL.into_iter().find(|(_, name)| *name == word);
        let (kind, _) = found.ok_or(SparkplugError::Topic)?;
        let device = if kind.of_device() { Some(next()?) } else { None };
        match levels.next() {
            None => Ok(Self { group, kind, node, device }),
            Some(_) => Err(SparkplugError::Topic),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_told_apart() {
        for (text, expected) in [
            ("spBv1.0/icu/NBIRTH/gw-1", Some((Kind::NodeBirth, None))),
            ("spBv1.0/icu/DDATA/gw-1/bed-4", Some((Kind::DeviceData, Some("bed-4")))),
            ("spBv1.0/icu/NCMD/gw-1", Some((Kind::NodeCommand, None))),
            ("spBv1.0/icu/DDATA/gw-1", None),
            ("spBv1.0/icu/NDATA/gw-1/bed-4", None),
            ("spBv1.0/STATE/host", None),
            ("spAv1.0/icu/NDATA/gw-1", None),
            ("spBv1.0//NDATA/gw-1", None),
            ("", None),
        ] {
            assert_eq!(Topic::parse(text).ok().map(|t| (t.kind, t.device)), expected, "{text}");
        }
    }
}
