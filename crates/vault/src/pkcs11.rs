//! A master key in a PKCS#11 token: it wraps and unwraps there (AES-256-GCM), and never comes out.
//! Tokens are asked seldom: at a start, at a rotation, at an erasure.

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use seal::Key;
use zeroize::Zeroizing;

use crate::source::Source;
use crate::{VaultError, random};

const TAG_BITS: u64 = 128;
const PLACE: &[u8] = b"vitalwire keyring";

fn token(error: impl std::fmt::Display) -> VaultError {
    VaultError::Token(error.to_string())
}

/// nonce 12 | sealed key and tag.
pub(crate) fn wrap(source: &Source, key: &Key) -> Result<Vec<u8>, VaultError> {
    let (_library, session, handle) = open(source)?;
    let mut nonce = random::new_nonce()?;
    let mut wrapped = nonce.to_vec();
    let params = GcmParams::new(&mut nonce, PLACE, TAG_BITS.into()).map_err(token)?;
    let sealed = session.encrypt(&Mechanism::AesGcm(params), handle, key.bytes());
    wrapped.extend(sealed.map_err(token)?);
    Ok(wrapped)
}

/// The key's bytes; none if it was not wrapped with this token's key.
pub(crate) fn unwrap(source: &Source, wrapped: &[u8]) -> Result<Option<Vec<u8>>, VaultError> {
    let (_library, session, handle) = open(source)?;
    let Some((nonce, sealed)) = wrapped.split_first_chunk::<12>() else { return Ok(None) };
    let mut nonce = *nonce;
    let params = GcmParams::new(&mut nonce, PLACE, TAG_BITS.into()).map_err(token)?;
    Ok(session.decrypt(&Mechanism::AesGcm(params), handle, sealed).ok())
}

fn open(source: &Source) -> Result<(Pkcs11, Session, ObjectHandle), VaultError> {
    let Source::Pkcs11 { module, token: label, pin_file, key } = source else {
        return Err(VaultError::NoMaster(source.describe()));
    };
    let library = Pkcs11::new(module).map_err(token)?;
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(())
        | Err(cryptoki::error::Error::Pkcs11(cryptoki::error::RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(token(error)),
    }
    let slots = library.get_slots_with_token().map_err(token)?;
    let slot = slots.into_iter().find(|slot| {
        library.get_token_info(*slot).is_ok_and(|info| info.label().trim() == label)
    });
    let slot = slot.ok_or_else(|| token(format!("there is none called {label}")))?;
    let session = library.open_ro_session(slot).map_err(token)?;
    let pin = std::fs::read_to_string(pin_file).map_err(VaultError::io("reading", pin_file))?;
    let pin = Zeroizing::new(pin);
    let pin = AuthPin::new(pin.trim().to_owned().into());
    match session.login(UserType::User, Some(&pin)) {
        Ok(())
        | Err(cryptoki::error::Error::Pkcs11(cryptoki::error::RvError::UserAlreadyLoggedIn, _)) => {}
        Err(error) => return Err(token(error)),
    }
    let wanted =
        [Attribute::Class(ObjectClass::SECRET_KEY), Attribute::Label(key.as_bytes().to_vec())];
    let found = session.find_objects(&wanted).map_err(token)?;
    match found.as_slice() {
        [one] => Ok((library, session, *one)),
        [] => Err(VaultError::NoMaster(source.describe())),
        _ => Err(token(format!("several keys are called {key}"))),
    }
}
