//! Tests of the model, on facts of real lowering.
