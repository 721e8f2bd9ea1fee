//! A data folder's past: its journal, read only, and the policy in force there.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use engine::Engine;
use journal::ReadJournal;
use laboratory::Progress;
use laboratory::replay::{Past, Prepare, policy_in_force};
use seal::Keyring;
use store::{Reader, Store};
use vitals::ReceiveTime;

use crate::Misuse;
use crate::sealed;
use crate::wiring::Folder;

/// What is taken in.
pub(super) struct Opened {
    pub(super) journal: Arc<dyn ReadJournal>,
    pub(super) past: Past,
    /// The text of the policy in force at the period's end.
    pub(super) policy: String,
}

/// Opens the journal of a data folder beside whoever writes it.
pub(super) fn open(
    data: &Path,
    from: Option<&str>,
    to: Option<&str>,
    progress: &Progress,
) -> anyhow::Result<Opened> {
    let (from, to) = (time("--from", from)?, time("--to", to)?);
    let folder = Folder(data.to_owned());
    if !folder.journal().exists() {
        anyhow::bail!("{} has no journal: it is not a data folder", data.display());
    }
    let sealed = sealed::unlock_here(&folder)?;
    let keyring = sealed.vault.clone().map(|vault| Arc::new(vault) as Arc<dyn Keyring>);
    let journal = journal::peek(&folder.journal(), &journal::Options::default(), keyring)
        .context("cannot read the journal")?;
    let before = match journal.first_offset() {
        0 => None,
        _ => {
            let store = sealed.store(&folder).context(
                "the journal's first entries are gone, and the store that knows what came before cannot be opened; \
                 stop the program first, or take a copy of its folder",
            )?;
            Some(before(&store.reader(), journal.as_ref())?)
        }
    };
    let own = policy_in_force(journal.as_ref(), to, progress)?;
    let own = own.or_else(|| before.as_ref().and_then(|(_, text)| text.clone()));
    let name = format!("journal of {}", data.display());
    let models = crate::foresight::library(&folder.models())?;
    let prepare = Some(Prepare(Arc::new(move |engine: &mut Engine| engine.set_models(models.clone()))));
    let past = Past { from, to, before, prepare, name };
    Ok(Opened { journal, past, policy: own.unwrap_or_else(|| alert::Policy::built_in().text) })
}

/// What the store knows of the time before the journal's first entry, and the site's own policy if it was
/// in force by then.
pub(crate) fn before(reader: &Reader, journal: &dyn ReadJournal) -> anyhow::Result<(engine::Known, Option<String>)> {
    let known = runtime::known(reader)?;
    let mut engine = Engine::new(alert::Policy::built_in());
    engine.restore(reader.engine_state()?)?;
    let first = journal.read(journal.first_offset(), 1)?.first().map(|entry| entry.at);
    let (policy, by) = engine.policy();
    // Put in force before the journal begins, it was in force there.
    let own = by.is_some_and(|(_, since)| first.is_some_and(|first| *since < first));
    Ok((known, own.then(|| policy.text.clone())))
}

/// A date, or a date with a time and an offset.
fn time(option: &str, text: Option<&str>) -> anyhow::Result<Option<ReceiveTime>> {
    let Some(text) = text else { return Ok(None) };
    let moment = text.parse::<jiff::Timestamp>().or_else(|_| {
        let date: jiff::civil::Date = text.parse()?;
        date.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp())
    });
    let moment = moment.map_err(|_| Misuse(format!("{option}: write 2026-03-01, or 2026-03-01T07:00:00Z")))?;
    Ok(Some(ReceiveTime(moment.as_microsecond())))
}
