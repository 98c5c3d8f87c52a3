//! Media types of artifacts: by name, their content is not read.

/// The media type by a file name's extension.
pub(crate) fn media_type(name: &str) -> String {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default();
    let known = match extension.as_str() {
        // What the crate does not know.
        "diff" | "patch" => "text/plain",
        "jsonl" | "ndjson" => "application/x-ndjson",
        "sarif" => "application/sarif+json",
        "tsx" => "text/plain",
        // Where it has another type: TypeScript, not a stream of MPEG; a registered type (RFC 9512) instead of an older one; the type by
        // which a browser unpacks nothing.
        "ts" | "mts" | "cts" => "text/plain",
        "yaml" | "yml" => "application/yaml",
        "tgz" => "application/gzip",
        // Its encoding is in its first line.
        "xml" => "application/xml",
        other => mime_guess::from_ext(other).first_raw().unwrap_or("application/octet-stream"),
    };
    // Tools write UTF-8; without this a browser would guess.
    if known.starts_with("text/") { format!("{known}; charset=utf-8") } else { known.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::media_type;

    #[test]
    fn a_name_has_the_type_of_its_last_extension() {
        let expected = [
            ("report.json", "application/json"),
            ("a.b/out.LOG", "text/plain; charset=utf-8"),
            ("fix.patch", "text/plain; charset=utf-8"),
            ("README.md", "text/markdown; charset=utf-8"),
            ("index.html", "text/html; charset=utf-8"),
            ("pom.xml", "application/xml"),
            ("plan.yml", "application/yaml"),
            ("table.csv", "text/csv; charset=utf-8"),
            ("shot.png", "image/png"),
            ("photo.JPEG", "image/jpeg"),
            ("graph.svg", "image/svg+xml"),
            ("paper.pdf", "application/pdf"),
            ("logs.tar.gz", "application/gzip"),
            ("site.tgz", "application/gzip"),
            ("all.zip", "application/zip"),
            ("app.ts", "text/plain; charset=utf-8"),
            ("style.css", "text/css; charset=utf-8"),
            ("clip.mp4", "video/mp4"),
            ("findings.sarif", "application/sarif+json"),
        ];
        for (name, media_type_of) in expected {
            assert_eq!(media_type(name), media_type_of, "{name}");
        }
        for name in ["", "Makefile", "core.", "x.unknown", ".", "..", "a.\u{1f4a9}", &format!("x.{}", "z".repeat(10_000))] {
            assert_eq!(media_type(name), "application/octet-stream", "{name}");
        }
    }
}
