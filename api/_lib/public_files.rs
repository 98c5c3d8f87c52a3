//! The files of `public/`, for hosts that publish none themselves: `nofx dev` and Lambda. On Vercel the platform serves the folder, in the same way.

use std::io;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::http::tagged;

/// As Vercel's: a browser may store it, but must revalidate each time, which costs a 304.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=0, must-revalidate");

/// Adds a route for each file of a folder. The list is made once, so that no request names another path; a file is read when it is requested,
/// so that an edit is seen at once. Links and hidden files are no part of it. An error when the folder cannot be read or has no file.
pub fn with_public_files(router: Router, folder: &Path) -> io::Result<Router> {
    let mut files = vec![];
    list(folder, "", &mut files)?;
    if files.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the folder is empty"));
    }
    Ok(files.into_iter().fold(router, |router, (path, file)| router.route(&path, get(async move |headers| serve(&file, &headers).await))))
}

fn list(folder: &Path, path: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        // What is not plain would need to be escaped in a route.
        let Some(name) = name.to_str().filter(|name| is_plain(name)) else { continue };
        let path = format!("{path}/{name}");
        if kind.is_dir() {
            list(&entry.path(), &path, files)?;
        } else if kind.is_file() {
            files.push((path, entry.path()));
        }
    }
    Ok(())
}

fn is_plain(name: &str) -> bool {
    !name.starts_with('.') && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

async fn serve(file: &Path, headers: &HeaderMap) -> Response {
    let Ok(bytes) = tokio::fs::read(file).await else { return StatusCode::NOT_FOUND.into_response() };
    let media_type = mime_guess::from_path(file).first_raw().unwrap_or("application/octet-stream");
    let mut response = tagged(headers, bytes, HeaderValue::from_static(media_type));
    response.headers_mut().insert(header::CACHE_CONTROL, CACHE);
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::{Method, Request};
    use tower::ServiceExt;

    use super::*;

    async fn send(router: &Router, method: Method, path: &str, known: Option<&HeaderValue>) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(known) = known {
            request = request.header(header::IF_NONE_MATCH, known);
        }
        router.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("a response")
    }

    #[tokio::test]
    async fn files_have_a_type_and_a_tag_and_nothing_else_is_served() {
        let folder = tempfile::tempdir().expect("a folder");
        let (public, path) = (folder.path().join("public"), |name: &str| folder.path().join("public").join(name));
        std::fs::create_dir_all(public.join("icons/deep")).expect("folders");
        for name in ["app.css", "app.js", "icons/deep/a.svg", "plain", ".env", "{any}"] {
            std::fs::write(path(name), "first").expect("written");
        }
        std::fs::write(folder.path().join("secret"), "secret").expect("written");
        std::os::unix::fs::symlink(folder.path().join("secret"), path("link")).expect("a link");
        std::os::unix::fs::symlink("/etc", path("etc")).expect("a link");
        let router = with_public_files(Router::new(), &public).expect("a folder");
        for (name, kind) in [
            ("/app.css", "text/css"),
            ("/app.js", "text/javascript"),
            ("/icons/deep/a.svg", "image/svg+xml"),
            ("/plain", "application/octet-stream"),
        ] {
            let response = send(&router, Method::GET, name, None).await;
            assert_eq!((response.status(), response.headers()[header::CONTENT_TYPE].to_str().ok()), (StatusCode::OK, Some(kind)), "{name}");
            let tag = response.headers()[header::ETAG].clone();
            assert_eq!(&to_bytes(response.into_body(), 100).await.expect("bytes")[..], b"first");
            assert_eq!(send(&router, Method::GET, name, Some(&tag)).await.status(), StatusCode::NOT_MODIFIED);
            let head = send(&router, Method::HEAD, name, None).await;
            assert_eq!((head.status(), &head.headers()[header::CACHE_CONTROL]), (StatusCode::OK, &CACHE));
            assert_eq!(send(&router, Method::POST, name, None).await.status(), StatusCode::METHOD_NOT_ALLOWED);
            std::fs::write(path(&name[1..]), "second").expect("written");
            assert_eq!(send(&router, Method::GET, name, Some(&tag)).await.status(), StatusCode::OK, "an edit is seen");
        }
        for name in [
            "/",
            "/icons",
            "/icons/deep/",
            "/.env",
            "/%7Bany%7D",
            "/x",
            "/link",
            "/etc/passwd",
            "/../secret",
            "/icons/../../secret",
            "/%2e%2e/secret",
            "/icons%2f..%2f..%2fsecret",
            "//etc/passwd",
        ] {
            assert_eq!(send(&router, Method::GET, name, None).await.status(), StatusCode::NOT_FOUND, "{name}");
        }
        std::fs::remove_file(path("plain")).expect("removed");
        assert_eq!(send(&router, Method::GET, "/plain", None).await.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn a_folder_that_is_missing_or_empty_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(with_public_files(Router::new(), &folder.path().join("public")).is_err());
        assert!(with_public_files(Router::new(), folder.path()).is_err());
    }
}
