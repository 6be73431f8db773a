//! Records that loading accepts and a verifier refuses: code of another function, thunks of another
//! type.

use super::{Forgery, MODULE, NULL, REF};
use precast_abi::artifact::*;
use precast_compiler::{Settings, symbols};
use zerocopy::FromBytes;

impl Forgery {
    /// Fixes all checksums and checks what the records mean. What is forged must pass the check of
    /// loading.
    fn check_deep(mut self) -> Result<CodeMap, String> {
        let places = Section::ALL.iter().filter(|section| section.place() != Place::Hot);
        for &section in places {
            let SectionEntry { offset, len, .. } = *self.section(section);
            let hash = Artifact::hash(&self.bytes[offset as usize..(offset + len) as usize]);
            self.section(section).hash = hash;
        }
        self.check_deep_of_sections()
    }

    /// As [`Forgery::check_deep`], but does not fix the checksums of single sections.
    fn check_deep_of_sections(mut self) -> Result<CodeMap, String> {
        self.fix_checksum();
        let artifact = Artifact::check(&self.bytes, &self.producer);
        let artifact = artifact.expect("loading accepts the forged record");
        artifact.check_deep(&self.bytes).map_err(|error| error.to_string())
    }

    fn types(&mut self) -> &mut [TypeDesc] {
        self.records(Section::Types)
    }

    fn funcs(&mut self) -> &mut [FuncDesc] {
        self.records(Section::Funcs)
    }

    /// The export of the `n`th defined function.
    fn export(&mut self, n: u32) -> &mut ExportDesc {
        let func = self.info().func_imports + n;
        let mut exports = self.records::<ExportDesc>(Section::Exports).iter_mut();
        let found = exports.find(|e| e.kind == Kind::Func as u32 && e.index == func);
        found.expect("it is exported")
    }

    /// The reference to the function `$g`.
    fn func_ref(&mut self) -> &mut FuncRefDesc {
        let mut refs = self.records::<FuncRefDesc>(Section::FuncRefs).iter_mut();
        refs.find(|func| func.code != NONE).expect("$g is referred to")
    }
}

#[track_caller]
fn refused(why: &str, forge: impl FnOnce(&mut Forgery)) {
    let mut forgery = Forgery::new();
    forge(&mut forgery);
    let error = forgery.check_deep().expect_err("a forged record is accepted");
    assert!(error.contains("damaged") && error.contains(why), "not {why:?}: {error}");
}

/// Positions of defined functions and of types in the module.
const G: u32 = 0;
const TAKE: u32 = 1;
const START: u32 = 2;
const UNARY: usize = 0;
const OF_START: usize = 1;
const OF_TAKE: usize = 2;

/// The map of an artifact equals what the compiler says of its own code.
#[test]
fn an_artifact_that_nobody_forged() {
    let settings = Settings { threads: 1, ..Settings::default() };
    let wasm = wat::parse_str(MODULE).unwrap();
    let symbols = symbols(&wasm, &settings).unwrap();
    let code = Forgery::new().check_deep().unwrap();
    let names = ["function[2]", "function[3]", "function[4]"];
    let mut named = 0;
    for symbol in &symbols {
        let found = code.starting_at(symbol.start);
        if symbol.name.starts_with("stub") {
            assert_eq!(found, None, "{}", symbol.name);
            continue;
        }
        let place = found.unwrap_or_else(|| panic!("{} is missing", symbol.name));
        let name = match place.role {
            CodeRole::Function { func, ty } => {
                assert_eq!(place.end, symbol.start + symbol.len, "{}", symbol.name);
                assert_eq!(ty as usize, [UNARY, OF_TAKE, OF_START][func as usize - 2]);
                names.get(func as usize - 2).unwrap_or(&"").to_string()
            }
            CodeRole::TypedEntry { ty } => format!("typed entry thunk of type {ty}"),
            CodeRole::ArrayEntry { ty } => format!("array entry thunk of type {ty}"),
            CodeRole::HostThunk { ty } => format!("host thunk of type {ty}"),
        };
        assert!(place.end >= symbol.start + symbol.len, "{} is cut off", symbol.name);
        let own_name = ["g", "take", "start"].contains(&&*symbol.name);
        assert!(name == symbol.name || own_name, "{name} is {}", symbol.name);
        named += 1;
    }
    assert_eq!(code.places().len(), named);
    // Three functions, host thunks of two types, two entry thunks of each type.
    assert_eq!(named, 3 + 2 + 6);
}

