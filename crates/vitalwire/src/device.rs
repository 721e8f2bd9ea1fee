//! `vitalwire device`: devices, their life and their certificates, on the command line.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use guard::{Certified, Claim, Code, DeviceStep, Guard, GuardError, RevocationReason, TrustError};
use qrcode::QrCode;
use qrcode::render::unicode;
use vitals::DeviceId;

use crate::Misuse;
use crate::admin::Data;
use crate::certificate::fingerprint;
use crate::clock::clock;

/// Which device, and why.
#[derive(clap::Args)]
pub(crate) struct Because {
    /// Device id.
    id: String,
    /// Why; kept with the step.
    #[arg(long)]
    why: String,
    #[command(flatten)]
    data: Data,
}

#[derive(Subcommand)]
pub(crate) enum DeviceCommand {
    /// What is supported, each with the recorded session that proves it.
    Catalogue(crate::supported::Args),
    /// Add an account for a device, and print its password once; the user name is its id.
    Add {
        /// Device id.
        id: String,
        /// The device shows a certificate with its id instead; it gets no password.
        #[arg(long)]
        certificate: bool,
        #[command(flatten)]
        data: Data,
    },
    /// Give a sensor a key for CoAP over DTLS, and print the name that it shows and the key
    /// (hexadecimal), once.
    Key {
        /// Device id.
        id: String,
        /// What the sensor shows (PSK identity); else its id.
        #[arg(long)]
        name: Option<String>,
        /// A file with the key that the sensor came with, in hexadecimal; else a random one of 128 bits.
        #[arg(long)]
        from: Option<PathBuf>,
        #[command(flatten)]
        data: Data,
    },
    /// Remove a device from the books; a running server ends its connections.
    Remove {
        /// Device id.
        id: String,
        #[command(flatten)]
        data: Data,
    },
    /// List devices: id, state, how they prove who they are, until when, zone, kind.
    List {
        /// Only those in this state.
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        data: Data,
    },
    /// Tell of a device that is to come; it is refused until somebody claims it.
    Announce(Because),
    /// Take responsibility for a device, and print the code that it enrols with, once.
    Claim {
        /// Device id.
        id: String,
        /// Why; kept with the step.
        #[arg(long)]
        why: String,
        /// What kind of device: says what it may send.
        #[arg(long, default_value = "")]
        kind: String,
        /// What it may send beside that: reference ids, their beginnings with *, groups.
        #[arg(long)]
        metric: Vec<String>,
        /// The zone that it belongs to.
        #[arg(long, default_value = "")]
        zone: String,
        /// Leave it out of service when it has enrolled, until `activate`.
        #[arg(long)]
        hold: bool,
        #[command(flatten)]
        data: Data,
    },
    /// Print another enrolment code in place of any before.
    Enrol {
        /// Device id.
        id: String,
        #[command(flatten)]
        data: Data,
    },
    /// Say what a device may send and where it belongs.
    Rights {
        /// Device id.
        id: String,
        /// What kind of device.
        #[arg(long, default_value = "")]
        kind: String,
        /// What it may send beside that.
        #[arg(long)]
        metric: Vec<String>,
        /// The zone that it belongs to.
        #[arg(long, default_value = "")]
        zone: String,
        #[command(flatten)]
        data: Data,
    },
    /// An engineer checked it.
    Verify(Because),
    /// Put it into service.
    Activate(Because),
    /// Take it out of service; a running server ends its connections within a second.
    Suspend(Because),
    /// Take it out of service for good: its certificates are revoked.
    Retire(Because),
    /// Revoke a certificate by serial number or SHA-256, or all of a device.
    Revoke {
        /// Serial number or SHA-256 (hexadecimal), or a device id with --all.
        which: String,
        /// All certificates of the device of that id.
        #[arg(long)]
        all: bool,
        /// unspecified, key-compromise, superseded, cessation-of-operation, privilege-withdrawn
        #[arg(long, default_value = "unspecified")]
        reason: String,
        #[command(flatten)]
        data: Data,
    },
    /// Make a key and a certificate for a device that cannot enrol by itself: ID.key, ID.pem and
    /// authority.pem in a folder.
    Certificate {
        /// Device id.
        id: String,
        /// Where to put the files.
        #[arg(long, default_value = ".")]
        out: PathBuf,
        #[command(flatten)]
        data: Data,
    },
}

