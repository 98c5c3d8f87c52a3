use nofx_tests::lambda::Lambda;
use nofx_tests::stack::{STACK, binary};
use nofx_tests::suite;

#[tokio::test(flavor = "multi_thread")]
async fn the_scenarios_pass_on_lambda() {
    let mut settings = crate::settings(STACK.dev());
    // Lambda does not notify a function that its client disconnected.
    settings.push(("NOFX_STREAM_S".to_owned(), "20".to_owned()));
    let lambda = Lambda::start(binary().with_file_name("nofx-lambda"), settings).await;
    let folder = tempfile::tempdir().expect("a folder");
    suite::scenarios(STACK.dev(), &lambda.url, folder.path()).await;
    assert!(lambda.started() > 1 || suite::is_part(), "requests at the same time have processes of their own");
}
