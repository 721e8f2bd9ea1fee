//! Files of HL7 messages, sent as they are: nothing is moved in time.

use std::path::Path;

use super::archive::{self, Folder};
use crate::error::SimError;

/// Every message of a file, or of the `.hl7` files of a folder, in order of path.
pub(super) fn read(path: &Path) -> Result<Vec<String>, SimError> {
    let mut messages = Vec::new();
    if path.is_file() && !path.to_string_lossy().ends_with(".tar.zst") {
        messages.extend(split(&archive::read(path)?));
    } else {
        for file in Folder::open(path)?.files(".hl7")? {
            messages.extend(split(&archive::read(&file)?));
        }
    }
    if messages.is_empty() {
        return Err(SimError::Format {
            path: path.to_owned(),
            line: 0,
            problem: "has no HL7 message (no line begins with MSH)".to_owned(),
        });
    }
    Ok(messages)
}

/// Cuts a text into messages at each MSH; MLLP bytes and batch envelopes (FHS, BHS, BTS, FTS) are
/// left away, line ends become carriage returns.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut messages: Vec<String> = Vec::new();
    for line in text.split(['\r', '\n']) {
        let line = line.trim_matches(['\u{b}', '\u{1c}', '\u{feff}']);
        let envelope = ["FHS", "BHS", "BTS", "FTS"].iter().any(|name| line.starts_with(name));
        if line.is_empty() || envelope {
            continue;
        }
        if line.starts_with("MSH") {
            messages.push(String::new());
        }
        if let Some(message) = messages.last_mut() {
            message.push_str(line);
            message.push('\r');
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_at_msh() {
        let text = "FHS|^~\\&\r\n\u{b}MSH|1\nPID|1\r\u{1c}\rMSH|2\r\nOBX|1\r\nBTS|2\n";
        assert_eq!(split(text), ["MSH|1\rPID|1\r", "MSH|2\rOBX|1\r"]);
        assert!(split("PID|1\r").is_empty());
    }
}
