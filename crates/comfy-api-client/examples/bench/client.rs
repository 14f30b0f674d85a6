//! The same with the client, and what else it is to do.

use std::future::IntoFuture;

use comfy_api_client::protocol::FileRef;
use comfy_api_client::workflow::schema::InputSpec;
use comfy_api_client::{Client, Job, Workflow};
use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::Failure;
use crate::bare::workflow;
use crate::measure::{Measure, Measured};

/// Jobs one after the other.
pub(crate) async fn sequential(url: &str, jobs: u32) -> Result<Measured, Failure> {
    let client = ready(url).await?;
    let measure = Measure::start()?;
    for job in 0..jobs {
        run(&client, job).await?;
    }
    measure.stop()
}

/// Jobs at once.
pub(crate) async fn concurrent(url: &str, jobs: u32) -> Result<Measured, Failure> {
    let client = ready(url).await?;
    let measure = Measure::start()?;
    try_join_all((0..jobs).map(|job| run(&client, job))).await?;
    measure.stop()
}

/// A client whose socket is open, as that of the bare loop is when it is measured.
async fn ready(url: &str) -> Result<Client, Failure> {
    let client = Client::connect(url).await?;
    run(&client, 0xff_fffe).await?;
    Ok(client)
}

async fn run(client: &Client, job: u32) -> Result<(), Failure> {
    let workflow = Workflow::from_value(workflow(job))?;
    let outputs = client.submit(&workflow).await?.await?;
    if outputs.files().count() == 1 { Ok(()) } else { Err("a job has no output".into()) }
}

/// Jobs that are all accepted before the first of them ends, and then all followed to their ends. The first one takes
/// its time on the server; the others ask for the same picture, and are quick once their turn comes.
pub(crate) async fn in_flight(url: &str, jobs: u32) -> Result<Measured, Failure> {
    let client = Client::connect(url).await?;
    let workflow = Workflow::from_value(workflow(0))?;
    let measure = Measure::start()?;
    let accepted = try_join_all((0..jobs).map(|_| async { client.submit(&workflow).await })).await?;
    let info: serde_json::Value = reqwest::get(format!("{url}/prompt")).await?.json().await?;
    let waiting = info.pointer("/exec_info/queue_remaining").and_then(serde_json::Value::as_u64);
    if waiting != Some(u64::from(jobs)) {
        return Err(format!("{waiting:?} jobs were in flight instead of {jobs}").into());
    }
    for outputs in try_join_all(accepted.into_iter().map(Job::into_future)).await? {
        if outputs.files().count() != 1 {
            return Err("a job has no output".into());
        }
    }
    measure.stop()
}

/// The descriptions of all node classes, and with `walk` a look at every input of theirs, which is when it is read in full.
pub(crate) async fn schemas(url: &str, walk: bool) -> Result<Measured, Failure> {
    let client = Client::builder(url).build()?;
    let measure = Measure::start()?;
    let schemas = client.object_info().await?;
    let choices = |spec: &InputSpec| if walk { spec.choices().len() } else { 0 };
    let seen: usize = schemas.iter().flat_map(|(_, schema)| &schema.inputs).map(choices).sum();
    let measured = measure.stop()?;
    // After the measurement, so that the memory at its end is that of the descriptions.
    let inputs: usize = schemas.iter().map(|(_, schema)| schema.inputs.len()).sum();
    if inputs < schemas.len() || (walk && seen < inputs) {
        Err("not all was read".into())
    } else {
        Ok(measured)
    }
}

/// A large file, read to its end or saved.
pub(crate) async fn download(url: &str, file: &str, to: Option<&str>) -> Result<Measured, Failure> {
    let client = Client::connect(url).await?;
    let file = FileRef::new(file);
    let measure = Measure::start()?;
    let download = client.download(&file).await?;
    let expected = download.size().ok_or("the size is not known")?;
    let bytes = match to {
        Some(path) => download.save_as(path).await?,
        None => {
            let pieces = download.into_stream().map(|piece| piece.map(|piece| piece.len() as u64));
            pieces.try_fold(0, |sum, bytes| async move { Ok(sum + bytes) }).await?
        }
    };
    if bytes == expected { measure.stop() } else { Err("a part of the file is missing".into()) }
}
