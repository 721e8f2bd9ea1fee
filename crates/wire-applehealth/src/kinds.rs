//! Apple's names of what is measured, and of units.

/// How a kind of record is read.
pub(crate) struct Rule {
    /// Schema of Open mHealth.
    pub(crate) schema: &'static str,
    /// Field of its body.
    pub(crate) field: &'static str,
    /// The value is how long it lasted.
    pub(crate) lasts: bool,
}

/// Kind (after `HKQuantityTypeIdentifier`), schema, field.
const KINDS: [(&str, &str, &str); 17] = [
    ("HeartRate", "heart-rate", "heart_rate"),
    ("RestingHeartRate", "heart-rate", "heart_rate"),
    ("BloodPressureSystolic", "blood-pressure", "systolic_blood_pressure"),
    ("BloodPressureDiastolic", "blood-pressure", "diastolic_blood_pressure"),
    ("BodyTemperature", "body-temperature", "body_temperature"),
    ("OxygenSaturation", "oxygen-saturation", "oxygen_saturation"),
    ("RespiratoryRate", "respiratory-rate", "respiratory_rate"),
    ("BloodGlucose", "blood-glucose", "blood_glucose"),
    ("BodyMass", "body-weight", "body_weight"),
    ("Height", "body-height", "body_height"),
    ("BodyMassIndex", "body-mass-index", "body_mass_index"),
    ("BodyFatPercentage", "body-fat-percentage", "body_fat_percentage"),
    ("StepCount", "step-count", "step_count"),
    ("DistanceWalkingRunning", "physical-activity", "distance"),
    ("DistanceCycling", "physical-activity", "distance"),
    ("ActiveEnergyBurned", "calories-burned", "kcal_burned"),
    ("AppleExerciseTime", "minutes-moderate-activity", "minutes_moderate_activity"),
];

/// How a record of this kind and value is read; none: not at all.
pub(crate) fn rule(kind: &str, value: &str) -> Option<Rule> {
    if kind == "HKCategoryTypeIdentifierSleepAnalysis" {
        let asleep = value.starts_with("HKCategoryValueSleepAnalysisAsleep");
        return asleep.then_some(Rule { schema: "sleep-duration", field: "sleep_duration", lasts: true });
    }
    let name = kind.strip_prefix("HKQuantityTypeIdentifier")?;
    let (_, schema, field) = KINDS.iter().find(|(known, ..)| *known == name)?;
    Some(Rule { schema, field, lasts: false })
}

/// An amount and its unit as Open mHealth writes them. Apple writes a per cent as its hundredth.
pub(crate) fn usual(amount: f64, unit: &str) -> (f64, &str) {
    match unit {
        "%" => ((amount * 1e6).round() / 1e4, "%"),
        "count/min" => (amount, "beats/min"),
        "count" => (amount, ""),
        "degC" => (amount, "C"),
        "degF" => (amount, "F"),
        "Cal" => (amount, "kcal"),
        "mi" => (amount * 1.609_344, "km"),
        unit if unit.starts_with("mmol<") => (amount, "mmol/L"),
        unit => (amount, unit),
    }
}
