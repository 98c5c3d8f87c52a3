//! The one place that opens a WebSocket, so that it trusts the same roots as our HTTP clients.
#![expect(clippy::disallowed_methods, reason = "the one place that opens a WebSocket")]

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

use super::client::http1_tls;

/// An open WebSocket.
pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a WebSocket; `wss` with the root certificates of the machine.
pub(crate) async fn open_socket(url: &str) -> Result<Socket, Error> {
    let connector = Connector::Rustls(Arc::new(http1_tls()));
    connect_async_tls_with_config(url, None, false, Some(connector)).await.map(|(socket, _)| socket)
}
