//! Makes schemas and documents of the editor out of bytes, for property tests and fuzzing.
//!
//! [`Made::sound`] makes graphs that a person could have drawn, with what has to come out of them; [`json`] and [`spoil`] make
//! what nobody would.

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value, json};

/// Most definitions of subgraphs, nodes of a graph, classes and inputs of a class.
const MOST: [usize; 4] = [3, 8, 5, 7];

/// A document of the editor, the answer of a server to `/object_info`, and what the former becomes.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) schemas: Value,
    pub(crate) document: Value,
    /// The nodes that have to be in the result, with inputs that have to be among theirs.
    pub(crate) expected: Vec<(String, Map<String, Value>)>,
}

/// An input of a class.
#[derive(Debug, Clone)]
struct Input {
    name: String,
    spec: Value,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Socket,
    /// How many stored values stand behind the widget's own.
    Widget(Vec<Value>, Sort),
    /// The keys with the inputs that they bring.
    DynamicCombo(Vec<(String, Vec<Input>)>),
    Autogrow,
}

#[derive(Debug, Clone, Copy)]
enum Sort {
    Whole,
    Number,
    Text,
    Plain,
    Switch,
    Choice,
    Object,
}

#[derive(Debug, Default)]
struct Class {
    name: String,
    inputs: Vec<Input>,
    outputs: usize,
}

/// A node that has been drawn.
#[derive(Debug)]
struct Drawn {
    id: Value,
    role: Role,
    active: bool,
    outputs: usize,
    /// For a node of a class: its values, less what links give.
    values: Map<String, Value>,
    /// For a reroute: where its link comes from.
    from: Option<(usize, usize)>,
    /// For a node of a class: its links, by place of the origin.
    links: Vec<(String, usize, usize)>,
}

#[derive(Debug, PartialEq, Clone, Copy)]
enum Role {
    Known,
    Host(usize),
    Reroute,
    Other,
}

struct Graph {
    value: Value,
    drawn: Vec<Drawn>,
}

impl Made {
    /// A document without a fault, and what it becomes.
    pub(crate) fn sound(u: &mut Unstructured<'_>) -> Result<Self> {
        let classes: Vec<Class> =
            (0..u.int_in_range(1..=MOST[2])?).map(|n| class(u, n)).collect::<Result<_>>()?;
        let schemas = classes.iter().map(|class| (class.name.clone(), class.schema())).collect::<Map<_, _>>();
        let definitions = u.int_in_range(0..=MOST[0])?;
        // A definition stands for later ones only, so that none contains itself.
        let graphs: Vec<Graph> =
            (0..=definitions).map(|place| graph(u, &classes, place, definitions)).collect::<Result<_>>()?;
        let mut expected = Vec::new();
        expand(&graphs, 0, "", &mut expected);
        let mut document = graphs[0].value.clone();
        let subgraphs: Vec<Value> = graphs[1..].iter().map(|graph| graph.value.clone()).collect();
        document["definitions"] = json!({ "subgraphs": subgraphs });
        Ok(Self { schemas: Value::Object(schemas), document, expected })
    }
}

/// Adds what the nodes of a graph become, inside the nodes that `path` names.
fn expand(graphs: &[Graph], graph: usize, path: &str, expected: &mut Vec<(String, Map<String, Value>)>) {
    let drawn = &graphs[graph].drawn;
    let id = |node: &Drawn| {
        format!("{path}{}", node.id.as_str().map_or_else(|| node.id.to_string(), str::to_owned))
    };
    for node in drawn.iter().filter(|node| node.active) {
        match node.role {
            Role::Known => {
                let mut inputs = node.values.clone();
                for (name, origin, slot) in &node.links {
                    let mut end = (*origin, *slot);
                    while drawn[end.0].role == Role::Reroute && drawn[end.0].active {
                        let Some(from) = drawn[end.0].from else { break };
                        end = from;
                    }
                    let origin = &drawn[end.0];
                    if origin.role == Role::Known && origin.active {
                        inputs.insert(name.clone(), json!([id(origin), end.1]));
                    }
                }
                expected.push((id(node), inputs));
            }
            Role::Host(definition) => expand(graphs, definition, &format!("{}:", id(node)), expected),
            Role::Reroute | Role::Other => {}
        }
    }
}