#[test]
fn sections_that_have_changed() {
    for section in [Section::Text, Section::Funcs, Section::TrapCodes, Section::Image] {
        let mut forgery = Forgery::new();
        forgery.records::<u8>(section)[5] ^= 1;
        let error = forgery.check_deep_of_sections().expect_err("it is damaged");
        assert!(error.contains(&format!("'{}' has changed", section.name())), "{error}");
    }
}

#[test]
fn types_with_the_digest_of_others() {
    refused("a type's digest", |f| f.types()[UNARY].digest = f.types()[OF_TAKE].digest);
    refused("a type's digest", |f| f.types()[OF_START].digest ^= 1 << 63);
    // A parameter becomes a result.
    refused("a type's digest", |f| {
        let ty = &mut f.types()[OF_TAKE];
        (ty.params, ty.results) = (1, 2);
    });
    refused("a type's digest", |f| f.records::<u8>(Section::TypeValues)[0] = 0x6f);
    // Types that share values, and values that no type has.
    refused("a type's values", |f| f.types()[OF_TAKE].first = 0);
    refused("a type's values", |f| {
        let last = f.section(Section::TypeValues);
        last.len += 1;
        let end = (last.offset + last.len) as usize;
        f.bytes[end - 1] = 0x7f;
    });
}

#[test]
fn functions_that_overlap_or_have_no_type() {
    let place = "the place of a function";
    refused(place, |f| f.funcs()[1].start = f.funcs()[0].start);
    refused(place, |f| f.funcs().swap(0, 1));
    refused(place, |f| f.funcs()[2].len = 0);
    refused(place, |f| f.funcs()[0].len += 32);
    refused(place, |f| f.funcs()[2].len = u32::MAX);
    refused(place, |f| f.funcs()[2].start = !15);
    refused(place, |f| f.funcs()[2].start += 1);
    refused("the type of a function", |f| f.funcs()[1].ty = 3);
    refused("the type of a function", |f| f.funcs()[1].ty = NONE);
    refused("the number of functions", |f| f.section(Section::Funcs).len -= 12);
    refused("misplaced", |f| f.section(Section::Funcs).len -= 4);
    // A function that reaches into the code behind it.
    refused("the place of a thunk", |f| {
        let thunk = f.records::<u32>(Section::HostThunks)[0];
        let last = &mut f.funcs()[2];
        last.len = thunk - last.start + 16;
    });
}

#[test]
fn references_to_the_code_of_others() {
    let export = "the code of an export";
    refused(export, |f| f.export(G).code = f.funcs()[TAKE as usize].start);
    refused(export, |f| f.export(G).code += 16);
    refused(export, |f| f.export(G).code += 1);
    refused(export, |f| f.export(G).code = f.types()[UNARY].array_entry);
    refused(export, |f| f.export(G).ty = OF_TAKE as u32);
    refused(export, |f| f.export(G).index += TAKE);
    let start = "the code of the start function";
    refused(start, |f| f.info().start_code = f.funcs()[G as usize].start);
    refused(start, |f| f.info().start_code += 1);
    refused(start, |f| f.info().start_func -= START - TAKE);
    let func_ref = "the code of a func ref";
    refused(func_ref, |f| f.func_ref().code = f.funcs()[TAKE as usize].start);
    refused(func_ref, |f| f.func_ref().code = f.records::<u32>(Section::HostThunks)[0]);
    refused(func_ref, |f| f.func_ref().code += 4);
    refused(func_ref, |f| f.func_ref().ty = OF_TAKE as u32);
    refused(func_ref, |f| f.func_ref().func += TAKE);
    refused("func refs out of order", |f| {
        let refs = f.records::<FuncRefDesc>(Section::FuncRefs);
        refs.swap(0, 1);
    });
    // The type of the function itself, without those that refer to it.
    refused("the code of", |f| f.funcs()[G as usize].ty = OF_TAKE as u32);
    refused(start, |f| f.funcs()[START as usize].ty = UNARY as u32);
}

#[test]
fn thunks_of_other_kinds_and_types() {
    let two = "a thunk of two types";
    refused(two, |f| f.types()[UNARY].typed_entry = f.types()[UNARY].array_entry);
    refused(two, |f| f.types()[UNARY].array_entry = f.types()[OF_TAKE].array_entry);
    refused(two, |f| f.types()[UNARY].typed_entry = f.records::<u32>(Section::HostThunks)[0]);
    refused(two, |f| {
        let thunks = f.records::<u32>(Section::HostThunks);
        thunks[0] = thunks[1];
    });
    let place = "the place of a thunk";
    refused(place, |f| f.types()[UNARY].typed_entry = f.funcs()[G as usize].start);
    refused(place, |f| f.types()[UNARY].array_entry += 4);
    refused(place, |f| f.records::<u32>(Section::HostThunks)[0] = f.funcs()[0].start);
    refused("entry thunks", |f| f.types()[UNARY].typed_entry = NONE);
}

