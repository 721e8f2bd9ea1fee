//! Tables as spreadsheets write them: RFC 4180, with a line of headings, `,` or `;` between cells.

use std::collections::HashMap;

/// Most lines of one file.
const LINES_MAX: usize = 200_000;

/// A line with its number (the headings are 1) and its cells by heading in lower case.
pub(crate) struct Line {
    pub(crate) number: usize,
    cells: HashMap<String, String>,
}

impl Line {
    /// A cell without outer white space; empty when the column is not there.
    pub(crate) fn cell(&self, heading: &str) -> &str {
        self.cells.get(heading).map_or("", |cell| cell.trim())
    }
}

/// The lines of a table, or what is wrong with it as a whole.
pub(crate) fn read(text: &str, needed: &[&str]) -> Result<Vec<Line>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or("");
    let comma = if first.matches(';').count() > first.matches(',').count() { ';' } else { ',' };
    let mut rows = split(text, comma)?.into_iter();
    let (_, headings) = rows.next().ok_or("the file is empty")?;
    let headings: Vec<String> = headings.iter().map(|h| h.trim().to_lowercase()).collect();
    if let Some(missing) = needed.iter().find(|need| !headings.iter().any(|h| h == *need)) {
        return Err(format!("line 1: a column `{missing}` is missing"));
    }
    let lines = rows.map(|(number, cells)| Line {
        number,
        cells: headings.iter().cloned().zip(cells).collect(),
    });
    Ok(lines.collect())
}

/// Rows with the line that each begins in; empty ones left out.
fn split(text: &str, comma: char) -> Result<Vec<(usize, Vec<String>)>, String> {
    let mut rows = Vec::new();
    let (mut cell, mut row, mut quoted) = (String::new(), Vec::new(), false);
    let (mut line, mut began) = (1, 1);
    let mut letters = text.chars().peekable();
    loop {
        let letter = letters.next();
        match letter {
            Some('"') if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            Some('"') if quoted => quoted = false,
            Some('"') if cell.trim().is_empty() => {
                quoted = true;
                cell.clear();
            }
            None if quoted => return Err(format!("line {began}: a quote is not closed")),
            Some('\n') | None if !quoted => {
                row.push(std::mem::take(&mut cell));
                let full = std::mem::take(&mut row);
                if full.iter().any(|cell| !cell.trim().is_empty()) {
                    rows.push((began, full));
                }
                if letter.is_none() {
                    return Ok(rows);
                }
                if rows.len() > LINES_MAX {
                    return Err(format!("more than {LINES_MAX} lines"));
                }
                line += 1;
                began = line;
            }
            Some('\r') if !quoted => {}
            Some(letter) if letter == comma && !quoted => row.push(std::mem::take(&mut cell)),
            Some(letter) => {
                line += usize::from(letter == '\n');
                cell.push(letter);
            }
            None => return Ok(rows),
        }
    }
}

/// A cell for a spreadsheet: never a formula, whatever a device calls itself (OWASP, CSV
/// injection).
pub(crate) fn cell(text: &str) -> String {
    let guarded = match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{text}"),
        _ => text.to_owned(),
    };
    match guarded.contains([',', '"', '\n', '\r', ';']) {
        true => format!("\"{}\"", guarded.replace('"', "\"\"")),
        false => guarded,
    }
}

/// A cell without the sign that [`cell`] puts before what a spreadsheet would take for a formula.
pub(crate) fn plain(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_as_spreadsheets_write_them() {
        let text = "\u{feff}Serial;Name\r\n1;\"a; \"\"b\"\"\nc\"\r\n\r\n2; x \n3";
        let lines = read(text, &["serial"]).expect("a table");
        let seen: Vec<_> = lines.iter().map(|l| (l.number, l.cell("serial"), l.cell("name"))).collect();
        assert_eq!(seen, [(2, "1", "a; \"b\"\nc"), (5, "2", "x"), (6, "3", "")]);
        assert!(read("a,b\n", &["c"]).is_err_and(|e| e.contains("`c`")));
        assert!(read("a\n\"b", &[]).is_err_and(|e| e.starts_with("line 2")));
        assert!(read("", &[]).is_err());
    }

    #[test]
    fn no_cell_is_a_formula() {
        for (text, expected) in
            [("a", "a"), ("=1+1", "'=1+1"), ("@x", "'@x"), ("a,\"b\"", "\"a,\"\"b\"\"\"")]
        {
            assert_eq!(cell(text), expected);
        }
    }
}
