//! The numbers of parameters and results that typed functions may have.

/// Calls a macro with a list of type parameters for each number from 0 to 16.
macro_rules! for_each_arity {
    ($macro:ident) => {
        $macro! {
            ;
            A1;
            A1 A2;
            A1 A2 A3;
            A1 A2 A3 A4;
            A1 A2 A3 A4 A5;
            A1 A2 A3 A4 A5 A6;
            A1 A2 A3 A4 A5 A6 A7;
            A1 A2 A3 A4 A5 A6 A7 A8;
            A1 A2 A3 A4 A5 A6 A7 A8 A9;
            A1 A2 A3 A4 A5 A6 A7 A8 A9 A10;
            A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11;
            A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12;
            A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13;
            A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14;
            A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15;
            A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15 A16;
        }
    };
}

pub(crate) use for_each_arity;
