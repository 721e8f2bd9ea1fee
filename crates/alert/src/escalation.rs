//! Escalation chains: whose turn it is, and when it is the next one's (AL-4).

use vitals::Role;

/// A chain of roles.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// Name in the policy.
    pub name: String,
    /// Steps; the first is asked at once.
    pub steps: Vec<Step>,
    /// After the last step it is asked again this often, in microseconds, until somebody takes it.
    pub repeat_us: i64,
}

/// One step of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Who is asked.
    pub role: Role,
    /// How long after the alert began to sound, in microseconds.
    pub after_us: i64,
}

impl Chain {
    /// The role asked at `level` (0 first); past the end the last one.
    #[must_use]
    pub fn role(&self, level: u8) -> Role {
        self.steps
            .get(usize::from(level))
            .or(self.steps.last())
            .map_or(Role::ChargeNurse, |step| step.role)
    }

    /// When the alert goes on from `level`, to which it moved at `moved_at`: each role gets its
    /// time, also when the platform itself was away, or somebody passed the alert on early.
    #[must_use]
    pub fn next_at(&self, level: u8, moved_at: i64) -> i64 {
        let level = usize::from(level);
        let wait = match (self.steps.get(level), self.steps.get(level + 1)) {
            (Some(here), Some(next)) => next.after_us.saturating_sub(here.after_us).max(0),
            _ => self.repeat_us,
        };
        moved_at.saturating_add(wait)
    }
}
