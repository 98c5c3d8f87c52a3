//! What happens when parts die.
