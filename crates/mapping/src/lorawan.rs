//! LoRaWAN uplinks as network servers hand them on: The Things Stack (v3) and ChirpStack (v4), JSON.
//! Both become one tree, so that a profile says nothing of the server:
//!
//! ```json
//! {"server": "chirpstack", "event": "up", "devEui": "24E124…", "name": "bed-4", "application": "home",
//!  "model": "EM300", "fPort": 85, "fCnt": 7, "session": "01ab…", "bytes": "01755c", "time": "2026-…Z",
//!  "gateway": "…", "gateways": 2, "rssi": -61, "snr": 9.5, "battery": 92, "uplink": "…", "decoded": {}}
//! ```

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use vitals::DeviceTime;

use crate::Uplink;
use crate::payload::json;
use crate::time::TimeFormat;

/// The longest LoRaWAN payload (regional parameters RP002, all regions), in bytes.
const BYTES_MAX: usize = 242;

/// Reads an uplink of either server.
///
/// # Errors
/// A sentence on what is wrong.
pub(crate) fn read(payload: &[u8]) -> Result<Value, String> {
    let tree = json(payload)?;
    if tree.get("end_device_ids").is_some() {
        things_stack(&tree)
    } else if tree.get("deviceInfo").is_some() {
        chirpstack(&tree)
    } else {
        Err("neither an uplink of The Things Stack (end_device_ids) nor of ChirpStack (deviceInfo)".to_owned())
    }
}

/// What a decoder gets of a tree that [`read`] made.
pub(crate) fn uplink(tree: &Value) -> Option<Uplink> {
    let bytes = from_hex(tree.get("bytes")?.as_str()?)?;
    let port = u8::try_from(tree.get("fPort")?.as_u64()?).ok()?;
    let time = tree.get("time").and_then(|time| TimeFormat::Rfc3339.read(time, &jiff::tz::TimeZone::UTC).ok());
    Some(Uplink { bytes, port, received_ms: time.map_or(0, DeviceTime::millis) })
}

fn things_stack(tree: &Value) -> Result<Value, String> {
    let ids = &tree["end_device_ids"];
    let Some(up) = tree.get("uplink_message") else {
        return Err("a message of The Things Stack without an uplink".to_owned());
    };
    let heard = up["rx_metadata"].as_array().map_or(&[][..], Vec::as_slice);
    let best = best(heard, "rssi");
    let gateway = best.map_or(&Value::Null, |one| &one["gateway_ids"]);
    // A gateway with a clock of its own says when; else the server says when it heard of it.
    let time = [best.map(|one| &one["time"]), Some(&up["received_at"]), Some(&tree["received_at"])];
    let port = whole(&up["f_port"]).unwrap_or(0);
    let mut out = common(
        ("things-stack", "up"),
        text(&ids["dev_eui"]).ok_or("end_device_ids.dev_eui is missing")?,
        (port, whole(&up["f_cnt"]).unwrap_or(0)),
        text(&up["session_key_id"]).or_else(|| text(&ids["dev_addr"])),
        up.get("frm_payload"),
    )?;
    put(&mut out, "name", ids["device_id"].clone());
    put(&mut out, "application", ids["application_ids"]["application_id"].clone());
    put(&mut out, "model", up["version_ids"]["model_id"].clone());
    put(&mut out, "time", time.into_iter().flatten().find(|time| time.is_string()).cloned().unwrap_or(Value::Null));
    let known = ["eui", "gateway_id"].iter().map(|key| &gateway[*key]).find(|id| id.is_string());
    put(&mut out, "gateway", known.cloned().unwrap_or(Value::Null));
    radio(&mut out, heard.len(), best);
    put(&mut out, "battery", up["last_battery_percentage"]["value"].clone());
    put(&mut out, "decoded", up["decoded_payload"].clone());
    Ok(Value::Object(out))
}

