//! Figures as a table for a spreadsheet: one line a figure, `section,name,unit,figure,value`.

use crate::figures::{Figures, Pareto};
use crate::spread::Share;

/// Writes figures as CSV (RFC 4180). What a spreadsheet would take for a formula is led by an
/// apostrophe.
#[must_use]
pub fn csv(figures: &Figures) -> String {
    let mut out = Table(String::from("section,name,unit,figure,value\r\n"));
    out.whole(figures);
    for (section, pareto) in [
        ("unit", &figures.units),
        ("bed", &figures.beds),
        ("device", &figures.devices),
        ("rule", &figures.rules),
    ] {
        out.pareto(section, pareto);
    }
    for (day, hours) in ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].iter().zip(&figures.hours) {
        for (hour, alerts) in hours.iter().enumerate() {
            out.line(["hour", &format!("{day} {hour:02}"), "", "alerts"], *alerts as f64);
        }
    }
    for flood in &figures.floods {
        let name = format!("{} {}", flood.bed, flood.from_ms);
        out.line(["flood", name.trim(), &flood.unit, "alerts"], flood.alerts as f64);
        out.line(["flood", name.trim(), &flood.unit, "most in 10 min"], flood.most as f64);
    }
    for one in &figures.chatter {
        let name = format!("{} {} {}", one.bed, one.device, one.rule);
        out.line(["chatter", name.trim(), &one.unit, "alerts"], one.alerts as f64);
        out.line(["chatter", name.trim(), &one.unit, "most in 1 min"], one.most as f64);
        out.line(["chatter", name.trim(), &one.unit, "ended in 30 s"], one.fleeting as f64);
    }
    for one in &figures.standing {
        out.line(["standing", &format!("{} {}", one.bed, one.rule), &one.unit, "hours"], one.hours);
    }
    for limit in &figures.limits {
        let side = if limit.below { "below" } else { "above" };
        let name = format!("{} {side} {} {}", limit.metric, limit.mark, limit.unit);
        out.line(["limit", name.trim(), "", "alerts"], limit.alerts as f64);
        for step in &limit.steps {
            out.line(["limit", name.trim(), "", &format!("spared at {}", round(step.mark))], step.spared as f64);
        }
    }
    out.0
}

struct Table(String);

impl Table {
    fn line(&mut self, words: [&str; 4], value: f64) {
        for word in words {
            self.0.push_str(&cell(word));
            self.0.push(',');
        }
        self.0.push_str(&format!("{}\r\n", round(value)));
    }

    fn share(&mut self, [section, name, unit, figure]: [&str; 4], told: Share) {
        self.line([section, name, unit, figure], told.of as f64);
        self.line([section, name, unit, &format!("{figure}: of")], told.all as f64);
        if let (Some(low), Some(high)) = (told.low, told.high) {
            self.line([section, name, unit, &format!("{figure}: share, 95% from")], low);
            self.line([section, name, unit, &format!("{figure}: share, 95% to")], high);
        }
    }

    fn whole(&mut self, figures: &Figures) {
        let all = |figure| ["all", "", "", figure];
        self.line(all("alerts"), figures.alerts as f64);
        self.line(all("bed-days"), figures.bed_days);
        if let Some(rate) = figures.per_bed_day {
            self.line(all("alerts a bed-day"), rate);
        }
        self.line(all("high"), figures.high as f64);
        self.line(all("medium"), figures.medium as f64);
        self.line(all("low"), figures.low as f64);
        self.share(all("ended by itself in 30 s"), figures.fleeting);
        self.share(all("actionable of judged"), figures.judged.actionable);
        self.line(all("not actionable"), figures.judged.not_actionable as f64);
        self.line(all("artefact"), figures.judged.artefact as f64);
        self.line(all("never taken"), figures.never_taken as f64);
        self.line(all("at night"), figures.night.alerts as f64);
        self.line(all("calls at night"), figures.night.calls as f64);
        self.line(all("flood minutes"), figures.flood_minutes);
        for handling in &figures.handling {
            let name = format!("{} {}", handling.role, handling.shift);
            if let Some(median) = handling.took.median_s {
                self.line(["taken", name.trim(), "", "median s"], median);
            }
        }
    }

    fn pareto(&mut self, section: &str, pareto: &Pareto) {
        for row in &pareto.rows {
            self.line([section, &row.name, &row.unit, "alerts"], row.alerts as f64);
            self.line([section, &row.name, &row.unit, "share together"], row.together);
            if let Some(days) = row.bed_days {
                self.line([section, &row.name, &row.unit, "bed-days"], days);
            }
        }
        if pareto.others > 0 {
            self.line([section, "others", "", "alerts"], pareto.other_alerts as f64);
        }
    }
}

fn round(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
