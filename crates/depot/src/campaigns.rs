//! Campaigns as they are kept, and what each device is offered.

use fleet::campaign::{Campaign, Effect, Facts, Plan, Report, State, Step};
use fleet::firmware::{same_maker, same_name};
use serde::Serialize;

use crate::tables::CAMPAIGN;
use crate::{Depot, DepotError, Kept};

/// Most campaigns kept; finished ones go first.
const CAMPAIGNS_MAX: usize = 1_000;

/// What is to be told to a device, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Command {
    /// To whom.
    #[serde(skip)]
    pub device: String,
    /// `update`, `withdraw` or `rollback`.
    pub command: &'static str,
    /// Number of the campaign.
    pub campaign: i64,
    /// What to install; only with `update`.
    #[serde(flatten)]
    pub offer: Option<Offer>,
}

/// What a device is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// The version.
    pub version: String,
    /// Name of the image in the signed metadata.
    pub target: String,
    /// Where it is, below the platform's address.
    pub url: String,
    /// Bytes.
    pub length: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

impl Depot {
    /// Every campaign with its number, newest first.
    ///
    /// # Errors
    /// [`DepotError`] when the database fails.
    pub fn campaigns(&self) -> Result<Vec<(i64, Campaign)>, DepotError> {
        self.with(|kept| Ok(kept.campaigns.iter().rev().map(|(n, c)| (*n, c.clone())).collect()))
    }

    /// One campaign.
    ///
    /// # Errors
    /// [`DepotError::Unknown`], or the database fails.
    pub fn campaign(&self, number: i64) -> Result<Campaign, DepotError> {
        self.with(|kept| kept.campaigns.get(&number).cloned().ok_or(DepotError::Unknown("campaign")))
    }

    /// Makes a campaign for every device of the target's model that does not run its version yet.
    /// The image must be here, and signed.
    ///
    /// # Errors
    /// [`DepotError::Plan`], or an image that is not here.
    pub fn create_campaign(&self, plan: Plan, now_us: i64) -> Result<i64, DepotError> {
        let signed = self.targets()?;
        if !signed.iter().any(|target| target.here && target.fits(&plan.target)) {
            return Err(DepotError::Unknown("signed firmware image"));
        }
        self.with(|kept| {
            let target = &plan.target;
            let of_model = kept.items.values().map(|entry| &entry.item).filter(|item| {
                same_maker(&item.manufacturer, &target.manufacturer)
                    && same_name(&item.model, &target.model)
                    && !same_name(&item.firmware, &target.version)
            });
            let devices: Vec<_> = of_model.map(|i| (i.device.clone(), i.firmware.clone())).collect();
            let campaign = Campaign::draft(plan, &devices, now_us)?;
            if kept.campaigns.len() >= CAMPAIGNS_MAX {
                let over = kept.campaigns.iter().find(|(_, c)| c.state == State::Finished);
                let number = over.map(|(number, _)| *number);
                let number = number.ok_or_else(|| DepotError::Wrong("too many campaigns".to_owned()))?;
                kept.campaigns.remove(&number);
                kept.delete(CAMPAIGN, &number.to_string())?;
            }
            let number = kept.campaigns.last_key_value().map_or(1, |(last, _)| last + 1);
            kept.keep_campaign(number, campaign)?;
            Ok(number)
        })
    }

    /// Begins a campaign, or goes on with it.
    ///
    /// # Errors
    /// [`DepotError::Campaign`] when its state does not allow it.
    pub fn resume_campaign(&self, number: i64) -> Result<(), DepotError> {
        self.change(number, |campaign| campaign.resume().map(|()| Vec::new())).map(drop)
    }

    /// Pauses a campaign; what devices are to be told.
    ///
    /// # Errors
    /// [`DepotError::Campaign`] when its state does not allow it.
    pub fn pause_campaign(&self, number: i64, why: &str, now_us: i64) -> Result<Vec<Command>, DepotError> {
        self.change(number, |campaign| campaign.pause(why, now_us))
    }

    /// Rolls a campaign back; what devices are to be told now. The rest is told by
    /// [`Depot::tick_campaigns`].
    ///
    /// # Errors
    /// [`DepotError::Campaign`] when its state does not allow it.
    pub fn roll_back_campaign(&self, number: i64, why: &str, now_us: i64) -> Result<Vec<Command>, DepotError> {
        self.change(number, |campaign| campaign.roll_back(why, now_us))
    }

