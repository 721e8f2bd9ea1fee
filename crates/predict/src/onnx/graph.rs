//! The graph of an ONNX file: which operation makes the prediction, and whether it sees the inputs as they are.

use std::collections::HashMap;

use super::OnnxError;
use super::wire::Fields;

/// An attribute of an operation.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Attribute {
    pub text: String,
    pub singles: Vec<f32>,
    pub wholes: Vec<i64>,
    pub texts: Vec<String>,
}

/// An operation.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Operation {
    pub kind: String,
    inputs: Vec<String>,
    outputs: Vec<String>,
    pub attributes: HashMap<String, Attribute>,
}

/// What of a graph matters here.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Graph {
    /// The ensemble of trees.
    pub trees: Operation,
    /// Columns of the input, if the file says how many.
    pub width: Option<usize>,
}

/// Operations that leave numbers as they are.
const HARMLESS: [&str; 2] = ["Cast", "Identity"];
/// The ensembles that are understood.
const ENSEMBLES: [&str; 2] = ["TreeEnsembleClassifier", "TreeEnsembleRegressor"];

impl Graph {
    /// Of a file (ModelProto of the ONNX specification, field 7 its graph).
    pub fn read(bytes: &[u8]) -> Result<Self, OnnxError> {
        let mut operations = Vec::new();
        let mut inputs = HashMap::new();
        for field in Fields(bytes) {
            if let (7, value) = field? {
                for field in Fields(value.bytes()?) {
                    match field? {
                        (1, value) => operations.push(operation(value.bytes()?)?),
                        (11, value) => {
                            let (name, width) = input(value.bytes()?)?;
                            inputs.insert(name, width);
                        }
                        _ => {}
                    }
                }
            }
        }
        let mut ensembles = operations.iter().filter(|operation| ENSEMBLES.contains(&operation.kind.as_str()));
        let (Some(trees), None) = (ensembles.next(), ensembles.next()) else {
            let kinds: Vec<&str> = operations.iter().map(|operation| operation.kind.as_str()).collect();
            return Err(OnnxError::Operations(kinds.join(", ").chars().take(200).collect()));
        };
        // From the trees back to the file's input; a longer way than there are operations is a circle.
        let mut name = trees.inputs.first().ok_or(OnnxError::Broken)?;
        for _ in 0..=operations.len() {
            if let Some(width) = inputs.get(name) {
                return Ok(Self { trees: trees.clone(), width: *width });
            }
            let before = operations.iter().find(|operation| operation.outputs.contains(name)).ok_or(OnnxError::Broken)?;
            if !HARMLESS.contains(&before.kind.as_str()) {
                return Err(OnnxError::Before(before.kind.chars().take(60).collect()));
            }
            name = before.inputs.first().ok_or(OnnxError::Broken)?;
        }
        Err(OnnxError::Broken)
    }
}

/// NodeProto: 1 input, 2 output, 4 type, 5 attributes.
fn operation(bytes: &[u8]) -> Result<Operation, OnnxError> {
    let mut operation = Operation::default();
    for field in Fields(bytes) {
        match field? {
            (1, value) => operation.inputs.push(value.text()?.to_owned()),
            (2, value) => operation.outputs.push(value.text()?.to_owned()),
            (4, value) => value.text()?.clone_into(&mut operation.kind),
            (5, value) => {
                let (name, attribute) = attribute(value.bytes()?)?;
                operation.attributes.insert(name, attribute);
            }
            _ => {}
        }
    }
    Ok(operation)
}

/// AttributeProto: 1 name, 4 text, 7 singles, 8 whole numbers, 9 texts.
fn attribute(bytes: &[u8]) -> Result<(String, Attribute), OnnxError> {
    let (mut name, mut attribute) = (String::new(), Attribute::default());
    for field in Fields(bytes) {
        match field? {
            (1, value) => value.text()?.clone_into(&mut name),
            (4, value) => value.text()?.clone_into(&mut attribute.text),
            (7, value) => value.singles(&mut attribute.singles)?,
            (8, value) => value.wholes(&mut attribute.wholes)?,
            (9, value) => attribute.texts.push(value.text()?.to_owned()),
            _ => {}
        }
    }
    Ok((name, attribute))
}

/// ValueInfoProto: 1 name, 2 type; of a tensor (1) the shape (2), whose last dimension (1) is the number of columns (1).
fn input(bytes: &[u8]) -> Result<(String, Option<usize>), OnnxError> {
    let (mut name, mut width) = (String::new(), None);
    for field in Fields(bytes) {
        match field? {
            (1, value) => value.text()?.clone_into(&mut name),
            (2, value) => {
                let shape = inner(inner(value.bytes()?, 1)?, 2)?;
                for field in Fields(shape) {
                    if let (1, dimension) = field? {
                        let mut columns = Vec::new();
                        for field in Fields(dimension.bytes()?) {
                            if let (1, columns_field) = field? {
                                columns_field.wholes(&mut columns)?;
                            }
                        }
                        width = columns.first().and_then(|columns| usize::try_from(*columns).ok());
                    }
                }
            }
            _ => {}
        }
    }
    Ok((name, width))
}

/// The message in a field of a message; empty if it is not there.
fn inner(bytes: &[u8], number: u64) -> Result<&[u8], OnnxError> {
    for field in Fields(bytes) {
        let (found, value) = field?;
        if found == number {
            return value.bytes();
        }
    }
    Ok(&[])
}