/// Who does something on the command line, in a device's life.
const WHO: &str = "command line";

fn id(text: &str) -> Result<DeviceId, Misuse> {
    DeviceId::new(text).map_err(|error| Misuse(error.to_string()))
}

pub(crate) fn run(command: DeviceCommand) -> anyhow::Result<()> {
    match command {
        DeviceCommand::Catalogue(args) => crate::supported::run(&args),
        DeviceCommand::Add { id, certificate, data } => add(&id, certificate, &data),
        DeviceCommand::Key { id, name, from, data } => key(&id, name.as_deref(), from.as_deref(), &data),
        DeviceCommand::Remove { id: text, data } => {
            let (guard, id) = (data.guard()?, id(&text)?);
            Ok(guard.locally("remove-device", &text, clock(), || guard.remove_device(&id))?)
        }
        DeviceCommand::List { state, data } => list(state.as_deref(), &data),
        DeviceCommand::Announce(because) => {
            let (guard, id) = (because.data.guard()?, id(&because.id)?);
            let detail = format!("{id}: {}", because.why);
            Ok(guard.locally("announce-device", &detail, clock(), || {
                guard.announce_device(&id, WHO, &because.why, clock())
            })?)
        }
        DeviceCommand::Claim { id: text, why, kind, metric, zone, hold, data } => {
            let (guard, id) = (data.guard()?, id(&text)?);
            let detail = format!("{id}: {why}");
            let claim = Claim { zone, kind, metrics: metric, activates: !hold, why };
            configured(&guard, &claim.zone);
            let code = guard.locally("claim-device", &detail, clock(), || {
                guard.claim_device(&id, &claim, WHO, clock())
            })?;
            tell(&guard, &id, &code)
        }
        DeviceCommand::Enrol { id: text, data } => {
            let (guard, id) = (data.guard()?, id(&text)?);
            let code = guard.locally("new-enrolment-code", &text, clock(), || guard.new_code(&id, clock()))?;
            tell(&guard, &id, &code)
        }
        DeviceCommand::Rights { id: text, kind, metric, zone, data } => {
            let (guard, id) = (data.guard()?, id(&text)?);
            configured(&guard, &zone);
            let detail = format!("{id}: zone {zone}, kind {kind}, {} more", metric.len());
            Ok(guard.locally("set-device-rights", &detail, clock(), || {
                guard.set_device_rights(&id, &zone, &kind, &metric)
            })?)
        }
        DeviceCommand::Verify(because) => step(&because, DeviceStep::Verify),
        DeviceCommand::Activate(because) => step(&because, DeviceStep::Activate),
        DeviceCommand::Suspend(because) => step(&because, DeviceStep::Suspend),
        DeviceCommand::Retire(because) => step(&because, DeviceStep::Retire),
        DeviceCommand::Revoke { which, all, reason, data } => revoke(&which, all, &reason, &data),
        DeviceCommand::Certificate { id: text, out, data } => {
            let (guard, id) = (data.guard()?, id(&text)?);
            let made = guard.locally("certify-device", &text, clock(), || guard.certify_device(&id, clock()));
            keep(&guard, &id, &made?, &out)
        }
    }
}

/// Zones stand in the server's configuration, which is not read here: the name is taken as it is.
fn configured(guard: &Guard, zone: &str) {
    if zone.is_empty() {
        return;
    }
    let mut settings = (*guard.trust()).clone();
    settings.zones.0.push(guard::Zone {
        name: zone.to_owned(),
        networks: Vec::new(),
        listeners: Vec::new(),
        roles: Vec::new(),
    });
    guard.set_trust(settings);
}

fn add(text: &str, certificate: bool, data: &Data) -> anyhow::Result<()> {
    let (guard, id) = (data.guard()?, id(text)?);
    if certificate {
        let detail = format!("{text} by certificate");
        guard.locally("add-device", &detail, clock(), || guard.add_device_with_certificate(&id))?;
        println!("added {text}: it is let in with a certificate that names it");
        return Ok(());
    }
    let password = guard.locally("add-device", text, clock(), || guard.add_device(&id))?;
    println!("{password}");
    eprintln!("This is shown once. The device logs in as {text} with it. A certificate is stronger: see `vitalwire device claim`.");
    Ok(())
}

