//! Weight, body composition, glucose, insulin.

use vitals::time::{MINUTE, SECOND};
use vitals::{ProblemKind, Quality};

use super::Notes;
use crate::body::{BodyComposition, UNSUCCESSFUL, Weight};
use crate::cgm::{Annunciation, CgmRecord};
use crate::glucose::{Context, Fluid, Glucose, Location, SensorStatus};
use crate::insulin_history::{EventData, HistoryEvent};
use crate::insulin_reader::{Reading, TbrType};

pub(super) fn weight(notes: &mut Notes, weight: &Weight) {
    notes.at(weight.time);
    notes.of_user(weight.user);
    mass(notes, "weight", "MDC_MASS_BODY_ACTUAL", Some(weight.weight), weight.imperial);
    if let Some((bmi, tall)) = weight.bmi_height {
        notes.number("bmi", "MDC_RATIO_MASS_BODY_LEN_SQ", f64::from(bmi) / 10.0, "kg/m2");
        height(notes, Some(tall), weight.imperial);
    }
}

pub(super) fn composition(notes: &mut Notes, body: &BodyComposition) {
    notes.at(body.time);
    notes.of_user(body.user);
    if body.fat == UNSUCCESSFUL {
        unsuccessful(notes, "body fat percentage");
    } else {
        notes.number("body fat percentage", "MDC_BODY_FAT", f64::from(body.fat) / 10.0, "%");
    }
    if let Some(energy) = body.basal_metabolism {
        // In kJ a day; the table keeps kcal a day, of 4.184 kJ.
        let kcal = (f64::from(energy) / 4.184 * 1e3).round() / 1e3;
        notes.quality |= Quality::UNIT_CONVERTED;
        notes.number("basal metabolism", "VW_BASAL_METABOLIC_RATE", kcal, "kcal/d");
        notes.quality -= Quality::UNIT_CONVERTED;
    }
    for (field, metric, value) in [
        ("muscle mass", "VW_MUSCLE_MASS", body.muscle_mass),
        ("fat free mass", "MDC_MASS_BODY_FAT_FREE", body.fat_free_mass),
        ("soft lean mass", "MDC_MASS_BODY_SOFT_LEAN", body.soft_lean_mass),
        ("body water mass", "MDC_BODY_WATER", body.water_mass),
        ("weight", "MDC_MASS_BODY_ACTUAL", body.weight),
    ] {
        mass(notes, field, metric, value, body.imperial);
    }
    height(notes, body.height, body.imperial);
}

fn mass(notes: &mut Notes, field: &'static str, metric: &str, value: Option<u16>, imperial: bool) {
    match value {
        None => {}
        Some(UNSUCCESSFUL) => unsuccessful(notes, field),
        Some(value) if imperial => {
            notes.number(field, metric, f64::from(value) / 100.0, "[lb_av]");
        }
        Some(value) => notes.number(field, metric, f64::from(value) / 200.0, "kg"),
    }
}

fn height(notes: &mut Notes, value: Option<u16>, imperial: bool) {
    let Some(value) = value.map(f64::from) else { return };
    let (value, unit) = if imperial { (value / 10.0, "[in_i]") } else { (value, "mm") };
    notes.number("height", "MDC_LEN_BODY_ACTUAL", value, unit);
}

fn unsuccessful(notes: &mut Notes, field: &'static str) {
    notes.problem(ProblemKind::BadValue, field, "the scale could not measure it".to_owned());
}

pub(super) fn glucose(notes: &mut Notes, record: &Glucose) {
    let status = record.status.unwrap_or_default();
    if status.contains(SensorStatus::TIME_FAULT) {
        let detail = "the meter says that its clock was wrong or not set".to_owned();
        notes.problem(ProblemKind::BadTime, "base time", detail);
    } else {
        notes.at(Some(record.base_time));
        let moved = i64::from(record.offset_min.unwrap_or(0)) * MINUTE;
        notes.time = notes.time.map(|time| time.plus(moved));
    }
    // A record may be of any age: without its time it is questionable.
    notes.doubt(false, notes.time.is_none());
    let invalid = SensorStatus::SENSOR_FAULT
        | SensorStatus::STRIP_INSERTION
        | SensorStatus::STRIP_TYPE
        | SensorStatus::INTERRUPTED
        | SensorStatus::DEVICE_FAULT;
    let questionable = SensorStatus::SAMPLE_TOO_SMALL
        | SensorStatus::TOO_HIGH
        | SensorStatus::TOO_LOW
        | SensorStatus::TOO_WARM
        | SensorStatus::TOO_COLD;
    notes.doubt(status.intersects(invalid), status.intersects(questionable));
    if let Some((value, sample)) = record.concentration {
        let metric = glucose_metric(sample.fluid, sample.location);
        let (power, unit) = if record.molar { (3, "mmol/L") } else { (5, "mg/dL") };
        notes.decimal("glucose concentration", metric, value.scaled(power), unit);
    }
}

