//! What is asked of a device and what it answers: the bodies of the services' messages.

use markup::Element;

use crate::basic::LocalizedText;
use crate::shape::{ElementField, Fault, Problem, Shape};
use crate::{ACTIONS, InvocationInfo, MSG, Mdib, MdibVersion, State};

/// Requests of a device.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// All descriptors and states.
    GetMdib,
    /// Descriptors of these MDSs; of all if none is named.
    GetMdDescription(Vec<String>),
    /// States of these handles; all if none is named.
    GetMdState(Vec<String>),
    /// Context states of these handles; all if none is named.
    GetContextStates(Vec<String>),
    /// Texts by reference, in these languages.
    GetLocalizedText {
        /// References; all if none.
        references: Vec<String>,
        /// Version of the texts; the newest if none.
        version: Option<u64>,
        /// Languages; all if none.
        languages: Vec<String>,
    },
    /// Languages that there are texts in.
    GetSupportedLanguages,
    /// Calls an operation.
    Set(SetRequest),
}

/// A call of an operation.
#[derive(Debug, Clone, PartialEq)]
pub struct SetRequest {
    /// Handle of the operation.
    pub operation: String,
    /// What to set or do.
    pub what: Setting,
}

/// What a call sets or does.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// `SetValue`.
    Value(f64),
    /// `SetString`.
    Text(String),
    /// `Activate`, with the arguments' texts.
    Activate(Vec<String>),
    /// `SetContextState`.
    Contexts(Vec<State>),
    /// `SetMetricState`.
    Metrics(Vec<State>),
    /// `SetComponentState`.
    Components(Vec<State>),
    /// `SetAlertState`.
    Alert(Box<State>),
}

impl Setting {
    /// Name of the request's element.
    #[must_use]
    pub const fn element(&self) -> &'static str {
        match self {
            Self::Value(_) => "SetValue",
            Self::Text(_) => "SetString",
            Self::Activate(_) => "Activate",
            Self::Contexts(_) => "SetContextState",
            Self::Metrics(_) => "SetMetricState",
            Self::Components(_) => "SetComponentState",
            Self::Alert(_) => "SetAlertState",
        }
    }
}

impl Request {
    /// Name of its element.
    #[must_use]
    pub const fn element(&self) -> &'static str {
        match self {
            Self::GetMdib => "GetMdib",
            Self::GetMdDescription(_) => "GetMdDescription",
            Self::GetMdState(_) => "GetMdState",
            Self::GetContextStates(_) => "GetContextStates",
            Self::GetLocalizedText { .. } => "GetLocalizedText",
            Self::GetSupportedLanguages => "GetSupportedLanguages",
            Self::Set(set) => set.what.element(),
        }
    }

    /// The service (port type) that takes it.
    #[must_use]
    pub const fn service(&self) -> &'static str {
        match self {
            Self::GetMdib | Self::GetMdDescription(_) | Self::GetMdState(_) => "GetService",
            Self::GetContextStates(_)
            | Self::Set(SetRequest { what: Setting::Contexts(_), .. }) => "ContextService",
            Self::GetLocalizedText { .. } | Self::GetSupportedLanguages => "LocalizationService",
            Self::Set(_) => "SetService",
        }
    }

    /// The SOAP action of the request (11073-20701); the answer's ends with `Response`.
    #[must_use]
    pub fn action(&self) -> String {
        format!("{ACTIONS}/{}/{}", self.service(), self.element())
    }

    /// The request as an element.
    #[must_use]
    pub fn write(&self) -> Element {
        let mut element = Element::new(MSG, self.element());
        match self {
            Self::GetMdib | Self::GetSupportedLanguages => {}
            Self::GetMdDescription(handles) | Self::GetMdState(handles) | Self::GetContextStates(handles) => {
                handles.put(&mut element, MSG, "HandleRef");
            }
            Self::GetLocalizedText { references, version, languages } => {
                references.put(&mut element, MSG, "Ref");
                version.put(&mut element, MSG, "Version");
                languages.put(&mut element, MSG, "Lang");
            }
            Self::Set(set) => set.write(&mut element),
        }
        element
    }

    /// Reads a request.
    ///
    /// # Errors
    ///
    /// [`Fault`] when it is none that is known here, or a part of it can't be read: of a request
    /// nothing is left out.
    pub fn read(element: &Element) -> Result<Self, Fault> {
        if &*element.ns != MSG {
            return Err(Fault::new("Request", Problem::UnknownType));
        }
        let handles = || ElementField::get(element, MSG, "HandleRef");
        Ok(match &*element.name {
            "GetMdib" => Self::GetMdib,
            "GetMdDescription" => Self::GetMdDescription(handles()?),
            "GetMdState" => Self::GetMdState(handles()?),
            "GetContextStates" => Self::GetContextStates(handles()?),
            "GetLocalizedText" => Self::GetLocalizedText {
                references: ElementField::get(element, MSG, "Ref")?,
                version: ElementField::get(element, MSG, "Version")?,
                languages: ElementField::get(element, MSG, "Lang")?,
            },
            "GetSupportedLanguages" => Self::GetSupportedLanguages,
            _ => Self::Set(SetRequest::read(element)?),
        })
    }
}

