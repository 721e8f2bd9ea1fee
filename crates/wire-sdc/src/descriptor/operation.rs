//! Operations: what may be asked of a device.

use std::sync::Arc;

use markup::Element;

use crate::basic::{CodedValue, Span};
use crate::shape::{ElementField, Fault, Problem, Shape, shape};
use crate::words::AccessLevel;
use crate::{PM, XSD};

shape! {
    /// What all operations have.
    OperationDescriptor {
        attr target: String = "OperationTarget",
        attr max_time_to_finish: Option<Span> = "MaxTimeToFinish",
        attr effective_timeout: Option<Span> = "InvocationEffectiveTimeout",
        attr retriggerable: Option<bool> = "Retriggerable",
        attr access: Option<AccessLevel> = "AccessLevel",
    }
    /// What operations that set whole states have.
    SetStateOperationDescriptor {
        base operation: OperationDescriptor = "AbstractOperationDescriptor",
        elem modifiable: Vec<String> = "ModifiableData",
    }
    /// Sets a number.
    SetValueOperationDescriptor {
        base operation: OperationDescriptor = "AbstractOperationDescriptor",
    }
    /// Sets a text.
    SetStringOperationDescriptor {
        base operation: OperationDescriptor = "AbstractOperationDescriptor",
        attr max_length: Option<u64> = "MaxLength",
    }
    /// Does something.
    ActivateOperationDescriptor {
        base set: SetStateOperationDescriptor = "AbstractSetStateOperationDescriptor",
        elem arguments: Vec<Argument> = "Argument",
    }
    /// Sets contexts, such as the patient.
    SetContextStateOperationDescriptor {
        base set: SetStateOperationDescriptor = "AbstractSetStateOperationDescriptor",
    }
    /// Sets metric states.
    SetMetricStateOperationDescriptor {
        base set: SetStateOperationDescriptor = "AbstractSetStateOperationDescriptor",
    }
    /// Sets component states.
    SetComponentStateOperationDescriptor {
        base set: SetStateOperationDescriptor = "AbstractSetStateOperationDescriptor",
    }
    /// Sets an alert state.
    SetAlertStateOperationDescriptor {
        base set: SetStateOperationDescriptor = "AbstractSetStateOperationDescriptor",
    }
}

/// One argument of an [`ActivateOperationDescriptor`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Argument {
    /// What it is.
    pub name: CodedValue,
    /// Its type's namespace: that of XML Schema.
    pub type_ns: Arc<str>,
    /// Its type's local name, such as `string` or `decimal`.
    pub type_name: String,
}

impl Shape for Argument {
    fn read(element: &Element) -> Result<Self, Fault> {
        let bad = || Fault::new("Arg", Problem::BadValue);
        let arg = element.find(PM, "Arg").ok_or_else(|| Fault::new("Arg", Problem::Missing))?;
        let (type_ns, type_name) = arg.resolve(arg.text.trim()).ok_or_else(bad)?;
        // The standard's arguments are of simple types of XML Schema; others could not be sent.
        if type_name.is_empty() || &*type_ns != XSD {
            return Err(bad());
        }
        let name = ElementField::get(element, PM, "ArgName")?;
        Ok(Self { name, type_ns, type_name: type_name.to_owned() })
    }

    /// With the prefix that [`crate::PREFIXES`] has for types of XML Schema.
    fn write(&self, element: &mut Element) {
        self.name.put(element, PM, "ArgName");
        element.children.push(Element::with_text(PM, "Arg", format!("xsd:{}", self.type_name)));
    }
}
