//! Rows of comma-separated tables with quoted fields (RFC 4180), gzipped or not.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::error::SimError;

/// Calls `row` with the wanted columns of each row, in the order wanted.
pub(super) fn for_each(
    path: &Path,
    wanted: &[&str],
    mut row: impl FnMut(&[&str]) -> Result<(), String>,
) -> Result<(), SimError> {
    let file = File::open(path).map_err(SimError::file(path))?;
    let mut reader: Box<dyn BufRead> = if path.extension().is_some_and(|e| e == "gz") {
        Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(file)))
    } else {
        Box::new(BufReader::with_capacity(1 << 16, file))
    };
    let wrong = |line: usize, problem: String| SimError::Format { path: path.to_owned(), line, problem };
    let mut text = String::new();
    let mut fields = Vec::new();
    let (mut number, mut places) = (0, Vec::new());
    while record(&mut reader, &mut text).map_err(SimError::file(path))? {
        number += 1;
        split(text.trim_end_matches(['\r', '\n']), &mut fields);
        if number == 1 {
            for name in wanted {
                let place = fields
                    .iter()
                    .position(|field| field.eq_ignore_ascii_case(name))
                    .ok_or_else(|| wrong(1, format!("has no column {name}")))?;
                places.push(place);
            }
            continue;
        }
        let found: Option<Vec<&str>> =
            places.iter().map(|at| fields.get(*at).map(String::as_str)).collect();
        let found = found.ok_or_else(|| wrong(number, "has too few fields".to_owned()))?;
        row(&found).map_err(|problem| wrong(number, problem))?;
    }
    Ok(())
}

/// Reads one record: a line, or several while a quote is open.
fn record(reader: &mut dyn BufRead, text: &mut String) -> std::io::Result<bool> {
    text.clear();
    loop {
        if reader.read_line(text)? == 0 {
            return Ok(!text.is_empty());
        }
        if text.bytes().filter(|byte| *byte == b'"').count().is_multiple_of(2) {
            return Ok(true);
        }
    }
}

fn split(line: &str, fields: &mut Vec<String>) {
    let mut count = 0;
    let mut rest = line;
    loop {
        if fields.len() == count {
            fields.push(String::new());
        }
        let field = &mut fields[count];
        field.clear();
        count += 1;
        let mut quoted = false;
        let mut end = rest.len();
        let mut chars = rest.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' if quoted && chars.peek().is_some_and(|(_, next)| *next == '"') => {
                    field.push('"');
                    chars.next();
                }
                '"' => quoted = !quoted,
                ',' if !quoted => {
                    end = at;
                    break;
                }
                c => field.push(c),
            }
        }
        if end == rest.len() {
            fields.truncate(count);
            return;
        }
        rest = &rest[end + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_apart() {
        for (line, expected) in [
            ("a,b", vec!["a", "b"]),
            ("a,,", vec!["a", "", ""]),
            ("\"x,\"\"y\"\"\",2", vec!["x,\"y\"", "2"]),
            ("", vec![""]),
        ] {
            let mut fields = vec!["old".to_owned(); 5];
            split(line, &mut fields);
            assert_eq!(fields, expected, "{line}");
        }
    }
}
