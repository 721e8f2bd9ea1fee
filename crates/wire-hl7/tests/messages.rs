//! Whole messages in, readings, problems and answers out: one line of expectation each.

use vitals::{Content, ReceiveTime, TimeBase, Value};
use wire_hl7::{Inbound, Kept, Kind, Options, read};

const MSH: &str = "MSH|^~\\&|MON|ICU|VW|HOSP|20260101120000+0000||ORU^R01^ORU_R01|1|P|2.6";

/// The readings of a message, one line each: device, metric, value, unit, seconds since noon,
/// flags, channel.
fn readings(inbound: &Inbound) -> Vec<String> {
    let noon = 1_767_268_800_000;
    inbound
        .message
        .readings()
        .map(|(_, reading, m)| {
            let value = match &m.value {
                Value::Numeric(n) => format!("{n}"),
                Value::Enumeration(n, text) => format!("{n}:{text}"),
                Value::Text(text) => text.clone(),
                Value::SampleArray(a) => {
                    format!("{}/{}Hz{:?}", a.rate.numerator(), a.rate.denominator(), a.values())
                }
                Value::Compound(parts) => format!("{parts:?}"),
            };
            let mut line = format!("{} {:?} {value} {:?}", reading.device, m.metric, m.unit);
            match m.device_time {
                Some(time) => line.push_str(&format!(" +{}", (time.millis() - noon) / 1000)),
                None => line.push_str(" -"),
            }
            for name in m.quality.names() {
                line.push_str(&format!(" {name}"));
            }
            if m.channel != 0 {
                line.push_str(&format!(" ch{}", m.channel));
            }
            line
        })
        .collect()
}

fn problems(inbound: &Inbound) -> Vec<String> {
    inbound.message.problems.iter().map(|p| format!("{} {}", p.path, p.kind.name())).collect()
}

fn one(text: &str) -> Inbound {
    let mut received = read(text.as_bytes(), ReceiveTime(0), &Options::default());
    assert_eq!(received.messages.len(), 1, "{text}");
    received.messages.remove(0)
}

fn answer(inbound: &Inbound) -> String {
    let bytes = inbound.reply.encode(Kept::Durable, ReceiveTime(0)).unwrap_or_default();
    String::from_utf8(bytes).expect("answers are UTF-8 here")
}

#[track_caller]
fn check(segments: &str, expected_readings: &[&str], expected_problems: &[&str]) {
    let inbound = one(&format!("{MSH}\r{}", segments.replace('\n', "\r")));
    assert_eq!(readings(&inbound), expected_readings, "{segments}");
    assert_eq!(problems(&inbound), expected_problems, "{segments}");
    let code =
        if expected_readings.is_empty() && !expected_problems.is_empty() { "AE" } else { "AA" };
    let answer = answer(&inbound);
    assert!(answer.contains(&format!("\rMSA|{code}|1")), "{answer}");
    assert_eq!(answer.matches("\rERR|").count(), expected_problems.len(), "{answer}");
}

#[test]
fn pcd01_with_containment() {
    check(
        "PID|||4711^^^HOSP^MR||Doe^Jane\nPV1||I|ICU^2^23\nOBR|1|1|1|182777000^monitoring^SCT|||20260101120010+0000\n\
         OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||MON7^^0012210000000001^EUI-64\n\
         OBX|2||69854^MDC_DEV_METER_PHYSIO_MULTI_PARAM_VMD^MDC|1.1.0.0|||||||X\n\
         OBX|3||69855^MDC_DEV_METER_PHYSIO_MULTI_PARAM_CHAN^MDC|1.1.1.0|||||||X\n\
         OBX|4|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.147842|72|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R|||20260101120011+0000\n\
         OBX|5|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1.1.150456|97|262688^MDC_DIM_PERCENT^MDC||QUES|||R\n\
         OBX|6||150020^MDC_PRESS_BLD_NONINV^MDC|1.2.1.0|||||||F\n\
         OBX|7|NM|150021^MDC_PRESS_BLD_NONINV_SYS^MDC|1.2.1.150021|16|265987^MDC_DIM_KILO_PASCAL^MDC|||||F\n\
         OBX|8|NM|150022^MDC_PRESS_BLD_NONINV_DIA^MDC|1.2.1.150022|80|266016^MDC_DIM_MMHG^MDC|||||C\n\
         OBX|9|NM|151562^MDC_RESP_RATE^MDC|1.3.1.151562||264928^MDC_DIM_RESP_PER_MIN^MDC||NAV|||X",
        &[
            "MON7 MDC_ECG_HEART_RATE 72 /min +11",
            "MON7 MDC_PULS_OXIM_SAT_O2 97 % +10 questionable",
            "MON7 MDC_PRESS_BLD_NONINV_SYS 120.00985213530501 mm[Hg] +10 unit-converted",
            "MON7 MDC_PRESS_BLD_NONINV_DIA 80 mm[Hg] +10 amended",
        ],
        &[],
    );
}

