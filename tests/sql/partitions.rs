//! Partitions of the event log while they are read.

use nofx_tests::own::Own;
use tokio_postgres::NoTls;

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn a_day_that_is_being_read_is_dropped_the_next_time() {
    let stack = Own::start(&Own::folder("partitions"), &["--workers", "0"]);
    let dev = stack.dev();
    let url = dev["db_url"].as_str().expect("a URL");
    let (reader, writer) = (connect(url).await, connect(url).await);
    let create = "create table nofx.event_20200101 partition of nofx.event for values from ('2020-01-01') to ('2020-01-02')";
    reader.batch_execute(create).await.expect("a partition");
    reader.batch_execute("begin; lock table nofx.event_20200101 in access share mode").await.expect("it is being read");
    let drop =
        "select set_config('request.jwt.claims', '{\"role\": \"service_role\"}', false), array(select nofx.maintain_event_partitions())";
    // It gives up, although the reader never ends: claims, which write events, wait for a tenth of a second at most.
    let dropped: Vec<String> = writer.query_one(drop, &[]).await.expect("it gives up").get(1);
    assert_eq!(dropped, Vec::<String>::new());
    reader.batch_execute("commit").await.expect("it was read");
    let dropped: Vec<String> = writer.query_one(drop, &[]).await.expect("it drops").get(1);
    assert_eq!(dropped, ["event_20200101"]);
}
