//! The run of one prompt.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, Scope};

use comfy_protocol::NodeOutput;
use comfy_workflow::NodeId;
use comfy_workflow::schema::Schemas;
use serde_json::{Map, Value as Json};

use super::cache::{Cache, Outcome};
use super::call::{Called, Caller, Gathered};
use super::graph::{Fatal, Graph, Node, Source};
use super::merge::{Gains, by_slot};
use super::messages::{Speaker, Voice};
use super::order::Order;
use super::{call, report};
use crate::nodes::{NodeError, Origin, Origins, Reach, Setting, Sleep, Stage as _, as_link};
use crate::options::CachePolicy;
use crate::python::string_repr;
use crate::queue::SharedItem;
use crate::state::State;
use crate::value::Value;
use crate::version::ServerVersion;

/// Nodes that run beside others at a time. More run one after the other.
const MOST_TASKS: usize = 64;

/// Why the worker cannot go on after a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Abort {
    Fatal,
    Stopping,
}

impl From<Fatal> for Abort {
    fn from(Fatal: Fatal) -> Self {
        Self::Fatal
    }
}

/// How a node's turn ended.
enum Turn {
    Done,
    /// It waits for other nodes.
    Waits,
    /// It runs beside others.
    Runs,
}

/// Why a node did not finish.
enum Stop {
    /// With the values of its inputs, as far as they are known.
    Error(Box<(NodeError, Map<String, Json>)>),
    Fatal,
}

impl From<Fatal> for Stop {
    fn from(Fatal: Fatal) -> Self {
        Self::Fatal
    }
}

impl Stop {
    fn failure(error: NodeError, inputs: Map<String, Json>) -> Self {
        Self::Error(Box::new((error, inputs)))
    }
}

/// A node that runs beside others has come to an end.
struct Ended {
    node: usize,
    gathered: Gathered,
    calls: Result<Vec<Called>, NodeError>,
}

/// Runs a prompt, tells about it and writes its record.
pub(super) fn run(state: &State, item: &SharedItem, cache: &mut Cache) -> Result<(), Abort> {
    let voice = Voice::new(state, item);
    voice.start();
    let schemas = state.nodes.schemas_for(&item.0.prompt);
    let success = thread::scope(|scope| {
        let mut run = Run::new(state, item, cache, &schemas, &voice, scope)?;
        let ended = run.run_all();
        run.finish_record();
        // The threads of nodes that are still running see it.
        voice.end();
        ended
    })?;
    voice.leave(success);
    Ok(())
}

/// A prompt that runs.
struct Run<'a, 'scope, 'env> {
    state: &'scope State,
    item: &'scope SharedItem,
    voice: &'scope Voice<'scope>,
    graph: Graph<'scope>,
    /// The prompt as nodes write it into files: with the results of the change checks.
    prompt: Arc<Json>,
    order: Order,
    results: Vec<Option<Arc<Outcome>>>,
    /// The nodes that this run has finished.
    executed: Vec<NodeId>,
    /// What nodes have shown that are not done yet.
    shown: HashMap<usize, NodeOutput>,
    /// What stands behind the results of nodes that are not done yet.
    origins: HashMap<usize, Origins>,
    /// The results of nodes that wait for what they were expanded to.
    expanded: HashMap<usize, Vec<(Vec<Value>, bool)>>,
    /// The results of nodes that ran beside others.
    ended: HashMap<usize, Ended>,
    tasks: usize,
    sender: Sender<Ended>,
    receiver: Receiver<Ended>,
    cache: &'a mut Cache,
    scope: &'scope Scope<'scope, 'env>,
}

impl<'a, 'scope, 'env> Run<'a, 'scope, 'env> {
    fn new(
        state: &'scope State,
        item: &'scope SharedItem,
        cache: &'a mut Cache,
        schemas: &'scope Schemas,
        voice: &'scope Voice<'scope>,
        scope: &'scope Scope<'scope, 'env>,
    ) -> Result<Self, Fatal> {
        let graph = Graph::new(&item.0.prompt, &state.nodes, schemas, &state.files)?;
        cache.prepare(&graph);
        let results = graph.nodes.iter().map(|node| cache.get(node.signature)).collect();
        let (sender, receiver) = channel();
        Ok(Self {
            state,
            item,
            voice,
            prompt: with_changes(&item.0.prompt, &graph),
            graph,
            order: Order::default(),
            results,
            executed: Vec::new(),
            shown: HashMap::new(),
            origins: HashMap::new(),
            expanded: HashMap::new(),
            ended: HashMap::new(),
            tasks: 0,
            sender,
            receiver,
            cache,
            scope,
        })
    }

