//! Templates written for Microsoft's iomt-fhir, loaded as they are: `devicecontent.json` says how
//! to find typed values in a payload, `fhirmapping.json` what each type is.

mod content;
mod fhir;
mod run;

use serde::Deserialize;
use serde_json::Value;

use crate::profile::{self, ProfileError};
use crate::topic::TopicFilter;

const CONTENT: &str = "devicecontent.json";
const MAPPING: &str = "fhirmapping.json";

/// A compiled pair of templates.
#[derive(Debug, Clone)]
pub(crate) struct TemplateSet {
    pub(crate) name: String,
    /// The folder.
    pub(crate) file: String,
    /// None: any topic that no other profile takes.
    pub(crate) filters: Vec<TopicFilter>,
    contents: Vec<content::ContentTemplate>,
    targets: Vec<fhir::Target>,
}

/// A template as both files wrap it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wrapped {
    template_type: String,
    template: Value,
}

/// The folder of a file name; empty for none.
pub(crate) fn folder_of(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Every folder that holds a template pair, or half of one.
pub(crate) fn folders(sources: &[(String, String)]) -> Vec<String> {
    let mut folders: Vec<String> = sources
        .iter()
        .filter(|(file, _)| matches!(file.rsplit('/').next(), Some(CONTENT | MAPPING)))
        .map(|(file, _)| folder_of(file).to_owned())
        .collect();
    folders.sort();
    folders.dedup();
    folders
}

/// Compiles the pair in `folder`, with the topics of a TOML file beside it, if there is one.
///
/// # Errors
/// The first thing that makes the pair unusable; beside a usable pair, warnings about templates
/// in it that will not work.
pub(crate) fn compile(
    folder: &str,
    sources: &[(String, String)],
) -> Result<(TemplateSet, Vec<ProfileError>), ProfileError> {
    let inside = |name: &str| {
        sources.iter().find(|(file, _)| folder_of(file) == folder && file.rsplit('/').next() == Some(name))
    };
    let both = |name: &str| {
        inside(name).ok_or_else(|| {
            ProfileError::new(folder, None, "", format!("{name} is missing: {CONTENT} and {MAPPING} go together"))
        })
    };
    let mut warnings = Vec::new();
    let (content_file, content_text) = both(CONTENT)?;
    let (mapping_file, mapping_text) = both(MAPPING)?;
    let contents = content::compile(content_file, content_text, &mut warnings)?;
    let targets = fhir::compile(mapping_file, mapping_text, &mut warnings)?;
    for template in &contents {
        if !targets.iter().any(|target| target.type_name == template.type_name) {
            let message = format!("no template in {MAPPING} has this type");
            warnings.push(ProfileError::warning(content_file, &template.type_name, message));
        }
    }
    let mut name = None;
    let mut filters = Vec::new();
    let companion = sources.iter().find(|(file, _)| folder_of(file) == folder && file.ends_with(".toml"));
    if let Some((file, text)) = companion {
        let companion = profile::companion(file, text)?;
        name = companion.name;
        filters = companion.filters;
    }
    let name = name.unwrap_or_else(|| match folder {
        "" => "iomt".to_owned(),
        folder if folder.starts_with("iomt/") => folder.to_owned(),
        folder => format!("iomt/{}", folder.rsplit('/').next().unwrap_or(folder)),
    });
    Ok((TemplateSet { name, file: folder.to_owned(), filters, contents, targets }, warnings))
}

/// The templates of a collection; a lone template is a collection of one.
fn collection(file: &str, text: &str, kind: &str) -> Result<Vec<Wrapped>, ProfileError> {
    let broken = |error: serde_json::Error| {
        ProfileError::new(file, Some(error.line()).filter(|line| *line > 0), "", format!("not a template file: {error}"))
    };
    let outer: Wrapped = serde_json::from_str(text).map_err(broken)?;
    if outer.template_type.starts_with(kind) {
        return serde_json::from_value(outer.template).map_err(broken);
    }
    Ok(vec![outer])
}
