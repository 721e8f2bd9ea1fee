//! A finished model at a site that it has not learned from: forest and inputs stay, and what turns log-odds into
//! probabilities, intervals, doubt and alarms is fitted anew on the site's own patients. What that is worth is measured by
//! cross-fitting: fitted on four parts of the patients, judged on the fifth.
//!
//! Deliberately absent: other ranges of what is usual. Whether inputs are those of training is asked of the forest, and the
//! forest is the same.

use std::collections::BTreeSet;

use predict::Model;
use predict::model::{Calibration, Doubt, File};

use crate::alarms::{Watched, at};
use crate::applied;
use crate::cohort::{Fate, Stay};
use crate::crossfit::{cross_fitted, points, threshold};
use crate::draw::Draw;
use crate::evaluate::{Figure, Options, Said};
use crate::fit::{self, calibrate, doubt};
use crate::learn::Lessons;
use crate::made::{LEVEL, round};
use crate::measure::{Interval, Resamples, Utility, expected_error, interval, reliability, tenths};
use crate::outcome::Task;
use crate::recipe::Recipe;

/// Patients with the event, and patients without it, that a calibration is fitted to, at least. Calibration can't be judged
/// with fewer than 100 of either, and 200 are better (Collins and others, Stat Med 35 (2016) 214); Snell and others (J Clin
/// Epidemiol 135 (2021) 79) show that even these can leave it uncertain.
pub const PATIENTS_LEAST: usize = 100;
/// What stands between a version and the day of recalibration.
const MARK: &str = "-site-";
/// Draws of patients for each number of them.
const DRAWS: usize = 20;

/// Why a model is not calibrated anew.
#[derive(Debug, thiserror::Error)]
pub enum RecalibrationError {
    /// Too few had the event, or too few had not.
    #[error(
        "of {patients} patients whom the model judges {events} had the event; at least {PATIENTS_LEAST} with it and {PATIENTS_LEAST} without are \
         needed, since a calibration fitted to fewer can be further off than the one that it replaces; give more patients, and keep the model in \
         the shadow until then"
    )]
    TooFew {
        /// Patients judged.
        patients: usize,
        /// Those with the event.
        events: usize,
    },
    /// No calibration fits.
    #[error("no line in log-odds fits these patients: what the model says parts those with the event from the others wholly, or not at all; check the records' labels")]
    NoLine,
    /// It has been calibrated anew before.
    #[error("{0} was calibrated anew already; give the model that it was made from, so that what its card says stays true")]
    Again(String),
    /// Patients of another data set than the model judges.
    #[error("the model `{0}` does not judge such data")]
    OtherData(String),
}

/// Whose patients, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Who they are, as the card says it ("Medical intensive care of St. Elsewhere, admitted January to June 2026").
    pub words: String,
    /// The day that the card is dated, `2026-11-22`; it is given and not asked of a clock, so that the file is the same again.
    pub date: String,
}

/// A model and the patients of a site, with what it says of them.
pub struct Local<'a> {
    model: &'a Model,
    recipe: &'a Recipe,
    stays: &'a [Stay],
    lessons: Lessons,
    said: Said,
}

impl<'a> Local<'a> {
    /// The model at a site.
    ///
    /// # Errors
    /// That it was calibrated anew before, or that the data are another model's.
    pub fn new(model: &'a Model, recipe: &'a Recipe, stays: &'a [Stay], threads: usize) -> Result<Self, RecalibrationError> {
        if model.version().contains(MARK) {
            return Err(RecalibrationError::Again(format!("{} {}", model.id(), model.version())));
        }
        let lessons = Lessons::new(recipe.task, stays).ok_or_else(|| RecalibrationError::OtherData(model.id().to_owned()))?;
        Ok(Self { model, recipe, stays, lessons, said: applied::said(model, stays, threads) })
    }

    /// The model's file with calibration, doubt and threshold of this site, and figures before and after.
    ///
    /// # Errors
    /// That too few patients had the event, or that nothing fits them.
    pub fn recalibrate(&self, file: File, site: &Site, options: Options) -> Result<(File, Vec<Figure>), RecalibrationError> {
        let (patients, events) = self.counts(&self.said.judged);
        if events < PATIENTS_LEAST || patients - events < PATIENTS_LEAST {
            return Err(RecalibrationError::TooFew { patients, events });
        }
        let after = cross_fitted(self.recipe, &self.lessons, &self.said.margins, &self.said.judged);
        let mut figures = self.figures("as it is", &self.said, options);
        figures.extend(self.figures("calibrated anew, patients not seen by the fit", &after, options));
        let fitted = self.fit(&self.said.judged, &self.fitted(site, patients, events));
        if !fitted.0.intercept.is_finite() || fitted.0.slope <= 0.0 {
            return Err(RecalibrationError::NoLine);
        }
        Ok((self.rewritten(file, fitted, site, &figures), figures))
    }

