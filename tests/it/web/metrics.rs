//! `/metrics`, over real HTTP: with a token set, nobody reads it without.

use reeve::config::Config;
use secrecy::SecretString;

use super::http::{Visitor, send};
use super::world::World;

const TOKEN: &str = "a-token-for-the-collector";

async fn world(token: &str) -> World {
    let mut config = Config::load_from(None, &[]).expect("the defaults load");
    config.kpi.metrics_token = SecretString::from(token.to_owned());
    World::of(config).await
}

#[tokio::test]
async fn with_a_token_set_nobody_reads_the_metrics_without_it() {
    let world = Box::pin(world(TOKEN)).await;
    let signed_in = Visitor::sign_in(&world, "pia").await;
    let with = |value: &str| format!("Bearer {value}");
    let (wrong, short, twice) = (with("another"), with(&TOKEN[..8]), with(&format!("{TOKEN} {TOKEN}")));
    let tried: [&[(&str, &str)]; 10] = [
        &[],
        &[("x-forwarded-for", "127.0.0.1")],
        &[("forwarded", "for=127.0.0.1;proto=https")],
        &[("x-real-ip", "127.0.0.1")],
        &[("cookie", &signed_in.cookie)],
        &[("authorization", &wrong)],
        &[("authorization", &short)],
        &[("authorization", &twice)],
        &[("authorization", "Bearer ")],
        &[("authorization", "Basic YTpiLXRva2Vu")],
    ];
    for headers in tried {
        for method in ["GET", "HEAD"] {
            for path in ["/metrics", "/metrics/", "//metrics", "/metrics?x=1", "/./metrics"] {
                let answer = send(&world, method, path, headers, "").await;
                assert_ne!(answer.status, 200, "{method} {path} {headers:?}: {}", answer.body);
                assert!(!answer.body.contains("reeve_"), "{method} {path} {headers:?}: {}", answer.body);
            }
        }
    }
    let right = with(TOKEN);
    let answer = send(&world, "GET", "/metrics", &[("authorization", &right)], "").await;
    assert!(answer.status == 200 && answer.body.contains("reeve_info"), "{}", answer.body);
}

#[tokio::test]
async fn without_one_a_page_that_is_open_to_this_machine_only_shows_them() {
    let world = Box::pin(world("")).await;
    let answer = send(&world, "GET", "/metrics", &[], "").await;
    assert!(answer.status == 200 && answer.body.contains("reeve_info"), "{}", answer.body);
}
