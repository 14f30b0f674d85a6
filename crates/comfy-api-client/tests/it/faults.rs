//! A short run of the fault campaign; `docs/faults.md` has the long one.

#[path = "../../examples/faults/campaign/mod.rs"]
mod campaign;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use campaign::{Rates, Settings, Sort};

use crate::support::in_time;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_end_once_and_with_the_truth_whatever_happens_to_connections_and_servers() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        jobs: 300,
        seed: 1,
        clients: 12,
        servers: 2,
        rates: Rates { requests: 120, messages: 25 },
        restart_every: 60,
        folder: folder.path().to_owned(),
    };
    let ended = Arc::<AtomicU64>::default();
    let report = in_time(campaign::run(&settings, Arc::clone(&ended))).await.unwrap();
    let (ends, faults) = (&report.ends, &report.faults);
    assert_eq!(ended.load(Ordering::Relaxed), settings.jobs);
    for sort in [Sort::Hung, Sort::Lost, Sort::False, Sort::Doubled] {
        let of_sort = report.violations.iter().filter(|violation| violation.sort == sort);
        let violations: Vec<_> =
            of_sort.map(|violation| format!("job {}: {}", violation.job, violation.what)).collect();
        assert!(violations.is_empty(), "{sort:?}, seed {}: {}", settings.seed, violations.join("\n"));
    }
    assert_eq!(ends.values().sum::<u64>(), settings.jobs, "{ends:?}");
    assert!(faults.values().sum::<u64>() > 200, "{faults:?} in {:?}", report.time);
    assert!(report.told.values().sum::<u64>() > 0, "{:?}", report.told);
}
