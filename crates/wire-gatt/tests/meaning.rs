//! What payloads mean: bytes in, measurements and problems out, as text.

use vitals::{DeviceTime, Value};
use wire_gatt::decode;
use wire_gatt::measure::{Timing, measure};

/// 2026-11-22T00:30:00Z: the time in the payloads, on a clock an hour ahead of UTC.
const WHEN: i64 = 1_795_307_400_000_000;

/// Characteristic, bytes, and what they mean: `metric=value unit`, `?` questionable, `!` invalid,
/// `~` unit converted, `@` the time above plus seconds, `#` channel; problems by field and kind.
const CASES: &[(u16, &str, &str)] = &[
    // Heart rate: 72; with contact lost; 16 bits wide with energy and two intervals.
    (0x2a37, "00 48", "MDC_ECG_HEART_RATE=72 /min"),
    (0x2a37, "04 48", "MDC_ECG_HEART_RATE=72! /min"),
    (
        0x2a37,
        "1f 2c01 6400 0004 0002",
        "MDC_ECG_HEART_RATE=300 /min; MDC_ECG_TIME_PD_RR_GL=1000 ms; \
         MDC_ECG_TIME_PD_RR_GL=500 ms; MDC_HF_ENERGY=23.9005736138~ kcal",
    ),
    // Blood pressure: all fields; in kPa; a body that moved; a mean that is no number.
    (
        0x2a35,
        "1e 7800 5000 5d00 ea070b16011e00 48f0 02 0000",
        "MDC_PRESS_BLD_NONINV=MDC_PRESS_BLD_NONINV_SYS 120+MDC_PRESS_BLD_NONINV_DIA 80+\
         MDC_PRESS_BLD_NONINV_MEAN 93 mm[Hg] @0; MDC_PULS_RATE_NON_INV=7.2 /min @0; user 2",
    ),
    (
        0x2a35,
        "01 a0f0 6bf0 ff07",
        "MDC_PRESS_BLD_NONINV=MDC_PRESS_BLD_NONINV_SYS 120.0098521353+\
         MDC_PRESS_BLD_NONINV_DIA 80.2565886155~ mm[Hg]; mean arterial pressure: bad-value",
    ),
    (
        0x2a35,
        "10 7800 5000 5d00 0100",
        "MDC_PRESS_BLD_NONINV=MDC_PRESS_BLD_NONINV_SYS 120+MDC_PRESS_BLD_NONINV_DIA 80+\
         MDC_PRESS_BLD_NONINV_MEAN 93? mm[Hg]",
    ),
    // A cuff on the way is no blood pressure.
    (0x2a36, "00 9600 ff07 ff07", ""),
    // Temperature: 36.6 °C in the ear drum; 97.8 °F in the mouth; NRes; a clock never set.
    (0x2a1c, "04 6e0100ff 09", "MDC_TEMP_TYMP=36.6 Cel"),
    (0x2a1c, "05 d20300ff 06", "MDC_TEMP_ORAL=36.5555555556~ Cel"),
    (0x2a1c, "00 00008000", "temperature measurement value: bad-value"),
    (0x2a1c, "02 6e0100ff 00000000000000", "MDC_TEMP_BODY=36.6 Cel; time stamp: bad-time"),
    (0x2a1c, "02 6e0100ff ea070d16011e00", "MDC_TEMP_BODY=36.6 Cel; time stamp: bad-time"),
    (0x2a1e, "00 6e0100ff", "MDC_TEMP_BODY=36.6? Cel"),
    // Weight: 75 kg with index and height; in pounds; failed.
    (
        0x2a9d,
        "0e 983a ea070b16011e00 01 f500 d606",
        "MDC_MASS_BODY_ACTUAL=75 kg @0; MDC_RATIO_MASS_BODY_LEN_SQ=24.5 kg/m2 @0; \
         MDC_LEN_BODY_ACTUAL=175~ cm @0; user 1",
    ),
    (0x2a9d, "01 983a", "MDC_MASS_BODY_ACTUAL=68.0388555~ kg"),
    (0x2a9d, "04 ffff ff", "weight: bad-value"),
    // Body composition: fat, metabolism, muscle mass, water.
    (
        0x2a9c,
        "2801 fa00 d61a 7017 401f",
        "MDC_BODY_FAT=25 %; VW_BASAL_METABOLIC_RATE=1641.969~ kcal/d; VW_MUSCLE_MASS=30 kg; \
         MDC_BODY_WATER=40 kg",
    ),
    // Oximeter: good; finger out; fast response; a demonstration is marked in its own test.
    (0x2a5e, "00 61f0 4800", "MDC_PULS_OXIM_SAT_O2=9.7 %; MDC_PULS_OXIM_PULS_RATE=72 /min"),
    (
        0x2a5e,
        "05 6100 4800 ea070b16011e00 000800",
        "MDC_PULS_OXIM_SAT_O2=97! % @0; MDC_PULS_OXIM_PULS_RATE=72! /min @0",
    ),
    (
        0x2a5e,
        "11 6100 4800 ea070b16011e00",
        "MDC_PULS_OXIM_SAT_O2=97 %; MDC_PULS_OXIM_PULS_RATE=72 /min; timestamp: bad-time",
    ),
    (
        0x2a5f,
        "11 6100 4800 6000 4900 19f0",
        "MDC_PULS_OXIM_SAT_O2=97 %; MDC_PULS_OXIM_PULS_RATE=72 /min; \
         MDC_PULS_OXIM_SAT_O2=96 %#1; MDC_PULS_OXIM_PULS_RATE=73 /min#1; MDC_PULS_OXIM_PERF_REL=2.5 %",
    ),
    (0x2a5f, "00 ff07 ff07", "spo2: bad-value; pulse rate: bad-value"),
    // Glucose: 98 mg/dL as 0.00098 kg/L; 5.5 mmol/L in control solution; above the meter's range;
    // the user's clock ten minutes on; a time that the meter does not believe.
    (0x2a18, "02 0100 ea070b16011e00 62b0 11", "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD=98 mg/dL @0"),
    (0x2a18, "06 0100 ea070b16011e00 37c0 4a", "MDC_CONC_GLU_CONTROL=99.0858~ mg/dL @0"),
    (0x2a18, "0a 0100 ea070b16011e00 fe07 11 2000", "glucose concentration: bad-value"),
    (
        0x2a18,
        "03 0100 ea070b16011e00 0a00 62b0 11",
        "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD=98 mg/dL @600",
    ),
    (
        0x2a18,
        "0a 0100 ea070b16011e00 62b0 11 0008",
        "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD=98? mg/dL; base time: bad-time",
    ),
    // Context: 60 g at breakfast.
    (0x2a34, "01 0100 01 3cd0", "MDC_CTXT_GLU_CARB=60 g @0"),
    // CGM: two records, the second with trend and a sensor out of order.
    (
        0x2aa7,
        "06 00 6400 0500  09 81 6e00 0a00 08 0cf0",
        "MDC_CONC_GLU_ISF=100 mg/dL @300; MDC_CONC_GLU_ISF=110! mg/dL @600; \
         VW_CGM_TREND=1.2! mg/dL/min @600",
    ),
    // Pump: 120.5 IU left; 4.5 IU given at once and 2 over time; basal 0.85 IU/h; a day's 38.7 IU.
    (0x2b21, "55 96 b5f4 01", "VW_INSULIN_RESERVOIR=120.5 [iU]; therapy medium inactive on; reservoir medium inactive on"),
    (0x2b28, "6900 01000000 3c00 0100 55 2df0 1400 3c00", "VW_INSULIN_BOLUS=24.5 [iU] @60"),
    (0x2b28, "9900 02000000 3c00 00 5aef 55e0", "VW_INSULIN_BASAL_RATE=0.85 [iU]/h @60"),
    (0x2b28, "ff00 03000000 0000 00 cdf0 b6f0 ea070b15", "VW_INSULIN_TOTAL_DAILY=38.7 [iU] @0"),
    // Running at 2.5 m/s; a battery at 88 %; one at 200 %.
    (
        0x2a53,
        "02 8002 b4 10270000",
        "MDC_HF_SPEED=2.5 m/s; MDC_HF_CAD=180 /min; MDC_HF_DISTANCE=1000 m",
    ),
    (0x2a19, "58", "MDC_ATTR_VAL_BATT_CHARGE=88 %"),
    (0x2a19, "c8", "battery level: bad-value"),
    // A pump's answers of now: insulin on board, the day's total, basal rates as they are and as a factor.
    (0x2b24, "fc03 00 19f0", "VW_INSULIN_ON_BOARD=2.5 [iU]"),
    (0x2b24, "9a03 7800 5000 c800", "VW_INSULIN_TOTAL_DAILY=200 [iU]"),
    (0x2b24, "6a03 00 01 08f0", "VW_INSULIN_BASAL_RATE=0.8 [iU]/h"),
    (0x2b24, "6a03 01 01 08f0 33 05f0 1e00 0a00", "VW_INSULIN_BASAL_RATE=0.5 [iU]/h"),
    (0x2b24, "6a03 01 01 08f0 3c 05f0 1e00 0a00", ""),
    (0x2b24, "fc03 00 ff07", "insulin on board: bad-value"),
    (0x2b24, "0303 f303 74", ""),
    // What a pump announces is an alarm, and what it says of itself.
    (0x2b22, "01 3412 3c00 33", "annunciation/occlusion high active on"),
    (0x2b22, "03 3412 6600 3c 0100", "annunciation/reservoir-low low active audio-paused"),
    (0x2b22, "01 3412 5a00 55", "annunciation/reservoir-empty high inactive acknowledged"),
    (0x2b22, "01 3412 7777 33", "annunciation/other medium active on"),
    (0x2b21, "55 96 6400 01", "VW_INSULIN_RESERVOIR=100 [iU]; therapy medium inactive on; reservoir medium inactive on"),
    (0x2b21, "33 96 6400 00", "VW_INSULIN_RESERVOIR=100 [iU]; therapy medium active on; reservoir medium active on"),
    (0x2b21, "0f 96 ff07 01", "reservoir remaining amount: bad-value; reservoir medium inactive on"),
    // Clocks and control points measure nothing.
    (0x2a2b, "ea070b16011e00 07 00 01", ""),
    (0x2a52, "01 01", ""),
];