impl Class {
    fn schema(&self) -> Value {
        let sections = self.inputs.iter().map(|input| (input.name.clone(), input.spec.clone()));
        let types: Vec<&str> = ["IMAGE", "MASK", "INT"][..self.outputs].to_vec();
        json!({
            "input": {"required": sections.collect::<Map<_, _>>()}, "output": types, "output_name": types,
            "output_is_list": vec![false; types.len()], "name": self.name, "category": "",
            "output_node": types.is_empty(),
        })
    }
}

fn class(u: &mut Unstructured<'_>, number: usize) -> Result<Class> {
    let inputs =
        (0..u.int_in_range(0..=MOST[3])?).map(|n| input(u, &format!("in{n}"), 0)).collect::<Result<_>>()?;
    Ok(Class { name: format!("Class{number}"), inputs, outputs: u.int_in_range(0..=3)? })
}

fn input(u: &mut Unstructured<'_>, name: &str, depth: usize) -> Result<Input> {
    let widget = |behind: usize, sort: Sort| Kind::Widget(vec![json!("fixed"); behind], sort);
    let mut name = name.to_owned();
    let (spec, kind) = match u.int_in_range(0..=if depth < 2 { 16 } else { 14 })? {
        0 => (json!(["IMAGE"]), Kind::Socket),
        1 => (json!(["MASK", {"lazy": true}]), Kind::Socket),
        2 => (json!(["*"]), Kind::Socket),
        3 => (json!(["STRING", {"forceInput": true}]), Kind::Socket),
        4 => (json!(["INT,FLOAT"]), Kind::Socket),
        5 => (json!(["INT", {"default": 3, "min": -9, "max": 9}]), widget(0, Sort::Whole)),
        6 if depth == 0 => {
            name = format!("seed{}", &name[2..]);
            (json!(["INT", {"control_after_generate": true}]), widget(1, Sort::Whole))
        }
        6 | 7 => (json!(["FLOAT", {"default": 0.5, "step": 0.01}]), widget(0, Sort::Number)),
        8 => (json!(["STRING"]), widget(0, Sort::Text)),
        9 => (json!(["STRING", {"multiline": true, "dynamicPrompts": true}]), widget(0, Sort::Plain)),
        10 => (json!(["BOOLEAN"]), widget(0, Sort::Switch)),
        11 => (json!([["a", "b", 3]]), widget(0, Sort::Choice)),
        12 => (
            json!(["COMBO", {"options": ["a", "b"], "control_after_generate": true}]),
            widget(2, Sort::Choice),
        ),
        13 => (json!(["BOUNDING_BOX"]), widget(4, Sort::Object)),
        14 => (json!(["FLOAT,IMAGE", {"widgetType": "FLOAT"}]), widget(0, Sort::Number)),
        15 => {
            let template =
                json!({"input": {"required": {"x": ["IMAGE"]}}, "prefix": "x", "min": 1, "max": 3});
            (json!(["COMFY_AUTOGROW_V3", {"template": template}]), Kind::Autogrow)
        }
        _ => {
            let options: Vec<(String, Vec<Input>)> = (0..u.int_in_range(1..=3)?)
                .map(|key| {
                    let inputs = (0..u.int_in_range(0..=2)?).map(|n| input(u, &format!("i{n}"), depth + 1));
                    Ok((format!("key{key}"), inputs.collect::<Result<_>>()?))
                })
                .collect::<Result<_>>()?;
            let described: Vec<Value> = options
                .iter()
                .map(|(key, inputs)| {
                    let inputs = inputs.iter().map(|input| (input.name.clone(), input.spec.clone()));
                    json!({"key": key, "inputs": {"required": inputs.collect::<Map<_, _>>()}})
                })
                .collect();
            (json!(["COMFY_DYNAMICCOMBO_V3", {"options": described}]), Kind::DynamicCombo(options))
        }
    };
    Ok(Input { name, spec, kind })
}

