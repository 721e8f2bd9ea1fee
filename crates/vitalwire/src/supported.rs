//! `vitalwire devices catalogue`: what is supported, each with the session that proves it.

use catalogue::Row;

/// How the catalogue is printed.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only rows in which each of these words stands, in any case: a metric, a maker, a profile.
    words: Vec<String>,
    /// Print one JSON array.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print the page docs/devices.md.
    #[arg(long)]
    markdown: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let mut rows = catalogue::rows()?;
    rows.retain(|row| args.words.iter().all(|word| mentions(row, word)));
    if args.json {
        println!("{}", serde_json::to_string(&rows)?);
        return Ok(());
    }
    if args.markdown {
        print!("{}", catalogue::markdown(&rows));
        return Ok(());
    }
    if rows.is_empty() {
        anyhow::bail!("no such device is in the catalogue; any that publishes JSON, CBOR, CSV or numbers can have a profile: docs/connect-a-device.md");
    }
    let mut group = "";
    for row in &rows {
        if row.group != group {
            println!("{}{}", if group.is_empty() { "" } else { "\n" }, row.group);
            group = &row.group;
        }
        print_row(row);
    }
    Ok(())
}

fn print_row(row: &Row) {
    println!("  {}", row.title);
    let mut lines = vec![row.models.join("; "), row.metrics.join(" "), row.becomes.clone()];
    let by = [&row.profile].into_iter().chain(&row.codecs).filter(|name| !name.is_empty());
    lines.push(format!("{} · docs/{} · tests/sessions/{}", by.cloned().collect::<Vec<_>>().join(", "), row.page, row.session));
    lines.push(row.limits.clone());
    lines.iter().filter(|line| !line.is_empty()).for_each(|line| println!("    {line}"));
}

fn mentions(row: &Row, word: &str) -> bool {
    let word = word.to_lowercase();
    let own = [&row.title, &row.group, &row.profile, &row.becomes, &row.session];
    own.into_iter()
        .chain(&row.models)
        .chain(&row.metrics)
        .chain(&row.codecs)
        .any(|text| text.to_lowercase().contains(&word))
}
