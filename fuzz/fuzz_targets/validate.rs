//! Prompts as they are submitted, against the classes of a real server. Seeds: prompts that were recorded.
#![no_main]

use comfy_workflow::Workflow;
use comfy_workflow::validate::{Options, Profile, Titles, Verdict, validate};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|data: &[u8]| {
    let Ok(prompt) = comfy_workflow::json::from_slice::<serde_json::Value>(data) else { return };
    let titles = Titles::from_prompt(&prompt);
    for profile in [Profile::V0_3_64, Profile::V0_8_0, Profile::V0_30_0] {
        let verdict = validate(&prompt, &Options::new(comfy_fuzz::schemas()).profile(profile));
        if let Verdict::Rejected(rejection) = verdict {
            let _ = rejection.report().titles(&titles).to_string();
        }
    }
    let _ = Workflow::from_value(prompt);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed % 8 == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    comfy_fuzz::mutate(data, size, max_size, seed).unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});