/// Values for the widgets of these inputs, in order and by name, and the names of all inputs that a link can lead to, with
/// whether a widget stands behind each.
fn fill(
    u: &mut Unstructured<'_>,
    inputs: &[Input],
    prefix: &str,
    stored: &mut Vec<Value>,
    values: &mut Map<String, Value>,
    places: &mut Vec<(String, bool)>,
) -> Result<()> {
    for input in inputs {
        let name = format!("{prefix}{}", input.name);
        match &input.kind {
            Kind::Socket => places.push((name, false)),
            Kind::Autogrow => places.extend((0..3).map(|n| (format!("{name}.x{n}"), false))),
            Kind::Widget(behind, sort) => {
                let value = value(u, *sort)?;
                stored.push(value.clone());
                stored.extend(behind.iter().cloned());
                values.insert(name.clone(), value);
                places.push((name, true));
            }
            Kind::DynamicCombo(options) => {
                let (key, inputs) = u.choose(options)?;
                stored.push(json!(key));
                values.insert(name.clone(), json!(key));
                fill(u, inputs, &format!("{name}."), stored, values, places)?;
            }
        }
    }
    Ok(())
}

fn value(u: &mut Unstructured<'_>, sort: Sort) -> Result<Value> {
    Ok(match sort {
        Sort::Whole if u.arbitrary()? => json!(u.arbitrary::<u64>()?),
        Sort::Whole => json!(u.arbitrary::<i64>()?),
        Sort::Number => json!(f64::from(u.arbitrary::<i32>()?) / 64.0),
        Sort::Text => json!(u.arbitrary::<&str>()?),
        Sort::Plain => json!(*u.choose(&["", "a cat", "two\nlines", "größer (a:1.2)"])?),
        Sort::Switch => json!(u.arbitrary::<bool>()?),
        Sort::Choice => u.choose(&[json!("a"), json!("b"), json!(3), json!("gone.png")])?.clone(),
        Sort::Object => json!({"x": u.arbitrary::<u8>()?, "y": 0, "width": 4, "height": 4}),
    })
}

/// Draws the graph at `place`; all but the first are definitions.
fn graph(u: &mut Unstructured<'_>, classes: &[Class], place: usize, definitions: usize) -> Result<Graph> {
    let mut nodes: Vec<Value> = Vec::new();
    let mut links: Vec<Value> = Vec::new();
    let mut drawn: Vec<Drawn> = Vec::new();
    let ports = if place == 0 { 0 } else { 2 };
    for index in 0..u.int_in_range(0..=MOST[1])? {
        let id = if u.ratio(1, 6)? { json!(format!("n_{index}")) } else { json!(index + 1) };
        let mode = *u.choose(&[0, 0, 0, 0, 0, 2, 4])?;
        let mut node = json!({"id": id, "mode": mode, "inputs": []});
        let mut stored = Vec::new();
        let mut values = Map::new();
        let mut places = Vec::new();
        let (role, outputs) = match u.int_in_range(0..=9)? {
            0 => {
                node["type"] = json!("Reroute");
                places.push((String::new(), false));
                (Role::Reroute, 1)
            }
            1 => {
                node["type"] = json!("PrimitiveNode");
                stored.extend([json!(*u.choose(&[3, 70])?), json!("fixed")]);
                (Role::Other, 1)
            }
            2 => {
                node["type"] = json!(*u.choose(&["Note", "MarkdownNote"])?);
                (Role::Other, 0)
            }
            3 | 4 if place < definitions => {
                let definition = u.int_in_range(place + 1..=definitions)?;
                node["type"] = json!(format!("definition-{definition}"));
                places.extend([("p0".to_owned(), false), ("p1".to_owned(), true)]);
                (Role::Host(definition), 2)
            }
            _ => {
                let class = u.choose(classes)?;
                node["type"] = json!(class.name);
                fill(u, &class.inputs, "", &mut stored, &mut values, &mut places)?;
                (Role::Known, class.outputs)
            }
        };
        let mut own = Drawn { id, role, active: mode == 0, outputs, values, from: None, links: Vec::new() };
        for (name, is_widget) in places {
            if u.ratio(1, 2)? {
                continue;
            }
            let earlier: Vec<usize> = (0..drawn.len()).filter(|node| drawn[*node].outputs > 0).collect();
            let link = json!(links.len() + 1);
            let origin = if ports > 0 && u.ratio(1, 4)? {
                own.values.shift_remove(&name);
                (json!(-10), u.int_in_range(0..=ports - 1)?)
            } else if earlier.is_empty() {
                continue;
            } else {
                let origin = *u.choose(&earlier)?;
                let slot = u.int_in_range(0..=drawn[origin].outputs - 1)?;
                own.values.shift_remove(&name);
                own.from = Some((origin, slot));
                own.links.push((name.clone(), origin, slot));
                (drawn[origin].id.clone(), slot)
            };
            let inputs = node["inputs"].as_array_mut().into_iter();
            for inputs in inputs {
                links.push(link_value(
                    place,
                    [link.clone(), origin.0.clone(), json!(origin.1), own.id.clone(), json!(inputs.len())],
                ));
                let mut slot = json!({"name": name, "type": "*", "link": link});
                if is_widget {
                    slot["widget"] = json!({ "name": name });
                }
                inputs.push(slot);
            }
        }
        if !stored.is_empty() {
            node["widgets_values"] = Value::Array(stored);
        }
        nodes.push(node);
        drawn.push(own);
    }
    let mut value = json!({"version": 0.4, "nodes": nodes, "links": links});
    if place > 0 {
        leave(u, &mut value, &drawn, place)?;
    }
    Ok(Graph { value, drawn })
}

