//! Generates values: random text from character classes. Must not store them.

use upsert_secret_core::value::SecretBytes;
use zeroize::Zeroizing;

use crate::manifest::{CharacterClass, GenerateSpec};
use crate::random;

/// The characters of a class, excluding quotes, backslashes, `$`, `%` and spaces, which shells, YAML and connection strings
/// interpret.
const fn alphabet(class: CharacterClass) -> &'static [u8] {
    match class {
        CharacterClass::Lower => b"abcdefghijklmnopqrstuvwxyz",
        CharacterClass::Upper => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        CharacterClass::Digits => b"0123456789",
        CharacterClass::Symbols => b"!#()*+,-./:;<=>?@[]^_{|}~",
    }
}

/// Generates text from the classes, with at least one character of each.
pub(crate) fn generate(spec: &GenerateSpec) -> SecretBytes {
    let all: Vec<u8> = spec
        .classes
        .iter()
        .flat_map(|class| alphabet(*class))
        .copied()
        .collect();
    loop {
        let mut text = Zeroizing::new(Vec::with_capacity(spec.length));
        while text.len() < spec.length {
            let mut byte = Zeroizing::new([0]);
            random::fill(byte.as_mut_slice());
            let number = usize::from(byte[0]);
            // Larger numbers would make the first characters more frequent than others.
            if number < 256 / all.len() * all.len() {
                text.push(all[number % all.len()]);
            }
        }
        let has = |class: &CharacterClass| text.iter().any(|byte| alphabet(*class).contains(byte));
        // Uniformly distributed among the texts that contain every class.
        if spec.classes.iter().all(has) {
            return SecretBytes::new(text.to_vec());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn generated_text_has_length_and_every_class(
            length in 8_usize..200,
            picked in proptest::sample::subsequence(
                vec![CharacterClass::Lower, CharacterClass::Upper, CharacterClass::Digits, CharacterClass::Symbols], 1..=4),
        ) {
            let spec = GenerateSpec { length, classes: picked.clone() };
            let (one, other) = (generate(&spec), generate(&spec));
            prop_assert_eq!(one.expose().len(), length);
            prop_assert!(one.expose() != other.expose());
            for class in &picked {
                prop_assert!(one.expose().iter().any(|byte| alphabet(*class).contains(byte)));
            }
            let known = |byte: &u8| picked.iter().any(|class| alphabet(*class).contains(byte));
            prop_assert!(one.expose().iter().all(known));
        }
    }
}
