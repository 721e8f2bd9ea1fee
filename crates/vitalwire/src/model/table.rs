//! Figures and cards as text.

use std::fmt::Write;

use predict::Model;
use training::evaluate::Figure;

/// Figures by group of patients: who is measured, then what with its interval.
pub(super) fn figures(what: &str, figures: &[Figure]) -> String {
    let mut text = format!("{what}; intervals of 95 % by resampling patients\n");
    let mut group = "";
    for figure in figures {
        if figure.on != group {
            group = &figure.on;
            let _ = writeln!(text, "\n{group}: {} patients", figure.patients);
        }
        let interval = if figure.interval.low.is_nan() {
            format!("{:.3}", figure.interval.value)
        } else {
            format!("{:.3}", figure.interval)
        };
        let _ = writeln!(text, "  {:<44} {:<28} {interval}", figure.of, figure.name);
    }
    text
}

/// A model's card.
pub(super) fn card(model: &Model) -> String {
    let mut text = format!("{}\n{} {}\n\n", model.title(), model.id(), model.version());
    let card = model.card();
    for (name, value) in [
        ("Predicts", model.outcome().definition.as_str()),
        ("For", model.population()),
        ("Intended use", model.intended_use()),
        ("Data", &card.data),
        ("Training", &card.training),
        ("Made again by", &card.command),
        ("Calibration", &model.calibration().fitted),
    ] {
        let _ = writeln!(text, "{name}: {value}");
    }
    for threshold in model.thresholds() {
        let _ = writeln!(text, "Threshold {}: {:.4}. {}", threshold.id, threshold.probability, threshold.chosen);
    }
    let doubt = model.doubt();
    let _ = writeln!(
        text,
        "Says that it does not know: between {:.4} and {:.4} (each outcome is kept for {:.0} % of those who have it)",
        doubt.event_from.min(doubt.none_up_to),
        doubt.event_from.max(doubt.none_up_to),
        doubt.level * 100.0
    );
    text.push_str("Limits:\n");
    for limit in &card.limits {
        let _ = writeln!(text, "  - {limit}");
    }
    text.push_str("Figures:\n");
    let mut on = "";
    for figure in &card.figures {
        if figure.on != on {
            on = &figure.on;
            let _ = writeln!(text, "  {on}");
        }
        let group = figure.group.as_deref().unwrap_or("all");
        let interval = match (figure.low, figure.high) {
            (Some(low), Some(high)) => format!(" ({low:.3}–{high:.3})"),
            _ => String::new(),
        };
        let _ = writeln!(text, "    {group:<16} {:<64} {:.3}{interval}", figure.name, figure.value);
    }
    text
}
