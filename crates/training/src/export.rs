//! Features and outcomes of every moment in files that NumPy and a table reader take, so that others' learners can be
//! tried on what ours learns from.

use std::io::{self, Write};

use predict::feature::Plan;

use crate::cohort::Stay;
use crate::grid::fill;
use crate::learn::Lessons;
use crate::recipe::Recipe;

/// Writes a recipe's features of all moments as a NumPy array (format 1.0, little-endian 32-bit, a row a moment, NaN
/// where missing).
///
/// # Errors
/// When `out` takes no more.
pub fn features(recipe: &Recipe, stays: &[Stay], mut out: impl Write) -> io::Result<()> {
    let moments: usize = stays.iter().map(|stay| stay.moments.len()).sum();
    out.write_all(&header(moments, recipe.features.len()))?;
    let plan = Plan::of(recipe.features.clone());
    let (mut bytes, mut done) = (Vec::new(), Ok(()));
    fill(&plan, stays, |_, _, row| {
        bytes.clear();
        bytes.extend(row.iter().flat_map(|value| value.to_le_bytes()));
        if done.is_ok() {
            done = out.write_all(&bytes);
        }
    });
    done.and_then(|()| out.flush())
}

/// Magic, version, length and what the array is, 64 bytes or a multiple of it in all (NumPy Enhancement Proposal 1).
fn header(rows: usize, columns: usize) -> Vec<u8> {
    let mut text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let length = (10 + text.len() + 1).next_multiple_of(64) - 10;
    text.extend(std::iter::repeat_n(' ', length - text.len() - 1));
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

/// Writes a table with a line for each row of the features: record, number of its folder, part of the cross-validation,
/// moment from 0, whether the event comes within the horizon (empty: not asked), whether it is right to alarm, how much
/// the moment teaches.
///
/// # Errors
/// When `out` takes no more.
pub fn moments(stays: &[Stay], lessons: &Lessons, mut out: impl Write) -> io::Result<()> {
    writeln!(out, "record,folder,fold,moment,event,alarm,weight")?;
    let mut rows = lessons.rows.iter();
    for (stay, fold) in stays.iter().zip(&lessons.folds) {
        for (moment, lesson) in (0..stay.moments.len()).zip(&mut rows) {
            let event = lesson.event.map_or("", |event| if event { "1" } else { "0" });
            let alarm = u8::from(lesson.alarm);
            writeln!(out, "{},{},{fold},{moment},{event},{alarm},{}", stay.id, stay.source, lesson.weight)?;
        }
    }
    out.flush()
}
