//! Versions of the alarm policy: proposed by one person with the figures of a simulation, approved by
//! another, signed with the house's key.
//!
//! In a folder, `N.json` is what was proposed; `N.policy` the approved version, a signed note whose
//! text is [`TITLE`] and one line of JSON. Both lie sealed on the disk. Whoever has the house's public key can
//! check a signed note anywhere.

use std::path::{Path, PathBuf};

use ledger::Verifier;
use serde::{Deserialize, Serialize};

use crate::edit::{self, Changed};
use crate::report::{Difference, Figures};
use crate::sealed::{self, Seals};
use crate::{Candidate, LabError, hash};

/// First line of a version's text: no other thing that the house signs begins so.
pub const TITLE: &str = "vitalwire alarm policy version 1";
/// Versions kept at most.
const VERSIONS_MAX: u64 = 10_000;
/// Largest policy that can be signed, in bytes.
const POLICY_BYTES_MAX: usize = 40_000;

/// One version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LaboratoryVersion))]
pub struct Version {
    /// Its number, from 1.
    pub number: u64,
    /// What it changes, in a line.
    pub title: String,
    /// Why.
    pub reason: String,
    /// The policy's text.
    pub policy: String,
    /// BLAKE3 of the text.
    pub hash: String,
    /// BLAKE3 of the policy that it replaces: the one in force when it was proposed.
    pub parent: String,
    /// The numbers in which it differs from the policy that it replaces.
    #[serde(default)]
    pub changed: Vec<Changed>,
    /// Whether it differs from that in anything else.
    #[serde(default)]
    pub more: bool,
    /// What was simulated: source, patients, bed-days, in words.
    pub simulated: String,
    /// Figures of the policy that was in force.
    pub present: Option<Figures>,
    /// Figures of this one.
    pub figures: Option<Figures>,
    /// Their differences, with intervals.
    pub difference: Option<Difference>,
    /// Who proposed it.
    pub proposed_by: String,
    /// When, in milliseconds since 1970.
    pub proposed_ms: i64,
    /// Who approved it: somebody else.
    pub approved_by: Option<String>,
    /// When.
    pub approved_ms: Option<i64>,
    /// What they said.
    pub approval: String,
    /// How one person put it in force before it was approved, if somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<Emergency>,
    /// How it ended without being put in force, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// A version put in force by one person, without review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LaboratoryVersionEmergency))]
pub struct Emergency {
    /// Who.
    pub by: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Why it could not wait.
    pub reason: String,
    /// The text of the policy that comes back when it is taken back; empty once it is approved.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub replaced: String,
}

/// The end of a version that is not to be put in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LaboratoryVersionEnded))]
pub struct Ended {
    /// `withdrawn` by who proposed it, `rejected` by somebody else.
    pub how: String,
    /// Who.
    pub by: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Why.
    pub reason: String,
}

impl Version {
    /// Reads a signed version, with the house's public key.
    ///
    /// # Errors
    /// [`LabError::Version`]: not signed by this key, altered, or not approved by a second person.
    pub fn read(signed: &str, house: &Verifier) -> Result<Self, LabError> {
        let wrong = |problem: &str| LabError::Version(problem.to_owned());
        let text = house.stated(signed).map_err(|error| LabError::Version(error.to_string()))?;
        let json = text.strip_prefix(TITLE).and_then(|rest| rest.strip_prefix('\n'));
        let json = json.ok_or_else(|| wrong("it is signed, but is no version of an alarm policy"))?;
        let version: Self =
            serde_json::from_str(json.trim_end()).map_err(|_| wrong("its text is not that of a version"))?;
        if hash(&version.policy) != version.hash {
            return Err(wrong("the policy's text is not the one of its hash"));
        }
        Candidate::of(&version.title, &version.policy)?;
        match &version.approved_by {
            Some(name) if *name != version.proposed_by => Ok(version),
            _ => Err(wrong("it was not approved by a second person")),
        }
    }

    fn text(&self) -> Result<String, LabError> {
        let json = serde_json::to_string(self).map_err(|error| LabError::Version(error.to_string()))?;
        Ok(format!("{TITLE}\n{json}\n"))
    }
}

/// The versions of a folder.
#[derive(Debug, Clone)]
pub struct Versions {
    folder: PathBuf,
    seals: Option<Seals>,
}

impl Versions {
    /// Those in this folder, which need not be there yet; without seals, of a folder that is not encrypted.
    #[must_use]
    pub fn at(folder: &Path, seals: Option<Seals>) -> Self {
        Self { folder: folder.to_owned(), seals }
    }