#[test]
fn two_systems_two_patients_and_like_channels() {
    check(
        "PID|||1\nOBR|1\nOBX|1||^MDC_X_MDS^MDC|1.0.0.0|||||||X|||||||A\nOBX|2||^MDC_X_MDS^MDC|2.0.0.0|||||||X|||||||B\n\
         OBX|3|NM|^MDC_TEMP_BODY^MDC|1.2.1.1|37|Cel|||||F\nOBX|4|NM|^MDC_TEMP_BODY^MDC|1.2.1.2|36|Cel|||||F\n\
         OBX|5|NM|^MDC_TEMP_BODY^MDC|2.2.1.2|35|Cel|||||F\n\
         PID|||2\nOBR|1\nOBX|6|NM|HR|1|60||||||F|||||||C\n\
         OBR|2\nOBX|7||^MDC_X_MDS^MDC|1.0.0.0|||||||X\nPRT|1|UC||EQUIP^Equipment^HL70912||||||D^^X^EUI-64\n\
         OBX|8|NM|^MDC_RESP_RATE^MDC|1.2.1.1|16|/min|||||F",
        &[
            "A MDC_TEMP_BODY 37 Cel +0 ch2098177",
            "A MDC_TEMP_BODY 36 Cel +0 ch2098178",
            "B MDC_TEMP_BODY 35 Cel +0",
            "C MDC_ECG_HEART_RATE 60 /min +0",
            "D MDC_RESP_RATE 16 /min +0",
        ],
        &[],
    );
}

#[test]
fn plain_monitors() {
    check(
        "PID|||4711\nPV1||I|ICU^^5\nOBR|1||||||20260101120003+0000\n\
         OBX|1|NM|HR||72|bpm|||||F\nOBX|2|ST|8867-4^Heart rate^LN||73\nOBX|3|NM|SpO2^^L||98|%|||||F|||20260101120004+0000\n\
         OBX|4|ST|NIBP||120/80(93)|mmHg|||||F\nOBX|5|NM|NIBP-S||121|mmHg|||||F\nOBX|6|NM|TEMP||98.6|degF|||||F\n\
         OBX|7|CWE|ACVPU||V^Voice^L||||||F||||||MMEAS^^MDC\nOBX|8|SN|RR||>^30|/min|||||F",
        &[
            "MON-ICU-5 MDC_ECG_HEART_RATE 72 /min +3",
            "MON-ICU-5 MDC_ECG_HEART_RATE 73 /min +3",
            "MON-ICU-5 MDC_PULS_OXIM_SAT_O2 98 % +4",
            "MON-ICU-5 MDC_PRESS_BLD_NONINV_SYS 120 mm[Hg] +3",
            "MON-ICU-5 MDC_PRESS_BLD_NONINV_DIA 80 mm[Hg] +3",
            "MON-ICU-5 MDC_PRESS_BLD_NONINV_MEAN 93 mm[Hg] +3",
            "MON-ICU-5 MDC_PRESS_BLD_NONINV_SYS 121 mm[Hg] +3",
            "MON-ICU-5 MDC_TEMP_BODY 37 Cel +3 unit-converted",
            "MON-ICU-5 VW_CONSCIOUSNESS 2:Voice 1 +3 manual",
            "MON-ICU-5 MDC_RESP_RATE 30 /min +3 questionable",
        ],
        &[],
    );
}