/// Links inside definitions are objects.
fn link_value(place: usize, parts: [Value; 5]) -> Value {
    if place == 0 {
        return json!([parts[0], parts[1], parts[2], parts[3], parts[4], "*"]);
    }
    let keys = ["id", "origin_id", "origin_slot", "target_id", "target_slot"];
    keys.into_iter().map(str::to_owned).zip(parts).collect::<Map<_, _>>().into()
}

/// Makes a definition of a graph: its inputs, its outputs and what leads to these.
fn leave(u: &mut Unstructured<'_>, value: &mut Value, drawn: &[Drawn], place: usize) -> Result<()> {
    let mut links = value["links"].as_array().cloned().unwrap_or_default();
    let from = |links: &[Value], slot: usize| -> Vec<Value> {
        let here = links.iter().filter(|link| link["origin_id"] == -10 && link["origin_slot"] == slot);
        here.map(|link| link["id"].clone()).collect()
    };
    let inputs: Vec<Value> = (0..2)
        .map(|slot| json!({"name": format!("p{slot}"), "type": "*", "linkIds": from(&links, slot)}))
        .collect();
    let mut outputs = Vec::new();
    for slot in 0..2 {
        let mut ids = Vec::new();
        let origins: Vec<&Drawn> = drawn.iter().filter(|node| node.outputs > 0).collect();
        if !origins.is_empty() && u.ratio(3, 4)? {
            let origin = *u.choose(&origins)?;
            let id = json!(links.len() + 1);
            let origin_slot = json!(u.int_in_range(0..=origin.outputs - 1)?);
            links.push(link_value(
                place,
                [id.clone(), origin.id.clone(), origin_slot, json!(-20), json!(slot)],
            ));
            ids.push(id);
        }
        outputs.push(json!({"name": format!("out{slot}"), "type": "*", "linkIds": ids}));
    }
    value["links"] = Value::Array(links);
    value["inputs"] = Value::Array(inputs);
    value["outputs"] = Value::Array(outputs);
    value["id"] = json!(format!("definition-{place}"));
    value["inputNode"] = json!({"id": -10});
    value["outputNode"] = json!({"id": -20});
    Ok(())
}

