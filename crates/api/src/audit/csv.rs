//! Records as a table (RFC 4180) that no spreadsheet takes for formulas.

use std::fmt::Write;

use super::AuditRow;

/// The first line.
pub(super) fn head() -> String {
    "record,time,who,role,what,outcome,patient,patients,object,route,from,purpose,program,session,factor,policies,request,detail\r\n".to_owned()
}

/// Adds a record.
pub(super) fn row(table: &mut String, row: &AuditRow) {
    let time = wire_fhir::time::format(row.at_ms.saturating_mul(1_000));
    let _ = write!(table, "{},{time}", row.n);
    for text in [
        &row.actor,
        row.role.as_ref().unwrap_or(&String::new()),
        &row.action,
        &row.outcome,
        row.subject.as_ref().unwrap_or(&String::new()),
        &row.patients.join(" "),
        &row.object,
        &row.route,
        row.source.as_ref().unwrap_or(&String::new()),
        &row.purpose,
        &row.client,
        &row.session,
        &row.factor,
        &row.policies.join(" "),
        &row.request,
        &row.detail,
    ] {
        table.push(',');
        cell(table, text);
    }
    table.push_str("\r\n");
}

/// A cell. What a spreadsheet would take for a formula gets an apostrophe in front.
fn cell(table: &mut String, text: &str) {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let guarded = if formula { format!("'{text}") } else { text.to_owned() };
    if formula || guarded.contains([',', '"', '\r', '\n', ';']) {
        let _ = write!(table, "\"{}\"", guarded.replace('"', "\"\""));
    } else {
        table.push_str(&guarded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_each_stays_one_cell() {
        for (text, expected) in [
            ("ada", "ada"),
            ("", ""),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("-2", "\"'-2\""),
            ("\t=1", "\"'\t=1\""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"\n", "\"say \"\"hi\"\"\n\""),
        ] {
            let mut table = String::new();
            cell(&mut table, text);
            assert_eq!(table, expected);
        }
    }
}