#[test]
fn one_bad_observation_loses_one_value() {
    check(
        "PID|||1\nOBR|1\nOBX|1|NM|HR||72||||||F|||||||M\nOBX|2|NM|HR||seventy||||||F\nOBX|3|NM|UNHEARD||1||||||F\n\
         OBX|4|NM|HR||70|furlong|||||F\nOBX|5|NM|HR||70|mmHg|||||F\nOBX|6|NM|HR||70||||||F|||yesterday\nOBX|7|XX|HR||70\n\
         OBX|8|NM|HR||||||||F\nOBX|9|NM||||||||F\nnonsense\nOBX|10|NM|HR||74||||||F",
        &["M MDC_ECG_HEART_RATE 72 /min +0", "M MDC_ECG_HEART_RATE 74 /min +0"],
        &[
            "line[13] syntax",
            "OBX[2]-5 bad-value",
            "OBX[3]-3 unknown-metric",
            "OBX[4]-6 unknown-unit",
            "OBX[5]-6 unknown-unit",
            "OBX[6]-14 bad-time",
            "OBX[7]-2 bad-value",
            "OBX[8]-5 missing",
            "OBX[9]-5 missing",
        ],
    );
    check("PID|||1\nOBR|1\nOBX|1|NM|UNHEARD||1", &[], &["OBX[1]-3 unknown-metric"]);
    check("PID|||1", &[], &["OBX[1] missing"]);
}

#[test]
fn waveforms() {
    check(
        "PID|||1\nOBR|1||||||20260101120001+0000\nOBX|1||^MDC_X_MDS^MDC|1.0.0.0|||||||X|||||||M\n\
         OBX|2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.1.1.1.1|62.5|264608^MDC_DIM_PER_SEC^MDC|||||F\n\
         OBX|3|NA|131329^MDC_ECG_LEAD_I^MDC|1.1.1.1|-0.5^0^^2^0.5|266418^MDC_DIM_MILLI_VOLT^MDC|||||F\n\
         OBX|4|NR|0^MDC_ATTR_DATA_RANGE^MDC|1.1.1.1.2|-1^1|266418^MDC_DIM_MILLI_VOLT^MDC|||||F\n\
         OBX|5|NA|^MDC_ECG_ELEC_POTL_II^MDC|1.1.1.2|1^2|mV|||||F",
        &["M MDC_ECG_ELEC_POTL_I 125/2Hz[-0.5, 0.0, NaN, NaN, 0.5] mV +1"],
        &["OBX[5]-4 missing"],
    );
}

#[test]
fn line_ends_and_separators() {
    for text in [
        format!("{MSH}\nPID|||1\nOBX|1|NM|HR||72\n"),
        format!("{MSH}\r\nPID|||1\r\nOBX|1|NM|HR||72\r\n\r\n"),
        format!("\u{feff}{MSH}\rPID|||1\rOBX|1|NM|HR||72"),
        "MSH#*%!$#MON#ICU#VW#HOSP#20260101120000##ORU*R01#1#P#2.3\rPID###1\rOBX#1#NM#HR##72".into(),
        "MSH|^~\\&#|MON|ICU|VW|HOSP|20260101120000||ORU^R01|1|P|2.8\rPID|||1\rOBX|1|NM|HR||72"
            .into(),
    ] {
        let inbound = one(&text);
        assert!(readings(&inbound)[0].ends_with("MDC_ECG_HEART_RATE 72 /min +0"), "{text}");
        assert!(problems(&inbound).is_empty(), "{text}");
        let answer = answer(&inbound);
        assert!(answer.contains("MSA|AA|1") || answer.contains("MSA#AA#1"), "{answer}");
    }
}

#[test]
fn recorded_and_test_data() {
    let recorded = one(&MSH.replace("|P|", "|P^A|"));
    assert_eq!(recorded.message.time_base, TimeBase::Recorded);
    let test = one(&format!("{}\rOBX|1|NM|HR||72", MSH.replace("|P|", "|T|")));
    assert_eq!(readings(&test), ["MON MDC_ECG_HEART_RATE 72 /min +0 test"]);
}

