//! Bodies of requests: how large, how packed, of which kind.

use std::io::Read;

use axum::body::Body;
use axum::http::HeaderMap;
use flate2::read::MultiGzDecoder;
use futures_util::StreamExt;
use wire_fhir::IssueCode;

use super::answer::{Done, refusal};

/// A larger body, or one that unpacks to more, is refused.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// This much of a body that is too large is taken in and thrown away, because a client that is
/// still sending does not hear the refusal.
const DRAINED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The body, unpacked.
pub(super) async fn read(body: Body, encoding: Option<&str>) -> Result<Vec<u8>, Done> {
    let packed = match encoding.map(|text| text.trim().to_ascii_lowercase()).as_deref() {
        None | Some("" | "identity") => false,
        Some("gzip" | "x-gzip") => true,
        Some(_) => {
            let detail = "A body may be packed with gzip only.";
            return Err(refusal(415, IssueCode::NotSupported, "", detail));
        }
    };
    let bytes = whole(body).await?;
    if !packed {
        return Ok(bytes);
    }
    let unpack = move || {
        let mut unpacked = Vec::new();
        let limit = BODY_BYTES_MAX as u64 + 1;
        let read = MultiGzDecoder::new(bytes.as_slice()).take(limit).read_to_end(&mut unpacked);
        read.map(|_| unpacked)
    };
    match tokio::task::spawn_blocking(unpack).await {
        Ok(Ok(unpacked)) if unpacked.len() > BODY_BYTES_MAX => Err(too_large()),
        Ok(Ok(unpacked)) => Ok(unpacked),
        _ => {
            let detail = "The body is not what gzip makes.";
            Err(refusal(400, IssueCode::Structure, "", detail))
        }
    }
}

async fn whole(body: Body) -> Result<Vec<u8>, Done> {
    let mut pieces = body.into_data_stream();
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| too_large())?;
        length = length.saturating_add(piece.len());
        if length <= BODY_BYTES_MAX {
            bytes.extend_from_slice(&piece);
        } else if length > DRAINED_BYTES_MAX {
            break;
        } else {
            bytes = Vec::new();
        }
    }
    if length > BODY_BYTES_MAX { Err(too_large()) } else { Ok(bytes) }
}

fn too_large() -> Done {
    let detail = format!("The body is cut off or has more than {BODY_BYTES_MAX} bytes.");
    refusal(413, IssueCode::TooCostly, "", &detail)
}

/// The body without the mark that some programs put before UTF-8.
pub(super) fn unmarked(bytes: Vec<u8>) -> Vec<u8> {
    match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => rest.to_vec(),
        None => bytes,
    }
}

/// Whether the body is a form, or says nothing else.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    media(headers).is_none_or(|media| media == "application/x-www-form-urlencoded")
}

/// Whether the body is a JSON patch.
pub(super) fn is_patch(headers: &HeaderMap) -> bool {
    media(headers).is_some_and(|media| media == "application/json-patch+json")
}

fn media(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("content-type")?.to_str().ok()?;
    Some(text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}
