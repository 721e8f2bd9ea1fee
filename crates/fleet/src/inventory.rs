//! What is known of one device, and lists of devices from elsewhere.

use serde::{Deserialize, Serialize};
use vitals::{Device, DeviceId};

use crate::sbom::Sbom;
use crate::table;
use crate::udi::{self, Udi};

/// One device of the house. Every text may be empty: nobody has said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Its id here, the one in topics.
    pub device: String,
    /// Who made it.
    pub manufacturer: String,
    /// Model.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// UDI as on the label.
    pub udi: String,
    /// Firmware version.
    pub firmware: String,
    /// Number in the house's own books.
    pub asset: String,
    /// Name or hash of its SBOM.
    pub sbom: String,
}

impl Item {
    /// What a device (or its record) says of itself.
    #[must_use]
    pub fn of(device: &Device) -> Self {
        let udi = device.identifiers.iter().find(|identifier| {
            identifier.kind.eq_ignore_ascii_case("UDI") || udi::read(&identifier.value).is_ok()
        });
        Self {
            device: device.id.to_string(),
            manufacturer: device.manufacturer.clone(),
            model: device.model.clone(),
            serial: device.serial.clone(),
            udi: udi.map_or_else(String::new, |identifier| identifier.value.clone()),
            firmware: device.version.clone(),
            ..Self::default()
        }
    }

    /// Takes over what `other` knows and this does not.
    pub fn complete(&mut self, other: &Self) {
        let pairs = [
            (&mut self.manufacturer, &other.manufacturer),
            (&mut self.model, &other.model),
            (&mut self.serial, &other.serial),
            (&mut self.udi, &other.udi),
            (&mut self.firmware, &other.firmware),
            (&mut self.asset, &other.asset),
            (&mut self.sbom, &other.sbom),
        ];
        for (mine, theirs) in pairs {
            if mine.is_empty() {
                mine.clone_from(theirs);
            }
        }
    }

    /// The UDI taken apart, if it is one.
    #[must_use]
    pub fn udi_parts(&self) -> Option<Udi> {
        udi::read(&self.udi).ok()
    }
}

/// A device with its parts, for matching against advisories.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The device.
    pub item: &'a Item,
    /// What is inside, if that is known.
    pub sbom: Option<&'a Sbom>,
}

/// Columns that may be there beside `device`.
const COLUMNS: &str = "device, manufacturer, model, serial, udi, firmware, asset, sbom";

/// Reads a list of devices: CSV with a line of headings, of which `device` must be there.
///
/// # Errors
/// What is wrong, with the line, without the value.
pub fn from_csv(text: &str) -> Result<Vec<Item>, String> {
    let lines = table::read(text, &["device"]).map_err(|e| format!("{e}; columns are {COLUMNS}"))?;
    let items = lines.iter().map(|line| {
        let cell = |heading: &str| table::plain(line.cell(heading)).chars().take(200).collect::<String>();
        let device = DeviceId::new(line.cell("device"))
            .map_err(|error| format!("line {}: device: {error}", line.number))?;
        let item = Item {
            device: device.to_string(),
            manufacturer: cell("manufacturer"),
            model: cell("model"),
            serial: cell("serial"),
            udi: cell("udi"),
            firmware: cell("firmware"),
            asset: cell("asset"),
            sbom: cell("sbom"),
        };
        if !item.udi.is_empty() {
            udi::read(&item.udi).map_err(|error| format!("line {}: udi: {error}", line.number))?;
        }
        Ok(item)
    });
    items.collect()
}

/// The list as CSV, for a spreadsheet: no cell is taken for a formula.
#[must_use]
pub fn to_csv(items: &[Item]) -> String {
    let mut out = COLUMNS.replace(", ", ",");
    out.push('\n');
    for item in items {
        let cells = [
            &item.device, &item.manufacturer, &item.model, &item.serial, &item.udi, &item.firmware,
            &item.asset, &item.sbom,
        ];
        out.push_str(&cells.map(|text| table::cell(text)).join(","));
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_from_a_spreadsheet() {
        let text = "Device;Manufacturer;Model;UDI\nm1;Acme;P2;(01)00643169001763(21)77\nm2;=cmd;;\n";
        let items = from_csv(text).expect("a list");
        assert_eq!(items.len(), 2);
        assert_eq!(items[0].udi_parts().and_then(|udi| udi.serial), Some("77".to_owned()));
        assert!(to_csv(&items).ends_with("m2,'=cmd,,,,,,\n"));
        assert_eq!(from_csv(&to_csv(&items)), Ok(items), "what we wrote reads as it was");
        for (text, problem) in [
            ("Model\nP2\n", "`device`"),
            ("device\nm 1\n", "line 2: device"),
            ("device,udi\nm1,(01)00643169001764\n", "line 2: udi: the check"),
        ] {
            let error = from_csv(text).expect_err(text);
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn what_one_source_knows_completes_another() {
        let mut item = Item { device: "m1".to_owned(), model: "P2".to_owned(), ..Item::default() };
        let other = Item { model: "X".to_owned(), serial: "7".to_owned(), ..Item::default() };
        item.complete(&other);
        assert_eq!((item.model.as_str(), item.serial.as_str()), ("P2", "7"));
    }
}
