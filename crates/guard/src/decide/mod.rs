//! The access policy asked: who wants to do what to whom, and what the rules say of it. Answers are
//! remembered by everything that the rules could look at, so a remembered answer is never an old
//! one: whoever is put into another unit, care team or consent asks another question.

mod question;
mod rules;

use std::path::Path;
use std::sync::Arc;

use policy::{Change, Policies, PolicyError};
use vitals::{DeviceId, PatientId, ReceiveTime};

use crate::privacy::{Categories, Category, Opened, PatientFacts, Purpose};
use crate::{Account, Guard, Kind, Permission};

use question::{Related, asked, keyed};
pub(crate) use question::QUIET;
use rules::InForce;
pub use rules::policy_sources;
pub(crate) use rules::{Decider, built_in};

/// Who asks, and how they came in.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The account.
    pub account: &'a Account,
    /// Whether with a second factor or a passkey.
    pub strong: bool,
    /// Through a listener of which zone; empty when there are none.
    pub zone: &'a str,
    /// The purpose that the request named; none: what the role usually asks for.
    pub purpose: Option<Purpose>,
}

impl<'a> Asking<'a> {
    /// An account of which nothing more is known.
    #[must_use]
    pub const fn plainly(account: &'a Account) -> Self {
        Self { account, strong: false, zone: "", purpose: None }
    }
}

/// Whom or what it is about.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// Nobody in particular: may the account do this at all?
    House,
    /// A patient, known or not.
    Patient {
        /// Id.
        id: &'a PatientId,
        /// The unit where they lie, if that is known.
        unit: Option<&'a str>,
        /// Whether an encounter is in progress.
        in_encounter: bool,
    },
    /// A device.
    Device {
        /// Id.
        id: &'a DeviceId,
        /// The unit where it is mounted, if it is.
        unit: Option<&'a str>,
        /// Its zone; empty when there are none.
        zone: &'a str,
    },
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is allowed.
    pub allowed: bool,
    /// The rules that decided, by `@id`; empty when no rule permits it.
    pub rules: Arc<[Arc<str>]>,
    /// For what it was asked: a code of HL7 v3 PurposeOfUse.
    pub purpose: &'static str,
}

impl Guard {
    /// Takes the rules of a site: every `*.cedar` file of a folder, in the order of their names, on
    /// top of the built-in ones; `default.cedar` takes the place of those. A folder that is not
    /// there holds none. Gives what is odd in them but not wrong.
    ///
    /// # Errors
    /// [`PolicyError`] with file, line and reason; then the rules in force stay.
    pub fn load_policies(&self, folder: &Path) -> Result<Vec<String>, PolicyError> {
        let policies = Policies::load(&policy_sources(folder)?)?;
        let odd = policies.warnings().to_vec();
        self.inner.decider.put(InForce::new(policies));
        Ok(odd)
    }

    /// Asks the rules in force something of their own: which there are, and what each says.
    pub fn with_policies<T>(&self, ask: impl FnOnce(&Policies) -> T) -> T {
        let rules = self.inner.decider.in_force();
        ask(&rules.policies)
    }

    /// Whether an account may do something, and which rules say so. Denied unless one permits it.
    /// The trial account may do everything.
    ///
    /// Takes well under a microsecond when the same was asked before, some tens of microseconds
    /// when not.
    #[must_use]
    pub fn decide(
        &self,
        asking: Asking<'_>,
        permission: Permission,
        target: Target<'_>,
        category: Category,
        now: ReceiveTime,
    ) -> Decision {
        if asking.account.kind == Kind::Trial {
            let purpose = asking.purpose.unwrap_or(Purpose::of_role(asking.account.role)).code();
            return Decision { allowed: self.is_open(), rules: Arc::default(), purpose };
        }
        let facts = self.facts_of(target);
        let related = self.related(asking, facts.as_deref(), now);
        let rules = self.inner.decider.in_force();
        let answers = &rules.answers;
        keyed(&rules, asking, permission, target, category as u8, &related, now, |key| {
            answers.or_ask(key, || rules.ask(asking, permission, target, category, now, &related))
        })
    }

