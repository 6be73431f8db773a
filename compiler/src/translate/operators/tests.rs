//! Every operator of a supported proposal has a translation, and no other operator has one.

/// Whether precast supports a proposal. A proposal that is missing here does not compile.
#[allow(non_upper_case_globals)]
mod supported {
    pub(super) const mvp: bool = true;
    pub(super) const sign_extension: bool = true;
    pub(super) const saturating_float_to_int: bool = true;
    pub(super) const bulk_memory: bool = true;
    pub(super) const reference_types: bool = true;
    pub(super) const simd: bool = true;
    pub(super) const relaxed_simd: bool = false;
    pub(super) const tail_call: bool = false;
    pub(super) const threads: bool = false;
    pub(super) const exceptions: bool = false;
    pub(super) const legacy_exceptions: bool = false;
    pub(super) const function_references: bool = false;
    pub(super) const gc: bool = false;
    pub(super) const custom_descriptors: bool = false;
    pub(super) const stack_switching: bool = false;
    pub(super) const wide_arithmetic: bool = false;
    pub(super) const memory_control: bool = false;
    pub(super) const acquire_release_atomics: bool = false;
    pub(super) const shared_everything_threads: bool = false;
}

macro_rules! operators {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        [$((stringify!($op), supported::$proposal)),*]
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
