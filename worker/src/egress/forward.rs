//! A plain `http://` request, handed on as a request of its own to its host.

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, UPGRADE};
use hyper::http::uri::Authority;
use hyper::{Request, Response, Uri, Version};
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;

use super::counted::Counted;
use super::refusal::Refusal;

/// Of the host's response.
const HEADERS_BYTES: usize = 64 << 10;
/// Between two ends of a connection only (RFC 9110, 7.6.1), beside those that `Connection` names. Lengths are hyper's matter.
const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    UPGRADE,
];

pub(super) async fn forward(
    mut request: Request<Incoming>,
    authority: &Authority,
    host: Counted,
    stop: CancellationToken,
) -> Result<Response<Incoming>, Refusal> {
    let failed = |error| Refusal::NoAnswer(authority.host().to_owned(), error);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let path: Uri = path.parse().map_err(|_| Refusal::Request)?;
    *request.uri_mut() = path;
    *request.version_mut() = Version::HTTP_11;
    remove_hop_by_hop(request.headers_mut());
    // Where the request goes decides, not what else the client says.
    let name = authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, name)| name);
    request.headers_mut().insert(HOST, HeaderValue::from_str(name).map_err(|_| Refusal::Request)?);
    let mut builder = hyper::client::conn::http1::Builder::new();
    let (mut sender, connection) = builder.max_buf_size(HEADERS_BYTES).handshake(TokioIo::new(host)).await.map_err(failed)?;
    // It ends with the response's body, or when nobody wants that any more.
    tokio::spawn(async move {
        tokio::select! { _ = connection => {}, () = stop.cancelled() => {} }
    });
    let mut response = sender.send_request(request).await.map_err(failed)?;
    remove_hop_by_hop(response.headers_mut());
    Ok(response)
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderMap, HeaderName, HeaderValue};

    use super::remove_hop_by_hop;

    #[test]
    fn what_is_between_two_ends_goes_no_further() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("proxy-authorization", "Basic c2VjcmV0"),
            ("connection", "close, X-Own"),
            ("connection", "x-other"),
            ("x-own", "1"),
            ("x-other", "1"),
            ("te", "trailers"),
            ("upgrade", "websocket"),
            ("accept", "text/html"),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        remove_hop_by_hop(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["accept"]);
    }
}