const fn glucose_metric(fluid: Fluid, location: Location) -> &'static str {
    // Control solution by either field is no patient's glucose.
    if matches!(location, Location::Control) {
        return "MDC_CONC_GLU_CONTROL";
    }
    match fluid {
        Fluid::CapillaryBlood => "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD",
        Fluid::CapillaryPlasma => "MDC_CONC_GLU_CAPILLARY_PLASMA",
        Fluid::VenousBlood => "MDC_CONC_GLU_VENOUS_WHOLEBLOOD",
        Fluid::VenousPlasma => "MDC_CONC_GLU_VENOUS_PLASMA",
        Fluid::ArterialBlood => "MDC_CONC_GLU_ARTERIAL_WHOLEBLOOD",
        Fluid::ArterialPlasma => "MDC_CONC_GLU_ARTERIAL_PLASMA",
        Fluid::Blood => "MDC_CONC_GLU_UNDETERMINED_WHOLEBLOOD",
        Fluid::Plasma => "MDC_CONC_GLU_UNDETERMINED_PLASMA",
        Fluid::Interstitial => "MDC_CONC_GLU_ISF",
        Fluid::Control => "MDC_CONC_GLU_CONTROL",
        Fluid::Other(_) => "MDC_CONC_GLU_GEN",
    }
}

pub(super) fn context(notes: &mut Notes, context: &Context) {
    if context.carbohydrate.is_none() && context.hba1c.is_none() {
        return;
    }
    notes.after(0, "record that the context belongs to");
    if let Some((_, carbohydrate)) = context.carbohydrate {
        notes.decimal("carbohydrate", "MDC_CTXT_GLU_CARB", carbohydrate.scaled(3), "g");
    }
    if let Some(hba1c) = context.hba1c {
        notes.decimal("hba1c", "MDC_CONC_HBA1C", hba1c.value(), "%");
    }
}

pub(super) fn cgm(notes: &mut Notes, record: &CgmRecord) {
    notes.quality = Quality::empty();
    notes.after(i64::from(record.offset_min) * MINUTE, "start of the session");
    let status = record.annunciation.unwrap_or_default();
    let invalid = Annunciation::SESSION_STOPPED
        | Annunciation::SENSOR_TYPE
        | Annunciation::SENSOR_MALFUNCTION
        | Annunciation::DEVICE_FAULT;
    let questionable = Annunciation::CALIBRATION_REQUIRED
        | Annunciation::TOO_WARM
        | Annunciation::TOO_COLD
        | Annunciation::TOO_LOW
        | Annunciation::TOO_HIGH;
    notes.doubt(status.intersects(invalid), status.intersects(questionable));
    notes.decimal("cgm glucose concentration", "MDC_CONC_GLU_ISF", record.glucose.value(), "mg/dL");
    if let Some(trend) = record.trend {
        notes.decimal("cgm trend information", "VW_CGM_TREND", trend.value(), "mg/dL/min");
    }
    if let Some(quality) = record.quality {
        notes.decimal("cgm quality", "VW_SIGNAL_QUALITY", quality.value(), "%");
    }
}

pub(super) fn history(notes: &mut Notes, event: &HistoryEvent) {
    let told = matches!(
        event.data,
        EventData::BolusDelivered(_)
            | EventData::BasalChanged(..)
            | EventData::TotalDaily(..)
            | EventData::Reservoir(_)
    );
    if !told {
        return;
    }
    notes.after(i64::from(event.offset_s) * SECOND, "pump's reference time");
    match &event.data {
        EventData::BolusDelivered(bolus) => {
            let total = bolus.fast.value().and_then(|fast| Ok(fast + bolus.extended.value()?));
            notes.decimal("bolus", "VW_INSULIN_BOLUS", total, "[iU]");
        }
        EventData::BasalChanged(_, _, new, _) => {
            notes.decimal("new basal rate value", "VW_INSULIN_BASAL_RATE", new.value(), "[iU]/h");
        }
        EventData::TotalDaily(_, bolus, basal, _) => {
            let total = bolus.value().and_then(|bolus| Ok(bolus + basal.value()?));
            notes.decimal("total daily insulin", "VW_INSULIN_TOTAL_DAILY", total, "[iU]");
        }
        EventData::Reservoir(amount) => {
            let field = "reservoir remaining amount";
            notes.decimal(field, "VW_INSULIN_RESERVOIR", amount.value(), "[iU]");
        }
        _ => {}
    }
}

/// What a pump answers of now. A temporary basal rate that is a factor leaves the profile's rate untold: it
/// is not the one in force.
pub(super) fn reading(notes: &mut Notes, reading: &Reading) {
    match reading {
        Reading::Basal(basal) => {
            let rate = match basal.temporary {
                None => basal.rate,
                Some(tbr) if tbr.kind == TbrType::Absolute => tbr.value,
                Some(_) => return,
            };
            notes.decimal("basal rate", "VW_INSULIN_BASAL_RATE", rate.value(), "[iU]/h");
        }
        Reading::TotalDaily(_, _, both) => {
            notes.decimal("total daily insulin", "VW_INSULIN_TOTAL_DAILY", both.value(), "[iU]");
        }
        Reading::OnBoard(amount, _) => {
            notes.decimal("insulin on board", "VW_INSULIN_ON_BOARD", amount.value(), "[iU]");
        }
        _ => {}
    }
}
