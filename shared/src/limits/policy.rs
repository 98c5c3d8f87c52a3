use std::net::IpAddr;

use uuid::Uuid;

use crate::settings;

/// A limit: a number of requests within a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// As the headers name it.
    pub name: &'static str,
    /// 0: no limit.
    pub limit: u32,
    pub window_s: u32,
}

/// A limit and whom it is checked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitCheck {
    pub policy: Policy,
    /// The policy's name and the id of a credential, tenant or address.
    pub key: String,
}

impl LimitCheck {
    fn new(name: &'static str, limit: u32, of: impl std::fmt::Display) -> Self {
        Self { policy: Policy { name, limit, window_s: 60 }, key: format!("{name}:{of}") }
    }

    /// Failed authentications from one address.
    pub fn failed_auth(settings: &settings::Limits, address: IpAddr) -> Self {
        Self::new("failed_auth", settings.failed_auth, network(address))
    }
}

/// The limits that apply to a request: of its address, its tenant, and its credential for reads or writes.
pub fn checks_for(settings: &settings::Limits, address: Option<IpAddr>, caller: Option<(Uuid, &str)>, is_read: bool) -> Vec<LimitCheck> {
    let mut checks = vec![];
    checks.extend(address.map(|address| LimitCheck::new("address", settings.address, network(address))));
    if let Some((tenant, subject)) = caller {
        checks.push(LimitCheck::new("tenant", settings.tenant, tenant));
        let (name, limit) = if is_read { ("reads", settings.reads) } else { ("writes", settings.writes) };
        checks.push(LimitCheck::new(name, limit, format_args!("{tenant}:{subject}")));
    }
    checks.retain(|check| check.policy.limit > 0);
    checks
}

/// A caller with IPv6 has a whole /64, so all of it counts as one address.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        other => other.to_canonical().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::checks_for;
    use crate::settings::Limits;

    #[test]
    fn a_request_comes_under_the_limits_of_its_address_its_tenant_and_its_credential() {
        let names = |address: Option<&str>, caller: bool, is_read: bool, limits: &Limits| {
            let caller = caller.then_some((uuid::Uuid::nil(), "somebody"));
            let checks = checks_for(limits, address.map(|text| text.parse().expect("an address")), caller, is_read);
            checks.into_iter().map(|check| check.key).collect::<Vec<_>>()
        };
        let nobody = uuid::Uuid::nil();
        let limits = Limits::default();
        assert_eq!(names(Some("2001:db8:1:2:3::1"), false, true, &limits), ["address:2001:db8:1:2::/64"]);
        let all = ["address:1.2.3.4".to_owned(), format!("tenant:{nobody}"), format!("writes:{nobody}:somebody")];
        assert_eq!(names(Some("::ffff:1.2.3.4"), true, false, &limits), all);
        assert_eq!(names(None, true, true, &Limits { tenant: 0, ..limits }), [format!("reads:{nobody}:somebody")], "0 is no limit");
    }
}
