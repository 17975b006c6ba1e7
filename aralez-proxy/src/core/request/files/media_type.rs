//! The media type of a file, from the end of its name.

use std::path::Path;

/// The type of a file about which nothing is known.
const UNKNOWN: &str = "application/octet-stream";

/// Returns the value of `Content-Type` for a file of this name. Text is UTF-8.
pub fn media_type(name: &Path) -> String {
    let known = mime_guess::from_path(name).first_raw().unwrap_or(UNKNOWN);
    match known {
        // The type of all JavaScript, modules too, according to RFC 9239.
        "application/javascript" => "text/javascript; charset=utf-8".to_owned(),
        text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_type_of_its_extension_and_text_is_utf_8() {
        for (name, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/STYLE.CSS", "text/css; charset=utf-8"),
            ("app.js", "text/javascript; charset=utf-8"),
            ("app.mjs", "text/javascript; charset=utf-8"),
            ("notes.txt", "text/plain; charset=utf-8"),
            ("data.json", "application/json"),
            ("logo.svg", "image/svg+xml"),
            ("photo.webp", "image/webp"),
            ("app.wasm", "application/wasm"),
            ("site.webmanifest", "application/manifest+json"),
            ("font.woff2", "font/woff2"),
            ("README", "application/octet-stream"),
            (".html", "application/octet-stream"),
            ("a.unknown", "application/octet-stream"),
        ] {
            assert_eq!(media_type(Path::new(name)), expected, "{name}");
        }
    }
}