impl SetRequest {
    fn write(&self, element: &mut Element) {
        self.operation.put(element, MSG, "OperationHandleRef");
        let mut states = |states: &[State], name: &str| {
            element.children.extend(states.iter().map(|state| state.write(MSG, name, "")));
        };
        match &self.what {
            Setting::Value(value) => value.put(element, MSG, "RequestedNumericValue"),
            Setting::Text(text) => text.put(element, MSG, "RequestedStringValue"),
            Setting::Activate(arguments) => {
                for value in arguments {
                    let value = Element::with_text(MSG, "ArgValue", value.clone());
                    element.children.push(Element::new(MSG, "Argument").child(value));
                }
            }
            Setting::Contexts(contexts) => states(contexts, "ProposedContextState"),
            Setting::Metrics(metrics) => states(metrics, "ProposedMetricState"),
            Setting::Components(components) => states(components, "ProposedComponentState"),
            Setting::Alert(state) => states(std::slice::from_ref(state), "ProposedAlertState"),
        }
    }

    fn read(element: &Element) -> Result<Self, Fault> {
        let states = |name: &str| -> Result<Vec<State>, Fault> {
            let states: Vec<State> =
                element.all(MSG, name).map(|state| State::read(state, "")).collect::<Result<_, _>>()?;
            if states.is_empty() { Err(Fault::new(name, Problem::Missing)) } else { Ok(states) }
        };
        let what = match &*element.name {
            "SetValue" => Setting::Value(ElementField::get(element, MSG, "RequestedNumericValue")?),
            "SetString" => Setting::Text(ElementField::get(element, MSG, "RequestedStringValue")?),
            "Activate" => Setting::Activate(
                element
                    .all(MSG, "Argument")
                    .map(|argument| ElementField::get(argument, MSG, "ArgValue"))
                    .collect::<Result<_, _>>()?,
            ),
            "SetContextState" => Setting::Contexts(states("ProposedContextState")?),
            "SetMetricState" => Setting::Metrics(states("ProposedMetricState")?),
            "SetComponentState" => Setting::Components(states("ProposedComponentState")?),
            "SetAlertState" => Setting::Alert(Box::new(
                states("ProposedAlertState")?.pop().ok_or_else(|| Fault::new("", Problem::Missing))?,
            )),
            _ => return Err(Fault::new("Request", Problem::UnknownType)),
        };
        Ok(Self { operation: ElementField::get(element, MSG, "OperationHandleRef")?, what })
    }
}

