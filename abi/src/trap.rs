//! The reasons for which WebAssembly code stops.

macro_rules! traps {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// Why WebAssembly code stopped. The numbers are part of the artifact format; those from
        /// 251 are fixed by the code generator.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum TrapCode {
            $($(#[$doc])* $name = $code,)*
        }

        impl TrapCode {
            /// Every trap code, in the order of the table.
            pub const ALL: &[TrapCode] = &[$(TrapCode::$name),*];

            /// The code with this number, if there is one.
            pub const fn from_raw(raw: u8) -> Option<Self> {
                match raw {
                    $($code => Some(TrapCode::$name),)*
                    _ => None,
                }
            }

            /// The message of the specification's reference interpreter.
            pub const fn message(self) -> &'static str {
                match self {
                    $(TrapCode::$name => $text,)*
                }
            }
        }
    };
}

traps! {
    /// An `unreachable` instruction was reached.
    Unreachable = 1, "unreachable";
    /// A table was accessed past its end by `table.get`, `table.set`, `table.fill`, `table.copy` or
    /// `table.init`.
    TableOutOfBounds = 2, "out of bounds table access";
    /// `call_indirect` with an index past the end of its table.
    UndefinedElement = 3, "undefined element";
    /// `call_indirect` on a null entry.
    UninitializedElement = 4, "uninitialized element";
    /// `call_indirect` on a function of another type.
    IndirectCallTypeMismatch = 5, "indirect call type mismatch";
    /// The host interrupted the call. No instruction has this code.
    Interrupted = 6, "interrupted";
    /// The call had not ended at its deadline. No instruction has this code.
    DeadlineExceeded = 7, "deadline exceeded";
    /// The guest has used all its fuel.
    OutOfFuel = 8, "all fuel consumed";
    /// The call stack is exhausted.
    StackOverflow = 251, "call stack exhausted";
    /// The result of a division or of a conversion does not fit.
    IntegerOverflow = 252, "integer overflow";
    /// A linear memory was accessed past its end.
    MemoryOutOfBounds = 253, "out of bounds memory access";
    /// An integer was divided by zero.
    IntegerDivisionByZero = 254, "integer divide by zero";
    /// A NaN was converted to an integer.
    BadConversionToInteger = 255, "invalid conversion to integer";
}

impl TrapCode {
    /// The number of this code in an artifact.
    pub const fn raw(self) -> u8 {
        self as u8
    }
}

impl core::fmt::Display for TrapCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message())
    }
}

#[cfg(test)]
mod tests {
    use super::TrapCode;

    #[test]
    fn raw_round_trips() {
        for &code in TrapCode::ALL {
            assert_eq!(TrapCode::from_raw(code.raw()), Some(code));
        }
        assert_eq!(TrapCode::from_raw(0), None);
    }
}
