//! What a device says, as the messages of the topic `vitalwire/<id>/gatt`, so that a value goes the same way
//! as one that a gateway forwards. Values that count their time from another one's travel with it.

use serde_json::{Value, json};

use super::settings::Peer;

/// How long a glucose record waits for its context, in microseconds.
const CONTEXT_MAX: i64 = 3_000_000;

const GLUCOSE: u16 = 0x2a18;
const CONTEXT: u16 = 0x2a34;
const RECORDS: u16 = 0x2a52;
const CGM: u16 = 0x2aa7;
const SESSION_START: u16 = 0x2aaa;
const STATUS_CHANGED: u16 = 0x2b20;
const PUMP_HISTORY: u16 = 0x2b28;
/// The type of the event of a pump's history that tells the time.
const REFERENCE_TIME: [u8; 2] = [0x0f, 0x00];

/// A message to be kept, and which record is wanted next when it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub(super) payload: Vec<u8>,
    pub(super) next_record: Option<u16>,
}

/// Makes messages of one device's values.
#[derive(Debug)]
pub(super) struct Teller {
    peer: Peer,
    session: Option<(Vec<u8>, Value)>,
    reference: Option<Value>,
    held: Option<(Value, Option<u16>, i64)>,
}

impl Teller {
    pub(super) const fn new(peer: Peer) -> Self {
        Self { peer, session: None, reference: None, held: None }
    }

    /// Takes a value that was received `now` (microseconds since 1970).
    pub(super) fn take(&mut self, number: u16, bytes: &[u8], now: i64) -> Vec<Told> {
        let item = self.item(number, bytes, now);
        let mut told: Vec<Told> = Vec::new();
        match number {
            // What is asked and answered about records and changes measures nothing.
            RECORDS | STATUS_CHANGED => {}
            SESSION_START => self.session = Some((bytes.to_vec(), item)),
            PUMP_HISTORY if bytes.starts_with(&REFERENCE_TIME) => self.reference = Some(item),
            PUMP_HISTORY => told.push(told_of(self.reference.iter().cloned().chain([item]), None)),
            CGM => {
                let session = self.session.as_ref().map(|(_, item)| item.clone());
                told.push(told_of(session.into_iter().chain([item]), after_last(bytes)));
            }
            GLUCOSE => {
                told.extend(self.release());
                let next = after(bytes, 1);
                // Bit 4: the context comes behind it.
                if bytes.first().is_some_and(|flags| flags >> 4 & 1 == 1) {
                    self.held = Some((item, next, now));
                } else {
                    told.push(told_of([item], next));
                }
            }
            CONTEXT => {
                let (record, next) = self.held.take().map(|(record, next, _)| (record, next)).unzip();
                told.push(told_of(record.into_iter().chain([item]), next.flatten()));
            }
            _ => told.push(told_of([item], None)),
        }
        told
    }

    /// A record whose context has not come in time.
    pub(super) fn overdue(&mut self, now: i64) -> Option<Told> {
        let late = self.held.as_ref().is_some_and(|(_, _, since)| now - since > CONTEXT_MAX);
        if late { self.release() } else { None }
    }

    /// The bytes of the session's start, if the device has said it.
    pub(super) fn session(&self) -> Option<&[u8]> {
        self.session.as_ref().map(|(bytes, _)| bytes.as_slice())
    }

    /// The record that is held back.
    pub(super) fn release(&mut self) -> Option<Told> {
        self.held.take().map(|(record, next, _)| told_of([record], next))
    }

    fn item(&self, number: u16, bytes: &[u8], now: i64) -> Value {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let received = jiff::Timestamp::from_microsecond(now).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let mut item = json!({"characteristic": format!("{number:04x}"), "hex": hex, "received": received.to_string()});
        if self.peer.utc_offset_min != 0 {
            item["utcOffset"] = json!(self.peer.utc_offset_min);
        }
        if let Some(user) = self.peer.user {
            item["user"] = json!(user);
        }
        item
    }
}

