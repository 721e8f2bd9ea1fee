//! What devices are made of and how they behave: inventory, firmware, habits.

/// The tables of this part.
pub(crate) const TABLES: &str = "";
