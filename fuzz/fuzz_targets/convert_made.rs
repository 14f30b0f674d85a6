//! Documents and classes made out of bytes, so that they fit each other.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok((document, schemas)) = comfy_fuzz::made(data) {
        comfy_fuzz::check_conversion(document, &schemas);
    }
});