    /// Which kinds of data an account may have of a patient: those for which
    /// [`Guard::decide`] says yes.
    #[must_use]
    pub fn kinds(
        &self,
        asking: Asking<'_>,
        permission: Permission,
        target: Target<'_>,
        now: ReceiveTime,
    ) -> Categories {
        if asking.account.kind == Kind::Trial {
            return if self.is_open() { Categories::ALL } else { Categories::NONE };
        }
        let facts = self.facts_of(target);
        let related = self.related(asking, facts.as_deref(), now);
        let rules = self.inner.decider.in_force();
        let all = || {
            let allowed = |category: &Category| {
                rules.ask(asking, permission, target, *category, now, &related).allowed
            };
            Category::ALL.into_iter().filter(allowed).collect()
        };
        keyed(&rules, asking, permission, target, u8::MAX, &related, now, |key| {
            rules.kinds.or_ask(key, all)
        })
    }

    /// Whether an account that is denied a patient could open them in an emergency.
    #[must_use]
    pub fn would_open(
        &self,
        asking: Asking<'_>,
        permission: Permission,
        target: Target<'_>,
        category: Category,
        now: ReceiveTime,
    ) -> bool {
        let Target::Patient { id, .. } = target else { return false };
        if asking.account.kind == Kind::Trial
            || !self.decide(asking, Permission::UseBreakGlass, target, category, now).allowed
        {
            return false;
        }
        let mut facts = (*self.patient_facts(id)).clone();
        let account = asking.account.name.clone();
        facts.emergencies.push(Opened { account, until: ReceiveTime(i64::MAX) });
        let related = self.related(asking, Some(&facts), now);
        let rules = self.inner.decider.in_force();
        rules.ask(asking, permission, target, category, now, &related).allowed
    }

    /// What a denied account lacks: changes of which each would do by itself.
    #[must_use]
    pub fn wanting(
        &self,
        asking: Asking<'_>,
        permission: Permission,
        target: Target<'_>,
        category: Category,
        now: ReceiveTime,
    ) -> Vec<Change> {
        let facts = self.facts_of(target);
        let related = self.related(asking, facts.as_deref(), now);
        let rules = self.inner.decider.in_force();
        asked(asking, permission, target, category, now, &related, |question| {
            rules.policies.wanting(question).any_of
        })
    }

    fn facts_of(&self, target: Target<'_>) -> Option<Arc<PatientFacts>> {
        match target {
            Target::Patient { id, .. } => Some(self.patient_facts(id)),
            _ => None,
        }
    }

    fn related<'a>(
        &self,
        asking: Asking<'a>,
        facts: Option<&'a PatientFacts>,
        now: ReceiveTime,
    ) -> Related<'a> {
        let account = asking.account;
        let purpose = asking.purpose.unwrap_or(Purpose::of_role(account.role)).code();
        let stated = asking.purpose.is_some();
        let Some(facts) = facts else { return Related { purpose, stated, ..Related::default() } };
        let own: &'a str = &account.name;
        // Names compare without regard to case, the rules compare them with it.
        let named = |name: &'a str| if name.eq_ignore_ascii_case(own) { own } else { name };
        let team = facts.team.iter().filter(|one| one.period.has(now.micros()));
        let carers = facts.carers.iter().filter(|one| one.period.has(now.micros()));
        let opened = facts.emergencies.iter().filter(|one| one.until > now);
        // Treatment of somebody opened in an emergency is emergency treatment, whatever it was called.
        let treats = asking.purpose.is_none_or(|stated| stated == Purpose::Treat);
        let emergency = treats && facts.opened_until(own, now).is_some();
        let seen = facts.consented_for(account, asking.purpose, None, now, self.stance());
        Related {
            care_team: team.map(|one| named(&one.account)).collect(),
            caregivers: carers.map(|one| named(&one.account)).collect(),
            opened_by: opened.map(|one| named(&one.account)).collect(),
            withheld: Category::ALL.into_iter().filter(|category| !seen.has(*category)).collect(),
            purpose: if emergency { Purpose::Etreat.code() } else { purpose },
            stated: stated && !emergency,
        }
    }
}
