//! The set of all profiles, in the order in which they are tried.

use std::sync::{Arc, Mutex};

use vitals::ProblemKind;

use crate::iomt::{self, TemplateSet};
use crate::profile::{self, Aids, Outcome, Profile, ProfileError};
use crate::trace::{StepKind, Trace, Trail};
use crate::{Decode, MAX_PAYLOAD, Mapped, RawMessage, Script, native, sparkplug};

/// An immutable set of profiles; replace it whole to reload.
#[derive(Debug, Clone, Default)]
pub struct Profiles {
    /// By file name; template pairs without a topic come last.
    entries: Vec<Entry>,
    /// Runs payload formatters; none: profiles with one say that it can't be run.
    engine: Option<Arc<dyn Decode>>,
    /// Sparkplug nodes since their births.
    nodes: Arc<Mutex<wire_sparkplug::Nodes>>,
}

#[derive(Debug, Clone)]
enum Entry {
    Profile(Box<Profile>),
    Templates(TemplateSet),
}

impl Entry {
    fn order(&self) -> (bool, &str) {
        match self {
            Self::Profile(profile) => (false, &profile.file),
            Self::Templates(set) => (set.filters.is_empty(), &set.file),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Profile(profile) => &profile.name,
            Self::Templates(set) => &set.name,
        }
    }
}

/// One profile, for lists.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Listed {
    /// Name, as in provenance.
    pub name: String,
    /// File; empty for the native ones.
    pub file: String,
    /// What it is for; may be empty.
    pub description: String,
    /// Topic filters; none: any topic that nothing else takes.
    pub topics: Vec<String>,
}

impl Profiles {
    /// Group and name of the Sparkplug nodes whose birth is missing, since this was last asked, with the
    /// topic and the payload that let each be born again. `now_ms`: milliseconds since 1970.
    #[must_use]
    pub fn rebirths(&self, now_ms: u64) -> Vec<(String, Vec<u8>)> {
        let unborn = self.nodes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take_unborn();
        let topic = |(group, node): (String, String)| format!("{}{group}/NCMD/{node}", sparkplug::ROOT);
        unborn.into_iter().map(|node| (topic(node), wire_sparkplug::rebirth(now_ms))).collect()
    }

    /// Compiles files given as (name, text). A name may have folders, separated by `/`. A folder
    /// with a `devicecontent.json` and a `fhirmapping.json` is one pair of iomt-fhir templates;
    /// any other `.toml` or `.json` file is a profile. What is wrong with a file is reported and
    /// the file left out (unless it is a warning); the others work.
    #[must_use]
    pub fn compile(sources: &[(String, String)]) -> (Self, Vec<ProfileError>) {
        let mut entries = Vec::new();
        let mut errors = Vec::new();
        let folders = iomt::folders(sources);
        for folder in &folders {
            match iomt::compile(folder, sources) {
                Ok((set, warnings)) => {
                    entries.push(Entry::Templates(set));
                    errors.extend(warnings);
                }
                Err(error) => errors.push(error),
            }
        }
        for (file, text) in sources {
            let known = file.ends_with(".toml") || file.ends_with(".json");
            if !known || folders.iter().any(|folder| iomt::folder_of(file) == folder) {
                continue;
            }
            match profile::compile(file, text) {
                Ok(mut profile) => match script(&profile, sources) {
                    Ok(script) => {
                        profile.script = script;
                        entries.push(Entry::Profile(Box::new(profile)));
                    }
                    Err(error) => errors.push(error),
                },
                Err(error) => errors.push(error),
            }
        }
        entries.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut kept: Vec<Entry> = Vec::with_capacity(entries.len());
        for entry in entries {
            if kept.iter().any(|other| other.name() == entry.name()) || entry.name().starts_with("native/") {
                let message = format!("another profile is named `{}` already", entry.name());
                errors.push(ProfileError::new(entry.order().1, None, "name", message));
            } else {
                kept.push(entry);
            }
        }
        (Self { entries: kept, ..Self::default() }, errors)
    }

    /// The same, with payload formatters run by `engine`.
    #[must_use]
    pub fn decoding_with(self, engine: Option<Arc<dyn Decode>>) -> Self {
        Self { engine, ..self }
    }

    /// The same, remembering the births that `former` heard: for a set that takes its place.
    #[must_use]
    pub fn following(self, former: &Self) -> Self {
        Self { nodes: Arc::clone(&former.nodes), ..self }
    }

    /// Maps a message: native topics first, then profiles by file name, then template pairs.
    #[must_use]
    pub fn map(&self, raw: &RawMessage<'_>) -> Mapped {
        self.map_with(raw, true, &mut Trail::off())
    }

    /// Maps a message that came a while ago: what is remembered from message to message stays as it
    /// is.
    #[must_use]
    pub fn map_again(&self, raw: &RawMessage<'_>) -> Mapped {
        self.map_with(raw, false, &mut Trail::off())
    }

