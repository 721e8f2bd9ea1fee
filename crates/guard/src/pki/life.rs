//! The life of a device as one table: which step leads from where to where.

/// How far a device has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceState {
    /// Heard, or told of, without anybody having taken responsibility: refused.
    Announced,
    /// A person said that it is theirs: it may enrol, and nothing else.
    Claimed,
    /// It proved its key, or an engineer checked it: known, not in service.
    Verified,
    /// In service.
    Active,
    /// Taken out of service for a while: refused.
    Suspended,
    /// Taken out of service for good: refused, its certificates revoked.
    Retired,
}

/// What moves a device on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A person takes responsibility for it.
    Claim,
    /// It proved its key, or was checked.
    Verify,
    /// It goes into service.
    Activate,
    /// It goes out of service for a while.
    Suspend,
    /// It goes out of service for good.
    Retire,
}

use DeviceState::{Active, Announced, Claimed, Retired, Suspended, Verified};

/// Every legal transition: the step, from where, to where. What is not here is refused.
pub const TRANSITIONS: [(Step, DeviceState, DeviceState); 11] = [
    (Step::Claim, Announced, Claimed),
    (Step::Verify, Claimed, Verified),
    (Step::Activate, Verified, Active),
    (Step::Activate, Suspended, Active),
    (Step::Suspend, Verified, Suspended),
    (Step::Suspend, Active, Suspended),
    (Step::Retire, Announced, Retired),
    (Step::Retire, Claimed, Retired),
    (Step::Retire, Verified, Retired),
    (Step::Retire, Active, Retired),
    (Step::Retire, Suspended, Retired),
];

impl DeviceState {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 6] = [Announced, Claimed, Verified, Active, Suspended, Retired];

    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Announced => "announced",
            Claimed => "claimed",
            Verified => "verified",
            Active => "active",
            Suspended => "suspended",
            Retired => "retired",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Where a step leads from here; none when it is not legal.
    #[must_use]
    pub fn after(self, step: Step) -> Option<Self> {
        let found = TRANSITIONS.iter().find(|(by, from, _)| *by == step && *from == self);
        found.map(|(_, _, to)| *to)
    }

    /// The steps that are legal from here.
    pub fn steps(self) -> impl Iterator<Item = Step> {
        TRANSITIONS.iter().filter(move |(_, from, _)| *from == self).map(|(step, _, _)| *step)
    }
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 5] =
        [Self::Claim, Self::Verify, Self::Activate, Self::Suspend, Self::Retire];

    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Verify => "verify",
            Self::Activate => "activate",
            Self::Suspend => "suspend",
            Self::Retire => "retire",
        }
    }

    /// The name in the audit log.
    #[must_use]
    pub const fn deed(self) -> &'static str {
        match self {
            Self::Claim => "claim-device",
            Self::Verify => "verify-device",
            Self::Activate => "activate-device",
            Self::Suspend => "suspend-device",
            Self::Retire => "retire-device",
        }
    }

    /// The step of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_retirement_and_nothing_skips_proof() {
        for step in Step::ALL {
            assert_eq!(Retired.after(step), None, "{step:?}");
        }
        assert_eq!(Announced.after(Step::Activate), None);
        assert_eq!(Claimed.after(Step::Activate), None, "a claim is no proof");
        assert_eq!(Claimed.after(Step::Suspend), None, "or it came into service by way of it");
        for (step, from, to) in TRANSITIONS {
            assert_eq!(from.after(step), Some(to));
            assert_ne!(from, to);
        }
        for state in DeviceState::ALL {
            assert_eq!(DeviceState::from_name(state.name()), Some(state));
        }
    }
}
