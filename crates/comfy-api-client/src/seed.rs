/// A random noise seed, of the whole range of 64 bits.
///
/// ```
/// # let mut workflow = comfy_api_client::Workflow::default();
/// workflow.replace_noise_seeds(comfy_api_client::random_seed);
/// ```
#[must_use]
pub fn random_seed() -> u64 {
    let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
    // A few bits of each half are fixed.
    high ^ low.rotate_left(32)
}
