//! `[models]`: which predictive models judge, and what each is here.

use std::path::PathBuf;

use reckoning::models::EventKind;
use serde::Deserialize;
use vitals::ModelRole;

/// `[models]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Models {
    /// What the models are that come with the program.
    pub(crate) shipped: Place,
    /// Who is told when something is the matter with a model that names nobody.
    pub(crate) owner: String,
    /// Models in files, and models that come with the program and are something else here.
    pub(crate) model: Vec<ModelText>,
}

/// `[[models.model]]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelText {
    /// The file that it is in …
    pub(crate) file: Option<PathBuf>,
    /// … or the id of one that comes with the program.
    pub(crate) shipped: Option<String>,
    /// What it is here.
    pub(crate) role: Place,
    /// Who is told when something is the matter with it.
    pub(crate) owner: Option<String>,
    /// What counts as its event.
    pub(crate) events: Option<Vec<EventKind>>,
}

/// What a model is here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Place {
    /// Shown; rules may use it.
    Champion,
    /// Kept and compared, never shown to those who treat.
    Shadow,
    /// Does not judge.
    #[default]
    Off,
}

impl Place {
    /// As the journal has it; none: it does not judge.
    pub(crate) const fn role(self) -> Option<ModelRole> {
        match self {
            Self::Champion => Some(ModelRole::Champion),
            Self::Shadow => Some(ModelRole::Shadow),
            Self::Off => None,
        }
    }
}