#[test]
fn refusals_name_the_field() {
    for (from, to, code, error) in [
        ("|2.6", "|3.0", "AR", "ERR||MSH^1^12|203^Unsupported version id^HL70357|E"),
        ("|P|", "|Q|", "AR", "ERR||MSH^1^11|202^Unsupported processing id^HL70357|E"),
        ("ORU^R01^ORU_R01", "SIU^S12", "AR", "ERR||MSH^1^9|200^Unsupported message type^HL70357|E"),
        ("ORU^R01^ORU_R01", "ADT^A99", "AR", "ERR||MSH^1^9|201^Unsupported event code^HL70357|E"),
        ("ORU^R01^ORU_R01", "", "AE", "ERR||MSH^1^9|101^Required field missing^HL70357|E"),
        ("|1|P", "||P", "AE", "ERR||MSH^1^10|101^Required field missing^HL70357|E"),
        ("ORU^R01^ORU_R01", "ADT^A01", "AE", "ERR||PID^1|100^Segment sequence error^HL70357|E"),
    ] {
        let inbound = one(&MSH.replace(from, to));
        let answer = answer(&inbound);
        assert!(answer.contains(&format!("\rMSA|{code}|")), "{answer}");
        assert!(answer.contains(error), "{answer}");
        assert_eq!(inbound.kind, Kind::Refused);
        assert!(inbound.message.content.is_empty() && !inbound.message.problems.is_empty());
    }
    let old = one(&format!("{}\rPID|||1\rOBX|1|NM|X||1", MSH.replace("|2.6", "|2.3")));
    assert!(answer(&old).contains("\rERR|OBX^1^3^103&Table value not found&HL70357\r"));
    for garbage in ["", "hello", "MSH", "MSHabcd|x", "GET / HTTP/1.1\r\n\r\n", "\0\u{1}\u{2}"] {
        let inbound = one(garbage);
        assert!(answer(&inbound).contains("\rMSA|AR|"), "{garbage:?}");
        assert_eq!(problems(&inbound), ["MSH syntax"]);
    }
}

#[test]
fn acknowledgement_modes() {
    let good = |accept: &str, application: &str| {
        answer(&one(&format!("{MSH}|||{accept}|{application}\rOBX|1|NM|HR||72")))
    };
    for (accept, application, code) in [
        ("NE", "AL", "AA"),
        ("AL", "NE", "CA"),
        ("AL", "", "CA"),
        ("AL", "AL", "AA"),
        ("SU", "ER", "CA"),
        ("NE", "SU", "AA"),
    ] {
        let answer = good(accept, application);
        assert!(answer.contains(&format!("\rMSA|{code}|1\r")), "{accept} {application}: {answer}");
    }
    assert_eq!(good("NE", "NE"), "");
    assert_eq!(good("ER", "ER"), "");
    let bad = one(&format!("{MSH}|||AL|NE\rOBX|1|NM|X||72"));
    assert!(answer(&bad).contains("\rMSA|CE|1|"));
    let inbound = one(&format!("{MSH}\rOBX|1|NM|HR||72"));
    let lost = inbound.reply.encode(Kept::NotStored, ReceiveTime(0)).expect("an answer");
    assert!(String::from_utf8_lossy(&lost).contains("\rMSA|AR|1|"));
    let header = answer(&inbound);
    assert!(
        header.starts_with("MSH|^~\\&|VW|HOSP|MON|ICU|19700101000000.000+0000||ACK^R01^ACK|VW")
    );
    assert!(header.contains("|P|2.6\r"));
}

#[test]
fn an_acknowledgement_is_not_answered() {
    let inbound = one(&format!("{}\rMSA|AA|1", MSH.replace("ORU^R01^ORU_R01", "ACK")));
    assert_eq!(answer(&inbound), "");
}

