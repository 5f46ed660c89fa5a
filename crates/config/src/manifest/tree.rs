//! The YAML tree, and the positions of its nodes. Mappings keep duplicate keys, which serde_yaml's own tree loses. The
//! text of a parser's error is never passed on, because it quotes the file.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IgnoredAny, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

use super::problem::{Position, Problem, Step};
use super::syntax::{self, MAX_BYTES};

/// Limit for the number of nodes plus the bytes of text that are not borrowed from the file. No file without aliases
/// reaches it. With aliases, a small file could exhaust memory: libyaml's own limit counts aliases, not what each
/// stands for.
const MAX_SIZE: usize = 2 * MAX_BYTES;

/// A node of the tree.
pub(super) enum Node<'a> {
    /// No content, `~` or `null`.
    Null,
    Bool(bool),
    /// A number; `None` if JSON cannot represent it.
    Number(Option<serde_json::Number>),
    /// Text, quoted or not.
    Text(Cow<'a, str>),
    List(Vec<Self>),
    /// Pairs in the file's order, with keys of any kind, duplicates included.
    Mapping(Vec<(Self, Self)>),
    /// A node with a tag (`!ref x`), which is rejected everywhere.
    Tagged,
}

/// The value of a key, and the index of the pair.
pub(super) fn find_value<'n>(node: &'n Node<'n>, name: &str) -> Option<(usize, &'n Node<'n>)> {
    let Node::Mapping(pairs) = node else {
        return None;
    };
    let has_name = |key: &Node<'_>| matches!(key, Node::Text(text) if text == name);
    let index = pairs.iter().position(|(key, _)| has_name(key))?;
    Some((index, &pairs[index].1))
}

/// Parses a file to a tree that is not empty.
pub(super) fn parse(text: &str) -> Result<Node<'_>, Problem> {
    let remaining = Cell::new(MAX_SIZE);
    match TreeBuilder(&remaining).deserialize(serde_yaml::Deserializer::from_str(text)) {
        Ok(Node::Null) => Err(Problem::whole_file(None, "the file is empty")),
        Ok(tree) => Ok(tree),
        Err(_) if remaining.get() == 0 => Err(Problem::whole_file(None, syntax::ALIASES)),
        Err(error) => {
            let (position, text) = syntax::explain(text, &error);
            Err(Problem::whole_file(position, text))
        }
    }
}

/// Builds the tree, and counts down the remainder of [`MAX_SIZE`].
#[derive(Clone, Copy)]
struct TreeBuilder<'l>(&'l Cell<usize>);

impl TreeBuilder<'_> {
    fn spend<E: serde::de::Error>(self, size: usize) -> Result<(), E> {
        let remaining = self.0.get().saturating_sub(size);
        self.0.set(remaining);
        if remaining == 0 {
            return Err(E::custom("too large"));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for TreeBuilder<'_> {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node<'de>, D::Error> {
        self.spend(1)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TreeBuilder<'_> {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node<'de>, E> {
        Ok(Node::Number(Some(number.into())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node<'de>, E> {
        Ok(Node::Number(Some(number.into())))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Node<'de>, E> {
        Ok(Node::Number(None))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Node<'de>, E> {
        Ok(Node::Number(None))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node<'de>, E> {
        Ok(Node::Number(serde_json::Number::from_f64(number)))
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Node<'de>, E> {
        self.spend(text.len())?;
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let mut pairs = Vec::new();
        while let Some(key) = map.next_key_seed(self)? {
            pairs.push((key, map.next_value_seed(self)?));
        }
        Ok(Node::Mapping(pairs))
    }

    /// serde_yaml represents a tag as an enum.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Node<'de>, A::Error> {
        let (_, content): (IgnoredAny, _) = tagged.variant()?;
        let _: IgnoredAny = content.newtype_variant()?;
        Ok(Node::Tagged)
    }
}

/// The position of a node. serde_yaml's trees have no positions, but its errors do: the text is parsed again up to the
/// node, where an error is raised. That takes as long as parsing the file, for the few problems that are reported.
pub(super) fn locate(text: &str, steps: &[Step]) -> Option<Position> {
    let error = Probe(steps)
        .deserialize(serde_yaml::Deserializer::from_str(text))
        .err()?;
    syntax::error_position(&error)
}

/// Raises an error at the node that the steps lead to.
struct Probe<'s>(&'s [Step]);

impl Probe<'_> {
    /// The error at the node, or where the text does not match the steps.
    fn stop<T, E: serde::de::Error>() -> Result<T, E> {
        Err(E::custom("here"))
    }
}

impl<'de> DeserializeSeed<'de> for Probe<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

// serde's default for every other kind of node is an error, at the same position.
impl<'de> Visitor<'de> for Probe<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a way further")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.0.split_first() else {
            return Self::stop();
        };
        for _ in 0..step.index {
            list.next_element::<IgnoredAny>()?;
        }
        list.next_element_seed(Probe(rest))?;
        Self::stop()
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.0.split_first() else {
            return Self::stop();
        };
        for _ in 0..step.index {
            map.next_entry::<IgnoredAny, IgnoredAny>()?;
        }
        if step.is_value {
            map.next_key::<IgnoredAny>()?;
            map.next_value_seed(Probe(rest))?;
        } else {
            map.next_key_seed(Probe(rest))?;
        }
        Self::stop()
    }
}
