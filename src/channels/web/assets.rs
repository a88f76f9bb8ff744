//! Style sheet and script: compiled in, each under an address that names its content, so that a browser may keep it for good and
//! never has an old one with a new page.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::error::WebError;

/// A file that pages load.
struct Asset {
    /// The name under `/assets/`: `reeve.0f1e2d3c4b5a.js`.
    name: String,
    kind: &'static str,
    text: &'static str,
    link: Link,
}

/// How a page loads it.
#[derive(Clone, Serialize)]
pub(super) struct Link {
    href: String,
    /// The browser takes nothing else for it, whatever stands between.
    integrity: String,
}

/// What every page loads.
#[derive(Serialize)]
pub(super) struct Links {
    style: Link,
    script: Link,
}

static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::of("css", "text/css; charset=utf-8", include_str!("templates/style.css")));
static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::of("js", "text/javascript; charset=utf-8", include_str!("templates/reeve.js")));

impl Asset {
    fn of(extension: &str, kind: &'static str, text: &'static str) -> Self {
        let hash = Sha256::digest(text.as_bytes());
        let name = format!("reeve.{}.{extension}", hex::encode(&hash[..6]));
        let link = Link { href: format!("/assets/{name}"), integrity: format!("sha256-{}", STANDARD.encode(hash)) };
        Self { name, kind, text, link }
    }
}

/// The addresses for the frame of every page.
pub(super) fn links() -> Links {
    Links { style: STYLE.link.clone(), script: SCRIPT.link.clone() }
}

/// `GET /assets/{name}`
pub(super) async fn asset(Path(name): Path<String>) -> Result<Response, WebError> {
    let asset = [&*STYLE, &*SCRIPT].into_iter().find(|asset| asset.name == name).ok_or(WebError::NotFound("such file"))?;
    let mut response = asset.text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    // Another content has another name, so a browser may keep this one for good.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_gets_another_address() {
        let (a, b) = (Asset::of("js", "text/javascript", "a"), Asset::of("js", "text/javascript", "b"));
        assert_ne!((a.name, a.link.integrity), (b.name, b.link.integrity));
    }

    #[test]
    fn the_script_makes_nothing_of_text_and_asks_nobody() {
        for word in ["innerHTML", "insertAdjacent", "document.write", "eval(", "Function(", "fetch(", "XMLHttp", "submit("] {
            assert!(!SCRIPT.text.contains(word), "{word}: the script only moves the focus and opens what is there");
        }
    }
}
