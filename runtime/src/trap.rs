//! `Trap`: the reason and the place at which WebAssembly code stopped.

use precast_abi::trap::TrapCode;
use std::fmt;

/// The reason why WebAssembly code stopped, and the functions that were running.
#[derive(Clone, Debug)]
pub struct Trap {
    code: TrapCode,
    element: Option<u64>,
    frames: Vec<Frame>,
}

/// One function that was running when a trap happened.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Frame {
    /// The module's name from its name section.
    pub module: Option<String>,
    /// The function's index in its module.
    pub func_index: u32,
    /// The function's name from the module's name section.
    pub func_name: Option<String>,
    /// Offset of the instruction in the WebAssembly file, in bytes.
    pub wasm_offset: Option<u32>,
    /// Offset of the instruction in the module's machine code, in bytes. In all frames but the
    /// first it is the return address of the call.
    pub code_offset: u32,
}

impl Trap {
    pub(crate) fn new(code: TrapCode, element: Option<u64>, frames: Vec<Frame>) -> Self {
        Trap { code, element, frames }
    }

    /// The same trap with another reason.
    pub(crate) fn with_code(self, code: TrapCode) -> Self {
        Trap { code, ..self }
    }

    /// The reason.
    pub fn code(&self) -> TrapCode {
        self.code
    }

    /// The reason, in the words of the specification's test suite.
    pub fn message(&self) -> String {
        match self.element {
            Some(element) => format!("{} {element}", self.code),
            None => self.code.to_string(),
        }
    }

    /// The functions that were running, innermost first. At most the innermost 64 are kept.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// The functions that were running, one line each, to be printed below the message.
    pub fn backtrace(&self) -> String {
        let lines = self.frames.iter().enumerate().map(|(i, frame)| format!("\n  {i:>3}: {frame}"));
        lines.collect()
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for Trap {}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}!", self.module.as_deref().unwrap_or("<module>"))?;
        match &self.func_name {
            Some(name) => write!(f, "{name}")?,
            None => write!(f, "func[{}]", self.func_index)?,
        }
        if let Some(offset) = self.wasm_offset {
            write!(f, " at wasm {offset:#x}")?;
        }
        write!(f, ", code {:#x}", self.code_offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(module: Option<&str>, name: Option<&str>, wasm_offset: Option<u32>) -> Frame {
        let (module, func_name) = (module.map(str::to_owned), name.map(str::to_owned));
        Frame { module, func_index: 3, func_name, wasm_offset, code_offset: 0x40 }
    }

    #[test]
    fn frames_show_what_is_known_of_them() {
        let shown = |module, name, offset| frame(module, name, offset).to_string();
        assert_eq!(shown(Some("app"), Some("run"), Some(26)), "app!run at wasm 0x1a, code 0x40");
        assert_eq!(shown(None, Some("run"), None), "<module>!run, code 0x40");
        assert_eq!(shown(None, None, Some(0)), "<module>!func[3] at wasm 0x0, code 0x40");
    }

    #[test]
    fn a_backtrace_has_a_line_for_each_frame() {
        let frames = vec![frame(None, Some("inner"), None), frame(None, Some("outer"), None)];
        let trap = Trap::new(TrapCode::Unreachable, None, frames);
        let expected = "\n    0: <module>!inner, code 0x40\n    1: <module>!outer, code 0x40";
        assert_eq!(trap.backtrace(), expected);
        assert_eq!(Trap::new(TrapCode::Unreachable, None, Vec::new()).backtrace(), "");
    }

    #[test]
    fn the_message_names_the_element() {
        let trap = Trap::new(TrapCode::UninitializedElement, Some(7), Vec::new());
        assert_eq!(trap.to_string(), "uninitialized element 7");
        let trap = Trap::new(TrapCode::UninitializedElement, None, Vec::new());
        assert_eq!(trap.to_string(), "uninitialized element");
    }
}
