//! Advisories as a table: a line a vulnerability and product.

use super::{Product, Range, Status, Vulnerability};
use crate::table;

/// Columns beside `id`.
const COLUMNS: &str =
    "id, advisory, title, manufacturer, model, versions, purl, status, cvss, remediation";

/// Reads the table; `name` stands where a line names no advisory.
///
/// # Errors
/// What is wrong, with the line.
pub fn from_csv(text: &str, name: &str) -> Result<Vec<Vulnerability>, String> {
    let lines = table::read(text, &["id"]).map_err(|e| format!("{e}; columns are {COLUMNS}"))?;
    let mut all: Vec<Vulnerability> = Vec::new();
    for line in &lines {
        let wrong = |problem: &str| format!("line {}: {problem}", line.number);
        let id = line.cell("id");
        if id.is_empty() {
            return Err(wrong("id is empty"));
        }
        let cvss = match line.cell("cvss") {
            "" => None,
            score => Some(
                score.replace(',', ".").parse().ok().filter(|s| (0.0..=10.0).contains(s))
                    .ok_or_else(|| wrong("cvss: a number from 0 to 10"))?,
            ),
        };
        let status = match line.cell("status") {
            "" | "affected" => Status::Affected,
            "fixed" => Status::Fixed,
            "not-affected" => Status::NotAffected,
            "under-investigation" => Status::UnderInvestigation,
            _ => return Err(wrong("status: affected, fixed, not-affected or under-investigation")),
        };
        let product = Product {
            manufacturer: line.cell("manufacturer").to_owned(),
            model: line.cell("model").to_owned(),
            purl: line.cell("purl").to_owned(),
            versions: Range(line.cell("versions").to_owned()),
            status,
            cvss,
            remediation: line.cell("remediation").to_owned(),
        };
        if product.model.is_empty() && product.purl.is_empty() {
            return Err(wrong("give a model, or a purl of a component"));
        }
        let advisory = if line.cell("advisory").is_empty() { name } else { line.cell("advisory") };
        match all.iter_mut().find(|v| v.id == id && v.advisory == advisory) {
            Some(known) => known.products.push(product),
            None => all.push(Vulnerability {
                id: id.to_owned(),
                advisory: advisory.to_owned(),
                title: line.cell("title").to_owned(),
                products: vec![product],
            }),
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_the_security_office() {
        let text = "id,title,manufacturer,model,versions,cvss,remediation\n\
            CVE-2099-1,Open door,Acme,P2,<2.4,9.8,Update\nCVE-2099-1,Open door,Acme,P3,,5,\n";
        let all = from_csv(text, "list").expect("a table");
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].products.len(), 2);
        assert_eq!(all[0].products[0].cvss, Some(9.8));
        for (text, problem) in [
            ("title\nx\n", "`id`"),
            ("id,model,cvss\nC,P2,11\n", "line 2: cvss"),
            ("id,model,status\nC,P2,perhaps\n", "line 2: status"),
            ("id,model\nC,\n", "line 2: give a model"),
        ] {
            let error = from_csv(text, "list").expect_err(text);
            assert!(error.contains(problem), "{error}");
        }
    }
}
