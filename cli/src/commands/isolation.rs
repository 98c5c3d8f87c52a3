//! `nofx isolation [set|clear]`: what a tenant demands of where its steps run.

use clap::Subcommand;
use nofx_shared::auth::Role;
use nofx_shared::drivers::{Driver, Image, Level, Toolchain};
use serde_json::{Value, json};

use crate::api::Api;
use crate::exit::{Error, Exit, Outcome};
use crate::output;
use crate::target::Target;

#[derive(clap::Args)]
pub(crate) struct Isolation {
    #[command(subcommand)]
    pub command: Option<IsolationCommand>,
}

#[derive(Subcommand)]
pub(crate) enum IsolationCommand {
    /// Change what is named; the rest stays as it is. It applies to every step that is claimed from then on.
    Set(SetIsolation),
    /// Remove all of it: the operator's minimum remains.
    Clear,
}

#[derive(clap::Args)]
#[group(required = true, multiple = true)]
pub(crate) struct SetIsolation {
    /// Where steps run whose plan names no driver.
    #[arg(long, value_parser = Driver::ALL.map(Driver::as_str))]
    pub driver: Option<String>,
    /// The minimum of all steps: L1 to L4, or `none`.
    #[arg(long, value_parser = minimum)]
    pub min: Option<Minimum>,
    /// The minimum of a tool: `bash=L3`, `gate:*=L2`, `bash=none`. May be repeated.
    #[arg(long, value_parser = tool_minimum)]
    pub tool: Vec<(String, Minimum)>,
    /// What machines are made from whose step names no image: `e2b=base`, `modal=rust:1.95`, `task=none`. May be repeated.
    #[arg(long, value_parser = image)]
    pub image: Vec<(String, Option<Image>)>,
    /// A toolchain that steps see which name none, and no other; `all` for all. May be repeated.
    #[arg(long, value_parser = toolchain)]
    pub toolchain: Vec<Named>,
}

/// None: no minimum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Minimum(Option<Level>);

fn minimum(text: &str) -> Result<Minimum, String> {
    match text {
        "none" => Ok(Minimum(None)),
        level => level.parse().map(|level| Minimum(Some(level))).map_err(|_| "give L1, L2, L3, L4 or `none`".to_owned()),
    }
}

fn tool_minimum(text: &str) -> Result<(String, Minimum), String> {
    let (tool, level) = text.rsplit_once('=').filter(|(tool, _)| !tool.is_empty()).ok_or("give TOOL=LEVEL, as in `bash=L3`")?;
    Ok((tool.to_owned(), minimum(level)?))
}

/// `e2b`, `modal` or `task`, which the API checks, and what it makes machines from; none: its own.
fn image(text: &str) -> Result<(String, Option<Image>), String> {
    let (maker, image) = text.split_once('=').filter(|(maker, _)| !maker.is_empty()).ok_or("pass DRIVER=IMAGE, as in `e2b=base`")?;
    let image = if image == "none" { None } else { Some(Image::try_from(image.to_owned()).map_err(|error| error.to_string())?) };
    Ok((maker.to_owned(), image))
}

/// A toolchain; none: all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named(Option<Toolchain>);

fn toolchain(text: &str) -> Result<Named, String> {
    match text {
        "all" => Ok(Named(None)),
        name => Toolchain::try_from(name.to_owned()).map(|name| Named(Some(name))).map_err(|error| error.to_string()),
    }
}

const PATH: &str = "/api/isolation";

pub(crate) async fn run(target: &Target, options: Isolation) -> Outcome {
    let settings = match options.command {
        None => Api::find(target, Role::Viewer)?.get(PATH).await?,
        Some(IsolationCommand::Set(wanted)) => {
            let settings = Api::find(target, Role::Admin)?.get(PATH).await?;
            set(target, &changed(settings, wanted)).await?
        }
        Some(IsolationCommand::Clear) => {
            set(target, &json!({"default_driver": null, "min_isolation": null, "tools": {}, "images": {}, "toolchains": null})).await?
        }
    };
    if target.json {
        output::line(format_args!("{settings}"));
    } else {
        for line in lines(&settings) {
            output::line(format_args!("{line}"));
        }
    }
    Ok(Exit::Succeeded)
}

async fn set(target: &Target, settings: &Value) -> Result<Value, Error> {
    Api::find(target, Role::Admin)?.post(PATH, settings).await
}