    /// Runs all nodes that the outputs need. Says whether all went well.
    fn run_all(&mut self) -> Result<bool, Abort> {
        let cached: Vec<_> = (0..self.results.len()).filter(|&at| self.results[at].is_some()).collect();
        self.voice.cached(cached.iter().map(|&at| self.graph.nodes[at].id.clone()).collect());
        for id in &self.item.0.outputs {
            if let Some(output) = self.graph.place(id) {
                self.order.add(&self.graph, output, |at| self.results[at].is_some())?;
            }
        }
        while !self.order.is_done() {
            self.receiver.try_iter().collect::<Vec<_>>().into_iter().for_each(|ended| self.take(ended));
            let Some(at) = self.order.next(&self.graph) else {
                if self.tasks == 0 {
                    // Nodes that ask for more can come to wait for each other.
                    let blamed = self.order.blamed().ok_or(Fatal)?;
                    self.voice.error(report::cycle(self.item, &self.graph, blamed, &self.executed));
                    return Ok(false);
                }
                let Ok(ended) = self.receiver.recv() else { return Err(Abort::Stopping) };
                self.take(ended);
                continue;
            };
            match self.visit(at) {
                Ok(Turn::Done) => self.order.done(at),
                Ok(Turn::Waits) => {}
                Ok(Turn::Runs) => self.order.suspend(at),
                Err(Stop::Fatal) => return Err(Abort::Fatal),
                Err(Stop::Error(failure)) => return self.fail(at, failure.0, failure.1),
            }
        }
        self.show_intermediate(&cached);
        self.voice.success();
        Ok(true)
    }

    fn take(&mut self, ended: Ended) {
        self.tasks -= 1;
        self.order.resume(ended.node);
        self.ended.insert(ended.node, ended);
    }

    fn fail(&mut self, at: usize, error: NodeError, inputs: Map<String, Json>) -> Result<bool, Abort> {
        match error.reach {
            Reach::Prompt => {
                let report =
                    report::report(self.item, &self.graph, at, &self.prompt, &self.executed, error, inputs);
                self.voice.error(report);
            }
            Reach::Interrupt => {
                let real = &self.graph.nodes[self.graph.nodes[at].real];
                self.voice.interrupted(real.id.clone(), real.class_type.clone(), self.executed.clone());
            }
            Reach::Worker => return Err(Abort::Fatal),
            Reach::Simulator => return Err(Abort::Stopping),
        }
        Ok(false)
    }

    /// Nodes that show results without being outputs show them again when they were not run.
    fn show_intermediate(&self, cached: &[usize]) {
        if self.state.options.version < ServerVersion::V0_30_0 {
            return;
        }
        for &at in cached {
            let node = &self.graph.nodes[at];
            if let (true, false, Some(result)) =
                (node.has_intermediate_output(), node.is_output(), &self.results[at])
                && result.ui.is_some()
            {
                self.voice.show_again(&Speaker::new(&self.graph, at), result.ui.as_ref());
            }
        }
    }

    /// The oldest version records what all nodes of the prompt have shown, whenever that was.
    fn finish_record(&self) {
        if self.state.options.version > ServerVersion::V0_3_64 {
            return;
        }
        for (at, result) in self.results.iter().enumerate() {
            if let Some(ui) = result.as_ref().and_then(|result| result.ui.as_ref()) {
                self.voice.record_output(&Speaker::new(&self.graph, at), ui);
            }
        }
    }

