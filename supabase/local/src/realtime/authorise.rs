//! Who may read a private topic: those whom row-level security of `realtime.messages` lets read one of its messages.

use serde_json::Value;
use tokio_postgres::{Error, NoTls};

/// Writes a message of the topic and checks whether the holder of these claims can read it; the transaction is rolled back.
pub(super) async fn may_read(db_url: &str, claims: &Value, topic: &str) -> Result<bool, Error> {
    let (mut client, connection) = tokio_postgres::connect(db_url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let role = if claims["role"] == "service_role" { "service_role" } else { "authenticated" };
    let transaction = client.transaction().await?;
    transaction.execute("insert into realtime.messages (topic, extension, event) values ($1, 'broadcast', 'join')", &[&topic]).await?;
    transaction
        .execute(
            "select set_config('realtime.topic', $1, true), set_config('request.jwt.claims', $2, true)",
            &[&topic, &claims.to_string()],
        )
        .await?;
    transaction.batch_execute(&format!("set local role {role}")).await?;
    let seen = transaction.query_one("select count(*) from realtime.messages where topic = $1", &[&topic]).await?.get::<_, i64>(0) > 0;
    transaction.rollback().await?;
    drop(client);
    connection.abort();
    Ok(seen)
}
