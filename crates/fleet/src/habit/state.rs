//! When a break of a habit counts: one break is one event.

use serde::{Deserialize, Serialize};

use super::Break;

/// Over for this long, and it may count again, seconds.
const CALM_S: u32 = 600;
/// Signs further apart than this are not of one break, seconds.
const APART_S: u32 = 180;

/// One kind of break.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct State {
    /// When it began and when it was last seen, seconds since the habit began.
    first_s: u32,
    last_s: u32,
    signs: u16,
    told: bool,
}

/// All kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct States([State; Break::ALL.len()]);

impl States {
    /// A sign of a break: true when it counts now, which takes so many signs over so many seconds.
    pub(super) fn sign(&mut self, kind: Break, now_s: u32, signs: u16, lasting_s: u32) -> bool {
        let state = &mut self.0[kind as usize];
        let gap_s = now_s.saturating_sub(state.last_s);
        if state.signs > 0 && gap_s > if state.told { CALM_S } else { APART_S } {
            *state = State::default();
        }
        if state.signs == 0 {
            state.first_s = now_s;
        }
        state.signs = state.signs.saturating_add(1);
        state.last_s = now_s;
        let counts = !state.told
            && state.signs >= signs
            && now_s.saturating_sub(state.first_s) >= lasting_s;
        state.told |= counts;
        counts
    }

    /// Nothing strange now. A break that was not yet told is over.
    pub(super) fn calm(&mut self, kind: Break) {
        let state = &mut self.0[kind as usize];
        if !state.told {
            state.signs = 0;
        }
    }

    /// Whether a break lasts.
    pub(super) fn lasts(&self, kind: Break, now_s: u32) -> bool {
        let state = &self.0[kind as usize];
        state.told && now_s.saturating_sub(state.last_s) <= CALM_S
    }
}