    /// A node's turn.
    fn visit(&mut self, at: usize) -> Result<Turn, Stop> {
        let speaker = Speaker::new(&self.graph, at);
        // Looked up again: an equal node may have run meanwhile.
        let known = self.results[at].clone().or_else(|| self.cache.get(self.graph.nodes[at].signature));
        if let Some(known) = known {
            if let (Some(assets), Some(ui)) = (&self.state.assets, &known.ui) {
                assets.shown_again(&ui.0, &self.item.0.prompt_id);
            }
            self.voice.was_known(&speaker, known.ui.as_ref());
            self.results[at] = Some(known);
            return Ok(Turn::Done);
        }
        if let Some(results) = self.expanded.remove(&at) {
            let inner = self.inner_origins(&results);
            self.origins.entry(at).or_default().0.extend(inner);
            let results = results.into_iter().map(|(outputs, leads_in)| self.resolved(outputs, leads_in));
            let results = results.collect();
            return Ok(self.complete(at, &speaker, results));
        }
        let (gathered, calls) = match self.ended.remove(&at) {
            Some(Ended { gathered, calls, .. }) => (gathered, calls),
            None => {
                self.voice.executing(&speaker);
                let caller = self.caller(at, speaker.clone());
                let failed = |error| Stop::failure(error, Map::new());
                // Looks for an interrupt as well, also when there is no delay.
                let struck = self.state.at_node(&self.item.0.prompt_id, &self.graph.nodes[at].class_type);
                caller
                    .sleep(
                        self.state.options.time_of(&self.graph.nodes[at].class_type) + struck.delay,
                        Sleep::Light,
                    )
                    .map_err(failed)?;
                if self.asks_for_more(at)? {
                    return Ok(Turn::Waits);
                }
                let gathered = self.inputs(&self.graph.nodes[at]).map_err(failed)?;
                if let Some(error) = struck.error {
                    return Err(Stop::failure(error, call::shown(&gathered, self.state.options.version)));
                }
                if self.graph.nodes[at].is_async() && self.tasks < MOST_TASKS {
                    self.start(at, caller, gathered);
                    return Ok(Turn::Runs);
                }
                let calls = self.check_names(at, &gathered).and_then(|()| caller.call_all(&gathered));
                (gathered, calls)
            }
        };
        let gains = calls.and_then(|calls| Gains::new(&self.graph.nodes[at], calls));
        let gains = gains
            .map_err(|error| Stop::failure(error, call::shown(&gathered, self.state.options.version)))?;
        if let Some(error) = self.expansion_fails(&gains) {
            return Err(Stop::failure(error, call::shown(&gathered, self.state.options.version)));
        }
        self.gain(at, &speaker, gains)
    }

    /// Lets the node run beside others.
    fn start(&mut self, at: usize, caller: Caller<'scope>, gathered: Gathered) {
        self.tasks += 1;
        let sender = self.sender.clone();
        self.scope.spawn(move || {
            let calls = caller.call_all(&gathered);
            // Nobody waits for it when the prompt has failed meanwhile.
            let _ = sender.send(Ended { node: at, gathered, calls });
        });
    }

    /// The oldest version cannot expand nodes without a cache: it does not find the new ones in it.
    fn expansion_fails(&self, gains: &Gains) -> Option<NodeError> {
        if self.state.options.version > ServerVersion::V0_3_64 || self.cache.policy() != CachePolicy::None {
            return None;
        }
        let first = gains.expansions.iter().flat_map(|expansion| &expansion.nodes).next()?;
        Some(NodeError::new("KeyError", string_repr(first.id.as_str())))
    }

