//! The file as a tree, and the place of each part of it. What serde_yaml makes of a mapping loses
//! keys that stand there twice, so pairs are kept here as they come. It must never pass on the text
//! of a parser's error: that quotes the file.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IgnoredAny, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

use super::problem::{Position, Problem, Step};
use super::syntax::{self, MAX_BYTES};

/// What a file may come to, in parts and bytes of text that is not the file's own. None without aliases
/// comes to that much; with them a small file could fill all memory long before libyaml's own limit,
/// which counts aliases and not what each stands for.
const MAX_SIZE: usize = 2 * MAX_BYTES;

/// A part of the file.
pub(super) enum Node<'a> {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; `None` where JSON has none such.
    Number(Option<serde_json::Number>),
    /// Text, whether quoted or not.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Self>),
    /// Pairs in the file's order, with keys of any kind, some perhaps twice.
    Mapping(Vec<(Self, Self)>),
    /// Anything with a tag (`!ref x`), which is refused wherever it stands.
    Tagged,
}

/// The value of a key, and which pair it is.
pub(super) fn find<'n>(node: &'n Node<'n>, name: &str) -> Option<(usize, &'n Node<'n>)> {
    let Node::Mapping(pairs) = node else {
        return None;
    };
    let is_it = |key: &Node<'_>| matches!(key, Node::Text(text) if text == name);
    let nth = pairs.iter().position(|(key, _)| is_it(key))?;
    Some((nth, &pairs[nth].1))
}

/// Reads the file.
pub(super) fn read(text: &str) -> Result<Node<'_>, Problem> {
    let left = Cell::new(MAX_SIZE);
    let refused = Problem::of_file;
    match Reader(&left).deserialize(serde_yaml::Deserializer::from_str(text)) {
        Ok(Node::Null) => Err(refused(None, "the file is empty")),
        Ok(tree) => Ok(tree),
        Err(_) if left.get() == 0 => Err(refused(None, syntax::ALIASES)),
        Err(error) => {
            let (place, text) = syntax::explain(text, &error);
            Err(refused(place, text))
        }
    }
}

/// Builds the tree, and counts down what is left of [`MAX_SIZE`].
#[derive(Clone, Copy)]
struct Reader<'l>(&'l Cell<usize>);

impl Reader<'_> {
    fn spend<E: serde::de::Error>(self, size: usize) -> Result<(), E> {
        let left = self.0.get().saturating_sub(size);
        self.0.set(left);
        if left == 0 {
            return Err(E::custom("too large"));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node<'de>, D::Error> {
        self.spend(1)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
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

    /// This is how serde_yaml shows a tag.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Node<'de>, A::Error> {
        let (_, content): (IgnoredAny, _) = tagged.variant()?;
        let _: IgnoredAny = content.newtype_variant()?;
        Ok(Node::Tagged)
    }
}

/// Where a part is. A tree from serde_yaml has no places, but an error raised while reading has one:
/// so the text is read again as far as the part, and an error raised there. Each look-up costs as much
/// as reading the file, which only a file with problems pays, and for a few of them.
pub(super) fn locate(text: &str, way: &[Step]) -> Option<Position> {
    let error = Probe(way)
        .deserialize(serde_yaml::Deserializer::from_str(text))
        .err()?;
    syntax::place(&error)
}

struct Probe<'w>(&'w [Step]);

impl Probe<'_> {
    /// The way ends here, or the text is not the one that the way was made for.
    fn here<T, E: serde::de::Error>() -> Result<T, E> {
        Err(E::custom("here"))
    }
}

impl<'de> DeserializeSeed<'de> for Probe<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

// Every kind that is not overridden here is refused by serde's defaults: an error at this place too.
impl<'de> Visitor<'de> for Probe<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a way further")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.0.split_first() else {
            return Self::here();
        };
        for _ in 0..step.nth {
            list.next_element::<IgnoredAny>()?;
        }
        list.next_element_seed(Probe(rest))?;
        Self::here()
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.0.split_first() else {
            return Self::here();
        };
        for _ in 0..step.nth {
            map.next_entry::<IgnoredAny, IgnoredAny>()?;
        }
        if step.value {
            map.next_key::<IgnoredAny>()?;
            map.next_value_seed(Probe(rest))?;
        } else {
            map.next_key_seed(Probe(rest))?;
        }
        Self::here()
    }
}
