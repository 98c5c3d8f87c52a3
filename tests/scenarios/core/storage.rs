use std::time::Duration;

use nofx_shared::storage::{ARTIFACTS, Content, Storage};
use nofx_tests::faults::Way;
use nofx_tests::stack::STACK;

#[tokio::test(flavor = "multi_thread")]
async fn a_large_upload_goes_on_where_it_was_when_the_connection_is_lost() {
    let way = Way::to(STACK.get("supabase_url")).await;
    let storage = Storage::new(&way.url, STACK.get("service_role_key"));
    storage.ensure_bucket().await.expect("a bucket");
    let path = format!("test/{}", uuid::Uuid::now_v7());
    let bytes: Vec<u8> = (0..20_000_000u32).map(|at| (at % 251) as u8).collect();
    let content = Content::Bytes(bytes.clone().into());
    let cutting = async {
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(60)).await;
            way.cut();
            tokio::time::sleep(Duration::from_millis(30)).await;
            way.mend();
        }
    };
    let (uploaded, ()) = tokio::join!(storage.upload(&path, "application/octet-stream", &content), cutting);
    uploaded.expect("it is stored");
    let url = storage.sign(&path, Duration::from_secs(60)).await.expect("a URL");
    let stored = nofx_shared::net::client().get(url).send().await.expect("an answer").bytes().await.expect("bytes");
    assert!(stored == bytes, "{} bytes of {} are stored, or others", stored.len(), bytes.len());

    // What cannot be stored is told at once and not tried again.
    let missing = Content::File { path: "/no/such/file".into(), size: 20_000_000 };
    let begun = std::time::Instant::now();
    let refused = storage.upload("test/no-such-file", "application/octet-stream", &missing).await.expect_err("there is no file");
    assert!(refused.is_about_the_call() && begun.elapsed() < Duration::from_secs(5), "{refused} in the bucket {ARTIFACTS}");
}
