use std::collections::BTreeMap;
use std::time::Duration;

use nofx_shared::drivers::{Driver, Image, Limits, Network, Placement};
use uuid::Uuid;

/// A driver, with the placement if it has any.
pub(crate) type Kind = (Driver, Option<Placement>);

/// What an attempt asks of its machine.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub kind: Kind,
    pub tags: Tags,
    /// None: the driver's default.
    pub image: Option<Image>,
    /// `none` or `all`.
    pub network: Network,
    /// What the plan and the tenant's quota name; none: no limit but the machine's own. Set as limits of the kernel (rlimits) for each
    /// program before it starts, by the common part.
    pub limits: Limits,
    /// When the provider ends it, whatever happens to the worker.
    pub lifetime: Duration,
}

/// Whose a machine is: the provider stores it, so that machines whose worker is gone are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tags {
    /// Which deployment made it: several may share an account.
    pub deployment: String,
    pub tenant: Uuid,
    pub run: Uuid,
    pub step: Uuid,
    pub attempt: u32,
    /// Another one for each call that creates a machine.
    pub creation: Uuid,
}

impl Tags {
    /// The name of the tag by which machines are listed.
    pub(crate) const DEPLOYMENT: &'static str = "deployment";

    pub(crate) fn to_map(&self) -> BTreeMap<String, String> {
        let all = [
            (Self::DEPLOYMENT, self.deployment.clone()),
            ("tenant", self.tenant.to_string()),
            ("run", self.run.to_string()),
            ("step", self.step.to_string()),
            ("attempt", self.attempt.to_string()),
            ("creation", self.creation.to_string()),
        ];
        all.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// None: not made by a worker, and so none of its business.
    pub(crate) fn read(map: &BTreeMap<String, String>) -> Option<Self> {
        let id = |name: &str| map.get(name)?.parse::<Uuid>().ok();
        Some(Self {
            deployment: map.get(Self::DEPLOYMENT)?.clone(),
            tenant: id("tenant")?,
            run: id("run")?,
            step: id("step")?,
            attempt: map.get("attempt")?.parse().ok()?,
            creation: id("creation")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::Tags;

    #[test]
    fn tags_are_read_as_they_were_written_and_those_of_others_are_not() {
        let tags = Tags {
            deployment: "key-1".to_owned(),
            tenant: Uuid::from_u128(1),
            run: Uuid::from_u128(2),
            step: Uuid::from_u128(3),
            attempt: 4,
            creation: Uuid::from_u128(5),
        };
        let map = tags.to_map();
        assert_eq!(Tags::read(&map), Some(tags));
        for name in map.keys() {
            let mut other = map.clone();
            other.remove(name);
            assert_eq!(Tags::read(&other), None, "{name}");
            if name != Tags::DEPLOYMENT {
                other.insert(name.clone(), "-1".to_owned());
                assert_eq!(Tags::read(&other), None, "{name}");
            }
        }
    }
}
