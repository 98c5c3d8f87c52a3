//! A receiver of webhooks that takes connections and never responds.

use std::time::Duration;

use tokio::net::TcpListener;

use crate::exit::Error;

/// Its address; it ends with this process.
pub(super) async fn silent() -> Result<String, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(Error::new)?;
    let url = format!("http://{}/", listener.local_addr().map_err(Error::new)?);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(60)).await;
                drop(socket);
            });
        }
    });
    Ok(url)
}