    /// How many patients have rows that `which` names and are asked about, and how many of them have the event.
    fn counts(&self, which: &[bool]) -> (usize, usize) {
        let (mut patients, mut events) = (BTreeSet::new(), BTreeSet::new());
        for point in points(&self.lessons, &self.said.margins, |row| which[row]) {
            patients.insert(point.stay);
            if point.event {
                events.insert(point.stay);
            }
        }
        (patients.len(), events.len())
    }

    fn fitted(&self, site: &Site, patients: usize, events: usize) -> String {
        format!(
            "Anew on {}, on the hours that the model judges of {patients} patients, {events} of them with the event: {}. The forest had not seen them.",
            site.date, site.words
        )
    }

    fn fit(&self, rows: &[bool], fitted: &str) -> (Calibration, Doubt, f64) {
        let points = points(&self.lessons, &self.said.margins, |row| rows[row]);
        let calibration = calibrate(&points, self.recipe.smooth, fitted);
        let doubt = doubt(&points, &calibration, LEVEL, fitted);
        (calibration, doubt, threshold(self.recipe.task, &self.lessons, &self.said.margins, |row| rows[row]))
    }

    fn rewritten(&self, mut file: File, fitted: (Calibration, Doubt, f64), site: &Site, figures: &[Figure]) -> File {
        let (calibration, doubt, margin) = fitted;
        for alert in file.thresholds.iter_mut().filter(|threshold| threshold.id == "alert") {
            alert.probability = calibration.probability(margin) as f32;
            alert.chosen = format!("{} {}", crate::words::of(self.recipe.id).threshold, calibration.fitted);
        }
        let before = self.model.version();
        file.version = format!("{}{MARK}{}", file.version, site.date.replace('-', ""));
        file.population = format!("{} Calibrated for: {}.", file.population, site.words);
        let card = &mut file.card;
        card.training = format!(
            "{} Forest and inputs are those of version {before}; calibration, intervals, doubt and threshold were fitted anew. {}",
            card.training, calibration.fitted
        );
        card.command = format!(
            "vitalwire model recalibrate --model {}@{before}.json --data DIR --site {:?} --date {} --out FILE, with the site's records; that model by: {}",
            file.id, site.words, site.date, card.command
        );
        card.limits.push("Its probabilities hold for the patients that it was calibrated for; anywhere else it is to be calibrated anew.".to_owned());
        let own = figures.iter().filter(|figure| figure.interval.value.is_finite()).map(|figure| predict::model::Figure {
            name: figure.name.clone(),
            on: format!("patients of the site: {}", figure.on),
            group: None,
            patients: u32::try_from(figure.patients).unwrap_or(u32::MAX),
            value: round(figure.interval.value),
            low: Some(round(figure.interval.low)).filter(|low| low.is_finite()),
            high: Some(round(figure.interval.high)).filter(|high| high.is_finite()),
        });
        let learned = card.figures.iter().map(|figure| {
            predict::model::Figure { on: format!("before the calibration was fitted anew, {}", figure.on), ..figure.clone() }
        });
        card.figures = own.chain(learned).collect();
        (file.calibration, file.doubt) = (calibration, doubt);
        file
    }

    /// What is said of all patients of the site.
    fn figures(&self, on: &str, said: &Said, options: Options) -> Vec<Figure> {
        let resamples = Resamples::new(self.stays.len(), options.draws, 11);
        let mut all: Vec<(&str, Interval)> = self.probabilities(said, &said.judged, &resamples, options.threads);
        let rows = |stay: usize| self.rows(stay);
        if self.recipe.task == Task::Sepsis {
            let of = |stay: usize| match &self.stays[stay].fate {
                Fate::Sepsis(labels) => Utility::of(labels, rows(stay).map(|row| said.alarms[row])),
                Fate::Died(_) => Utility::default(),
            };
            let each: Vec<Utility> = (0..self.stays.len()).map(of).collect();
            let sums = resamples.measure(options.threads, |times| {
                let mut sum = Utility::default();
                each.iter().enumerate().for_each(|(patient, own)| sum.add(own, times(patient)));
                sum.normalised()
            });
            all.push(("utility", interval(sums.into_iter())));
        }
        if self.recipe.task != Task::Mortality {
            let alarms: Vec<f64> = said.alarms.iter().map(|alarm| f64::from(u8::from(*alarm))).collect();
            let watched: Vec<Watched<'_>> = (0..self.stays.len())
                .map(|stay| Watched { scores: &alarms[rows(stay)], event: self.recipe.task.event(&self.stays[stay]) })
                .collect();
            let found = at(&watched, 1.0, &options.alerts, &resamples, options.threads);
            all.push(("alerts per patient-day", found.per_day));
            all.push(("sensitivity 6 h ahead", found.sensitivity));
            all.push(("alerts followed by the event", found.precision));
        }
        let of = self.model.id();
        let figure = |(name, interval): (&str, Interval)| Figure {
            of: of.to_owned(), name: name.to_owned(), on: on.to_owned(), patients: self.stays.len(), interval,
        };
        all.into_iter().map(figure).collect()
    }

