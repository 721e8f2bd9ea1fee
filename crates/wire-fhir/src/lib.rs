//! FHIR R4 JSON in and out: resources, searches, outcomes.