    /// Maps a message and tells how.
    #[must_use]
    pub fn trace(&self, raw: &RawMessage<'_>) -> Trace {
        let mut trail = Trail::on();
        let mapped = self.map_with(raw, false, &mut trail);
        Trace::new(raw.topic, raw.payload.len(), trail.into_steps(), &mapped)
    }

    /// Every profile, the native ones first, in the order in which they are tried.
    #[must_use]
    pub fn list(&self) -> Vec<Listed> {
        let native = native::PROFILES.iter().map(|(name, topic)| Listed {
            name: (*name).to_owned(),
            file: String::new(),
            description: "built in".to_owned(),
            topics: vec![(*topic).to_owned()],
        });
        let files = self.entries.iter().map(|entry| match entry {
            Entry::Profile(profile) => Listed {
                name: profile.name.clone(),
                file: profile.file.clone(),
                description: profile.description.clone(),
                topics: profile.filters.iter().map(|filter| filter.text().to_owned()).collect(),
            },
            Entry::Templates(set) => Listed {
                name: set.name.clone(),
                file: set.file.clone(),
                description: "iomt-fhir templates".to_owned(),
                topics: set.filters.iter().map(|filter| filter.text().to_owned()).collect(),
            },
        });
        native.chain(files).collect()
    }

    fn map_with(&self, raw: &RawMessage<'_>, remember: bool, trail: &mut Trail) -> Mapped {
        let mut mapped = self.take(raw, remember, trail);
        mapped.shorten_problems();
        mapped
    }

    fn take(&self, raw: &RawMessage<'_>, remember: bool, trail: &mut Trail) -> Mapped {
        if raw.payload.len() > MAX_PAYLOAD {
            let mut mapped = Mapped::new("");
            mapped.problem(ProblemKind::Limit, "payload", "the payload is larger than 1 MiB: send several messages");
            return mapped;
        }
        if let Some((device, kind)) = native::route(raw.topic) {
            let mapped = native::map(raw, device, kind);
            trail.enter(&mapped.profile);
            trail.note(StepKind::Matched, "topic", || "a native topic".to_owned());
            return mapped;
        }
        let read = raw.topic.starts_with(sparkplug::ROOT).then(|| sparkplug::read(&self.nodes, raw, remember));
        let mut unreadable = None;
        let mut amiss = Vec::new();
        let mut tree = None;
        match read {
            Some(Ok(sparkplug::Read { tree: None, problems })) => {
                trail.note(StepKind::Matched, "topic", || "Sparkplug, without measurements".to_owned());
                return Mapped { problems, ..Mapped::new("native/sparkplug") };
            }
            Some(Ok(read)) => (tree, amiss) = (read.tree, read.problems),
            Some(Err(why)) => unreadable = Some(("native/sparkplug".to_owned(), why)),
            None => {}
        }
        let aids = Aids { engine: self.engine.as_deref(), sparkplug: tree.as_ref() };
        for entry in &self.entries {
            let outcome = match entry {
                Entry::Profile(profile) => profile.run(raw, &aids, trail),
                Entry::Templates(set) => set.run(raw, trail),
            };
            match outcome {
                Outcome::NotMine => {}
                Outcome::Unreadable(why) => {
                    unreadable.get_or_insert_with(|| (entry.name().to_owned(), why));
                }
                Outcome::Taken(mut mapped) => {
                    mapped.problems.append(&mut amiss);
                    return mapped;
                }
            }
        }
        let mut mapped = Mapped::new("");
        match unreadable {
            // A profile is for this topic, so it is the one that its writer will look at.
            Some((name, why)) => {
                mapped.profile = name;
                mapped.problem(ProblemKind::Syntax, "payload", why);
            }
            None => mapped.problem(ProblemKind::Unmatched, "topic", unmatched(raw.topic)),
        }
        mapped
    }
}

/// The payload formatter that a profile names, from the folder that the profile is in.
fn script(profile: &Profile, sources: &[(String, String)]) -> Result<Option<Script>, ProfileError> {
    let Some(name) = &profile.decoder else { return Ok(None) };
    let folder = profile.file.rfind('/').map_or("", |at| &profile.file[..=at]);
    let wanted = format!("{folder}{name}");
    let found = sources.iter().find(|(file, _)| *file == wanted && file.ends_with(".js"));
    let missing = || {
        let message = format!("there is no `{wanted}`: a JavaScript file (.js) in the profile's folder");
        ProfileError::new(&profile.file, None, "decoder", message)
    };
    found.map(|(_, text)| Some(Script::new(name, text))).ok_or_else(missing)
}

fn unmatched(topic: &str) -> &'static str {
    if topic.starts_with("vitalwire/") {
        "native topics are vitalwire/<device-id>/measurements, /recording, /waveform, /status, /gatt, /nightscout and /health"
    } else {
        "no profile takes this topic and payload: write one, or correct the topic"
    }
}