/// A device's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Version of the MDIB that it is of.
    pub version: MdibVersion,
    /// What it says.
    pub what: Answered,
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// The MDIB; its own version is that of the answer.
    Mdib(Box<Mdib>),
    /// States, of `GetMdState`.
    States(Vec<State>),
    /// States, of `GetContextStates`.
    Contexts(Vec<State>),
    /// Texts.
    Texts(Vec<LocalizedText>),
    /// Languages.
    Languages(Vec<String>),
    /// How far a call is; the element's name without `Response`.
    Set(&'static str, InvocationInfo),
}

/// Names of all calls.
const SETS: [&str; 7] = [
    "SetValue", "SetString", "Activate", "SetContextState", "SetMetricState", "SetComponentState",
    "SetAlertState",
];

impl Answer {
    /// Reads an answer; of an MDIB, what could not be read is left out and told.
    ///
    /// # Errors
    ///
    /// [`Fault`] when it is no answer that is known here, or a part other than an MDIB's can't be
    /// read.
    pub fn read(element: &Element) -> Result<(Self, Vec<Fault>), Fault> {
        let unknown = || Fault::new("Response", Problem::UnknownType);
        let name = element.name.strip_suffix("Response").filter(|_| &*element.ns == MSG).ok_or_else(unknown)?;
        if name == "GetMdib" {
            let (mdib, faults) = Mdib::read(element)?;
            return Ok((Self { version: mdib.version.clone(), what: Answered::Mdib(Box::new(mdib)) }, faults));
        }
        let states = |parent: &Element, ns: &str, name: &str| {
            parent.all(ns, name).map(|state| State::read(state, "")).collect::<Result<Vec<_>, _>>()
        };
        let what = match name {
            "GetMdState" => {
                let inner = element.find(MSG, "MdState").ok_or_else(|| Fault::new("MdState", Problem::Missing))?;
                Answered::States(states(inner, crate::PM, "State")?)
            }
            "GetContextStates" => Answered::Contexts(states(element, MSG, "ContextState")?),
            "GetLocalizedText" => Answered::Texts(ElementField::get(element, MSG, "Text")?),
            "GetSupportedLanguages" => Answered::Languages(ElementField::get(element, MSG, "Lang")?),
            _ => {
                let set = SETS.into_iter().find(|set| *set == name).ok_or_else(unknown)?;
                Answered::Set(set, InvocationInfo::read_from(element)?)
            }
        };
        Ok((Self { version: MdibVersion::read(element)?, what }, Vec::new()))
    }

    /// The answer as an element.
    #[must_use]
    pub fn write(&self) -> Element {
        let name = match &self.what {
            Answered::Mdib(_) => "GetMdib",
            Answered::States(_) => "GetMdState",
            Answered::Contexts(_) => "GetContextStates",
            Answered::Texts(_) => "GetLocalizedText",
            Answered::Languages(_) => "GetSupportedLanguages",
            Answered::Set(name, _) => name,
        };
        let mut element = Element::new(MSG, &format!("{name}Response"));
        self.version.write(&mut element);
        match &self.what {
            Answered::Mdib(mdib) => element.children.push(mdib.write()),
            Answered::States(states) => {
                let mut inner = Element::new(MSG, "MdState");
                inner.children = states.iter().map(|s| s.write(crate::PM, "State", "")).collect();
                element.children.push(inner);
            }
            Answered::Contexts(states) => {
                element.children.extend(states.iter().map(|s| s.write(MSG, "ContextState", "")));
            }
            Answered::Texts(texts) => texts.put(&mut element, MSG, "Text"),
            Answered::Languages(languages) => languages.put(&mut element, MSG, "Lang"),
            Answered::Set(_, info) => info.write_to(&mut element),
        }
        element
    }
}

/// A description as the answer to `GetMdDescription`.
#[must_use]
pub fn description_response(mdib: &Mdib, handles: &[impl AsRef<str>]) -> Element {
    let mut element = Element::new(MSG, "GetMdDescriptionResponse");
    mdib.version.write(&mut element);
    let mut description = mdib.write_description(handles);
    description.ns = MSG.into();
    element.child(description)
}
