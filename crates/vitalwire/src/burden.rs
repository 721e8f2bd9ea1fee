//! What alarms cost: the report of each week while the program runs, and `vitalwire report burden` on
//! a data folder.

use std::sync::Arc;
use std::time::Duration;

use alert::Policy;
use anyhow::Context;
use api::burden::Burden;
use burden::{Settings, Share};
use clap::Subcommand;
use guard::Guard;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use live::Live;
use reckoning::{Asked, House, Report};
use runtime::{Webhook, event_row};
use serde_json::json;
use store::{Reader, Side, Store};
use vitals::{ReceiveTime, Role};

use crate::Misuse;
use crate::admin::Data;
use crate::config::Config;

/// How often it is looked whether hours and a week are over.
const EVERY: Duration = Duration::from_secs(600);
/// Who is told that there is a report.
const TOLD: [Role; 3] = [Role::ChargeNurse, Role::Engineer, Role::Administrator];
/// Lines of each list on a terminal.
const LINES: usize = 10;

/// The house as it is configured: its clock is that of HL7 messages unless the policy says another.
pub(crate) fn house(config: &Config) -> House {
    let zone = TimeZone::get(&config.mllp.zone).unwrap_or(TimeZone::UTC);
    House {
        settings: Settings { zone, ..Settings::default() },
        higher_care: config.burden.higher_care.clone(),
    }
}

/// What keeps the alerts of each hour ready for who asks what they cost, and makes the report of each week.
pub(crate) struct Weekly {
    pub(crate) reader: Reader,
    pub(crate) side: Arc<dyn Side>,
    pub(crate) guard: Guard,
    pub(crate) live: Live,
    pub(crate) burden: Burden,
    pub(crate) hooks: Vec<Webhook>,
    pub(crate) clock: fn() -> ReceiveTime,
}

impl Weekly {
    /// Runs until the task is ended. A week's report is made once; one that could not be made is
    /// tried again.
    pub(crate) async fn run(self) {
        let weekly = Arc::new(self);
        loop {
            let work = Arc::clone(&weekly);
            if let Ok(Err(error)) = tokio::task::spawn_blocking(move || work.step()).await {
                tracing::error!("what alarms cost could not be kept or reported, tried again: {error:#}");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    fn step(&self) -> anyhow::Result<()> {
        let now = (self.clock)();
        let policy = Policy::parse(&self.live.policy().text).unwrap_or_else(|_| Policy::built_in());
        let house = self.burden.house(&policy);
        reckoning::keep_hours(self.reader.as_ref(), self.side.as_ref(), now.0)?;
        let Some(week) = reckoning::due(self.reader.as_ref(), &house, now.0)? else { return Ok(()) };
        let asked = Asked { from: week.from, to: week.to, now: now.0, units: None };
        let role_of = api::burden::roles(&self.guard);
        let report =
            reckoning::report(self.reader.as_ref(), &house, &policy, (&asked, &week.name), &role_of)?;
        reckoning::keep(self.side.as_ref(), &report)?;
        // Of a week in which nobody was monitored there is nothing to tell: a new house's first.
        if report.figures.bed_days <= 0.0 && report.figures.alerts == 0 {
            return Ok(());
        }
        let rows: Vec<_> = self.hooks.iter().filter_map(|hook| row(hook, &report, now)).collect();
        Ok(self.side.outbox_add(&rows)?)
    }
}

/// The headline, without names: whoever may know more asks the API.
fn row(hook: &Webhook, report: &Report, now: ReceiveTime) -> Option<store::OutboxRow> {
    let body = json!({
        "event": "burden-report",
        "report": report.name,
        "from_ms": report.from_ms,
        "to_ms": report.to_ms,
        "alerts": report.figures.alerts,
        "alerts_before": report.before.alerts,
        "alerts_per_bed_day": report.figures.per_bed_day,
        "floods": report.figures.floods.len(),
        "at_ms": now.millis(),
    });
    event_row(hook, &format!("burden-report/{}", report.name), &TOLD, &body, now)
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// What alarms cost in a stretch of time, from the store of a data folder.
    Burden(Box<Args>),
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// From the beginning of this day (2026-11-16), or this time (2026-11-16T07:00:00Z); a week
    /// before the end if not said.
    #[arg(long)]
    from: Option<String>,
    /// To the beginning of this day, or this time; now if not said.
    #[arg(long)]
    to: Option<String>,
    /// Only this unit; may be repeated.
    #[arg(long = "unit")]
    units: Vec<String>,
    /// The place's time zone.
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// Units of higher care, a move to which counts as deterioration; may be repeated.
    #[arg(long = "higher-care", default_value = "ICU")]
    higher_care: Vec<String>,
    /// The alert policy whose limits are looked at; the built-in one if not said.
    #[arg(long)]
    policy: Option<std::path::PathBuf>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: Data,
}

/// Does what the command line asks.
pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    let Command::Burden(args) = command;
    let zone = TimeZone::get(&args.zone)
        .map_err(|_| Misuse("--zone: not a known time zone; write one such as Europe/Berlin".to_owned()))?;
    let now = crate::clock::clock().0;
    let to = args.to.as_deref().map_or(Ok(now), |text| time(text, &zone))?;
    let from = args.from.as_deref().map_or(Ok(to - 7 * vitals::time::DAY), |text| time(text, &zone))?;
    if from >= to {
        return Err(Misuse("--from must lie before --to".to_owned()).into());
    }
    let policy = match &args.policy {
        None => Policy::built_in(),
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            Policy::parse(&text).with_context(|| format!("{} is no alert policy", file.display()))?
        }
    };
    let house = House {
        settings: Settings { zone, ..Settings::default() },
        higher_care: args.higher_care.clone(),
    };
    let units = (!args.units.is_empty()).then(|| args.units.clone());
    let asked = Asked { from, to, now, units };
    let store = args.data.store()?;
    let role_of = api::burden::roles(&args.data.guard()?);
    let report =
        reckoning::report(store.reader().as_ref(), &house, &policy, (&asked, &name(from, to)), &role_of)?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", text(&report));
    }
    Ok(())
}

