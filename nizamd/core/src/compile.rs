//! Model to image records. Pure.
