//! What a step asks of its driver, and the rules for it. They hold for a plan that is submitted, and again for a step that is claimed: rows
//! of steps may have been written without this check, and the tenant's default driver is known only then.

use super::driver::runs_foreign_code;
use super::{Driver, Image, Level, MAX_TOOLCHAINS, Placement, Resources, Toolchain};
use crate::problem::Fault;

/// How long a function of Vercel may take, in seconds.
pub const FUNCTION_TIMEOUT_S: u64 = 45;

/// What a step asks of its driver.
pub struct Request<'a> {
    pub tool: &'a str,
    /// None: the tenant's default decides, which is not known yet.
    pub driver: Option<Driver>,
    pub placement: Option<Placement>,
    pub image: Option<&'a Image>,
    pub toolchains: Option<&'a [Toolchain]>,
    pub min_isolation: Option<Level>,
    pub resources: Option<&'a Resources>,
    pub timeout_s: Option<u64>,
}

impl Request<'_> {
    /// All that cannot be honoured; `pointer` is where the step is written.
    pub fn faults(&self, pointer: &str) -> Vec<Fault> {
        let mut faults = vec![];
        let mut add = |field: &str, detail: String| faults.push(Fault::new(format!("{pointer}/{field}"), detail));
        let Self { tool, driver, placement, .. } = *self;
        if let Some(driver) = driver.filter(|driver| !driver.takes(tool)) {
            add("driver", format!("{driver} does not run `{tool}`; it runs {}", driver.tools()));
        }
        if placement.is_some() && driver.is_some_and(|driver| driver != Driver::WorkerContainer) {
            add("placement", format!("only {} has placements", Driver::WorkerContainer));
        }
        if placement.is_some() && !runs_foreign_code(tool) {
            add("placement", format!("`{tool}` runs no program that needs a container of its own; bash and gate:* do"));
        }
        if self.image.is_some() && placement.is_none() && !matches!(driver, Some(Driver::Modal | Driver::E2b)) {
            add("image", "needs the driver modal or e2b, or a `placement`".to_owned());
        }
        if self.toolchains.is_some() && (placement.is_some() || driver.is_some_and(|driver| driver != Driver::WorkerContainer)) {
            add("toolchains", "are those of a worker; a machine of the step's own has the tools of its `image`".to_owned());
        }
        if self.toolchains.is_some_and(|named| named.len() > MAX_TOOLCHAINS) {
            add("toolchains", format!("must be at most {MAX_TOOLCHAINS}"));
        }
        let highest = driver.and_then(|driver| driver.highest_level(placement));
        if let (Some(driver), Some(least), Some(highest)) = (driver, self.min_isolation, highest)
            && least > highest
            && runs_foreign_code(tool)
        {
            add("min_isolation", format!("{driver} reaches {highest}; {least} needs the driver modal or e2b, or a `placement`"));
        }
        if driver == Some(Driver::VercelFunction) {
            if self.resources.is_some() {
                add("resources", format!("{} starts no process that they could limit", Driver::VercelFunction));
            }
            if self.timeout_s.is_some_and(|seconds| seconds > FUNCTION_TIMEOUT_S) {
                add("timeout_s", format!("must be at most {FUNCTION_TIMEOUT_S} on {}", Driver::VercelFunction));
            }
        }
        faults.extend(self.resources.into_iter().flat_map(|resources| resources.faults(&format!("{pointer}/resources"))));
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::{Driver, Image, Level, MAX_TOOLCHAINS, Placement, Request, Resources, Toolchain};

    const REQUEST: Request<'_> = Request {
        tool: "bash",
        driver: None,
        placement: None,
        image: None,
        toolchains: None,
        min_isolation: None,
        resources: None,
        timeout_s: None,
    };

    fn pointers(request: &Request<'_>) -> Vec<String> {
        request.faults("").into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn a_driver_gets_no_tool_that_it_does_not_run() {
        for (driver, tool) in [(Driver::VercelFunction, "bash"), (Driver::VercelFunction, "gate:unit"), (Driver::E2b, "http")] {
            assert_eq!(pointers(&Request { tool, driver: Some(driver), ..REQUEST }), ["/driver"]);
        }
        assert!(pointers(&Request { tool: "http", driver: Some(Driver::VercelFunction), timeout_s: Some(45), ..REQUEST }).is_empty());
        let function = Request { tool: "http", driver: Some(Driver::VercelFunction), timeout_s: Some(46), ..REQUEST };
        assert_eq!(pointers(&Request { resources: Some(&Resources::default()), ..function }), ["/resources", "/timeout_s"]);
    }

    #[test]
    fn an_image_needs_a_machine_of_its_own() {
        let image = Image::try_from("rust:1.95".to_owned()).expect("an image");
        for (driver, is_allowed) in
            [(None, false), (Some(Driver::WorkerContainer), false), (Some(Driver::E2b), true), (Some(Driver::Modal), true)]
        {
            assert_eq!(pointers(&Request { driver, image: Some(&image), ..REQUEST }).is_empty(), is_allowed, "{driver:?}");
        }
        for driver in [None, Some(Driver::WorkerContainer)] {
            assert!(pointers(&Request { driver, image: Some(&image), placement: Some(Placement::Ecs), ..REQUEST }).is_empty());
        }
    }

    #[test]
    fn toolchains_are_those_of_a_worker() {
        let rust = Toolchain::try_from("rust".to_owned()).expect("a name");
        let all = vec![rust; MAX_TOOLCHAINS + 1];
        let named = Request { toolchains: Some(&all[1..]), ..REQUEST };
        assert!(pointers(&named).is_empty() && pointers(&Request { driver: Some(Driver::WorkerContainer), ..named }).is_empty());
        for driver in [Driver::E2b, Driver::Modal] {
            assert_eq!(pointers(&Request { driver: Some(driver), ..named }), ["/toolchains"]);
        }
        assert_eq!(pointers(&Request { placement: Some(Placement::Ecs), ..named }), ["/toolchains"]);
        assert_eq!(pointers(&Request { toolchains: Some(&all), ..REQUEST }), ["/toolchains"]);
    }

    #[test]
    fn a_placement_is_for_programs_of_the_worker_alone() {
        let own = Request { placement: Some(Placement::Ecs), ..REQUEST };
        assert_eq!(pointers(&Request { driver: Some(Driver::E2b), ..own }), ["/placement"]);
        assert_eq!(pointers(&Request { tool: "noop", placement: Some(Placement::Ecs), ..REQUEST }), ["/placement"]);
    }

    #[test]
    fn a_level_that_the_driver_cannot_reach_is_refused() {
        let at = |driver, placement| pointers(&Request { driver, placement, min_isolation: Some(Level::L4), ..REQUEST });
        assert_eq!(at(Some(Driver::WorkerContainer), None), ["/min_isolation"]);
        assert!(at(Some(Driver::WorkerContainer), Some(Placement::Ecs)).is_empty() && at(Some(Driver::E2b), None).is_empty());
        assert!(at(None, None).is_empty(), "the tenant's default may reach it");
        let waits = Request { tool: "manual:x", driver: Some(Driver::WorkerContainer), min_isolation: Some(Level::L4), ..REQUEST };
        assert!(pointers(&waits).is_empty(), "it runs no program");
        assert!(pointers(&Request { driver: Some(Driver::WorkerContainer), min_isolation: Some(Level::L3), ..REQUEST }).is_empty());
    }
}
