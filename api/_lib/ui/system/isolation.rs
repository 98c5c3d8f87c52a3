//! What the tenant demands of where its steps run: shown here, set with `nofx isolation`.

use std::collections::BTreeMap;

use maud::{Markup, html};
use nofx_shared::db::{Db, Error, Query};
use serde::Deserialize;

#[derive(Default, Deserialize)]
pub(super) struct Settings {
    default_driver: Option<String>,
    min_isolation: Option<String>,
    tools: BTreeMap<String, String>,
    images: BTreeMap<String, String>,
    toolchains: Option<Vec<String>>,
}

pub(super) async fn read(db: &Db) -> Result<Settings, Error> {
    let query = Query::of("isolation", [("select", "default_driver,min_isolation,tools,images,toolchains")]);
    Ok(db.read::<Vec<Settings>>(&query).await?.into_iter().next().unwrap_or_default())
}

pub(super) fn draw(settings: &Settings) -> Markup {
    let toolchains = match settings.toolchains.as_deref() {
        None => "all".to_owned(),
        Some([]) => "none".to_owned(),
        Some(named) => named.join(", "),
    };
    html! {
        dl.facts {
            div { dt { "Default driver" } dd { (settings.default_driver.as_deref().unwrap_or("worker-container")) } }
            div { dt { "Minimum" } dd { (settings.min_isolation.as_deref().unwrap_or("the operator's")) } }
            @for (tool, level) in &settings.tools { div { dt { "Minimum of " (tool) } dd { (level) } } }
            @for (maker, image) in &settings.images { div { dt { "Image of " (maker) } dd { (image) } } }
            div { dt { "Toolchains" } dd { (toolchains) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Settings, draw};

    #[test]
    fn settings_are_shown_and_escaped_and_what_is_not_set_has_its_default() {
        let none = draw(&Settings::default()).into_string();
        assert!(
            none.contains("<dd>worker-container</dd>") && none.contains("<dd>the operator's</dd>") && none.contains("<dd>all</dd>"),
            "{none}"
        );
        let settings = r#"{"default_driver": "e2b", "min_isolation": "L3", "tools": {"gate:*": "L4"}, "images": {"e2b": "<base>"}, "toolchains": ["rust"]}"#;
        let all = draw(&serde_json::from_str(settings).expect("settings")).into_string();
        for part in ["<dd>e2b</dd>", "<dt>Minimum of gate:*</dt><dd>L4</dd>", "<dt>Image of e2b</dt><dd>&lt;base&gt;</dd>", "<dd>rust</dd>"]
        {
            assert!(all.contains(part), "{part}: {all}");
        }
    }
}
