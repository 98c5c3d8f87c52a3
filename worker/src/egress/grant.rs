use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnet::IpNet;
use nofx_shared::crypto::random_token;
use nofx_shared::drivers::Destination;
use nofx_shared::engine::{ClaimedStep, Failure};
use nofx_shared::secrets::Mask;
use tokio::net::TcpListener;

use super::account::Account;
use super::listen::listen;

/// The name beside the password.
const NAME: &str = "step";
/// Variables by which programs find a proxy; many read only one of the two spellings.
const VARIABLES: [&str; 6] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
/// A program's own servers.
const DIRECT: &str = "localhost,127.0.0.1,::1";

/// An attempt's way out. It ends when this is dropped, with every connection.
pub(crate) struct Grant {
    account: Arc<Account>,
    port: u16,
    password: String,
}

impl Grant {
    /// `networks`: private networks that the attempt may reach.
    pub(crate) async fn open(step: &ClaimedStep, networks: Vec<IpNet>, ports: Vec<u16>) -> Result<Self, Failure> {
        let password = random_token();
        let account = Account::new([step.tenant_id, step.run_id, step.id], NAME, &password, networks, ports);
        Self::of(account, password).await.map_err(|error| Failure::transient(format!("could not open the egress proxy: {error}")))
    }

    pub(super) async fn of(account: Account, password: String) -> std::io::Result<Self> {
        let account = Arc::new(account);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        tokio::spawn(listen(listener, Arc::clone(&account)));
        Ok(Self { account, port, password })
    }

    /// The port on loopback, inside of a network of the program's own, too.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A secret: to be masked.
    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    /// Takes the connections of a program with a network of its own, which come by this listener, until the attempt has ended. Dropping the
    /// future gives up the listener, and with it that network, but no connection.
    pub(crate) async fn listen(&self, listener: std::net::TcpListener) -> std::io::Result<()> {
        listen(TcpListener::from_std(listener)?, Arc::clone(&self.account)).await;
        Ok(())
    }

    /// What programs find the proxy by.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (String, String)> {
        let url = format!("http://{NAME}:{}@127.0.0.1:{}", self.password, self.port);
        let proxies = VARIABLES.map(|name| (name.to_owned(), url.clone()));
        // Node asks for it: it reads the others only then.
        let others = [("NO_PROXY", DIRECT), ("no_proxy", DIRECT), ("NODE_USE_ENV_PROXY", "1")];
        proxies.into_iter().chain(others.map(|(name, value)| (name.to_owned(), value.to_owned())))
    }

    /// What was reached until now. A program may put a secret into the name of a host, so names are masked, too.
    pub(crate) fn destinations(&self, mask: &Mask) -> Vec<Destination> {
        let masked = |one: Destination| Destination { host: mask.apply(&one.host), ..one };
        self.account.destinations().into_iter().map(masked).collect()
    }

    /// Ends it with every connection, whoever else still has it.
    pub(crate) fn close(&self) {
        self.account.stop.cancel();
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        self.close();
    }
}
