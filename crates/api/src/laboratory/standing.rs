//! How versions stand to the policy in force, and what whoever looks may do with them.

use guard::{Kind, Permission};
use laboratory::versions::Version;

use super::dto::{PolicyVersion, PolicyVersionMay};
use crate::error::ApiError;
use crate::state::Api;
use crate::viewer::Viewer;

const OWN: &str = "you proposed it: a second person approves";
/// What programs, and a trial without accounts, are told.
pub(super) const NOT_A_PERSON: &str = "that takes a person who is signed in under their own name";

/// The policy in force, and who looks.
pub(super) struct Now {
    /// Its text.
    pub(super) text: String,
    pub(super) hash: String,
    name: String,
    kind: Kind,
    manages: bool,
}

impl Now {
    pub(super) fn of(api: &Api, viewer: &Viewer) -> Self {
        Self::with(viewer, api.live.policy().text)
    }

    pub(super) fn with(viewer: &Viewer, text: String) -> Self {
        let account = &viewer.caller().account;
        Self {
            hash: laboratory::hash(&text),
            text,
            name: account.name.clone(),
            kind: account.kind,
            manages: viewer.at_all(Permission::ManagePolicy),
        }
    }

    pub(super) fn state(&self, version: &Version) -> &'static str {
        match &version.ended {
            Some(ended) if ended.how == "rejected" => "rejected",
            Some(_) => "withdrawn",
            None if version.hash == self.hash && version.approved_by.is_some() => "in-force",
            None if version.hash == self.hash && version.emergency.is_some() => "unreviewed",
            None if version.parent != self.hash => "outdated",
            None if version.approved_by.is_some() => "approved",
            None => "proposed",
        }
    }

    /// Refuses a version that is in none of these states.
    pub(super) fn expect(&self, version: &Version, wanted: &[&str]) -> Result<(), ApiError> {
        match self.state(version) {
            state if wanted.contains(&state) => Ok(()),
            "outdated" => Err(ApiError::Conflict(
                "another policy came in force since it was proposed: run and propose it again".to_owned(),
            )),
            "proposed" => Err(ApiError::Conflict("the version is not approved by a second person yet".to_owned())),
            "unreviewed" => Err(ApiError::Conflict("the version is in force already, not reviewed yet".to_owned())),
            state => Err(ApiError::Conflict(format!("the version is {state} already"))),
        }
    }

    /// Why this account cannot be the second person.
    pub(super) fn not_by_them(&self, version: &Version) -> Option<&'static str> {
        match self.kind {
            Kind::Person if version.proposed_by == self.name => Some(OWN),
            Kind::Person => None,
            Kind::Service | Kind::Trial => Some(NOT_A_PERSON),
        }
    }

    pub(super) fn view(&self, version: Version) -> PolicyVersion {
        let state = self.state(&version);
        let open = matches!(state, "proposed" | "approved" | "outdated" | "unreviewed");
        let waits = matches!(state, "proposed" | "unreviewed");
        let own = version.proposed_by == self.name;
        let not_theirs = self.not_by_them(&version);
        let may = PolicyVersionMay {
            approve: self.manages && waits && not_theirs.is_none(),
            reject: self.manages && open && !own,
            withdraw: self.manages && open && own,
            put_in_force: self.manages && state == "approved",
            emergency: self.manages && state == "proposed" && self.kind == Kind::Person,
        };
        let why_not = match state {
            "proposed" | "unreviewed" if !self.manages => Some("the right to manage the alarm policy is needed".to_owned()),
            "proposed" | "unreviewed" => not_theirs.map(str::to_owned),
            "approved" if !self.manages => Some("the right to manage the alarm policy is needed".to_owned()),
            "outdated" => Some("another policy came in force since: run and propose it again".to_owned()),
            _ => None,
        };
        PolicyVersion { state: state.to_owned(), may, why_not, version }
    }
}