#[test]
fn a_repeated_message_has_the_same_key() {
    let key = |text: &str| one(text).dedup;
    let text = format!("{MSH}\rOBX|1|NM|HR||72");
    assert_eq!(key(&text), key(&text));
    assert_eq!(key(&text), key(&format!("{MSH}\r\nOBX|1|NM|HR||72\r\n")));
    assert_ne!(key(&text), key(&text.replace("|1|P", "|2|P")));
    assert_ne!(key(&text), key(&text.replace("120000", "120001")));
    let timeless = text.replace("20260101120000+0000", "");
    assert_ne!(key(&timeless), key(&timeless.replace("72", "73")));
    // What could not be used may be sent again in a better form.
    assert_ne!(key(&format!("{MSH}\rOBX|1|NM|X||72")), key(&text));
}

#[test]
fn batches() {
    let message = |id: u32| {
        format!("{}\rPID|||{id}\rOBX|1|NM|HR||7{id}\r", MSH.replace("|1|P", &format!("|{id}|P")))
    };
    let text = format!("FHS|^~\\&\rBHS|^~\\&\r{}{}BTS|2\rFTS|1\r", message(1), message(2));
    let received = read(text.as_bytes(), ReceiveTime(0), &Options::default());
    assert!(received.batch);
    assert_eq!(received.messages.len(), 2);
    assert_eq!(received.messages[1].message.payload, message(2).as_bytes());
    assert!(received.messages.iter().all(|m| m.message.problems.is_empty()));
    let short =
        read(text.replace("BTS|2", "BTS|3").as_bytes(), ReceiveTime(0), &Options::default());
    assert_eq!(problems(&short.messages[1]), ["BTS-1 missing"]);
    let bare = read(
        format!("{}{}", message(1), message(2)).as_bytes(),
        ReceiveTime(0),
        &Options::default(),
    );
    assert!(!bare.batch);
    assert_eq!(bare.messages.len(), 2);
    assert_eq!(readings(&bare.messages[1])[0].split(' ').nth(2), Some("72"));
}

#[test]
fn character_sets() {
    let name = |bytes: &[u8]| {
        let received = read(bytes, ReceiveTime(0), &Options::default());
        let inbound = &received.messages[0];
        let Some(Content::Reading(reading)) = inbound.message.content.first() else {
            panic!("{:?}", inbound.message)
        };
        let name = reading.patient.clone().and_then(|p| p.name).map(|n| n.family);
        (name.unwrap_or_default(), problems(inbound))
    };
    let text = |charset: &str, name: &str| {
        format!("{MSH}||||||{charset}\rPID|||1||{name}\rOBX|1|NM|HR||72\r")
    };
    let latin = |charset: &str| -> Vec<u8> {
        text(charset, "M?ller").bytes().map(|b| if b == b'?' { 0xfc } else { b }).collect()
    };
    let fine = ("Müller".to_owned(), Vec::<String>::new());
    assert_eq!(name(text("UNICODE UTF-8", "Müller").as_bytes()), fine);
    assert_eq!(name(text("", "Müller").as_bytes()), fine);
    assert_eq!(name(&latin("8859/1")), fine);
    assert_eq!(name(&latin("")), fine);
    let wide: Vec<u8> =
        text("UNICODE UTF-16", "Müller").encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(name(&wide), fine);
    assert_eq!(name(&latin("UNICODE UTF-8")), ("Müller".into(), vec!["MSH-18 syntax".into()]));
    assert_eq!(name(&latin("KLINGON")), ("Müller".into(), vec!["MSH-18 unmatched".into()]));
}

#[test]
fn a_segment_of_ten_megabytes_is_one_value_or_one_problem() {
    for filler in ["x", "^", "~", "&", "\\", "|"] {
        let text = format!(
            "{MSH}\rPID|||1\rOBX|1|NM|HR||72\rOBX|2|NA|HR||{}\rOBX|3|NM|RR||12",
            filler.repeat(10_000_000)
        );
        let inbound = one(&text);
        assert!(readings(&inbound).iter().filter(|r| !r.contains("Hz")).count() >= 2, "{filler}");
        assert!(answer(&inbound).contains("MSA|AA|1"));
    }
}
