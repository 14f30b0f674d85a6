use serde_json::Value;

use crate::{NodeId, Workflow};

/// Names of inputs that hold a noise seed.
const SEEDS: [&str; 2] = ["seed", "noise_seed"];

impl Workflow {
    /// The noise seeds: the inputs named `seed` and `noise_seed` that hold a number, with their nodes.
    pub fn noise_seeds(&self) -> impl Iterator<Item = (&NodeId, &str, &Value)> {
        self.nodes().flat_map(|(id, node)| {
            let seeds = node.inputs.iter().filter(|(name, value)| is_seed(name, value));
            seeds.map(move |(name, value)| (id, name.as_str(), value))
        })
    }

    /// Puts a number into every [noise seed](Self::noise_seeds), the next one of `next` for each, and tells how many
    /// there are. Seeds that come from other nodes over links stay.
    ///
    /// ```
    /// use comfy_workflow::Workflow;
    ///
    /// let text = r#"{"3": {"class_type": "KSampler", "inputs": {"seed": 1}}, "4": {"class_type": "K", "inputs": {"noise_seed": 2}}}"#;
    /// let mut workflow: Workflow = text.parse()?;
    /// assert_eq!(workflow.replace_noise_seeds(|| 42), 2);
    /// # Ok::<(), comfy_workflow::Error>(())
    /// ```
    pub fn replace_noise_seeds(&mut self, mut next: impl FnMut() -> u64) -> usize {
        let mut count = 0;
        for (_, node) in self.nodes_mut() {
            for (_, value) in node.inputs.iter_mut().filter(|(name, value)| is_seed(name, value)) {
                *value = next().into();
                count += 1;
            }
        }
        count
    }
}

fn is_seed(name: &str, value: &Value) -> bool {
    value.is_number() && SEEDS.contains(&name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::Workflow;

    #[test]
    fn every_seed_that_is_a_number_is_replaced_and_nothing_else() {
        let mut workflow = Workflow::from_value(json!({
            "1": {"class_type": "A", "inputs": {"seed": 1, "steps": 20}},
            "2": {"class_type": "B", "inputs": {"noise_seed": 2, "seed": ["1", 0]}},
            "3": {"class_type": "C", "inputs": {"seed": "text"}},
        }))
        .unwrap();
        let mut next = u64::MAX - 1;
        assert_eq!(
            workflow.replace_noise_seeds(|| {
                next = next.wrapping_add(1);
                next
            }),
            2
        );
        let seeds: Vec<_> =
            workflow.noise_seeds().map(|(id, name, value)| format!("{id}.{name}={value}")).collect();
        assert_eq!(seeds, [format!("1.seed={}", u64::MAX), "2.noise_seed=0".to_owned()]);
        assert_eq!(workflow.get("2.seed").unwrap(), &json!(["1", 0]));
    }
}
