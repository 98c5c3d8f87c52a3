//! What users see, area by area, against the real stack.