fn key(text: &str, name: Option<&str>, from: Option<&std::path::Path>, data: &Data) -> anyhow::Result<()> {
    let (guard, id) = (data.guard()?, id(text)?);
    let own = match from {
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            Some(unhex(text.trim()).ok_or_else(|| Misuse("--from: the file holds hexadecimal digits, two a byte".to_owned()))?)
        }
        None => None,
    };
    let detail = format!("{text}: key for CoAP");
    let made = guard.locally("add-device", &detail, clock(), || guard.set_device_key(&id, name, own.as_deref()))?;
    println!("{}", made.name);
    println!("{}", made.key.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    eprintln!("This is shown once: the name, and the key in hexadecimal. The sensor speaks CoAP over DTLS with them.");
    Ok(())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() % 2 != 0 || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

fn list(state: Option<&str>, data: &Data) -> anyhow::Result<()> {
    for device in data.guard()?.trusted_devices()? {
        if state.is_some_and(|wanted| wanted != device.state.name()) {
            continue;
        }
        let weak = if device.credential == guard::Credential::Password { "password (weaker)" } else { device.credential.name() };
        let until = device.certificate.as_ref().map(|one| {
            jiff::Timestamp::from_microsecond(one.until.micros()).map_or_else(|_| String::new(), |at| at.to_string())
        });
        let heard = device.heard.map(|heard| format!("heard {} times, last from {} at {}", heard.count, heard.source, heard.door));
        let columns = [
            device.id.to_string(), device.state.name().to_owned(), weak.to_owned(),
            until.unwrap_or_default(), device.zone, device.kind, heard.unwrap_or_default(),
        ];
        println!("{}", columns.join("\t").trim_end());
    }
    Ok(())
}

fn step(because: &Because, step: DeviceStep) -> anyhow::Result<()> {
    let (guard, id) = (because.data.guard()?, id(&because.id)?);
    let detail = format!("{id}: {}", because.why);
    let became = guard.locally(step.deed(), &detail, clock(), || {
        guard.move_device(&id, step, WHO, &because.why, clock())
    })?;
    println!("{id} is {}", became.name());
    Ok(())
}

fn revoke(which: &str, all: bool, reason: &str, data: &Data) -> anyhow::Result<()> {
    let guard = data.guard()?;
    let reason = RevocationReason::from_name(reason).ok_or_else(|| {
        Misuse(format!("--reason: one of {}", RevocationReason::ALL.map(RevocationReason::name).join(", ")))
    })?;
    let plain: String = which.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')).take(128).collect();
    let count = guard.locally("revoke-certificate", &format!("{plain}: {}", reason.name()), clock(), || {
        if all {
            let id = DeviceId::new(which).map_err(|_| GuardError::Unknown(plain.clone()))?;
            return match guard.revoke_device(&id, reason, WHO, clock())? {
                0 => Err(TrustError::Refused("that device has no certificate that is not revoked".to_owned()).into()),
                count => Ok(count),
            };
        }
        guard.revoke_certificate(which, reason, WHO, clock()).map(|_| 1)
    })?;
    println!("revoked {count}");
    Ok(())
}

fn tell(guard: &Guard, id: &DeviceId, code: &Code) -> anyhow::Result<()> {
    let authority = guard.authority_sha256(clock())?;
    println!("{}", code.text);
    let text = format!("https://HOST/.well-known/est#device={id}&code={}&ca={authority}", code.text);
    if let Ok(made) = QrCode::new(text.as_bytes()) {
        eprintln!("\n{}", made.render::<unicode::Dense1x2>().build());
    }
    eprintln!("The code works once, for 24 hours: {id} enrols at https://HOST/.well-known/est/simpleenroll with it.");
    eprintln!("SHA-256 of the authority: {}", fingerprint(guard)?);
    Ok(())
}

fn keep(guard: &Guard, id: &DeviceId, made: &(Certified, String), out: &std::path::Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let (certified, key) = made;
    for (name, text) in [
        (format!("{id}.key"), key.as_str()),
        (format!("{id}.pem"), certified.pem().as_str()),
        ("authority.pem".to_owned(), guard.authority_pem(clock())?.as_str()),
    ] {
        Guard::keep_private(&out.join(name), text.as_bytes())?;
    }
    println!("{}", certified.serial);
    eprintln!("Carry {id}.key to the device and delete it here: it is kept nowhere else.");
    Ok(())
}
