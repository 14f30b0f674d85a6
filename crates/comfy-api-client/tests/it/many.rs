//! Many jobs on one client.

use comfy_api_client::Client;
use futures_util::future::join_all;

use crate::support::{TestServer, behaviour, fresh, picture};

const MANY: usize = 200;

async fn run(client: &Client, color: u32) {
    let outputs = client.submit(&picture(color)).await.unwrap().await.unwrap();
    assert_eq!(outputs.files().count(), 1);
}

behaviour! {
    async fn two_hundred_jobs_one_after_the_other_all_end_with_their_outputs(server) {
        let client = server.client().await;
        let first = fresh();
        for n in 0..MANY {
            run(&client, (first + n as u32) % 0xff_ffff).await;
        }
    }
}

behaviour! {
    async fn two_hundred_jobs_at_once_all_end_with_their_outputs(server) {
        let client = server.client().await;
        let first = fresh();
        join_all((0..MANY).map(|n| run(&client, (first + n as u32) % 0xff_ffff))).await;
    }
}
