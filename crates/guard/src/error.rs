//! What can go wrong, and what to do about it. No text here repeats a secret.

use std::path::{Path, PathBuf};

/// What can go wrong with the guard itself.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// A file or folder could not be used.
    #[error("cannot use {path}: {source}; check that the folder is ours and the disk not full")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The account database failed.
    #[error("account database failed: {0}; check the disk, or restore guard.db from a backup")]
    Database(#[from] rusqlite::Error),
    /// The account database holds something that this program does not understand.
    #[error("guard.db is of version {found}, this program knows {known}: use the newer program")]
    NewerDatabase {
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// An account name with characters that may not be in it.
    #[error("an account name has 1 to 64 characters of A-Z a-z 0-9 . _ - @ and is not reserved")]
    BadName,
    /// A unit's name that no location can have, or too many of them.
    #[error("a unit is named as locations name it: 1 to 64 characters, no spaces around, at most 64 units")]
    BadUnit,
    /// A password that is too easy.
    #[error("choose another password: {0}")]
    WeakPassword(&'static str),
    /// The name is taken.
    #[error("{0} exists already: choose another name, or remove it first")]
    Exists(String),
    /// No such account or device.
    #[error("no account or device is named {0}: list them to see the names")]
    Unknown(String),
    /// Nobody could administer any more.
    #[error("this is the last administrator: add another one first")]
    LastAdministrator,
    /// The setup code is wrong, used or replaced.
    #[error("the setup code is not valid: restart the program to get a new one")]
    BadCode,
    /// Too many of something.
    #[error("too many {0}: remove one first")]
    TooMany(&'static str),
    /// An invitation that cannot be used.
    #[error("the invitation is not valid: ask for a new one, and use it with a caregiver's account")]
    BadInvitation,
    /// An emergency access that says too little or lasts too long.
    #[error("say why in 10 to 500 characters, and for 1 to 240 minutes")]
    BadOpening,
    /// Nobody reviews their own emergency access.
    #[error("nobody reviews their own access: ask another reviewer")]
    OwnReview,
    /// A document does not change whose it is.
    #[error("the document is another patient's: make a new one")]
    OtherPatient,
    /// Under a legal hold nothing is removed.
    #[error("a legal hold keeps everything of this patient: release it first")]
    Held,
    /// A time that nothing is kept for.
    #[error("keep it for 1 to 73,000 days, or for ever")]
    BadRetention,
    /// The role must have a second factor, and this is the last.
    #[error("your role needs a second factor: add another one before you remove this")]
    FactorRequired,
    /// Browsers know no passkeys at this address.
    #[error("passkeys need a name, such as localhost or the one in http.origin, not an address")]
    NoPasskeysHere,
    /// A passkey was not taken.
    #[error("the passkey was not taken: {0}")]
    Passkey(String),
    /// The identity provider says what is to be changed.
    #[error("role and units of this account come from the identity provider: change them there")]
    Provided,
    /// Not possible while authentication is off.
    #[error("accounts are off under --open: start without it")]
    Trial,
    /// The system gave no randomness.
    #[error("the operating system gave no random bytes: {0}")]
    Random(getrandom::Error),
    /// A password hash could not be made or read.
    #[error("password hashing failed: {0}")]
    Hashing(argon2::password_hash::Error),
    /// An audit record could not be written: no audit, no access (SE-1).
    #[error("audit record not written: {0}; check the disk, access is refused until it works")]
    AuditFailed(String),
    /// Trust in devices.
    #[error(transparent)]
    Trust(#[from] crate::TrustError),
    /// The end of the audit log makes no sense at all.
    #[error("no readable record at the end of {0}: move it aside, keep it for examination")]
    AuditUnreadable(PathBuf),
    /// A key file of the audit log is not as it was written.
    #[error("{0} is no key of ours: put it back from a backup, or move it aside to begin with a new key")]
    AuditKey(PathBuf),
}

impl GuardError {
    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

/// Why nobody was logged in. Says nothing that helps guessing.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Unknown account or wrong password: which of them is not said.
    #[error("unknown account or wrong password")]
    Refused,
    /// Too many failures just now. The attempt was not looked at, and does not count.
    #[error("too many failed attempts: wait {wait_ms} ms and try again")]
    SlowDown {
        /// How long to wait, in milliseconds.
        wait_ms: u64,
    },
    /// The first step of the login is missing or too long ago.
    #[error("begin the login again")]
    Begin,
    /// Too many are logging in at this moment.
    #[error("too many are logging in at this moment: try again")]
    Busy,
    /// The guard itself failed.
    #[error(transparent)]
    Guard(#[from] GuardError),
}