fn told_of(items: impl IntoIterator<Item = Value>, next_record: Option<u16>) -> Told {
    let items: Value = items.into_iter().collect();
    Told { payload: items.to_string().into_bytes(), next_record }
}

/// One more than the number at a place.
fn after(bytes: &[u8], at: usize) -> Option<u16> {
    let number = bytes.get(at..at + 2)?;
    u16::from_le_bytes([number[0], number[1]]).checked_add(1)
}

/// One more than the minute of the last CGM record: each begins with its own length, and has the minute
/// behind flags and glucose.
fn after_last(bytes: &[u8]) -> Option<u16> {
    let mut next = None;
    let mut rest = bytes;
    while let Some(record) = rest.first().and_then(|size| rest.get(..usize::from(*size))).filter(|record| record.len() >= 6) {
        next = after(record, 4).or(next);
        rest = &rest[record.len()..];
    }
    next
}

#[cfg(test)]
mod tests {
    use vitals::DeviceId;

    use super::*;

    fn teller() -> Teller {
        let id = DeviceId::sanitised("meter-1");
        Teller::new(Peer { id, address: "AA:BB:CC:DD:EE:FF".to_owned(), utc_offset_min: 60, user: None })
    }

    /// Characteristics of the messages, and what is wanted next.
    fn shape(told: &[Told]) -> Vec<(Vec<String>, Option<u16>)> {
        let named = |item: &Value| item["characteristic"].as_str().unwrap_or_default().to_owned();
        let items = |told: &Told| serde_json::from_slice::<Vec<Value>>(&told.payload).expect("a list");
        told.iter().map(|told| (items(told).iter().map(named).collect(), told.next_record)).collect()
    }

    #[test]
    fn values_travel_with_what_their_time_counts_from() {
        let mut teller = teller();
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(shape(&teller.take(CGM, &[6, 0, 100, 0, 5, 0], 1)), [(list(&["2aa7"]), Some(6))]);
        assert_eq!(shape(&teller.take(SESSION_START, &[1; 9], 2)), []);
        let two = [6, 0, 100, 0, 5, 0, 7, 1, 101, 0, 10, 0, 9];
        assert_eq!(shape(&teller.take(CGM, &two, 3)), [(list(&["2aaa", "2aa7"]), Some(11))]);
        assert_eq!(shape(&teller.take(PUMP_HISTORY, &[0x0f, 0, 1], 4)), []);
        assert_eq!(shape(&teller.take(PUMP_HISTORY, &[0x69, 0, 1], 5)), [(list(&["2b28", "2b28"]), None)]);
        assert_eq!(shape(&teller.take(RECORDS, &[6, 0, 1, 1], 6)), []);
        let told = teller.take(0x2a37, &[0, 72], 1_700_000_000_000_000);
        let text = String::from_utf8(told[0].payload.clone()).expect("text");
        assert_eq!(text, r#"[{"characteristic":"2a37","hex":"0048","received":"2023-11-14T22:13:20Z","utcOffset":60}]"#);
    }

    #[test]
    fn a_record_waits_for_its_context_and_not_for_ever() {
        let mut teller = teller();
        let with_context = [0x12, 7, 0, 1, 2, 3];
        assert_eq!(teller.take(GLUCOSE, &with_context, 0), []);
        let both = teller.take(CONTEXT, &[0, 7, 0], 1);
        assert_eq!(shape(&both), [(vec!["2a18".to_owned(), "2a34".to_owned()], Some(8))]);
        teller.take(GLUCOSE, &with_context, 10);
        assert_eq!(teller.overdue(10 + CONTEXT_MAX), None);
        assert_eq!(shape(&[teller.overdue(11 + CONTEXT_MAX).expect("late")]), [(vec!["2a18".to_owned()], Some(8))]);
        teller.take(GLUCOSE, &with_context, 20);
        let next = teller.take(GLUCOSE, &[0x02, 8, 0], 30);
        assert_eq!(shape(&next).len(), 2, "the next record lets the one before go");
    }
}
