//! XML as a bounded tree of elements, for the wire formats that are XML.
//!
//! Reading knows limits of size, depth and number, no document types and no entities but the five
//! of XML itself and character references: whoever sends anything else is refused. Namespaces are
//! resolved; prefixes do not matter. What is not kept: comments, processing instructions, and the
//! order of text between child elements (no format read here has mixed content).
#![forbid(unsafe_code)]

mod element;
mod read;
mod write;

pub use element::{Attribute, Element, Scope, XSI};
pub use read::{Error, Limits, read};
pub use write::write;
