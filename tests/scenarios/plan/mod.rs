#[path = "."]
mod every_host {
    mod refusals;
}