    /// Uses what the calls of a node gave.
    fn gain(&mut self, at: usize, speaker: &Speaker, gains: Gains) -> Result<Turn, Stop> {
        for reason in gains.blocked {
            let class_type = &self.graph.nodes[at].class_type;
            self.voice.blocked(speaker, class_type, &reason, self.executed.clone());
        }
        if let Some(mut ui) = gains.ui {
            self.state.lasting.faults.spoil_output(&self.graph.nodes[at].class_type, &mut ui.0);
            if let Some(assets) = &self.state.assets {
                assets.identify(&mut ui.0, &self.state.files, &self.item.0.prompt_id);
            }
            self.voice.executed(speaker, &ui);
            self.shown.insert(at, ui);
        }
        let origins = self.origins_of(at, gains.origins);
        self.origins.insert(at, origins);
        if gains.expansions.is_empty() {
            let results = gains.results.into_iter().map(|(outputs, _)| outputs).collect();
            return Ok(self.complete(at, speaker, results));
        }
        for expansion in gains.expansions {
            let first = self.graph.expand(at, expansion, &self.state.files);
            for new in first..self.graph.nodes.len() {
                self.results.push(self.cache.get(self.graph.nodes[new].signature));
            }
            for new in first..self.graph.nodes.len() {
                if self.graph.nodes[new].is_output() {
                    self.order.add(&self.graph, new, |at| self.results[at].is_some())?;
                }
            }
        }
        let inner = gains.results.iter().filter(|(_, leads_in)| *leads_in).flat_map(|(outputs, _)| outputs);
        for value in inner {
            if let Some(from) = self.linked(value).map(|(from, _)| from) {
                self.order.wait_for(&self.graph, at, from.ok_or(Fatal)?, |at| self.results[at].is_some())?;
            }
        }
        self.expanded.insert(at, gains.results);
        Ok(Turn::Waits)
    }

    /// What stands behind the results of a node: what it says itself, else what stands behind its inputs.
    fn origins_of(&self, at: usize, said: Vec<Option<Arc<Origin>>>) -> Origins {
        let said: Vec<_> = said.into_iter().flatten().collect();
        if said.is_empty() {
            return self.setting(&self.graph.nodes[at]).origins;
        }
        Origins(said.into_iter().enumerate().map(|(call, origin)| (call.to_string(), origin)).collect())
    }

    /// What a node is told about the simulated nodes before it.
    fn setting(&self, node: &Node<'_>) -> Setting {
        let origin = |source: &Source| match source {
            Source::Link { node: Some(from), .. } => self.results[*from].as_ref()?.origin.clone(),
            _ => None,
        };
        let origins = node.inputs.iter().filter_map(|(name, source)| Some((name.clone(), origin(source)?)));
        let options = &self.state.options;
        Setting {
            origins: Origins(origins.collect()),
            step_time: options.step_time,
            previews: options.previews(&self.item.0.extra_data),
        }
    }

    fn linked(&self, value: &Value) -> Option<(Option<usize>, i64)> {
        let Value::Json(json) = value else { return None };
        as_link(json).map(|(id, slot)| (self.graph.place(&id.into()), slot))
    }

    /// What stands behind the nodes of an expansion that its outputs come from.
    fn inner_origins(&self, results: &[(Vec<Value>, bool)]) -> Vec<(String, Arc<Origin>)> {
        let outputs = results.iter().filter(|(_, leads_in)| *leads_in).flat_map(|(outputs, _)| outputs);
        let origin = |value: &Value| {
            let from = self.linked(value)?.0?;
            Some((self.graph.nodes[from].id.to_string(), self.results[from].as_ref()?.origin.clone()?))
        };
        outputs.filter_map(origin).collect()
    }

    /// The outputs of a call with what links among them lead to.
    fn resolved(&self, outputs: Vec<Value>, leads_in: bool) -> Vec<Value> {
        if !leads_in {
            return outputs;
        }
        let resolve = |value: Value| match self.linked(&value) {
            Some((from, slot)) => {
                let result = from.and_then(|from| self.results[from].as_ref());
                result.and_then(|result| output(&result.outputs, slot)).cloned().unwrap_or_default()
            }
            None => vec![value],
        };
        outputs.into_iter().flat_map(resolve).collect()
    }

    /// The node is done.
    fn complete(&mut self, at: usize, speaker: &Speaker, results: Vec<Vec<Value>>) -> Turn {
        self.voice.ran(speaker);
        let outputs = by_slot(&self.graph.nodes[at], results);
        let origin = self.origins.remove(&at).and_then(|origins| origins.together());
        let outcome = Arc::new(Outcome { outputs, ui: self.shown.remove(&at), origin });
        self.cache.insert(&self.graph, at, &outcome);
        self.results[at] = Some(outcome);
        self.executed.push(speaker.id.clone());
        Turn::Done
    }

