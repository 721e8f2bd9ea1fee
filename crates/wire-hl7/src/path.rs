//! OBX-4 as a containment path of IHE PCD-01: `mds.vmd.channel.metric[.attribute]`.

/// Up to five numbers; plain monitors send one, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Path {
    numbers: [u32; 5],
    length: u8,
}

impl Path {
    /// Reads dotted numbers; none if the field is empty or something else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut path = Self::default();
        for part in text.split('.') {
            let slot = path.numbers.get_mut(usize::from(path.length))?;
            *slot = part.parse().ok()?;
            path.length += 1;
        }
        Some(path)
    }

    /// Whether it is a place in a containment tree rather than a plain running number.
    pub(crate) const fn is_contained(self) -> bool {
        self.length >= 4
    }

    /// The number of the medical device system.
    pub(crate) const fn mds(self) -> u32 {
        self.numbers[0]
    }

    /// Whether this is an MDS row: `1.0.0.0`.
    pub(crate) const fn is_mds(self) -> bool {
        let [_, vmd, channel, metric, _] = self.numbers;
        self.length == 4 && vmd == 0 && channel == 0 && metric == 0
    }

    /// Whether this is the row of an MDS, VMD or channel, which has no value of its own.
    pub(crate) const fn is_container(self) -> bool {
        self.length == 4 && self.numbers[3] == 0
    }

    /// Whether this is an attribute of a metric: it has a fifth number.
    pub(crate) const fn is_attribute(self) -> bool {
        self.length == 5
    }

    /// The metric that an attribute belongs to.
    pub(crate) const fn parent(self) -> Self {
        let [mds, vmd, channel, metric, _] = self.numbers;
        Self { numbers: [mds, vmd, channel, metric, 0], length: 4 }
    }

    /// As a channel number of a measurement.
    pub(crate) fn channel(self) -> u32 {
        let [first, second, third, fourth, _] = self.numbers;
        match self.length {
            0 => 0,
            1 => vitals::measurement::channel(0, 0, first),
            2 => vitals::measurement::channel(0, first, second),
            3 => vitals::measurement::channel(first, second, third),
            _ => vitals::measurement::channel(second, third, fourth),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let path = |text| Path::parse(text).expect("a path");
        assert!(path("1.0.0.0").is_mds() && path("1.0.0.0").is_container());
        assert!(path("1.2.0.0").is_container() && !path("1.2.0.0").is_mds());
        assert!(!path("1.2.3.4").is_container());
        assert_eq!(path("1.1.1.1001.2").parent(), path("1.1.1.1001"));
        assert_eq!(path("1.2.3.4").channel(), vitals::measurement::channel(2, 3, 4));
        assert_eq!(path("7").channel(), 7);
        for text in ["", "a", "1.", "1..2", "1.2.3.4.5.6", "-1", "99999999999"] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }
}
