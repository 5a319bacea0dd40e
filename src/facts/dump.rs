//! Readable text of a body, for debugging and for the tests of lowering.