    /// Whether a node with lazy inputs wants some that are not there yet: then it waits for them.
    fn asks_for_more(&mut self, at: usize) -> Result<bool, Stop> {
        let node = &self.graph.nodes[at];
        let Some(lazy) = node.class.and_then(|class| class.lazy) else { return Ok(false) };
        let gathered = self.inputs(node).map_err(|error| Stop::failure(error, Map::new()))?;
        let mut inputs = crate::nodes::Inputs::default();
        for (name, _) in &node.inputs {
            let value = gathered.get(name).and_then(|values| values.first()).cloned();
            inputs.0.insert(name.clone(), value.unwrap_or(Value::Json(Json::Null)));
        }
        let wanted: Vec<_> = lazy(&inputs).into_iter().filter(|name| !gathered.contains_key(name)).collect();
        let from: Vec<_> = wanted.iter().filter_map(|name| node.link_of(name)).collect();
        for from in &from {
            self.order.wait_for(&self.graph, at, *from, |at| self.results[at].is_some())?;
        }
        Ok(!from.is_empty())
    }

    /// The values of a node's inputs. Constants that its class does not know are left out; links are not. Lazy inputs
    /// that nobody has asked for are left out too.
    fn inputs(&self, node: &Node<'_>) -> Result<Gathered, NodeError> {
        let mut inputs = Gathered::new();
        for (name, source) in &node.inputs {
            let values = match source {
                Source::Constant(value) if node.knows(name) => vec![Value::Json(value.clone())],
                Source::Constant(_) => continue,
                Source::Value(value) => vec![value.clone()],
                Source::Link { node: from, slot } if node.takes_link(name) => {
                    let id = from.map(|from| self.graph.nodes[from].id.clone());
                    vec![Value::Json(serde_json::json!([id, slot]))]
                }
                Source::Link { node: from, slot } => {
                    let Some(result) = from.and_then(|from| self.results[from].as_ref()) else { continue };
                    let values = output(&result.outputs, *slot);
                    values.ok_or_else(|| NodeError::index_error("list index out of range"))?.clone()
                }
            };
            inputs.insert(name.clone(), values);
        }
        Ok(inputs)
    }

    /// Fails as a function does that is called with a name which it does not have.
    fn check_names(&self, at: usize, gathered: &Gathered) -> Result<(), NodeError> {
        let node = &self.graph.nodes[at];
        if node.class.is_some_and(|class| class.takes_others) {
            return Ok(());
        }
        let Some(unknown) = gathered.keys().find(|name| !node.knows(name)) else { return Ok(()) };
        let function = report::function(node);
        Err(NodeError::type_error(format!("{function}() got an unexpected keyword argument '{unknown}'")))
    }

    fn caller(&mut self, at: usize, speaker: Speaker) -> Caller<'scope> {
        let instance = self.cache.instance(&self.graph, at);
        let node = &self.graph.nodes[at];
        Caller {
            state: self.state,
            item: self.item,
            voice: self.voice,
            prompt: Arc::clone(&self.prompt),
            speaker,
            class_type: node.class_type.clone(),
            class: node.class,
            schema: node.schema,
            instance,
            takes_lists: node.takes_lists(),
            snapshot: node.looks_around().then(|| self.graph.snapshot()),
            setting: self.setting(node),
        }
    }
}

/// The values of an output by its slot; negative slots count from the end.
fn output(outputs: &[Vec<Value>], slot: i64) -> Option<&Vec<Value>> {
    let slot = if slot < 0 { slot + i64::try_from(outputs.len()).ok()? } else { slot };
    outputs.get(usize::try_from(slot).ok()?)
}

/// The prompt with an entry `is_changed` at every node that has a change check.
fn with_changes(prompt: &Arc<Json>, graph: &Graph<'_>) -> Arc<Json> {
    if graph.nodes.iter().all(|node| node.changed.is_none()) {
        return Arc::clone(prompt);
    }
    let mut prompt = (**prompt).clone();
    for node in &graph.nodes {
        if let (Some(changed), Some(Json::Object(fields))) = (&node.changed, prompt.get_mut(node.id.as_str()))
        {
            fields.insert("is_changed".into(), Json::Array(vec![changed.clone()]));
        }
    }
    Arc::new(prompt)
}