fn name(from: i64, to: i64) -> String {
    let day = |us| Timestamp::from_microsecond(us).map(|time| time.to_string()).unwrap_or_default();
    format!("{} to {}", day(from), day(to))
}

fn time(text: &str, zone: &TimeZone) -> anyhow::Result<i64> {
    let time = text.parse::<Timestamp>().ok().or_else(|| {
        Some(text.parse::<Date>().ok()?.to_zoned(zone.clone()).ok()?.timestamp())
    });
    let wrong = || Misuse(format!("{text}: neither a day (2026-11-16) nor a time (2026-11-16T07:00:00Z)"));
    Ok(time.ok_or_else(wrong)?.as_microsecond())
}

/// The report for a terminal.
fn text(report: &Report) -> String {
    let (now, before) = (&report.figures, &report.before);
    let rate = |rate: Option<f64>| rate.map_or_else(|| "nobody monitored".to_owned(), |rate| format!("{rate:.1} a bed-day"));
    let mut out = format!("Alarms, {}\n\n", report.name);
    let mut line = |text: String| out.push_str(&format!("{text}\n"));
    line(format!(
        "{} alerts in {:.1} bed-days, {} (before: {}, {})",
        now.alerts, now.bed_days, rate(now.per_bed_day), before.alerts, rate(before.per_bed_day)
    ));
    line(format!("high {}, medium {}, low {}", now.high, now.medium, now.low));
    line(format!("ended by themselves within 30 s: {}", share(&now.fleeting)));
    line(format!("actionable of those judged: {}", share(&now.judged.actionable)));
    line(format!("at night: {} alerts, {} calls, {} passed on", now.night.alerts, now.night.calls, now.night.passed_on));
    line(format!("never taken: {}", now.never_taken));
    if report.cut {
        line("There were more alerts than are looked at: these are the newest.".to_owned());
    }
    for (title, pareto) in [("Units", &now.units), ("Beds", &now.beds), ("Devices", &now.devices), ("Rules", &now.rules)] {
        line(format!("\n{title}"));
        for row in pareto.rows.iter().take(LINES) {
            let name = if row.name.is_empty() { "(not known)" } else { &row.name };
            line(format!("  {:>6}  {:>5.1}%  {} {name}", row.alerts, row.share * 100.0, row.unit));
        }
    }
    line(format!("\nFloods: {}, {:.0} minutes in units", now.floods.len(), now.flood_minutes));
    for flood in now.floods.iter().take(LINES) {
        let at = Timestamp::from_millisecond(flood.from_ms).map(|at| at.to_string()).unwrap_or_default();
        line(format!("  {at}  {} {}: {} alerts, {} in 10 min, mostly {}", flood.unit, flood.bed, flood.alerts, flood.most, flood.mostly));
    }
    line(format!("\nChattering: {}", now.chatter.len()));
    for one in now.chatter.iter().take(LINES) {
        line(format!("  {} {} {} {}: {} alerts, {} in a minute, {} under 30 s", one.unit, one.bed, one.device, one.rule, one.alerts, one.most, one.fleeting));
    }
    line("\nScores, followed by something real within 24 h".to_owned());
    for one in &report.scores {
        line(format!("  {} from {}: {}", one.score, one.from, share(&one.right.followed)));
    }
    out
}

fn share(share: &Share) -> String {
    match (share.share, share.low, share.high) {
        (Some(part), Some(low), Some(high)) => format!(
            "{} of {} ({:.0}%, {:.0} to {:.0}%)",
            share.of, share.all, part * 100.0, low * 100.0, high * 100.0
        ),
        _ => format!("{} of {}, too few to tell", share.of, share.all),
    }
}
