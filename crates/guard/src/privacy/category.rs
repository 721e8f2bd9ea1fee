//! Kinds of data about a patient that a consent tells apart.

use serde::{Deserialize, Serialize};

/// One kind of data about a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// Name, record number, birth date, sex, encounters and place.
    Demographics,
    /// Numeric values, texts and scores.
    VitalSigns,
    /// Samples, beats and rhythm.
    Waveforms,
    /// Alerts and their history.
    Alerts,
    /// Which devices are and were on the patient.
    DeviceData,
    /// Documents as they came in, and exports of the whole record.
    Documents,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 6] = [
        Self::Demographics,
        Self::VitalSigns,
        Self::Waveforms,
        Self::Alerts,
        Self::DeviceData,
        Self::Documents,
    ];

    /// Lower kebab-case name, as in forms and in FHIR codes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Demographics => "demographics",
            Self::VitalSigns => "vital-signs",
            Self::Waveforms => "waveforms",
            Self::Alerts => "alerts",
            Self::DeviceData => "device-data",
            Self::Documents => "documents",
        }
    }

    /// The category of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.name() == name)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Some of the categories.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Categories(u8);

impl Categories {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// All of them.
    pub const ALL: Self = Self(0b11_1111);

    /// Whether a category is among them.
    #[must_use]
    pub const fn has(self, category: Category) -> bool {
        self.0 & category.bit() != 0
    }

    /// These and one more.
    #[must_use]
    pub const fn with(self, category: Category) -> Self {
        Self(self.0 | category.bit())
    }

    /// Those in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those in either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// All the others.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(!self.0 & Self::ALL.0)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 & Self::ALL.0 == 0
    }

    /// As a number for the database.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0 & Self::ALL.0
    }

    /// From the number; bits that mean nothing are left out.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// Each of them, in the order of [`Category::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Category> {
        Category::ALL.into_iter().filter(move |category| self.has(*category))
    }
}

impl FromIterator<Category> for Categories {
    fn from_iter<T: IntoIterator<Item = Category>>(list: T) -> Self {
        list.into_iter().fold(Self::NONE, Self::with)
    }
}

impl std::fmt::Debug for Categories {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(Category::name)).finish()
    }
}