    /// Lets time pass for every campaign; what devices are to be told.
    ///
    /// # Errors
    /// [`DepotError`] when the database fails.
    pub fn tick_campaigns(&self, facts: impl Fn(&str) -> Facts, now_us: i64) -> Result<Vec<Command>, DepotError> {
        self.with(|kept| {
            let open = kept.campaigns.iter().filter(|(_, c)| !matches!(c.state, State::Draft | State::Finished));
            let numbers: Vec<i64> = open.map(|(number, _)| *number).collect();
            let mut commands = Vec::new();
            for number in numbers {
                let Some(mut campaign) = kept.campaigns.get(&number).cloned() else { continue };
                let effects = campaign.tick(&facts, now_us);
                let told = told(number, &campaign, effects);
                if kept.campaigns.get(&number) != Some(&campaign) {
                    // Durable before anybody is told: an offer that was made is known after a restart.
                    kept.keep_campaign(number, campaign)?;
                }
                commands.extend(told);
            }
            Ok(commands)
        })
    }

    /// Every command that stands and was not yet followed: told again from time to time, for the device may
    /// not have been there.
    ///
    /// # Errors
    /// [`DepotError`] when the database fails.
    pub fn standing_commands(&self) -> Result<Vec<Command>, DepotError> {
        self.with(|kept| {
            let mut commands = Vec::new();
            for (number, campaign) in &kept.campaigns {
                let effects = campaign.members.iter().filter_map(|(device, member)| match member.step {
                    Step::Offered if campaign.state == State::Running => Some(Effect::Offer(device.clone())),
                    Step::Returning if campaign.state == State::RollingBack => Some(Effect::Return(device.clone())),
                    _ => None,
                });
                commands.extend(told(*number, campaign, effects.collect()));
            }
            Ok(commands)
        })
    }

    /// What a device is to do now: an offer that is open, or to go back.
    ///
    /// # Errors
    /// [`DepotError`] when the database fails.
    pub fn command_for(&self, device: &str, facts: &Facts) -> Result<Option<Command>, DepotError> {
        self.with(|kept| {
            for (number, campaign) in kept.campaigns.iter().rev() {
                if campaign.may_load(device, facts.clone()) {
                    return Ok(told(*number, campaign, vec![Effect::Offer(device.to_owned())]).pop());
                }
                let returning = campaign.members.get(device).is_some_and(|m| m.step == Step::Returning);
                if returning && campaign.state == State::RollingBack && !facts.on_patient {
                    return Ok(told(*number, campaign, vec![Effect::Return(device.to_owned())]).pop());
                }
            }
            Ok(None)
        })
    }

    /// Takes in what a device says of an update that it was offered.
    ///
    /// # Errors
    /// [`DepotError::Campaign`] when nothing is offered to it.
    pub fn report_update(&self, device: &str, report: &Report, now_us: i64) -> Result<(), DepotError> {
        self.with(|kept| {
            let of_device = kept.campaigns.iter().rev().find(|(_, campaign)| {
                campaign.members.get(device).is_some_and(|m| m.step.under_way() || m.step == Step::Returning)
            });
            let (number, campaign) = of_device.ok_or(fleet::campaign::CampaignError::NotOffered)?;
            let (number, mut campaign) = (*number, campaign.clone());
            campaign.report(device, report, now_us)?;
            kept.keep_campaign(number, campaign)
        })
    }

    fn change(
        &self,
        number: i64,
        act: impl FnOnce(&mut Campaign) -> Result<Vec<Effect>, fleet::campaign::CampaignError>,
    ) -> Result<Vec<Command>, DepotError> {
        self.with(|kept| {
            let campaign = kept.campaigns.get(&number).cloned();
            let mut campaign = campaign.ok_or(DepotError::Unknown("campaign"))?;
            let effects = act(&mut campaign)?;
            let commands = told(number, &campaign, effects);
            kept.keep_campaign(number, campaign)?;
            Ok(commands)
        })
    }
}

impl Kept {
    fn keep_campaign(&mut self, number: i64, campaign: Campaign) -> Result<(), DepotError> {
        self.put(CAMPAIGN, &number.to_string(), &campaign)?;
        self.campaigns.insert(number, campaign);
        Ok(())
    }
}

fn told(number: i64, campaign: &Campaign, effects: Vec<Effect>) -> Vec<Command> {
    let target = &campaign.plan.target;
    let offer = Offer {
        version: target.version.clone(),
        target: target.path.clone(),
        url: format!("/api/v1/fleet/firmware/{}", target.sha256),
        length: target.length,
        sha256: target.sha256.clone(),
    };
    let commands = effects.into_iter().map(|effect| {
        let (device, command, offer) = match effect {
            Effect::Offer(device) => (device, "update", Some(offer.clone())),
            Effect::Withdraw(device) => (device, "withdraw", None),
            Effect::Return(device) => (device, "rollback", None),
        };
        Command { device, command, campaign: number, offer }
    });
    commands.collect()
}