    /// Seals what older programs left plain; gives how many files.
    ///
    /// # Errors
    /// [`LabError::File`].
    pub fn seal_plain(&self) -> Result<usize, LabError> {
        if self.seals.is_none() {
            return Ok(0);
        }
        let mut sealed = 0;
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return Ok(0) };
        for entry in entries {
            let path = entry.map_err(|error| LabError::file(&self.folder, error))?.path();
            let bytes = std::fs::read(&path).map_err(|error| LabError::file(&path, error))?;
            let known = path.extension().is_some_and(|extension| extension == "json" || extension == "policy");
            if known && !sealed::is_sealed(&bytes) {
                self.write(&path, &String::from_utf8_lossy(&bytes))?;
                sealed += 1;
            }
        }
        Ok(sealed)
    }

    /// All, newest first; approved ones as they were signed (not checked).
    ///
    /// # Errors
    /// [`LabError::File`].
    pub fn list(&self) -> Result<Vec<Version>, LabError> {
        let mut all = Vec::new();
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return Ok(all) };
        for entry in entries {
            let path = entry.map_err(|error| LabError::file(&self.folder, error))?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                all.push(self.proposed(&path)?);
            }
        }
        all.sort_unstable_by_key(|version| std::cmp::Reverse(version.number));
        Ok(all)
    }

    /// Keeps a proposal under the next number, in place of the policy whose text is `replaces`; what it changes,
    /// approval, hashes and number are set here.
    ///
    /// # Errors
    /// [`LabError::Policy`]; [`LabError::Version`] for a policy too long to sign; [`LabError::File`].
    pub fn propose(&self, version: Version, replaces: &str) -> Result<Version, LabError> {
        Candidate::of(&version.title, &version.policy)?;
        if version.policy.len() > POLICY_BYTES_MAX {
            return Err(LabError::Version(format!("a policy of more than {POLICY_BYTES_MAX} bytes is not signed")));
        }
        let number = self.list()?.first().map_or(1, |newest| newest.number + 1);
        if number > VERSIONS_MAX {
            return Err(LabError::Version(format!("there are {VERSIONS_MAX} versions already")));
        }
        let (changed, more) = edit::diff(replaces, &version.policy)?;
        let version = Version {
            number,
            hash: hash(&version.policy),
            parent: hash(replaces),
            changed,
            more,
            approved_by: None,
            approved_ms: None,
            approval: String::new(),
            emergency: None,
            ended: None,
            ..version
        };
        self.keep(&version)?;
        Ok(version)
    }

    /// One person's approval of another's proposal; `sign` signs with the house's key.
    ///
    /// # Errors
    /// [`LabError::Version`]: unknown, approved already, or by who proposed it; or `sign` refused.
    pub fn approve(
        &self,
        number: u64,
        (by, at_ms, said): (&str, i64, &str),
        sign: impl FnOnce(&str) -> Result<String, String>,
    ) -> Result<Version, LabError> {
        let wrong = |problem: &str| LabError::Version(problem.to_owned());
        let mut version = self.get(number)?;
        if version.approved_by.is_some() {
            return Err(wrong("it is approved already"));
        }
        if let Some(ended) = &version.ended {
            return Err(wrong(&format!("it was {} already", ended.how)));
        }
        if version.proposed_by == by {
            return Err(wrong("whoever proposed it does not approve it: that takes a second person"));
        }
        version.approved_by = Some(by.to_owned());
        version.approved_ms = Some(at_ms);
        version.approval = said.to_owned();
        if let Some(emergency) = &mut version.emergency {
            emergency.replaced.clear();
        }
        let signed = sign(&version.text()?).map_err(LabError::Version)?;
        self.write(&self.signed_path(number), &signed)?;
        self.keep(&version)?;
        Ok(version)
    }

    /// Notes that one person puts a proposal in force without review, in place of the policy whose text is `replaces`.
    ///
    /// # Errors
    /// [`LabError::Version`]: unknown, approved or ended already, or made for another policy; [`LabError::File`].
    pub fn force(
        &self,
        number: u64,
        (by, at_ms, reason): (&str, i64, &str),
        replaces: &str,
    ) -> Result<Version, LabError> {
        let wrong = |problem: &str| LabError::Version(problem.to_owned());
        let mut version = self.get(number)?;
        if version.approved_by.is_some() || version.ended.is_some() {
            return Err(wrong("it is approved or ended already"));
        }
        if hash(replaces) != version.parent {
            return Err(wrong("it was made in place of another policy than the one in force"));
        }
        let (by, reason, replaced) = (by.to_owned(), reason.to_owned(), replaces.to_owned());
        version.emergency = Some(Emergency { by, at_ms, reason, replaced });
        self.keep(&version)?;
        Ok(version)
    }

    /// Ends a version that is not to be put in force: who proposed it withdraws it, others reject it.
    ///
    /// # Errors
    /// [`LabError::Version`]: unknown, or ended already; [`LabError::File`].
    pub fn end(&self, number: u64, by: &str, at_ms: i64, reason: &str) -> Result<Version, LabError> {
        let mut version = self.get(number)?;
        if let Some(ended) = &version.ended {
            return Err(LabError::Version(format!("it was {} already", ended.how)));
        }
        let how = if version.proposed_by == by { "withdrawn" } else { "rejected" };
        let ended = Ended { how: how.to_owned(), by: by.to_owned(), at_ms, reason: reason.to_owned() };
        version.ended = Some(ended);
        self.keep(&version)?;
        // Nobody is to take it for one that may be put in force.
        let signed = self.signed_path(number);
        if signed.exists() {
            std::fs::remove_file(&signed).map_err(|error| LabError::file(&signed, error))?;
        }
        Ok(version)
    }

    /// A version.
    ///
    /// # Errors
    /// [`LabError::Version`] when there is none of this number.
    pub fn get(&self, number: u64) -> Result<Version, LabError> {
        let path = self.folder.join(format!("{number}.json"));
        if !path.exists() {
            return Err(LabError::Version(format!("there is no version {number}")));
        }
        self.proposed(&path)
    }

    /// The signed file of an approved version.
    ///
    /// # Errors
    /// [`LabError::Version`] when there is none; [`LabError::File`] when it does not open.
    pub fn signed(&self, number: u64) -> Result<String, LabError> {
        let path = self.signed_path(number);
        if !path.exists() {
            return Err(LabError::Version(format!("version {number} is not approved")));
        }
        self.read(&path)
    }

    fn signed_path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number}.policy"))
    }

    fn keep(&self, version: &Version) -> Result<(), LabError> {
        std::fs::create_dir_all(&self.folder).map_err(|error| LabError::file(&self.folder, error))?;
        let text = serde_json::to_string_pretty(version).map_err(|error| LabError::Version(error.to_string()))?;
        self.write(&self.folder.join(format!("{}.json", version.number)), &text)
    }

    fn proposed(&self, path: &Path) -> Result<Version, LabError> {
        serde_json::from_str(&self.read(path)?).map_err(|error| LabError::file(path, error))
    }

    fn read(&self, path: &Path) -> Result<String, LabError> {
        let bytes = std::fs::read(path).map_err(|error| LabError::file(path, error))?;
        sealed::open(self.seals.as_ref(), &name(path), &bytes).map_err(|error| LabError::file(path, error))
    }

    /// Puts a file in its place at one stroke.
    fn write(&self, path: &Path, text: &str) -> Result<(), LabError> {
        let bytes = sealed::close(self.seals.as_ref(), &name(path), text);
        let bytes = bytes.map_err(|error| LabError::file(path, error))?;
        let beside = path.with_extension("new");
        std::fs::write(&beside, bytes)
            .and_then(|()| std::fs::rename(&beside, path))
            .map_err(|error| LabError::file(path, error))
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::LogKey;
    use seal::{Domain, Found, Key, Keyring, KeysError};

    fn proposal(by: &str) -> Version {
        Version {
            title: "limit.SpO2.low=90".into(),
            reason: "fewer missed".into(),
            policy: alert::Policy::built_in().text,
            simulated: "a ward for a week".into(),
            proposed_by: by.into(),
            proposed_ms: 1,
            ..Version::default()
        }
    }

    #[test]
    fn it_takes_two_people_and_the_key_of_the_house() {
        let folder = tempfile::tempdir().expect("a folder");
        let versions = Versions::at(&folder.path().join("versions"), None);
        let key = LogKey::log("house", &[7; 32]).expect("a name");
        let sign = |text: &str| key.state(text).map_err(|error| error.to_string());
        let before = proposal("anna").policy.replacen("low = 88", "low = 89", 1);
        let first = versions.propose(proposal("anna"), &before).expect("kept");
        let changed: Vec<_> = first.changed.iter().map(|one| (one.parameter.path.as_str(), one.from, one.to)).collect();
        assert_eq!((changed, first.more), (vec![("limit.SpO2.low", Some(89.0), Some(88.0))], false));
        assert_eq!(first.parent, hash(&before));
        assert_eq!((first.number, versions.list().expect("listed").len()), (1, 1));
        assert!(versions.signed(1).is_err(), "nothing is signed yet");
        assert!(versions.approve(1, ("anna", 2, "mine"), sign).is_err(), "not by herself");
        versions.approve(1, ("bert", 2, "fine"), sign).expect("approved");
        assert!(versions.approve(1, ("carl", 3, "too"), sign).is_err(), "once");
        let signed = versions.signed(1).expect("signed");
        let read = Version::read(&signed, &key.verifier()).expect("it holds");
        assert_eq!((read.approved_by.as_deref(), read.hash), (Some("bert"), first.hash));
        let altered = signed.replace("anna", "otto");
        assert!(Version::read(&altered, &key.verifier()).is_err());
        assert_eq!(versions.propose(proposal("bert"), &before).expect("kept").number, 2);
        assert!(versions.get(9).is_err());
    }

    #[test]
    fn what_one_person_put_in_force_keeps_what_it_replaced_until_a_second_agrees() {
        let folder = tempfile::tempdir().expect("a folder");
        let versions = Versions::at(folder.path(), None);
        let key = LogKey::log("house", &[7; 32]).expect("a name");
        let sign = |text: &str| key.state(text).map_err(|error| error.to_string());
        let before = proposal("anna").policy.replacen("low = 88", "low = 89", 1);
        versions.propose(proposal("anna"), &before).expect("kept");
        let why = ("anna", 2, "alarms all night");
        assert!(versions.force(1, why, "another policy").is_err(), "only in place of what it was made for");
        versions.force(1, why, &before).expect("kept");
        let emergency = versions.get(1).expect("kept").emergency.expect("noted");
        assert_eq!((emergency.by.as_str(), emergency.replaced), ("anna", before.clone()));
        assert!(versions.approve(1, ("anna", 3, "mine"), sign).is_err(), "review takes a second person all the same");
        versions.approve(1, ("bert", 3, "right so"), sign).expect("approved");
        let read = Version::read(&versions.signed(1).expect("signed"), &key.verifier()).expect("it holds");
        let emergency = read.emergency.expect("it is told in what was signed");
        assert_eq!((emergency.reason.as_str(), emergency.replaced.as_str()), ("alarms all night", ""));
        assert!(versions.force(1, why, &before).is_err(), "it needs no emergency any more");
    }

    #[test]
    fn what_only_looks_like_a_version_is_refused() {
        let key = LogKey::log("house", &[7; 32]).expect("a name");
        let alone = Version { approved_by: Some("anna".into()), hash: hash(&proposal("anna").policy), ..proposal("anna") };
        let other = Version { hash: hash("else"), approved_by: Some("bert".into()), ..proposal("anna") };
        for version in [alone, other] {
            let signed = key.state(&version.text().expect("a text")).expect("signed");
            assert!(Version::read(&signed, &key.verifier()).is_err());
        }
        let signed = key.state("something else\n{}\n").expect("signed");
        assert!(Version::read(&signed, &key.verifier()).expect_err("refused").to_string().contains("no version"));
    }

    /// A keyring of one key.
    struct OneKey;

    impl Keyring for OneKey {
        fn epoch(&self) -> u64 {
            0
        }

        fn writing(&self, domains: &[Domain]) -> Result<Vec<(u32, Key)>, KeysError> {
            Ok(domains.iter().map(|_| (7, Key::new([3; 32]))).collect())
        }

        fn reading(&self, number: u32) -> Found {
            if number == 7 { Found::Key(Domain::House, Key::new([3; 32])) } else { Found::Unknown }
        }
    }

    #[test]
    fn versions_lie_sealed_and_plain_ones_are_read_and_sealed() {
        let folder = tempfile::tempdir().expect("a folder");
        let before = proposal("anna").policy.replacen("low = 88", "low = 89", 1);
        let plain = Versions::at(folder.path(), None);
        plain.propose(proposal("anna"), &before).expect("kept");
        let seals = Seals { keyring: std::sync::Arc::new(OneKey), nonce: || Ok([9; 12]) };
        let versions = Versions::at(folder.path(), Some(seals));
        assert_eq!(versions.get(1).expect("read as it is").reason, "fewer missed");
        assert_eq!((versions.seal_plain().expect("sealed"), versions.seal_plain().expect("sealed")), (1, 0));
        let key = LogKey::log("house", &[7; 32]).expect("a name");
        versions.approve(1, ("bert", 2, "seen"), |text| key.state(text).map_err(|e| e.to_string())).expect("approved");
        for file in ["1.json", "1.policy"] {
            let bytes = std::fs::read(folder.path().join(file)).expect("there");
            for word in ["fewer missed", "anna", "bert", "limit"] {
                assert!(!bytes.windows(word.len()).any(|part| part == word.as_bytes()), "{word} in {file}");
            }
        }
        assert_eq!(versions.list().expect("listed").len(), 1);
        Version::read(&versions.signed(1).expect("signed"), &key.verifier()).expect("it holds");
        let told = plain.get(1).expect_err("sealed").to_string();
        assert!(told.contains("keyring"), "{told}");
        std::fs::copy(folder.path().join("1.json"), folder.path().join("2.json")).expect("copied");
        assert!(versions.get(2).is_err(), "one does not stand in for another");
    }
}
