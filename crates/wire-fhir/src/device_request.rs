//! FHIR `DeviceRequest`: which device, or which kind of device, is ordered for whom.

use serde_json::Value as Json;
use vitals::MetricCode;

use crate::code::{MDC, codings};
use crate::directory::target;
use crate::outcome::{Issue, IssueCode};

/// What an order says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRequest {
    /// Logical id of the patient.
    pub patient: String,
    /// FHIR status; an order counts while it is `active`.
    pub status: String,
    /// Its numbers: the values of its identifiers.
    pub numbers: Vec<String>,
    /// Logical id of the device, where it names one.
    pub device: Option<String>,
    /// IEEE 11073 kind of device, where it names that.
    pub kind: Option<MetricCode>,
}

/// Reads a `DeviceRequest` that is valid by the specification's tables.
///
/// # Errors
/// What is missing, and where.
pub fn read(json: &Json) -> Result<DeviceRequest, Vec<Issue>> {
    let missing = |path: &str, detail: &str| vec![Issue::error(IssueCode::Required, path, detail)];
    let patient = target(&json["subject"], "Patient")
        .ok_or_else(|| missing("DeviceRequest.subject", "Name the patient by reference: Patient/id."))?;
    let values = json["identifier"].as_array().into_iter().flatten().chain(Some(&json["groupIdentifier"]));
    let numbers: Vec<String> = values.filter_map(|one| one["value"].as_str()).map(|one| one.trim().to_owned()).collect();
    if numbers.iter().all(String::is_empty) {
        return Err(missing("DeviceRequest.identifier", "Give the order's number: whoever scans it names it."));
    }
    let device = target(&json["codeReference"], "Device").map(str::to_owned);
    let mut known = codings(&json["codeCodeableConcept"]).filter(|(system, _)| *system == MDC);
    let kind = known.find_map(|(_, code)| code.parse().ok()).map(MetricCode);
    if device.is_none() && kind.is_none() {
        let detail = "Name a device by reference, or a kind of device by its code of IEEE 11073-10101.";
        return Err(missing("DeviceRequest.code", detail));
    }
    let status = json["status"].as_str().unwrap_or("active").to_owned();
    Ok(DeviceRequest { patient: patient.to_owned(), status, numbers, device, kind })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_order_names_a_patient_a_number_and_a_device() {
        let order = json!({
            "resourceType": "DeviceRequest", "status": "active", "intent": "order",
            "identifier": [{"system": "urn:orders", "value": "O-77"}], "subject": {"reference": "Patient/p-1"},
            "codeReference": {"reference": "Device/pump-7"},
        });
        assert!(crate::validate(&order, "DeviceRequest").is_empty());
        let read_ = read(&order).expect("an order");
        assert_eq!((read_.numbers, read_.device.as_deref()), (vec!["O-77".to_owned()], Some("pump-7")));
        for (name, path) in [
            ("subject", "DeviceRequest.subject"),
            ("identifier", "DeviceRequest.identifier"),
            ("codeReference", "DeviceRequest.code"),
        ] {
            let mut less = order.clone();
            less.as_object_mut().map(|object| object.shift_remove(name));
            let paths: Vec<String> = read(&less).expect_err("less").into_iter().map(|issue| issue.path).collect();
            assert_eq!(paths, [path]);
        }
        let mut kind = order;
        kind.as_object_mut().map(|object| object.shift_remove("codeReference"));
        kind["codeCodeableConcept"] = json!({"coding": [{"system": MDC, "code": "69985"}]});
        assert_eq!(read(&kind).map(|order| order.kind), Ok(Some(MetricCode(69_985))));
        assert!(!crate::validate(&json!({"resourceType": "DeviceRequest", "intent": "wish"}), "DeviceRequest").is_empty());
    }
}
