//! Modules from wasm-smith: anything that WebAssembly 2.0 allows, and nothing else.

use crate::case::{FUEL_PER_CALL, Generated};
use crate::rng::Rng;
use anyhow::Result;
use arbitrary::Unstructured;
use wasm_smith::{Config, Module};

/// Makes a module. None if there are too few random bytes for one.
pub fn generate(rng: &mut Rng) -> Result<Option<Generated>> {
    let config = Config {
        // Features of WebAssembly 2.0.
        bulk_memory_enabled: true,
        multi_value_enabled: true,
        reference_types_enabled: true,
        saturating_float_to_int_enabled: true,
        sign_extension_ops_enabled: true,
        simd_enabled: true,
        extended_const_enabled: true,
        // Features that it does not have.
        acquire_release_atomics_enabled: false,
        compact_imports_enabled: false,
        custom_descriptors_enabled: false,
        custom_page_sizes_enabled: false,
        exceptions_enabled: false,
        gc_enabled: false,
        max_memories: 1,
        memory64_enabled: false,
        multibyte_array_access_enabled: false,
        relaxed_simd_enabled: false,
        shared_everything_threads_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        // Settings that make runs comparable.
        canonicalize_nans: true,
        allow_invalid_funcs: false,
        memory_max_size_required: true,
        max_memory32_bytes: rng.pick(&[1 << 16, 3 << 16, 1 << 20]),
        table_max_size_required: true,
        max_table_elements: 300,
        // Settings that make runs worthwhile. Tables that are not exported may be compiled away, so
        // some modules export little.
        export_everything: !rng.one_in(3),
        allow_start_export: rng.one_in(3),
        min_funcs: 1,
        min_exports: 2,
        max_funcs: rng.range(2, 12) as usize,
        max_imports: rng.below(8) as usize,
        max_tables: rng.range(1, 4) as usize,
        min_tables: rng.below(2) as u32,
        min_memories: u32::from(!rng.one_in(4)),
        max_globals: 8,
        max_types: 12,
        max_element_segments: 6,
        max_data_segments: 6,
        max_instructions: rng.pick(&[20, 100, 400]),
        max_nesting_depth: 6,
        memory_offset_choices: wasm_smith::MemoryOffsetChoices(90, 9, 1),
        generate_custom_sections: rng.one_in(8),
        disallow_traps: !rng.one_in(4),
        ..Config::default()
    };
    let size = rng.pick(&[500, 2000, 8000]);
    let bytes = rng.bytes(size);
    let Ok(mut module) = Module::new(config, &mut Unstructured::new(&bytes)) else {
        return Ok(None);
    };
    let fuel = module.ensure_termination(FUEL_PER_CALL)?;
    Ok(Some(Generated {
        wasm: module.to_bytes(),
        fuel: Some(fuel),
        calls: Vec::new(),
        large: false,
    }))
}