fn chirpstack(tree: &Value) -> Result<Value, String> {
    let about = &tree["deviceInfo"];
    let eui = text(&about["devEui"]).ok_or("deviceInfo.devEui is missing")?;
    if tree.get("batteryLevel").is_some() || tree.get("margin").is_some() {
        return Ok(chirpstack_status(tree, &eui));
    }
    if tree.get("fCnt").is_none() && tree.get("data").is_none() {
        return Err("an event of ChirpStack that is no uplink".to_owned());
    }
    let heard = tree["rxInfo"].as_array().map_or(&[][..], Vec::as_slice);
    let best = best(heard, "rssi");
    let time = [best.map(|one| &one["gwTime"]), Some(&tree["time"]), best.map(|one| &one["nsTime"])];
    let mut out = common(
        ("chirpstack", "up"),
        eui,
        (whole(&tree["fPort"]).unwrap_or(0), whole(&tree["fCnt"]).unwrap_or(0)),
        text(&tree["devAddr"]),
        tree.get("data"),
    )?;
    put(&mut out, "name", about["deviceName"].clone());
    put(&mut out, "application", about["applicationName"].clone());
    put(&mut out, "model", about["deviceProfileName"].clone());
    put(&mut out, "time", time.into_iter().flatten().find(|time| time.is_string()).cloned().unwrap_or(Value::Null));
    put(&mut out, "gateway", best.map_or(Value::Null, |one| one["gatewayId"].clone()));
    radio(&mut out, heard.len(), best);
    put(&mut out, "decoded", tree["object"].clone());
    Ok(Value::Object(out))
}

/// ChirpStack's status event: the battery as the device reports it to the network.
fn chirpstack_status(tree: &Value, eui: &str) -> Value {
    let known = tree["batteryLevelUnavailable"] != true && tree["externalPowerSource"] != true;
    let battery = tree["batteryLevel"].as_f64().filter(|_| known);
    json!({
        "server": "chirpstack", "event": "status", "devEui": eui.to_ascii_uppercase(), "time": tree["time"],
        "name": tree["deviceInfo"]["deviceName"], "application": tree["deviceInfo"]["applicationName"],
        "model": tree["deviceInfo"]["deviceProfileName"], "battery": battery,
        "uplink": tree.get("deduplicationId").and_then(Value::as_str).map(|id| format!("status/{id}")),
    })
}

/// What both servers say.
fn common(
    (server, event): (&str, &str),
    eui: String,
    (port, count): (u64, u64),
    session: Option<String>,
    data: Option<&Value>,
) -> Result<Map<String, Value>, String> {
    let eui = eui.to_ascii_uppercase();
    if eui.len() != 16 || !eui.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("the DevEUI must be 16 hexadecimal digits".to_owned());
    }
    let data = data.and_then(Value::as_str).unwrap_or_default();
    let bytes = STANDARD.decode(data).map_err(|_| "the payload is not base64".to_owned())?;
    if bytes.len() > BYTES_MAX {
        return Err(format!("the payload has more than {BYTES_MAX} bytes"));
    }
    // The counter begins anew with each session, so both together name an uplink (TS001 §4.3.1.5).
    let uplink = session.as_ref().map(|session| format!("{eui}/{session}/{count}"));
    let tree = json!({
        "server": server, "event": event, "devEui": eui, "fPort": port, "fCnt": count, "session": session,
        "bytes": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), "uplink": uplink,
    });
    match tree {
        Value::Object(fields) => Ok(fields),
        _ => Ok(Map::new()),
    }
}

/// How it was heard, by the gateway that heard it best.
fn radio(out: &mut Map<String, Value>, gateways: usize, best: Option<&Value>) {
    put(out, "gateways", json!(gateways));
    put(out, "rssi", best.map_or(Value::Null, |one| one["rssi"].clone()));
    put(out, "snr", best.map_or(Value::Null, |one| one["snr"].clone()));
}

fn best<'a>(heard: &'a [Value], key: &str) -> Option<&'a Value> {
    let strength = |one: &Value| one[key].as_f64().unwrap_or(f64::MIN);
    heard.iter().max_by(|a, b| strength(a).total_cmp(&strength(b)))
}

fn put(out: &mut Map<String, Value>, key: &str, value: Value) {
    if !value.is_null() {
        out.insert(key.to_owned(), value);
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8]| u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok();
    text.as_bytes().chunks_exact(2).map(pair).collect()
}