#[test]
fn payloads_and_their_meaning() {
    let mut wrong = Vec::new();
    for (uuid, hex, expected) in CASES {
        let told = told(*uuid, hex, Some(DeviceTime(WHEN)));
        if told != *expected {
            wrong.push(format!("{uuid:04x} {hex}: {told}\n  expected: {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_announced_ends_every_announcement() {
    let payload = decode(0x2b22, &[0]).expect("valid");
    let alarms = measure(&payload, Timing::default()).alarms;
    let ids: std::collections::HashSet<_> = alarms.iter().map(|alarm| alarm.id).collect();
    assert_eq!((alarms.len(), ids.len()), (23, 23));
    assert!(alarms.iter().all(|alarm| alarm.state == vitals::AlarmState::Inactive));
}

#[test]
fn without_a_base_relative_times_are_problems() {
    let told = told(0x2aa7, "06 00 6400 0500", None);
    assert_eq!(told, "MDC_CONC_GLU_ISF=100? mg/dL; time offset: bad-time");
}

fn told(uuid: u16, hex: &str, base: Option<DeviceTime>) -> String {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ascii"), 16).expect("hex"))
        .collect();
    let payload = decode(uuid, &bytes).unwrap_or_else(|error| panic!("{uuid:04x} {hex}: {error}"));
    let meaning = measure(&payload, Timing { utc_offset_minutes: 60, base });
    let mut told = Vec::new();
    for measurement in &meaning.measurements {
        let mut text = format!("{}=", measurement.metric.refid());
        match &measurement.value {
            Value::Numeric(value) => text += &value.to_string(),
            Value::Compound(parts) => {
                let parts: Vec<String> =
                    parts.iter().map(|(code, value)| format!("{} {value}", code.refid())).collect();
                text += &parts.join("+");
            }
            other => panic!("{other:?}"),
        }
        for (flag, mark) in [("questionable", "?"), ("invalid", "!"), ("unit-converted", "~")] {
            if measurement.quality.names().contains(&flag.to_owned()) {
                text += mark;
            }
        }
        text += &format!(" {}", measurement.unit.ucum());
        if measurement.channel > 0 {
            text += &format!("#{}", measurement.channel);
        }
        if let Some(time) = measurement.device_time {
            text += &format!(" @{}", (time.micros() - WHEN) / 1_000_000);
        }
        told.push(text);
    }
    let signal = |signal: vitals::AlarmSignal| match signal {
        vitals::AlarmSignal::On => "on",
        vitals::AlarmSignal::AudioPaused => "audio-paused",
        vitals::AlarmSignal::Acknowledged => "acknowledged",
        _ => "off",
    };
    let alarms = meaning.alarms.iter().map(|alarm| {
        format!("{} {:?} {:?} {}", alarm.id, alarm.priority, alarm.state, signal(alarm.signal))
    });
    let alarms = alarms.map(|text| text.to_lowercase()).collect::<Vec<_>>();
    told.extend(meaning.problems.iter().map(|p| format!("{}: {}", p.path, p.kind.name())));
    told.extend(alarms);
    told.extend(meaning.user.map(|user| format!("user {user}")));
    told.join("; ")
}
