//! Every operator of a supported proposal has a translation, and no other operator has one.

use crate::features::is_implemented;
use wasmparser::WasmFeatures;

/// Whether precast implements a proposal, by its name in `wasmparser`'s list of operators.
fn is_supported(proposal: &str) -> bool {
    let feature = WasmFeatures::from_name(&proposal.to_ascii_uppercase());
    proposal == "mvp" || feature.is_some_and(is_implemented)
}

macro_rules! operators {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        [$((stringify!($op), stringify!($proposal))),*]
    };
}

#[test]
fn the_match_has_the_operators_of_the_supported_proposals() {
    let source = include_str!("../operators.rs");
    let (_, arms) = source.split_once("match *op {").expect("the match");
    let words: Vec<&str> = arms.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    for (name, proposal) in wasmparser::for_each_operator!(operators) {
        // A `select` of several types is never valid.
        let expected = is_supported(proposal) && name != "TypedSelectMulti";
        assert_eq!(words.contains(&name), expected, "{name}");
    }
}
