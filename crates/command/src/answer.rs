//! What a device says about a command, as JSON:
//! `{"id": …, "state": "accepted" | "done" | "failed", "reason": …, "read_back": {name: value}}`.

use serde_json::Value;
use vitals::{CommandId, CommandStep, CommandValue};

/// Longest answer taken, bytes.
const LONGEST: usize = 4 << 10;
/// Most parameters read back.
const PARAMETERS_MAX: usize = 32;

/// An answer, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Which command.
    pub command: CommandId,
    /// What the device says of it.
    pub step: CommandStep,
}

/// Why a text is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Longer than 4 KiB.
    #[error("longer than 4 KiB")]
    Long,
    /// No JSON object.
    #[error("an answer is a JSON object")]
    Object,
    /// This part is missing, or is not what it must be.
    #[error("`{0}` is missing or is not what docs/interfaces/commands.md says")]
    Part(&'static str),
}

impl Answer {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub fn read(bytes: &[u8]) -> Result<Self, AnswerError> {
        if bytes.len() > LONGEST {
            return Err(AnswerError::Long);
        }
        let Ok(Value::Object(said)) = serde_json::from_slice(bytes) else { return Err(AnswerError::Object) };
        let text = |key: &'static str| said.get(key).and_then(Value::as_str).ok_or(AnswerError::Part(key));
        let command = CommandId::new(text("id")?).map_err(|_| AnswerError::Part("id"))?;
        let step = match text("state")? {
            "accepted" => CommandStep::Accepted,
            "done" => CommandStep::Done { read_back: read_back(said.get("read_back"))? },
            "failed" => {
                let reason = said.get("reason").and_then(Value::as_str).unwrap_or("the device gave no reason");
                CommandStep::Failed { reason: reason.chars().take(200).collect() }
            }
            _ => return Err(AnswerError::Part("state")),
        };
        Ok(Self { command, step })
    }
}

fn read_back(value: Option<&Value>) -> Result<Vec<(String, CommandValue)>, AnswerError> {
    let wrong = AnswerError::Part("read_back");
    let fields = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(fields)) if fields.len() <= PARAMETERS_MAX => fields,
        Some(_) => return Err(wrong),
    };
    let value = |value: &Value| match value {
        Value::Bool(flag) => Some(CommandValue::Flag(*flag)),
        Value::String(text) => Some(CommandValue::Choice(text.clone())),
        Value::Number(number) => number.as_f64().map(CommandValue::Number),
        Value::Object(inner) => inner.get("value")?.as_f64().map(CommandValue::Number),
        _ => None,
    };
    fields.iter().map(|(name, said)| Some((name.clone(), value(said)?))).collect::<Option<_>>().ok_or(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn answers_are_read() {
        for (text, expected) in [
            (r#"{"id":"c-1","state":"accepted"}"#, "accepted"),
            (r#"{"id":"c-1","state":"failed"}"#, "failed"),
            (r#"{"id":"c-1","state":"done","read_back":{"rate":{"value":5,"unit":"mL/h"},"on":true,"mode":"a"}}"#, "done"),
            (r#"{"id":"c 1","state":"done"}"#, "`id`"),
            (r#"{"id":"c-1","state":"perhaps"}"#, "`state`"),
            (r#"{"id":"c-1","state":"done","read_back":[1]}"#, "`read_back`"),
            (r#"{"id":"c-1","state":"done","read_back":{"rate":null}}"#, "`read_back`"),
            ("[]", "object"),
            ("", "object"),
        ] {
            let told = Answer::read(text.as_bytes()).map_or_else(|e| e.to_string(), |a| a.step.name().to_owned());
            assert!(told.contains(expected), "{text}: {told}");
        }
        assert_eq!(Answer::read(&[b' '; 5_000]), Err(AnswerError::Long));
    }

    const WHOLE: &str = r#"{"id":"c-1","state":"done","read_back":{"rate":{"value":5,"on":true}}}"#;

    /// A value as a device writes it, and as it is read.
    fn value() -> impl Strategy<Value = (Value, CommandValue)> {
        // Fractions that JSON's decimals hold exactly.
        let number = (-1_000_000_i32..1_000_000).prop_map(|n| f64::from(n) / 64.0).boxed();
        prop_oneof![
            any::<bool>().prop_map(|flag| (json!(flag), CommandValue::Flag(flag))),
            ".{0,20}".prop_map(|text| (json!(text), CommandValue::Choice(text))),
            number.clone().prop_map(|number| (json!(number), CommandValue::Number(number))),
            number.prop_map(|number| (json!({"value": number, "unit": "mL/h"}), CommandValue::Number(number))),
        ]
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Answer::read(&bytes);
        }

        #[test]
        fn any_object_is_taken_whole_or_refused_with_a_word(
            id in "[a-z0-9 -]{0,30}",
            state in "accepted|done|failed|perhaps|",
            reason in ".{0,300}",
            more in ".{0,20}",
        ) {
            let text = json!({"id": id, "state": state, "reason": reason, "more": more}).to_string();
            match Answer::read(text.as_bytes()) {
                Ok(answer) => {
                    prop_assert_eq!(answer.command.as_str(), &id);
                    prop_assert_eq!(answer.step.name(), state);
                    if let CommandStep::Failed { reason: said } = answer.step {
                        prop_assert!(reason.starts_with(&said) && said.chars().count() <= 200);
                    }
                }
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }

        #[test]
        fn what_is_read_back_is_read_as_it_was_said(said in proptest::collection::btree_map("[a-z-]{1,12}", value(), 0..=40)) {
            let written: serde_json::Map<_, _> = said.iter().map(|(name, (json, _))| (name.clone(), json.clone())).collect();
            let text = json!({"id": "c-1", "state": "done", "read_back": written}).to_string();
            match Answer::read(text.as_bytes()) {
                Ok(Answer { step: CommandStep::Done { read_back }, .. }) => {
                    let expected: Vec<_> = said.into_iter().map(|(name, (_, value))| (name, value)).collect();
                    prop_assert_eq!(read_back, expected);
                }
                Err(error) => prop_assert!(said.len() > PARAMETERS_MAX || text.len() > LONGEST, "{error}: {text}"),
                other => prop_assert!(false, "{other:?}"),
            }
        }

        #[test]
        fn an_answer_that_is_cut_off_is_none(cut in 0..WHOLE.len()) {
            prop_assert!(Answer::read(&WHOLE.as_bytes()[..cut]).is_err());
        }
    }
}