/// The settings with what the options name in place of what they had.
fn changed(mut settings: Value, wanted: SetIsolation) -> Value {
    if let Some(driver) = wanted.driver {
        settings["default_driver"] = json!(driver);
    }
    if let Some(Minimum(level)) = wanted.min {
        settings["min_isolation"] = json!(level);
    }
    for (tool, Minimum(level)) in wanted.tool {
        match level {
            Some(level) => settings["tools"][tool] = json!(level),
            None => drop(settings["tools"].as_object_mut().and_then(|tools| tools.remove(&tool))),
        }
    }
    for (maker, image) in wanted.image {
        match image {
            Some(image) => settings["images"][maker] = json!(image),
            None => drop(settings["images"].as_object_mut().and_then(|images| images.remove(&maker))),
        }
    }
    if !wanted.toolchain.is_empty() {
        let named: Option<Vec<Toolchain>> = wanted.toolchain.into_iter().map(|Named(one)| one).collect();
        settings["toolchains"] = json!(named);
    }
    settings
}

fn lines(settings: &Value) -> Vec<String> {
    let text = |key: &str, otherwise: &str| settings[key].as_str().unwrap_or(otherwise).to_owned();
    let mut lines = vec![
        format!("{:<16} {}", "default driver", text("default_driver", "worker-container (default)")),
        format!("{:<16} {}", "minimum", text("min_isolation", "the operator's")),
    ];
    let named = settings["toolchains"].as_array().map(|named| named.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "));
    lines.push(format!("{:<16} {}", "toolchains", named.as_deref().map_or("all", |named| if named.is_empty() { "none" } else { named })));
    for (maker, image) in settings["images"].as_object().into_iter().flatten() {
        lines.push(format!("{:<16} {}", format!("image of {maker}"), image.as_str().unwrap_or_default()));
    }
    for (tool, level) in settings["tools"].as_object().into_iter().flatten() {
        lines.push(format!("{tool:<16} {}", level.as_str().unwrap_or_default()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use nofx_shared::drivers::Level;
    use serde_json::json;

    use super::{Minimum, Named, SetIsolation, changed, image, lines, minimum, tool_minimum, toolchain};

    #[test]
    fn a_minimum_is_a_level_or_none() {
        assert_eq!(minimum("L3"), Ok(Minimum(Some(Level::L3))));
        assert_eq!(minimum("none"), Ok(Minimum(None)));
        assert_eq!(tool_minimum("gate:*=L2"), Ok(("gate:*".to_owned(), Minimum(Some(Level::L2)))));
        for wrong in ["", "L5", "l3", "3", "L3 "] {
            assert!(minimum(wrong).is_err(), "{wrong}");
        }
        for wrong in ["bash", "=L3", "bash=", "bash=L9", "bash:L3"] {
            assert!(tool_minimum(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_named_stays_as_it_is() {
        let settings = json!({"default_driver": "e2b", "min_isolation": "L2", "tools": {"bash": "L3", "gate:*": "L2"}});
        let wanted = SetIsolation {
            driver: None,
            min: None,
            tool: vec![("bash".to_owned(), Minimum(None)), ("http".to_owned(), Minimum(Some(Level::L1)))],
            image: vec![],
            toolchain: vec![],
        };
        let set = changed(settings, wanted);
        assert_eq!(set, json!({"default_driver": "e2b", "min_isolation": "L2", "tools": {"gate:*": "L2", "http": "L1"}}));
        let wanted =
            SetIsolation { driver: Some("modal".to_owned()), min: Some(Minimum(None)), tool: vec![], image: vec![], toolchain: vec![] };
        assert_eq!(
            changed(set, wanted),
            json!({"default_driver": "modal", "min_isolation": null, "tools": {"gate:*": "L2", "http": "L1"}})
        );
    }

    #[test]
    fn images_and_toolchains_are_set_and_removed() {
        let none = SetIsolation { driver: None, min: None, tool: vec![], image: vec![], toolchain: vec![] };
        let wanted = SetIsolation {
            image: ["e2b=own", "modal=none"].map(|text| image(text).expect("an image")).into(),
            toolchain: ["rust", "node"].map(|text| toolchain(text).expect("a name")).into(),
            ..none
        };
        let set = changed(json!({"images": {"modal": "base"}, "toolchains": null}), wanted);
        assert_eq!(set, json!({"images": {"e2b": "own"}, "toolchains": ["rust", "node"]}));
        let all = SetIsolation { driver: None, min: None, tool: vec![], image: vec![], toolchain: vec![Named(None)] };
        assert_eq!(changed(set, all)["toolchains"], json!(null));
        for wrong in ["base", "=base", "e2b=", "e2b=--privileged", "e2b=a b"] {
            assert!(image(wrong).is_err(), "{wrong}");
        }
        assert!(toolchain("../x").is_err() && toolchain("").is_err());
    }

    #[test]
    fn settings_say_what_null_means() {
        let empty = json!({"default_driver": null, "min_isolation": null, "tools": {"bash": "L3"}});
        assert_eq!(
            lines(&empty),
            [
                "default driver   worker-container (default)",
                "minimum          the operator's",
                "toolchains       all",
                "bash             L3"
            ]
        );
    }
}
