//! Predictive models in the running program: those that the configuration names are read and kept in the
//! data folder under their version, for ever, so that whatever they said can be said again; which of them
//! judge goes into the journal when it changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use engine::Models;
use journal::{Appender, Draft, Lane, Outcome};
use predict::Model;
use reckoning::models::Watcher;
use store::{KvRow, Read, Reader, Side};
use vitals::{Action, Actor, Event, ModelInUse, Role};

use crate::config::{self, Place};

/// Where it stands which models judged last.
const BUCKET: &str = "models";
const IN_USE: &str = "in-use";

/// The models of a data folder.
pub(crate) struct Kept {
    /// Every model that there is, also those of before.
    pub(crate) library: Models,
    /// Those that are to judge.
    pub(crate) wanted: Vec<ModelInUse>,
}

impl Kept {
    /// As the pages see them.
    pub(crate) fn shelf(self, watcher: Arc<Watcher>) -> api::foresight::Shelf {
        api::foresight::Shelf { library: self.library, in_use: self.wanted, watcher: Some(watcher) }
    }
}

/// Reads what the configuration names, keeps it in the folder, and reads what is kept there.
///
/// # Errors
/// When a model can't be read, or two of one id are both to be shown.
pub(crate) fn open(folder: &Path, config: &config::Models) -> anyhow::Result<Kept> {
    let mut wanted = Vec::new();
    let mut champions: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (name, bytes, place) in named(config)? {
        let Some(role) = place.role() else { continue };
        let model = Model::read(&bytes).with_context(|| format!("models: {}", name.display()))?;
        keep(folder, &model, &bytes)?;
        if role == vitals::ModelRole::Champion
            && let Some(other) = champions.insert(model.id().to_owned(), name.clone())
        {
            bail!("models: {} and {} are both champion as `{}`: make one of them shadow or off",
                other.display(), name.display(), model.id());
        }
        let used = ModelInUse { id: model.id().to_owned(), version: model.version().to_owned(), role };
        if wanted.iter().any(|one: &ModelInUse| (&one.id, &one.version) == (&used.id, &used.version)) {
            bail!("models: {} is named twice", name.display());
        }
        wanted.push(used);
    }
    Ok(Kept { library: library(folder)?, wanted })
}

/// What the configuration names: where it is from, its bytes, what it is here.
fn named(config: &config::Models) -> anyhow::Result<Vec<(PathBuf, Vec<u8>, Place)>> {
    let mut all = Vec::new();
    for (id, bytes) in predict::shipped() {
        let own = config.model.iter().find(|one| one.shipped.as_deref() == Some(*id));
        let place = own.map_or_else(|| unnamed(config.shipped, id), |own| own.role);
        all.push((PathBuf::from(format!("shipped {id}")), bytes.to_vec(), place));
    }
    for one in &config.model {
        match (&one.file, &one.shipped) {
            (Some(file), None) => {
                let bytes = std::fs::read(file).with_context(|| format!("models: cannot read {}", file.display()))?;
                all.push((file.clone(), bytes, one.role));
            }
            (None, Some(id)) if predict::shipped().iter().any(|(known, _)| known == id) => {}
            (None, Some(id)) => bail!("models: no model `{id}` comes with this program"),
            _ => bail!("models.model: write either file or shipped, and role"),
        }
    }
    Ok(all)
}

/// Models that come with the program and tell another one's event in another way: of such a pair people see one.
const COMPARED: [&str; 2] = ["sepsis-ahead", "deterioration"];

/// What a model is of which the configuration says nothing of its own, where all that come with the program are `shipped`.
fn unnamed(shipped: Place, id: &str) -> Place {
    if shipped == Place::Champion && COMPARED.contains(&id) { Place::Shadow } else { shipped }
}

fn keep(folder: &Path, model: &Model, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let file = folder.join(format!("{}@{}.json", model.id(), model.version()));
    if file.exists() {
        return Ok(());
    }
    let partly = file.with_extension("part");
    std::fs::write(&partly, bytes).and_then(|()| std::fs::rename(&partly, &file))
        .with_context(|| format!("cannot keep the model {}", file.display()))
}

