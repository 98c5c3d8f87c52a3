//! On a clock that stands still until it is set. A worker that is cut off from a real database is tested by the chaos tests.

use super::*;

const LENGTH: Duration = Duration::from_secs(30);

fn extended(leases: &mut Leases, sent_at: Instant, tokens: &[Uuid], result: Result<Vec<(Uuid, bool)>, Error>) {
    let result = result.map(|valid| valid.into_iter().map(|(token, is_extended)| ExtendedLease { token, is_extended }).collect());
    leases.receive_heartbeat(Heartbeat { sent_at, tokens: tokens.to_vec(), result });
}

#[tokio::test(start_paused = true)]
async fn a_step_is_stopped_before_its_lease_ends_when_no_heartbeat_gets_through() {
    let mut leases = Leases::new(LENGTH);
    let (sent_at, token, step) = (Instant::now(), Uuid::now_v7(), Uuid::now_v7());
    // The claim's reply took seconds: the lease began when it was sent at the earliest.
    tokio::time::advance(Duration::from_secs(7)).await;
    let stop = leases.start(step, token, sent_at);
    let at = sent_at + Duration::from_secs(24);
    assert_eq!(leases.next_fence(), Some(at));
    extended(&mut leases, Instant::now(), &[token], Err(Error::Unavailable("cut".to_owned())));
    assert_eq!(leases.next_fence(), Some(at), "a heartbeat that failed extends nothing");
    assert!(leases.fence(at - Duration::from_millis(1)).is_empty() && !stop.is_cancelled());
    assert_eq!(leases.fence(at), [step]);
    assert!(stop.is_cancelled());
    assert_eq!((leases.next_fence(), leases.fence(at)), (None, vec![]), "once");
    assert!(leases.finish(token), "whatever its result is, it does not count");
    leases.settled(token);
    assert!(leases.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_counts_from_when_it_was_sent_and_only_where_it_extended() {
    let mut leases = Leases::new(LENGTH);
    let begun = Instant::now();
    let tokens: [Uuid; 4] = std::array::from_fn(|_| Uuid::now_v7());
    let stops = tokens.map(|token| leases.start(token, token, begun));
    assert!(!leases.finish(tokens[3]));
    let sent_at = begun + Duration::from_secs(10);
    tokio::time::advance(Duration::from_secs(19)).await;
    extended(&mut leases, sent_at, &tokens, Ok(vec![(tokens[0], true), (tokens[1], false), (tokens[3], true)]));
    assert_eq!(stops.each_ref().map(CancellationToken::is_cancelled), [false, false, true, false], "one is no longer valid");
    let mut fenced = leases.fence(begun + Duration::from_secs(24));
    fenced.sort_unstable();
    assert_eq!(fenced, [tokens[1], tokens[2]], "of the locked row, and of the one that stops anyway; not of a result");
    assert_eq!(leases.next_fence(), Some(sent_at + Duration::from_secs(24)));
    assert_eq!(leases.running(), 3);
}

#[tokio::test(start_paused = true)]
async fn one_heartbeat_is_sent_at_a_time_also_for_results_that_are_not_settled() {
    let db = Db::new("http://127.0.0.1:9", "key", "token");
    let (mut leases, metrics) = (Leases::new(LENGTH), Metrics::new());
    let (running, finished, fenced) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    leases.start(fenced, fenced, Instant::now() - LENGTH);
    leases.fence(Instant::now());
    for token in [running, finished] {
        leases.start(token, token, Instant::now());
    }
    leases.finish(finished);
    leases.send_heartbeat(&db, &metrics);
    assert!(leases.heartbeat.is_empty(), "they are young");
    tokio::time::advance(Duration::from_secs(1)).await;
    leases.send_heartbeat(&db, &metrics);
    leases.send_heartbeat(&db, &metrics);
    assert_eq!(leases.heartbeat.len(), 1);
    let mut tokens = leases.next_heartbeat().await.expect("it was sent").expect("no panic").tokens;
    tokens.sort_unstable();
    assert_eq!(tokens, [running, finished]);
}
