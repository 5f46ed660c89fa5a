//! The YAML tree, and the positions of its nodes. Mappings keep duplicate keys, which serde_yaml's own tree drops. Must not
//! pass on the text of a parser error, because it quotes the file.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use super::problem::{Position, Problem};
use super::syntax::{self, MAX_BYTES, MAX_PARTS};

/// The amount that a node adds to the size of a tree, in addition to the bytes of text not borrowed from the file. Its actual
/// memory is a few times as large.
const NODE_SIZE: usize = 16;
/// The size limit of a tree. A file without aliases never reaches it: a part has at most two nodes, and escapes at most double
/// the length of text. With aliases, a small file could exhaust memory: libyaml's own limit counts aliases, not what each
/// expands to.
const MAX_SIZE: usize = 2 * MAX_PARTS * NODE_SIZE + 2 * MAX_BYTES;

/// A node of the tree.
pub(super) struct Node<'a> {
    /// Increases in file order, including keys. For [`locate`].
    pub(super) id: usize,
    pub(super) content: Content<'a>,
}

/// The content of a node.
pub(super) enum Content<'a> {
    /// No content, `~` or `null`.
    Null,
    Bool(bool),
    /// A number; `None` if JSON cannot represent it.
    Number(Option<serde_json::Number>),
    /// Text, quoted or not.
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    /// Pairs in file order, with keys of any kind, including duplicates.
    Mapping(Vec<(Node<'a>, Node<'a>)>),
    /// A node with a tag (`!ref x`), which is rejected everywhere.
    Tagged,
}

/// Parses a file to a non-empty tree.
pub(super) fn parse(text: &str) -> Result<Node<'_>, Problem> {
    let builder = TreeBuilder::new(MAX_SIZE);
    match builder.build(text) {
        Ok(tree) if matches!(tree.content, Content::Null) => {
            Err(Problem::whole_file(None, "the file is empty"))
        }
        Ok(tree) => Ok(tree),
        Err(_) if builder.size.get() >= MAX_SIZE => Err(Problem::whole_file(None, syntax::ALIASES)),
        Err(error) => {
            let (position, text) = syntax::explain(text, &error);
            Err(Problem::whole_file(position, text))
        }
    }
}

/// The position of a node. serde_yaml's trees have no positions, but its errors do, so the text is parsed again with a limit
/// that the node exceeds. That takes as long as parsing the file, but only for the few reported problems.
pub(super) fn locate(text: &str, id: usize) -> Option<Position> {
    let error = TreeBuilder::new(id).build(text).err()?;
    syntax::error_position(&error)
}

/// Builds a tree with a size limit.
struct TreeBuilder {
    size: Cell<usize>,
    limit: usize,
}

impl TreeBuilder {
    fn new(limit: usize) -> Self {
        Self {
            size: Cell::new(0),
            limit,
        }
    }

    fn build<'de>(&self, text: &'de str) -> Result<Node<'de>, serde_yaml::Error> {
        self.deserialize(serde_yaml::Deserializer::from_str(text))
    }

    /// Adds to the size and returns it.
    fn grow<E: Error>(&self, by: usize) -> Result<usize, E> {
        let size = self.size.get() + by;
        self.size.set(size);
        if size < self.limit {
            Ok(size)
        } else {
            Err(E::custom("too large"))
        }
    }

    fn node<'de, E: Error>(&self, content: Content<'de>) -> Result<Node<'de>, E> {
        let id = self.grow(NODE_SIZE)?;
        Ok(Node { id, content })
    }
}

impl<'de> DeserializeSeed<'de> for &TreeBuilder {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

// The visitor's functions increase the size, because their errors have the position of the node.
impl<'de> Visitor<'de> for &TreeBuilder {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E: Error>(self) -> Result<Node<'de>, E> {
        self.node(Content::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Node<'de>, E> {
        self.node(Content::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Node<'de>, E> {
        self.node(Content::Bool(flag))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node<'de>, E> {
        self.node(Content::Number(Some(number.into())))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Node<'de>, E> {
        self.node(Content::Number(Some(number.into())))
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<Node<'de>, E> {
        self.node(Content::Number(None))
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<Node<'de>, E> {
        self.node(Content::Number(None))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Node<'de>, E> {
        self.node(Content::Number(serde_json::Number::from_f64(number)))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Node<'de>, E> {
        self.node(Content::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node<'de>, E> {
        let node = self.node(Content::Text(Cow::Owned(text.to_owned())))?;
        self.grow(text.len())?;
        Ok(node)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node<'de>, A::Error> {
        let id = self.grow(NODE_SIZE)?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self)? {
            items.push(item);
        }
        let content = Content::List(items);
        Ok(Node { id, content })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let id = self.grow(NODE_SIZE)?;
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry_seed(self, self)? {
            pairs.push(pair);
        }
        let content = Content::Mapping(pairs);
        Ok(Node { id, content })
    }

    /// serde_yaml represents a tag as an enum.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Node<'de>, A::Error> {
        let node = self.node(Content::Tagged)?;
        let (_, content): (IgnoredAny, _) = tagged.variant()?;
        let _: IgnoredAny = content.newtype_variant()?;
        Ok(node)
    }
}
