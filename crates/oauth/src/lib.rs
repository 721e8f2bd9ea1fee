//! OAuth 2 as SMART App Launch 2.2 has it, without sockets, clock or chance.
//!
//! What an application may ask for ([`Scopes`]), whether a request of it is right
//! ([`Authorization`], [`TokenRequest`]), how it proves that it is itself ([`Credentials`],
//! [`assertion`], [`pkce`]), and the documents that tell it where to ask ([`metadata`]). Times are
//! arguments; keys and registered applications are given by the caller.
//!
//! What is absent: tokens, codes and their keeping (`guard`), HTTP (`api`), and what the person
//! behind an application may do: a scope never widens that.
//!
//! Sources: SMART App Launch 2.2.0 (HL7), RFC 6749 (OAuth 2.0), RFC 7636 (PKCE), RFC 7523 (JWT
//! client authentication), RFC 8252 (native apps), RFC 9207 (issuer in the answer), RFC 9700
//! (security best practice).

pub mod assertion;
mod client;
mod credentials;
mod error;
pub mod form;
pub mod metadata;
pub mod pkce;
mod request;
mod scope;
pub mod sign_on;
mod token;
mod uri;

pub use client::{Authentication, Client, ClientError};
pub use credentials::{Credentials, Proof};
pub use error::{Code, OauthError};
pub use request::{Authorization, Refusal, check};
pub use scope::{
    Action, Actions, Criterion, Level, ResourceScope, Rule, Scope, ScopeError, Scopes, matches,
    of_patient,
};
pub use token::TokenRequest;
pub use uri::origin;
