//! `nofx sandbox probe`

use clap::Subcommand;
use nofx_sandbox::probe::{Found, Host, Offer, Part, probe};

use crate::exit::{Error, Exit, Outcome};
use crate::output;
use crate::target::Target;

#[derive(Subcommand)]
pub(crate) enum Sandbox {
    /// Try each isolation level, and what it is made of; list the toolchains that steps may name.
    Probe,
}

pub(crate) async fn run(target: &Target, command: Sandbox) -> Outcome {
    let Sandbox::Probe = command;
    let exe = std::env::current_exe().map_err(|error| Error::new(format!("cannot find this program: {error}")))?;
    let toolchains = nofx_shared::settings::isolation().map_err(Error::new)?.toolchains;
    let host = probe(&exe, &toolchains);
    if target.json {
        let text = serde_json::to_string(&host).map_err(Error::new)?;
        output::line(format_args!("{text}"));
    } else {
        table(&host).iter().for_each(|row| output::line(format_args!("{row}")));
    }
    Ok(Exit::Succeeded)
}

fn table(host: &Host) -> Vec<String> {
    let row = |name: &str, works: bool, detail: &str| {
        format!("{name:<16} {:<4} {detail}", if works { "yes" } else { "no" }).trim_end().to_owned()
    };
    let level = |offer: &Offer| row(offer.level.as_str(), offer.enforced.is_some(), offer.why_not.as_deref().unwrap_or_default());
    let part = |part: &Part| row(part.part, part.works, &part.detail);
    let kernel = row("kernel", true, &host.kernel);
    let toolchain = |found: &Found| {
        let folders: Vec<String> = found.folders.iter().map(|folder| folder.display().to_string()).collect();
        row(&format!("toolchain {}", found.name), true, &folders.join(" "))
    };
    let parts = host.parts.iter().map(part);
    host.levels.iter().map(level).chain([kernel]).chain(parts).chain(host.toolchains.iter().map(toolchain)).collect()
}

#[cfg(test)]
mod tests {
    use nofx_sandbox::probe::{Found, Host, Offer};
    use nofx_shared::drivers::{Enforced, Level};

    use super::table;

    #[test]
    fn a_level_has_a_row_with_why_it_is_not_offered() {
        let offer = |level, why_not: Option<&str>| Offer {
            level,
            enforced: why_not.is_none().then(Enforced::default),
            why_not: why_not.map(str::to_owned),
        };
        let levels = vec![offer(Level::L1, None), offer(Level::L2, Some("no Landlock"))];
        let rust = Found { name: "rust".to_owned().try_into().expect("a name"), folders: vec!["/opt/rust".into(), "/opt/cargo".into()] };
        let host = Host { kernel: "6.1".to_owned(), levels, parts: vec![], toolchains: vec![rust] };
        assert_eq!(
            table(&host),
            [
                "L1               yes",
                "L2               no   no Landlock",
                "kernel           yes  6.1",
                "toolchain rust   yes  /opt/rust /opt/cargo"
            ]
        );
    }
}
