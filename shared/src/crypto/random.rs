use ring::rand::{SecureRandom, SystemRandom};

/// A secret that nobody guesses: 32 random bytes, in hexadecimal.
pub fn random_token() -> String {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).expect("the kernel has random bytes");
    hex::encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::random_token;

    #[test]
    fn no_two_are_the_same() {
        assert!(random_token().len() == 64 && random_token() != random_token());
    }
}
