//! The nodes that the recordings of real servers were made with: small ones that sleep, fail, report progress, send
//! messages, expand and return lists, and those of ComfyUI's own test suite.

use super::NodeClass;

mod conditions;
mod expanding;
mod failing;
mod flow;
mod lists;
mod loops;
mod reporting;
mod stubs;
mod types;

/// Where the pack of the `Probe` nodes lies on the simulated machine: Python names its exceptions after it.
const PROBE_PACK: &str = "/srv/data/custom_nodes/demo_probe";

static CLASSES: &[NodeClass] = &[
    NodeClass::new("ProbeProgress", reporting::progress),
    NodeClass::new("ProbeRaise", failing::raise),
    NodeClass::new("ProbeSleep", reporting::sleep),
    NodeClass::new("ProbeText", reporting::text),
    NodeClass::new("ProbeProgressText", reporting::progress_text),
    NodeClass::new("ProbeEvent", reporting::event),
    NodeClass::new("ProbeList", lists::probe_list),
    NodeClass::new("ProbeAudio", types::audio),
    NodeClass::new("ProbeUi", types::probe_ui),
    NodeClass::new("ProbeFile", types::file),
    NodeClass::new("ProbeExpand", expanding::probe_expand),
    NodeClass { is_async: true, ..NodeClass::new("ProbeAsync", reporting::asynchronous) },
    NodeClass::new("ProbeLog", reporting::log),
    NodeClass { changed: Some(types::always), ..NodeClass::new("ProbeNever", types::never) },
    NodeClass::new("ProbeTypes", types::types),
    NodeClass::new("ProbeRequired", types::nothing),
    NodeClass::new("ProbeValidate", types::validated),
    NodeClass::new("ProbeV3", types::v3),
    NodeClass::new("ProbeV3Validate", types::v3_validated),
    NodeClass { lazy: Some(flow::lazy_mix), ..NodeClass::new("TestLazyMixImages", flow::mix_images) },
    NodeClass { takes_others: true, ..NodeClass::new("TestVariadicAverage", flow::average) },
    NodeClass {
        changed: Some(flow::should_change),
        ..NodeClass::new("TestCustomIsChanged", flow::first_image)
    },
    NodeClass { changed: Some(flow::value), ..NodeClass::new("TestIsChangedWithConstants", flow::scaled) },
    NodeClass::new("TestCustomValidation1", flow::product),
    NodeClass::new("TestCustomValidation2", flow::product),
    NodeClass::new("TestCustomValidation3", flow::product),
    NodeClass::new("TestCustomValidation4", flow::product),
    NodeClass::new("TestCustomValidation5", flow::product),
    NodeClass::new("TestDynamicDependencyCycle", expanding::cycle),
    NodeClass::new("TestMixedExpansionReturns", expanding::mixed),
    NodeClass::new("TestSamplingInExpansion", expanding::sampling),
    NodeClass { is_async: true, ..NodeClass::new("TestSleep", reporting::test_sleep) },
    NodeClass::new("TestParallelSleep", expanding::parallel_sleep),
    NodeClass::new("TestOutputNodeWithSocketOutput", flow::scaled),
    NodeClass::new("TestExecutionBlocker", flow::blocker),
    NodeClass::new("TestWhileLoopOpen", loops::while_open),
    NodeClass::new("TestWhileLoopClose", loops::while_close),
    NodeClass::new("TestForLoopOpen", loops::for_open),
    NodeClass::new("TestForLoopClose", loops::for_close),
    NodeClass::new("TestAccumulateNode", lists::accumulate),
    NodeClass::new("TestAccumulationHeadNode", lists::head),
    NodeClass::new("TestAccumulationTailNode", lists::tail),
    NodeClass::new("TestAccumulationToListNode", lists::to_list),
    NodeClass { takes_lists: true, ..NodeClass::new("TestListToAccumulationNode", lists::from_list) },
    NodeClass::new("TestAccumulationGetLengthNode", lists::length),
    NodeClass::new("TestAccumulationGetItemNode", lists::item),
    NodeClass::new("TestAccumulationSetItemNode", lists::set_item),
    NodeClass::new("TestMakeListNode", lists::make_list),
    NodeClass::new("TestIntMathOperation", conditions::int_math),
    NodeClass::new("TestIntConditions", conditions::numbers),
    NodeClass::new("TestFloatConditions", conditions::numbers),
    NodeClass::new("TestStringConditions", conditions::strings),
    NodeClass::new("TestToBoolNode", conditions::to_bool),
    NodeClass::new("TestBoolOperationNode", conditions::bools),
    NodeClass::new("StubImage", stubs::image),
    NodeClass::new("StubConstantImage", stubs::constant_image),
    NodeClass::new("StubMask", stubs::mask),
    NodeClass::new("StubInt", stubs::value),
    NodeClass::new("StubFloat", stubs::value),
    NodeClass { is_async: true, ..NodeClass::new("TestAsyncValidation", flow::share_of_threshold) },
    NodeClass { is_async: true, ..NodeClass::new("TestAsyncError", failing::async_error) },
    NodeClass { is_async: true, ..NodeClass::new("TestAsyncValidationError", flow::share_of_most) },
    NodeClass { is_async: true, ..NodeClass::new("TestAsyncTimeout", failing::async_timeout) },
    NodeClass::new("TestSyncError", failing::sync_error),
    NodeClass {
        lazy: Some(flow::lazy_choice),
        is_async: true,
        ..NodeClass::new("TestAsyncLazyCheck", flow::async_choice)
    },
    NodeClass::new("TestDynamicAsyncGeneration", expanding::async_generation),
    NodeClass { is_async: true, ..NodeClass::new("TestAsyncResourceUser", reporting::resource_user) },
    NodeClass { is_async: true, ..NodeClass::new("TestAsyncBatchProcessing", reporting::batch_processing) },
    NodeClass { is_async: true, ..NodeClass::new("TestAsyncConcurrentLimit", reporting::concurrent_limit) },
    NodeClass { is_async: true, ..NodeClass::new("TestAsyncProgressUpdate", reporting::progress_update) },
    NodeClass::new("TestSyncProgressUpdate", reporting::progress_update),
];

/// All classes of the pack.
pub(super) fn classes() -> &'static [NodeClass] {
    CLASSES
}