/// Every model that is kept in a folder. What can't be read is told, and left out.
///
/// # Errors
/// When the folder can't be read.
pub(crate) fn library(folder: &Path) -> anyhow::Result<Models> {
    if !folder.exists() {
        return Ok(Models::default());
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .with_context(|| format!("cannot read {}", folder.display()))?;
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    let mut models = Vec::new();
    for file in files {
        let read = std::fs::read(&file).map_err(|error| error.to_string());
        match read.and_then(|bytes| Model::read(&bytes).map_err(|error| error.to_string())) {
            Ok(model) => models.push(Arc::new(model)),
            Err(error) => tracing::error!("models: {} cannot be read: {error}", file.display()),
        }
    }
    Ok(Models::new(models))
}

/// Goes on where the program stopped: which models judge, and erasures that were not finished.
///
/// # Errors
/// When the journal takes nothing, or the store can't be read.
pub(crate) async fn resume(
    appender: &Appender,
    (reader, side): (&Reader, &dyn Side),
    models: &Kept,
) -> anyhow::Result<()> {
    announce(appender, (reader.as_ref(), side), &models.wanted).await?;
    crate::erasing::resume(appender, reader).map_err(anyhow::Error::msg)
}

/// Says in the journal which models judge, if that is not what it said last.
async fn announce(
    appender: &Appender,
    (reader, side): (&dyn Read, &dyn Side),
    wanted: &[ModelInUse],
) -> anyhow::Result<()> {
    let now = serde_json::to_vec(wanted)?;
    let last = reader.kv(BUCKET, IN_USE)?;
    if last.as_ref() == Some(&now) || (last.is_none() && wanted.is_empty()) {
        return Ok(());
    }
    let actor = Actor { name: "configuration".to_owned(), role: Role::Service };
    let event = Event::Action(actor, Action::UseModels { models: wanted.to_vec() });
    let said = appender.append(Draft { event, dedup: None, lane: Lane::Urgent }).await;
    match said {
        Ok(Outcome::Committed(_) | Outcome::Duplicate(_)) => {}
        Ok(Outcome::Failed(error)) => bail!("cannot say in the journal which models judge: {error}"),
        Err(closed) => bail!("cannot say in the journal which models judge: {closed}"),
    }
    side.put(&[KvRow { bucket: BUCKET.to_owned(), key: IN_USE.to_owned(), value: Some(now) }])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ModelText;

    #[test]
    fn what_is_named_wrongly_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let with = |file: Option<&str>, shipped: Option<&str>| {
            let one = ModelText {
                file: file.map(PathBuf::from),
                shipped: shipped.map(str::to_owned),
                role: Place::Shadow,
                ..ModelText::default()
            };
            let config = config::Models { model: vec![one], ..config::Models::default() };
            open(&folder.path().join("models"), &config).map(|kept| kept.wanted.len())
        };
        for (file, shipped, why) in [
            (None, None, "either file or shipped"),
            (Some("a"), Some("b"), "either file or shipped"),
            (None, Some("no-such"), "no model `no-such`"),
            (Some("/no/such/file"), None, "cannot read"),
        ] {
            let error = with(file, shipped).expect_err("refused");
            assert!(format!("{error:#}").contains(why), "{error:#}");
        }
        assert!(open(folder.path(), &config::Models::default()).expect("none").wanted.is_empty());
    }

    #[test]
    fn a_model_calibrated_for_the_site_takes_the_place_of_the_one_that_came_with_the_program() {
        let folder = tempfile::tempdir().expect("a folder");
        let (_, shipped) = predict::shipped().iter().find(|(id, _)| *id == "sepsis").expect("a model of sepsis");
        let text = String::from_utf8(shipped.to_vec()).expect("JSON").replacen("\"1.0.0\"", "\"1.0.0-site-20261122\"", 1);
        let here = folder.path().join("sepsis-here.json");
        std::fs::write(&here, text).expect("a file is written");
        let own = |role| ModelText { file: Some(here.clone()), role, ..ModelText::default() };
        let other = |role| ModelText { shipped: Some("sepsis".to_owned()), role, ..ModelText::default() };
        let with = |model| open(&folder.path().join("models"), &config::Models { shipped: Place::Off, model, ..config::Models::default() });
        let wanted = with(vec![own(Place::Champion), other(Place::Shadow)]).expect("one of each").wanted;
        let champion = wanted.iter().find(|one| one.role == vitals::ModelRole::Champion).expect("a champion");
        assert!(wanted.len() == 2 && champion.version.starts_with("1.0.0-site-20261122+"), "{wanted:?}");
        let both = with(vec![own(Place::Champion), other(Place::Champion)]).err().expect("refused");
        assert!(both.to_string().contains("both champion"), "{both}");
    }

    #[test]
    fn of_two_that_tell_one_event_people_see_one_unless_told_otherwise() {
        let folder = tempfile::tempdir().expect("a folder");
        let shown = |model: Vec<ModelText>| {
            let config = config::Models { shipped: Place::Champion, model, ..config::Models::default() };
            let wanted = open(folder.path(), &config).expect("models that come with the program").wanted;
            let champions = wanted.iter().filter(|one| one.role == vitals::ModelRole::Champion);
            (champions.map(|one| one.id.clone()).collect::<Vec<_>>(), wanted.len())
        };
        let all = predict::shipped().len();
        assert_eq!(shown(Vec::new()), (vec!["sepsis".into(), "deterioration-vitals".into(), "mortality-48h".into()], all));
        let own = |id: &str, role| ModelText { shipped: Some(id.to_owned()), role, ..ModelText::default() };
        let (champions, number) = shown(vec![own("sepsis", Place::Off), own("sepsis-ahead", Place::Champion)]);
        assert_eq!((champions[0].as_str(), number), ("sepsis-ahead", all - 1));
    }
}
