//! Every operator of a supported proposal has a translation, and no other operator has one.

/// Whether precast supports a proposal. A proposal that is missing here does not compile.
macro_rules! is_supported {
    (mvp) => {
        true
    };
    (sign_extension) => {
        true
    };
    (saturating_float_to_int) => {
        true
    };
    (bulk_memory) => {
        true
    };
    (reference_types) => {
        true
    };
    (simd) => {
        true
    };
    (relaxed_simd) => {
        false
    };
    (tail_call) => {
        false
    };
    (threads) => {
        false
    };
    (exceptions) => {
        false
    };
    (legacy_exceptions) => {
        false
    };
    (function_references) => {
        false
    };
    (gc) => {
        false
    };
    (custom_descriptors) => {
        false
    };
    (stack_switching) => {
        false
    };
    (wide_arithmetic) => {
        false
    };
    (memory_control) => {
        false
    };
    (acquire_release_atomics) => {
        false
    };
    (shared_everything_threads) => {
        false
    };
}

macro_rules! operators {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        [$((stringify!($op), is_supported!($proposal))),*]
    };
}

#[test]
fn the_match_has_the_operators_of_the_supported_proposals() {
    let source = include_str!("../operators.rs");
    let (_, arms) = source.split_once("match *op {").expect("the match");
    let words: Vec<&str> = arms.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    for (name, supported) in wasmparser::for_each_operator!(operators) {
        // A `select` of several types is never valid.
        let expected = supported && name != "TypedSelectMulti";
        assert_eq!(words.contains(&name), expected, "{name}");
    }
}
