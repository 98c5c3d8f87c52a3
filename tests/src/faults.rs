//! A way to a dependency that can be cut.

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A TCP proxy. While it is cut, connections are closed as soon as they are opened, and those that were open are closed.
pub struct Way {
    pub url: String,
    open: watch::Sender<bool>,
}

impl Way {
    /// To where a URL of loopback leads.
    pub async fn to(url: &str) -> Self {
        let target = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let way = Self { url: format!("http://{}", listener.local_addr().expect("an address")), open: watch::channel(true).0 };
        let open = way.open.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *open.borrow() {
                    tokio::spawn(pass(client, target.clone(), open.clone()));
                }
            }
        });
        way
    }

    pub fn cut(&self) {
        self.open.send_replace(false);
    }

    pub fn mend(&self) {
        self.open.send_replace(true);
    }
}

async fn pass(mut client: TcpStream, target: String, mut open: watch::Receiver<bool>) {
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    drop((client.set_nodelay(true), server.set_nodelay(true)));
    tokio::select! {
        // However it ends, both sides are closed.
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
        _ = open.wait_for(|open| !*open) => {}
    }
}