/// Words that mean something to a reader of documents or schemas.
const WORDS: [&str; 78] = [
    "nodes",
    "links",
    "definitions",
    "subgraphs",
    "id",
    "type",
    "mode",
    "inputs",
    "outputs",
    "widgets_values",
    "properties",
    "proxyWidgets",
    "name",
    "link",
    "widget",
    "linkIds",
    "origin_id",
    "origin_slot",
    "target_id",
    "target_slot",
    "inputNode",
    "outputNode",
    "extra",
    "groupNodes",
    "external",
    "version",
    "title",
    "reroutes",
    "-1",
    "-10",
    "-20",
    "1",
    "2",
    "definition-1",
    "Class0",
    "Reroute",
    "PrimitiveNode",
    "SetNode",
    "GetNode",
    "workflow>a",
    "workflow/a",
    "Node name for S&R",
    "seed",
    "filename_prefix",
    "SaveImage",
    "%date:yyyy%",
    "%Class0.seed%",
    "{a|{b}|",
    "\\{",
    "//",
    "/*",
    "input",
    "required",
    "optional",
    "hidden",
    "input_order",
    "output",
    "output_node",
    "class_type",
    "_meta",
    "default",
    "options",
    "template",
    "prefix",
    "names",
    "min",
    "max",
    "key",
    "forceInput",
    "INT",
    "FLOAT",
    "STRING",
    "COMBO",
    "IMAGE",
    "*",
    "COMFY_AUTOGROW_V3",
    "COMFY_DYNAMICCOMBO_V3",
    "COMFY_MATCHTYPE_V3",
];

/// Any JSON, made of words that mean something.
pub(crate) fn json(u: &mut Unstructured<'_>, depth: usize) -> Result<Value> {
    Ok(match u.int_in_range(0..=if depth == 0 { 8 } else { 12 })? {
        0 => Value::Null,
        1 => json!(u.arbitrary::<bool>()?),
        2 => json!(u.int_in_range(-20..=20)?),
        3 => json!(u.arbitrary::<i64>()?),
        4 => json!(u.arbitrary::<f64>()?),
        5 => json!(u.arbitrary::<&str>()?),
        6..=8 => json!(*u.choose(&WORDS)?),
        9 | 10 => (0..u.int_in_range(0..=5)?).map(|_| json(u, depth - 1)).collect::<Result<_>>()?,
        _ => {
            let field = |u: &mut Unstructured<'_>| Ok(((*u.choose(&WORDS)?).to_owned(), json(u, depth - 1)?));
            Value::Object((0..u.int_in_range(0..=6)?).map(|_| field(u)).collect::<Result<_>>()?)
        }
    })
}

/// Changes a few places of a document: takes away, puts something else, or doubles.
pub(crate) fn spoil(u: &mut Unstructured<'_>, document: &mut Value) -> Result<()> {
    for _ in 0..u.int_in_range(1..=5)? {
        let other = {
            let end = u.int_in_range(0..=12)?;
            descend(u, document, end)?.clone()
        };
        let depth = u.int_in_range(1..=10)?;
        let place = descend(u, document, depth)?;
        match u.int_in_range(0..=5)? {
            0 => *place = json(u, 2)?,
            1 => *place = other,
            2 => *place = Value::Null,
            3 => match place {
                Value::Array(values) if !values.is_empty() => {
                    drop(values.remove(u.choose_index(values.len())?))
                }
                Value::Object(fields) if !fields.is_empty() => {
                    let key = fields.keys().nth(u.choose_index(fields.len())?).cloned();
                    fields.shift_remove(&key.unwrap_or_default());
                }
                place => *place = json(u, 1)?,
            },
            4 => match place {
                Value::Array(values) => values.push(other),
                Value::Object(fields) => drop(fields.insert((*u.choose(&WORDS)?).to_owned(), other)),
                place => *place = json!(*u.choose(&WORDS)?),
            },
            _ => *place = json!(u.int_in_range(-20..=20)?),
        }
    }
    Ok(())
}

/// A place inside, at most so deep.
fn descend<'v>(u: &mut Unstructured<'_>, value: &'v mut Value, depth: usize) -> Result<&'v mut Value> {
    let children = match value {
        Value::Array(values) => values.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    };
    if depth == 0 || children == 0 {
        return Ok(value);
    }
    let child = u.choose_index(children)?;
    let child = match value {
        Value::Array(values) => values.get_mut(child),
        Value::Object(fields) => fields.values_mut().nth(child),
        _ => None,
    };
    descend(u, child.ok_or(arbitrary::Error::EmptyChoose)?, depth - 1)
}
