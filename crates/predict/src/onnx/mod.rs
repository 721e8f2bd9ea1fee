//! Other people's models: ensembles of trees in ONNX files become model files of our own, with a declared feature map.
//!
//! What scikit-learn, XGBoost and LightGBM write for boosted classifiers of two classes is one operation of the domain
//! `ai.onnx.ml`: `TreeEnsembleClassifier` with a logistic transform. Its trees are ours but for the layout, so they are
//! converted once: what comes out is an ordinary file that can be read by a person, explained exactly and watched.
//! The map is that file without its forest: features in the order of the ONNX input's columns, and all that ONNX does
//! not know: outcome, population, what is required, calibration, card. Other operations are refused, not approximated.

mod graph;
mod wire;

use std::collections::{HashMap, HashSet};

use crate::forest::{Forest, NODES_MAX, Node, TREES_MAX, Tree, Way};
use crate::model::{FILE_MAX, File, Model, ModelError};
use graph::{Attribute, Graph, Operation};

/// Why an ONNX file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// Not an ONNX file, or a damaged one.
    #[error("this is not an ONNX file, or its trees contradict themselves; export the model again")]
    Broken,
    /// Larger than any model of this kind.
    #[error("the file is larger than 32 MiB, has more than 4,096 trees or one of more than 16,384 nodes; train a smaller model")]
    TooLarge,
    /// Not one ensemble of trees.
    #[error("the file must hold one TreeEnsembleClassifier or TreeEnsembleRegressor; it holds: {0}")]
    Operations(String),
    /// Inputs are changed before the trees see them.
    #[error("`{0}` changes the inputs before the trees see them; export the trees alone, without scaling or imputing")]
    Before(String),
    /// Something of the ensemble that is not understood.
    #[error("{0}; export a boosted classifier of two classes with a logistic transform")]
    Kind(&'static str),
    /// Columns and features are not as many.
    #[error("the trees take {columns} columns, but the map declares {features} features; declare one for each, in their order")]
    Width {
        /// Of the ONNX file.
        columns: usize,
        /// Of the map.
        features: usize,
    },
    /// The map is no model's file without a forest.
    #[error("the map: {0}")]
    Map(#[from] serde_json::Error),
    /// What came out is no model.
    #[error("the map and the trees together: {0}")]
    Model(#[from] ModelError),
}

/// A model's file of an ONNX file and a map.
///
/// # Errors
/// What is not understood and what to do about it.
pub fn import(onnx: &[u8], map: &[u8]) -> Result<File, OnnxError> {
    if onnx.len() > FILE_MAX || map.len() > FILE_MAX {
        return Err(OnnxError::TooLarge);
    }
    let graph = Graph::read(onnx)?;
    let mut map: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(map)?;
    map.insert("forest".to_owned(), serde_json::json!({ "base": 0.0, "trees": [] }));
    let mut file: File = serde_json::from_value(serde_json::Value::Object(map))?;
    let features = file.features.len();
    if let Some(columns) = graph.width.filter(|columns| *columns != features) {
        return Err(OnnxError::Width { columns, features });
    }
    file.forest = forest(&graph.trees)?;
    file.forest.check().map_err(ModelError::from)?;
    Model::read(&serde_json::to_vec(&file)?)?;
    Ok(file)
}

/// The lists that describe nodes, all of one length.
struct Nodes<'a> {
    modes: &'a [String],
    features: &'a [i64],
    values: &'a [f32],
    yes: &'a [i64],
    no: &'a [i64],
    missing_yes: &'a [i64],
    /// Where a node of a tree stands in the lists.
    places: HashMap<(i64, i64), usize>,
    /// What leaves add.
    weights: HashMap<(i64, i64), f64>,
}

fn forest(trees: &Operation) -> Result<Forest, OnnxError> {
    static NONE: Attribute = Attribute { text: String::new(), singles: Vec::new(), wholes: Vec::new(), texts: Vec::new() };
    let get = |name: &str| trees.attributes.get(name).unwrap_or(&NONE);
    if get("post_transform").text != "LOGISTIC" {
        return Err(OnnxError::Kind("the ensemble's transform is not LOGISTIC"));
    }
    let of = if trees.kind == "TreeEnsembleClassifier" { "class" } else { "target" };
    let outputs: HashSet<i64> = get(&format!("{of}_ids")).wholes.iter().copied().collect();
    if outputs.len() != 1 {
        return Err(OnnxError::Kind("the trees vote for more than one class"));
    }
    if !matches!(get("aggregate_function").text.as_str(), "" | "SUM") {
        return Err(OnnxError::Kind("the trees are not summed up"));
    }
    let base = match get("base_values").singles.as_slice() {
        [] => 0.0,
        [base] => f64::from(*base),
        _ => return Err(OnnxError::Kind("the ensemble begins at more than one value")),
    };
    let (tree_ids, node_ids) = (&get("nodes_treeids").wholes, &get("nodes_nodeids").wholes);
    let [leaf_trees, leaf_nodes] = ["treeids", "nodeids"].map(|name| &get(&format!("{of}_{name}")).wholes);
    let leaf_weights = &get(&format!("{of}_weights")).singles;
    let mut nodes = Nodes {
        modes: &get("nodes_modes").texts,
        features: &get("nodes_featureids").wholes,
        values: &get("nodes_values").singles,
        yes: &get("nodes_truenodeids").wholes,
        no: &get("nodes_falsenodeids").wholes,
        missing_yes: &get("nodes_missing_value_tracks_true").wholes,
        places: HashMap::new(),
        weights: HashMap::new(),
    };
    let length = tree_ids.len();
    let lengths = [node_ids.len(), nodes.modes.len(), nodes.features.len(), nodes.values.len(), nodes.yes.len(), nodes.no.len()];
    let leaves = [leaf_nodes.len(), leaf_weights.len()];
    if lengths.iter().any(|own| *own != length) || leaves.iter().any(|own| *own != leaf_trees.len()) {
        return Err(OnnxError::Broken);
    }
    // The first node of a tree in the lists is its root.
    let mut roots: Vec<(i64, i64)> = Vec::new();
    let mut begun = HashSet::new();
    for (at, id) in tree_ids.iter().copied().zip(node_ids.iter().copied()).enumerate() {
        if begun.insert(id.0) {
            roots.push(id);
        }
        if nodes.places.insert(id, at).is_some() {
            return Err(OnnxError::Broken);
        }
    }
    for ((tree, node), weight) in leaf_trees.iter().zip(leaf_nodes).zip(leaf_weights) {
        *nodes.weights.entry((*tree, *node)).or_default() += f64::from(*weight);
    }
    if roots.len() > TREES_MAX {
        return Err(OnnxError::TooLarge);
    }
    let trees = roots.iter().map(|(tree, root)| nodes.tree(*tree, *root)).collect::<Result<_, _>>()?;
    Ok(Forest { base, trees })
}

impl Nodes<'_> {
    fn tree(&self, tree: i64, root: i64) -> Result<Tree, OnnxError> {
        let mut nodes = vec![Node::Leaf { value: 0.0 }];
        let mut open = vec![(0, root)];
        while let Some((at, id)) = open.pop() {
            let place = *self.places.get(&(tree, id)).ok_or(OnnxError::Broken)?;
            if self.modes[place] == "LEAF" {
                let value = self.weights.get(&(tree, id)).copied().unwrap_or(0.0) as f32;
                nodes[at] = Node::Leaf { value };
                continue;
            }
            if nodes.len() + 2 > NODES_MAX {
                return Err(OnnxError::TooLarge);
            }
            let low = nodes.len();
            let (split, children) = self.question(place, low as u16)?;
            nodes[at] = split;
            nodes.extend([Node::Leaf { value: 0.0 }; 2]);
            open.extend([(low, children.0), (low + 1, children.1)]);
        }
        Ok(Tree { nodes })
    }

    /// A question in our form, and which nodes its low and its high child are.
    fn question(&self, place: usize, low: u16) -> Result<(Node, (i64, i64)), OnnxError> {
        let feature = u16::try_from(self.features[place]).map_err(|_| OnnxError::Broken)?;
        let value = self.values[place];
        // "Less" is "at most the next smaller number". With "greater" the child for yes is the high one.
        let (threshold, yes_is_low) = match self.modes[place].as_str() {
            "BRANCH_LEQ" => (value, true),
            "BRANCH_LT" => (value.next_down(), true),
            "BRANCH_GT" => (value, false),
            "BRANCH_GTE" => (value.next_down(), false),
            _ => return Err(OnnxError::Kind("a question of the trees is none of \"at most\", \"less\", \"greater\" and \"at least\"")),
        };
        // A comparison with what is missing is false, unless the file says otherwise.
        let missing_yes = self.missing_yes.get(place).is_some_and(|yes| *yes == 1);
        let missing = if missing_yes == yes_is_low { Way::Low } else { Way::High };
        let (yes, no) = (self.yes[place], self.no[place]);
        let children = if yes_is_low { (yes, no) } else { (no, yes) };
        Ok((Node::Split { feature, threshold, missing, low }, children))
    }
}
