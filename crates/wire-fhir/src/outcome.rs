//! `OperationOutcome`: what is wrong, where, and what to do; never the value itself.

use serde_json::{Value, json};
use vitals::{Problem, ProblemKind};

/// How bad an issue is (R4 value set `issue-severity`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The request failed.
    Error,
    /// It went through, but not as the sender may think.
    Warning,
    /// For information.
    Information,
}

impl Severity {
    const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
        }
    }
}

/// What kind of issue it is (R4 value set `issue-type`, the part that is used).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueCode {
    /// Not well-formed JSON, or not the JSON of a resource.
    Structure,
    /// A required element is missing.
    Required,
    /// A value of the wrong type or form.
    Value,
    /// A rule between elements is broken.
    Invariant,
    /// A code that is not known, or not allowed there.
    CodeInvalid,
    /// Content that may not be processed.
    Processing,
    /// The platform does not do this.
    NotSupported,
    /// There is no such thing.
    NotFound,
    /// More than one match where one was needed.
    MultipleMatches,
    /// It is there already.
    Duplicate,
    /// Somebody else was faster.
    Conflict,
    /// More than a limit allows.
    TooCostly,
    /// Not allowed to this account.
    Forbidden,
    /// Nobody signed in.
    Login,
    /// Failure inside the platform; try again.
    Transient,
    /// For information only.
    Informational,
}

impl IssueCode {
    const fn name(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Required => "required",
            Self::Value => "value",
            Self::Invariant => "invariant",
            Self::CodeInvalid => "code-invalid",
            Self::Processing => "processing",
            Self::NotSupported => "not-supported",
            Self::NotFound => "not-found",
            Self::MultipleMatches => "multiple-matches",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::TooCostly => "too-costly",
            Self::Forbidden => "forbidden",
            Self::Login => "login",
            Self::Transient => "transient",
            Self::Informational => "informational",
        }
    }
}

/// One issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// How bad.
    pub severity: Severity,
    /// Which kind.
    pub code: IssueCode,
    /// FHIRPath of the element (`Observation.component[1].code`); empty where there is none.
    pub path: String,
    /// What is wrong and what to do, without repeating the value.
    pub detail: String,
}

impl Issue {
    /// An error at `path`.
    #[must_use]
    pub fn error(code: IssueCode, path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, path: path.into(), detail: detail.into() }
    }

    /// A warning at `path`.
    #[must_use]
    pub fn warning(code: IssueCode, path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, path, detail) }
    }

    /// For information.
    #[must_use]
    pub fn information(detail: impl Into<String>) -> Self {
        let issue = Self::error(IssueCode::Informational, "", detail);
        Self { severity: Severity::Information, ..issue }
    }

    /// The same issue as a problem for quarantine.
    #[must_use]
    pub fn to_problem(&self) -> Problem {
        let kind = match self.code {
            IssueCode::Structure => ProblemKind::Syntax,
            IssueCode::Required => ProblemKind::Missing,
            IssueCode::NotSupported => ProblemKind::Unmatched,
            IssueCode::TooCostly => ProblemKind::Limit,
            IssueCode::Forbidden | IssueCode::Login => ProblemKind::Forbidden,
            _ => ProblemKind::BadValue,
        };
        Problem { kind, path: self.path.clone(), detail: self.detail.clone() }
    }
}

/// The issue that a quarantine problem amounts to, for the sender.
#[must_use]
pub fn issue_of(problem: &Problem) -> Issue {
    let code = match problem.kind {
        ProblemKind::Syntax => IssueCode::Structure,
        ProblemKind::Unmatched => IssueCode::NotSupported,
        ProblemKind::UnknownMetric | ProblemKind::UnknownUnit => IssueCode::CodeInvalid,
        ProblemKind::Missing => IssueCode::Required,
        ProblemKind::Limit => IssueCode::TooCostly,
        ProblemKind::Forbidden => IssueCode::Forbidden,
        ProblemKind::BadValue | ProblemKind::BadTime | ProblemKind::BadDevice => IssueCode::Value,
    };
    Issue::error(code, problem.path.clone(), problem.detail.clone())
}

/// The `OperationOutcome` resource of some issues; with none it says that all went well.
#[must_use]
pub fn outcome(issues: &[Issue]) -> Value {
    let list: Vec<Value> = issues
        .iter()
        .map(|issue| {
            let mut json = json!({
                "severity": issue.severity.name(),
                "code": issue.code.name(),
                "diagnostics": issue.detail,
            });
            if !issue.path.is_empty() {
                json["expression"] = json!([issue.path]);
            }
            json
        })
        .collect();
    let list = if list.is_empty() {
        vec![json!({"severity": "information", "code": "informational", "diagnostics": "All went well."})]
    } else {
        list
    };
    json!({"resourceType": "OperationOutcome", "issue": list})
}
