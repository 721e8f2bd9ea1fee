//! What an application may ask for.

mod evaluate;
mod resource;
mod words;

pub use evaluate::{matches, of_patient};
pub use resource::{Action, Actions, Criterion, Level, ResourceScope, Rule};

/// Scopes that one request may name.
const SCOPES_MAX: usize = 128;
/// Longest list of scopes, in bytes.
const LENGTH_MAX: usize = 8_192;

/// Why a scope is not understood. None repeats what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// Not a scope of SMART or OpenID Connect.
    #[error("the scope is not known here")]
    Unknown,
    /// What may be done is not some of c, r, u, d, s in that order, nor read, write or *.
    #[error("after the dot: some of c, r, u, d, s in that order, or read, write or *")]
    Actions,
    /// The type of resource can't be one.
    #[error("the type of resource is * or a name of FHIR's")]
    Resource,
    /// A search parameter that scopes can't be narrowed by here.
    #[error("scopes can't be narrowed by this search parameter here")]
    Parameter,
    /// The list is too long.
    #[error("too many scopes")]
    TooMany,
}

/// One scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// `launch`: the record system has chosen patient and encounter.
    Launch,
    /// `launch/patient`: let the person choose a patient.
    LaunchPatient,
    /// `launch/encounter`: an encounter as well, where there is one.
    LaunchEncounter,
    /// `openid`: who the person is, signed.
    OpenId,
    /// `fhirUser`: as a FHIR resource.
    FhirUser,
    /// `profile`: the same, in the words before that.
    Profile,
    /// `offline_access`: go on when the person is away.
    Offline,
    /// `online_access`: go on as long as the person is logged in.
    Online,
    /// Data.
    Resource(ResourceScope),
}

const NAMED: [(&str, Scope); 8] = [
    ("launch", Scope::Launch),
    ("launch/patient", Scope::LaunchPatient),
    ("launch/encounter", Scope::LaunchEncounter),
    ("openid", Scope::OpenId),
    ("fhirUser", Scope::FhirUser),
    ("profile", Scope::Profile),
    ("offline_access", Scope::Offline),
    ("online_access", Scope::Online),
];

impl Scope {
    /// Reads one scope.
    ///
    /// # Errors
    /// [`ScopeError`].
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let named = NAMED.into_iter().find(|(name, _)| *name == text);
        named.map_or_else(|| ResourceScope::parse(text).map(Self::Resource), |(_, scope)| Ok(scope))
    }

    /// What it means to whoever is asked to agree.
    #[must_use]
    pub fn words(&self) -> String {
        words::of(self)
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Self::Resource(scope) = self {
            return scope.fmt(f);
        }
        let named = NAMED.iter().find(|(_, scope)| scope == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

/// Scopes, each once, in the order that they were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Reads a list, without what is not understood: an application that asks for more than there
    /// is gets the rest, and is told which (RFC 6749 § 3.3).
    ///
    /// # Errors
    /// [`ScopeError::TooMany`].
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let found = parts(text)?.filter_map(|part| Scope::parse(part).ok());
        Ok(Self::of(found).0)
    }

    /// Reads a list of which everything has to be understood: what an administrator writes.
    ///
    /// # Errors
    /// [`ScopeError`] of the first that is not.
    pub fn parse_all(text: &str) -> Result<Self, ScopeError> {
        let (all, whole) = Self::of(parts(text)?.map(Scope::parse).collect::<Result<Vec<_>, _>>()?);
        if whole { Ok(all) } else { Err(ScopeError::TooMany) }
    }

    /// Each once, as many as a list may hold when it is written; and whether that is all of them.
    /// What was kept can always be read again.
    fn of(scopes: impl IntoIterator<Item = Scope>) -> (Self, bool) {
        let (mut all, mut length, mut whole) = (Vec::new(), 0, true);
        for scope in scopes {
            if all.contains(&scope) {
                continue;
            }
            if all.len() == SCOPES_MAX {
                return (Self(all), false);
            }
            let own = scope.to_string().len() + usize::from(!all.is_empty());
            if length + own > LENGTH_MAX {
                whole = false;
                continue;
            }
            length += own;
            all.push(scope);
        }
        (Self(all), whole)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Scope] {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this one is among them.
    #[must_use]
    pub fn has(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// The scopes for data.
    pub fn resources(&self) -> impl Iterator<Item = &ResourceScope> {
        self.0.iter().filter_map(|scope| match scope {
            Scope::Resource(scope) => Some(scope),
            _ => None,
        })
    }

    /// What of these is also in others: never more than either allows. A scope that the others
    /// hold whole stays as it was written. Each of these crossed with each of those can be more
    /// than a list may hold: the rest is left out.
    #[must_use]
    pub fn within(&self, allowed: &Self) -> Self {
        let kept = self.0.iter().flat_map(|scope| match scope {
            Scope::Resource(scope) => {
                scope.within(allowed.resources()).into_iter().map(Scope::Resource).collect()
            }
            other if allowed.has(other) => vec![other.clone()],
            _ => Vec::new(),
        });
        Self::of(kept).0
    }

    /// Those of which the test says yes.
    #[must_use]
    pub fn only(&self, test: impl Fn(&Scope) -> bool) -> Self {
        Self(self.0.iter().filter(|scope| test(scope)).cloned().collect())
    }

    /// Each way in which an action on a type of resource is allowed; none: it is not.
    #[must_use]
    pub fn rules(&self, action: Action, resource: &str) -> Vec<Rule<'_>> {
        self.resources().filter_map(|scope| scope.rule(action, resource)).collect()
    }
}

impl std::fmt::Display for Scopes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, scope) in self.0.iter().enumerate() {
            let gap = if place == 0 { "" } else { " " };
            write!(f, "{gap}{scope}")?;
        }
        Ok(())
    }
}

fn parts(text: &str) -> Result<impl Iterator<Item = &str>, ScopeError> {
    let all: Vec<&str> = text.split(' ').filter(|part| !part.is_empty()).collect();
    if all.len() > SCOPES_MAX || text.len() > LENGTH_MAX {
        return Err(ScopeError::TooMany);
    }
    Ok(all.into_iter())
}