    /// The rows of a stay.
    fn rows(&self, stay: usize) -> std::ops::Range<usize> {
        let stay = stay as u32;
        self.lessons.stays.partition_point(|other| *other < stay)..self.lessons.stays.partition_point(|other| *other <= stay)
    }

    /// How good the probabilities of rows are that `which` names.
    fn probabilities(&self, said: &Said, which: &[bool], resamples: &Resamples, threads: usize) -> Vec<(&'static str, Interval)> {
        let rows: Vec<(f64, bool, u32)> = (0..which.len())
            .filter(|row| which[*row])
            .filter_map(|row| Some((said.log_odds[row], self.lessons.rows[row].event?, self.lessons.stays[row])))
            .collect();
        let groups = tenths(&rows.iter().map(|row| row.0).collect::<Vec<f64>>());
        let measured = resamples.measure(threads, |times| {
            let weighed = rows.iter().map(|(log_odds, event, stay)| (*log_odds, *event, times(*stay as usize)));
            let found = reliability(weighed.clone());
            let grouped = groups.iter().zip(weighed).map(|(group, (log_odds, event, times))| {
                (*group, predict::model::logistic(log_odds), event, times)
            });
            [found.calibration.slope, found.calibration.intercept, found.observed_to_expected, found.brier, expected_error(grouped)]
        });
        MEASURES.iter().enumerate().map(|(at, name)| (*name, interval(measured.iter().map(|all| all[at])))).collect()
    }

    /// What a calibration fitted to so many patients is worth on all the others of the site: drawn twenty times, the median
    /// with the least and the greatest. The first group is the model as it is.
    #[must_use]
    pub fn by_size(&self, sizes: &[usize], options: Options) -> Vec<Figure> {
        let everybody = Resamples::new(self.stays.len(), 0, 0);
        let of = self.model.id();
        let as_it_is = self.probabilities(&self.said, &self.said.judged, &Resamples::new(self.stays.len(), options.draws, 11), options.threads);
        let mut figures: Vec<Figure> = as_it_is
            .into_iter()
            .map(|(name, interval)| Figure { of: of.to_owned(), name: name.to_owned(), on: "as it is".to_owned(), patients: self.stays.len(), interval })
            .collect();
        for size in sizes.iter().copied().filter(|size| *size < self.stays.len()) {
            let mut draw = Draw::new(size as u64);
            let drawn: Vec<Vec<bool>> = (0..DRAWS).map(|_| self.some(size, &mut draw)).collect();
            let worth = crate::cohort::spread(&drawn, options.threads, |taken| self.worth(taken, &everybody));
            let names = std::iter::once("patients with the event").chain(MEASURES);
            for (at, name) in names.enumerate() {
                let mut values: Vec<f64> = worth.iter().map(|one| one[at]).collect();
                values.sort_by(f64::total_cmp);
                let middle = f64::midpoint(values[(DRAWS - 1) / 2], values[DRAWS / 2]);
                let interval = Interval { value: middle, low: values[0], high: values[DRAWS - 1] };
                let on = format!("fitted to {size} patients, judged on the others");
                figures.push(Figure { of: of.to_owned(), name: name.to_owned(), on, patients: size, interval });
            }
        }
        figures
    }

    /// Rows of so many patients by lot.
    fn some(&self, size: usize, draw: &mut Draw) -> Vec<bool> {
        let mut order: Vec<usize> = (0..self.stays.len()).collect();
        for at in 0..size {
            let other = at + draw.below(order.len() - at);
            order.swap(at, other);
        }
        let mut rows = vec![false; self.said.margins.len()];
        for stay in &order[..size] {
            rows[self.rows(*stay)].fill(true);
        }
        rows
    }

    /// Patients with the event among those taken, then [`MEASURES`] on those not taken.
    fn worth(&self, taken: &[bool], everybody: &Resamples) -> Vec<f64> {
        let judged = &self.said.judged;
        let own: Vec<bool> = taken.iter().zip(judged).map(|(taken, judged)| *taken && *judged).collect();
        let others: Vec<bool> = taken.iter().zip(judged).map(|(taken, judged)| !taken && *judged).collect();
        let (calibration, _, _) = self.fit(&own, "");
        let log_odds = self.said.margins.iter().map(|margin| fit::said(&calibration, *margin)).collect();
        let said = Said { log_odds, ..Said::default() };
        let measured = self.probabilities(&said, &others, everybody, 1);
        std::iter::once(self.counts(&own).1 as f64).chain(measured.iter().map(|(_, found)| found.value)).collect()
    }
}

/// How good probabilities are, in the order of [`Local::probabilities`].
const MEASURES: [&str; 5] = ["calibration slope", "calibration intercept", "observed to expected", "Brier score", EXPECTED_ERROR];
/// What tells in one number whether probabilities have become better.
pub const EXPECTED_ERROR: &str = "expected calibration error";
