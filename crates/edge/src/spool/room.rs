//! Who is left out: by the rules when it comes, by age and class when the spool is full. Each is
//! counted.

use rusqlite::{OptionalExtension, Transaction, params};
use vitals::{Passed, PassedAlert};
use vitals::time::SECOND;

use super::{Class, Fill, HOUR, OVERHEAD, Piece, class_and_bytes, signed};
use crate::EdgeError;
use crate::rules::{Rhythm, Rules, Urgency, WaveRule};

/// Whether a piece is to be sent by the rules.
pub(super) fn wanted(
    step: &Transaction<'_>,
    rhythm: &mut Rhythm,
    rules: &Rules,
    class: Class,
    piece: &Piece,
) -> Result<bool, EdgeError> {
    Ok(match (class, &piece.what) {
        (Class::Waveforms, _) => rules.waveforms != WaveRule::None,
        (Class::Numerics, Passed::Message(message)) => {
            // Its rhythm is kept even while everything is sent.
            let due = rhythm.wants(message, piece.at, rules);
            due || near_alert(step, piece.at)?
        }
        _ => true,
    })
}

fn near_alert(step: &Transaction<'_>, at: i64) -> Result<bool, EdgeError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM around WHERE ?1 BETWEEN from_us AND to_us)";
    Ok(step.prepare_cached(sql)?.query_row([at], |row| row.get(0))?)
}

/// How urgent an alert is, as its record says; one that does not say counts as most urgent.
fn urgency(alert: &PassedAlert) -> Urgency {
    let record = serde_json::from_str::<serde_json::Value>(&alert.record).unwrap_or_default();
    match record["episode"]["priority"].as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("low") => Urgency::Low,
        Some("medium") => Urgency::Medium,
        _ => Urgency::High,
    }
}

/// Notes the time around a change of an alert.
pub(super) fn note_alert(step: &Transaction<'_>, piece: &Passed, at: i64, rules: &Rules) -> Result<(), EdgeError> {
    if let Passed::Alert(alert) = piece
        && urgency(alert) >= rules.around_priority
    {
        let around = i64::from(rules.around_alerts_s) * SECOND;
        step.execute("INSERT INTO around VALUES (?1, ?2)", [at - around, at + around])?;
    }
    Ok(())
}

/// Lets go of the oldest of what matters least until the rest has room.
pub(super) fn make_room(step: &Transaction<'_>, fill: &mut Fill, bytes_max: u64) -> Result<(), EdgeError> {
    let mut oldest = step.prepare_cached(
        "DELETE FROM piece WHERE (line, number) IN
         (SELECT line, number FROM piece WHERE class = ?1 ORDER BY number LIMIT 1)
         RETURNING class, length(body), at_us",
    )?;
    for class in Class::ALL {
        while fill.all_bytes() > bytes_max {
            let gone = oldest.query_row([class as i64], |row| Ok((class_and_bytes(row)?, row.get(2)?)));
            let Some(((_, bytes), at)) = gone.optional()? else { break };
            let at: i64 = at;
            fill.bytes[class as usize] = fill.bytes[class as usize].saturating_sub(bytes + OVERHEAD);
            fill.pieces[class as usize] = fill.pieces[class as usize].saturating_sub(1);
            count(step, class, "full", (1, bytes), (at, at))?;
        }
    }
    Ok(())
}

/// Counts what was left out.
pub(super) fn count(
    step: &Transaction<'_>,
    class: Class,
    reason: &str,
    (pieces, bytes): (u64, u64),
    (from, to): (i64, i64),
) -> Result<(), EdgeError> {
    let sql = "INSERT INTO thinned VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)
        ON CONFLICT (class, reason, hour) DO UPDATE SET pieces = pieces + excluded.pieces,
        bytes = bytes + excluded.bytes, from_us = min(from_us, excluded.from_us),
        to_us = max(to_us, excluded.to_us)";
    step.prepare_cached(sql)?.execute(params![
        class.name(), reason, from.div_euclid(HOUR), signed(pieces), signed(bytes), from, to
    ])?;
    Ok(())
}