#[test]
fn handlers_outside_their_thunks() {
    let outside = "a handler outside its entry thunk";
    let forge = |change: fn(&mut [HandlerDesc])| {
        move |f: &mut Forgery| change(f.records::<HandlerDesc>(Section::Handlers))
    };
    refused(outside, forge(|h| h[0].handler = h[1].handler));
    refused(outside, forge(|h| h[0].handler = 0));
    refused(outside, forge(|h| h[1].ret = h[0].ret + 1));
    refused(outside, forge(|h| h[0].ret = 16));
    refused(outside, forge(|h| h[0].reserved = 1));
    refused("the number of handlers", |f| f.section(Section::Handlers).len -= 16);
}

/// An expression gives the global its value, so loading does not look at its initial bytes.
#[test]
fn references_in_the_initial_bytes_of_globals() {
    refused("a reference in the initial bytes", |f| {
        let at = f.records::<GlobalDesc>(Section::Globals)[REF].offset - f.info().globals_at;
        f.records::<u8>(Section::GlobalInit)[at as usize + 7] = 0x80;
    });
    // Loading does look at those of a global without an expression.
    super::refused("a global's value", |f| {
        let at = f.records::<GlobalDesc>(Section::Globals)[NULL].offset - f.info().globals_at;
        f.records::<u8>(Section::GlobalInit)[at as usize + 7] = 0x80;
    });
}

#[test]
fn the_exported_memory_is_another() {
    refused("the exported memory", |f| f.info().exported_memory = NONE);
    refused("the exported memory", |f| {
        let memory = f.artifact.export(&f.bytes, "memory").expect("it is exported").hash;
        let exports = f.records::<ExportDesc>(Section::Exports);
        let export = exports.iter_mut().find(|e| e.hash == memory).expect("it is exported");
        // Now it is a global with that name.
        export.kind = Kind::Global as u32;
    });
}

#[test]
fn traps_without_a_meaning() {
    refused("the code of a trap", |f| f.records::<u8>(Section::TrapCodes)[0] = 0);
    refused("traps out of order", |f| f.records::<u32>(Section::TrapOffsets).swap(0, 1));
    refused("traps out of order", |f| {
        let traps = f.records::<u32>(Section::TrapOffsets);
        traps[1] = traps[0];
    });
    refused("a trap outside the text", |f| {
        *f.records::<u32>(Section::TrapOffsets).last_mut().expect("there are traps") = NONE;
    });
    refused("the number of traps", |f| f.section(Section::TrapCodes).len -= 1);
    refused("the number of traps", |f| f.section(Section::TrapLocs).len -= 4);
    refused("calls out of order", |f| f.records::<CallLoc>(Section::CallLocs).swap(0, 1));
    refused("a call outside the text", |f| {
        f.records::<CallLoc>(Section::CallLocs).last_mut().expect("there are calls").ret = NONE;
    });
}

/// The check of what records mean ends without a panic, whatever they are.
#[test]
fn random_records() {
    let mut random = fastrand::Rng::with_seed(7);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..4000 {
        let mut f = Forgery::new();
        for _ in 0..random.usize(1..4) {
            let section = Section::ALL[random.usize(..Section::ALL.len())];
            let SectionEntry { offset, len, .. } = f.artifact.entry(section);
            if len < 4 {
                continue;
            }
            let at = (offset + random.u64(..len / 4) * 4) as usize;
            let word = <u32>::mut_from_bytes(&mut f.bytes[at..at + 4]).expect("it is aligned");
            *word = match random.u8(..4) {
                0 => random.u32(..),
                1 => word.wrapping_add(16),
                2 => *word ^ 1 << random.u8(..32),
                _ => NONE,
            };
        }
        f.fix_checksum();
        if let Ok(artifact) = Artifact::check(&f.bytes, &f.producer) {
            f.artifact = artifact;
            match f.check_deep() {
                Ok(_) => accepted += 1,
                Err(_) => refused += 1,
            }
        }
    }
    assert!(accepted > 100 && refused > 100, "{accepted} accepted, {refused} refused");
}
