/// A random number of 64 bits, for the seeds of a workflow.
///
/// ```
/// # use comfy_api_client::workflow::schema::Schemas;
/// # let mut workflow = comfy_api_client::Workflow::default();
/// # let schemas = Schemas::new();
/// let changes = workflow.randomize_noise_seeds(comfy_api_client::random_seed(), &schemas);
/// ```
#[must_use]
pub fn random_seed() -> u64 {
    let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
    // A few bits of each half are fixed.
    high ^ low.rotate_left(32)
}
