//! Whose a device's metrics and parts are: the patient's whom the device is on now. They name none
//! themselves, so that a scope of one patient could speak of none of them.

use std::borrow::Cow;

use guard::{Category, Permission};
use serde_json::{Value as Json, json};
use vitals::DeviceId;
use wire_fhir::containment;

use crate::state::Api;
use crate::viewer::Viewer;

/// A resource with its patient, as scopes are held against it. Only what the person behind the
/// grant may know is told.
pub(super) fn told<'a>(api: &Api, viewer: &Viewer, resource: &'a Json) -> Cow<'a, Json> {
    let Some(device) = device_of(resource) else { return Cow::Borrowed(resource) };
    let patient = api.live.device(&device).and_then(|line| line.patient.clone());
    let may = |id: &_| viewer.kinds(Permission::ReadFhir, id).has(Category::DeviceData);
    let Some(patient) = patient.filter(may) else { return Cow::Borrowed(resource) };
    let mut whole = resource.clone();
    whole["patient"] = json!({"reference": format!("Patient/{patient}")});
    Cow::Owned(whole)
}

/// The device that a metric, or a part without a patient of its own, belongs to.
fn device_of(resource: &Json) -> Option<DeviceId> {
    let referred = |name: &str| resource[name]["reference"].as_str()?.strip_prefix("Device/");
    let id = match resource["resourceType"].as_str()? {
        "DeviceMetric" => referred("source").or_else(|| referred("parent"))?,
        "Device" if resource.get("patient").is_none() => resource["id"].as_str().filter(|id| is_part(id))?,
        _ => return None,
    };
    let whole = containment::read_id(id).map_or(id, |(_, device)| device);
    DeviceId::new(whole).ok()
}

fn is_part(id: &str) -> bool {
    containment::read_id(id).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_and_parts_lead_to_their_device() {
        for (resource, expected) in [
            (json!({"resourceType": "DeviceMetric", "source": {"reference": "Device/m-1"}}), Some("m-1")),
            (json!({"resourceType": "DeviceMetric", "parent": {"reference": "Device/part-70739-m-1"}}), Some("m-1")),
            (json!({"resourceType": "Device", "id": "part-69798-m-1"}), Some("m-1")),
            (json!({"resourceType": "Device", "id": "part-69798-m-1", "patient": {}}), None),
            (json!({"resourceType": "Device", "id": "m-1"}), None),
            (json!({"resourceType": "DeviceMetric"}), None),
            (json!({"resourceType": "Observation", "source": {"reference": "Device/m-1"}}), None),
        ] {
            assert_eq!(device_of(&resource).as_ref().map(DeviceId::as_str), expected, "{resource}");
        }
    }
}
