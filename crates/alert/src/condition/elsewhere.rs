//! Conditions of a patient whom somebody else judges, too: an edge near the device.

use super::Conditions;

impl Conditions {
    /// For how long what held goes on holding without the values that decide it, in microseconds, if
    /// that is longer than the policy says; 0: as the policy says.
    pub fn hold_longer(&mut self, us: i64) {
        self.longer_us = us;
    }

    /// Values stayed away and come again: what was counting begins to count again.
    pub fn interrupt(&mut self) {
        for level in self.states.iter_mut().flat_map(|state| &mut state.levels) {
            level.clear_since = None;
            level.held_since = level.held_since.filter(|_| level.on);
        }
    }

    /// What a group is about is over, as somebody else saw.
    pub fn over(&mut self, group: &str) {
        for (state, plan) in self.states.iter_mut().zip(&self.plan) {
            if plan.group == group {
                state.levels = Default::default();
            }
        }
    }
}
