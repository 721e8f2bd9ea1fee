//! Alerts that somebody else judges: an edge near the device, which saw what we see only later. We keep
//! such an alert under a name of our own until that somebody says that it is over, whatever values we
//! have by then. What we ourselves judge joins it: one episode, one alert (AL-1).

use vitals::EpisodeId;

use super::{Change, ChangeKind, Episode, EpisodeState, Episodes};

impl Episodes {
    /// The open episode of a group.
    #[must_use]
    pub fn open_in(&self, group: &str) -> Option<&Episode> {
        self.open.iter().find(|episode| episode.group == group)
    }

    /// The open episode of that name.
    #[must_use]
    pub fn get(&self, id: EpisodeId) -> Option<&Episode> {
        self.open.iter().find(|episode| episode.id == id)
    }

    /// From here on this episode does not end because its conditions are gone here.
    pub fn judged_elsewhere(&mut self, id: EpisodeId) {
        if self.get(id).is_some() && !self.elsewhere.contains(&id) {
            self.elsewhere.push(id);
        }
    }

    /// From here on this episode is ours to end.
    pub fn judged_here(&mut self, id: EpisodeId) {
        self.elsewhere.retain(|other| *other != id);
    }

    /// Takes over an episode that was raised elsewhere; its name is ours already. What it is about
    /// must have no open episode.
    pub fn bring(&mut self, episode: Episode, actor: &str, detail: &str, out: &mut Vec<Change>) {
        out.push(episode.change(ChangeKind::Raised, actor, detail));
        self.elsewhere.push(episode.id);
        self.open.push(episode);
    }

    /// Brings an episode of ours into line with what it has become elsewhere by `at`. What a person
    /// did here after that stands.
    pub fn follow(
        &mut self,
        id: EpisodeId,
        there: &Episode,
        (kind, actor, detail, at): (ChangeKind, &str, &str, i64),
        out: &mut Vec<Change>,
    ) {
        let Some(ours) = self.find(id) else { return };
        let stands = ours.taken.is_some() && at < ours.changed_at;
        ours.priority = there.priority;
        ours.condition = there.condition.clone();
        ours.title.clone_from(&there.title);
        ours.reason.clone_from(&there.reason);
        ours.members.clone_from(&there.members);
        ours.latch = there.latch;
        if !stands {
            ours.state = there.state;
            ours.taken.clone_from(&there.taken);
            (ours.level, ours.assigned, ours.escalates_at) =
                (there.level, there.assigned, there.escalates_at);
            ours.changed_at = at;
            out.push(ours.change(kind, actor, detail));
        }
    }

    /// Ends an episode: it is over elsewhere.
    pub fn end(&mut self, id: EpisodeId, (actor, why, at): (&str, &str, i64), out: &mut Vec<Change>) {
        self.judged_here(id);
        let Some(episode) = self.find(id) else { return };
        episode.set(EpisodeState::Resolved, at);
        episode.escalates_at = None;
        out.push(episode.change(ChangeKind::Resolved, actor, why));
        self.open.retain(|episode| episode.id != id);
    }
}
