//! What is asked for of a server's JSON, and nothing else: values of another kind than
//! expected are noticed and hide no other, and what nobody needs is not held. An answer
//! of 16 MiB then takes about as much memory, whatever it is made of.
//!
//! Must not: know what any field means.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Text {
    /// Not there, or `null`.
    #[default]
    None,
    Is(String),
    /// A value of another kind.
    Odd,
}

impl Text {
    pub(super) fn get(&self) -> Option<&str> {
        match self {
            Self::Is(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_odd(&self) -> bool {
        *self == Self::Odd
    }
}

/// An object; of any other value, nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Object<T>(pub(super) T);

/// A list, without what is nothing; `odd` where it is another value.
#[derive(Clone, Debug)]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
    pub(super) odd: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { items: Vec::new(), odd: false }
    }
}

/// A list of so many at most: more than was asked for is not held.
#[derive(Debug)]
pub(super) struct Many<T, const MOST: usize>(pub(super) Vec<T>);

/// What a value turns out to be, given to whoever expects it. Other kinds are `odd`.
pub(super) trait Kind<'de>: Sized {
    fn null() -> Self;
    fn odd() -> Self;
    fn text(_: &str) -> Self {
        Self::odd()
    }
    fn map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::odd())
    }
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::odd())
    }
}

/// Reads a value of any kind.
pub(super) fn any<'de, K: Kind<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<K, D::Error> {
    struct Any<K>(PhantomData<K>);
    impl<'de, K: Kind<'de>> Visitor<'de> for Any<K> {
        type Value = K;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any value")
        }
        fn visit_unit<E: Error>(self) -> Result<K, E> {
            Ok(K::null())
        }
        fn visit_bool<E: Error>(self, _: bool) -> Result<K, E> {
            Ok(K::odd())
        }
        fn visit_i64<E: Error>(self, _: i64) -> Result<K, E> {
            Ok(K::odd())
        }
        fn visit_u64<E: Error>(self, _: u64) -> Result<K, E> {
            Ok(K::odd())
        }
        fn visit_f64<E: Error>(self, _: f64) -> Result<K, E> {
            Ok(K::odd())
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<K, E> {
            Ok(K::text(text))
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<K, A::Error> {
            K::map(map)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<K, A::Error> {
            K::list(list)
        }
    }
    deserializer.deserialize_any(Any(PhantomData))
}

impl Kind<'_> for Text {
    fn null() -> Self {
        Self::None
    }
    fn odd() -> Self {
        Self::Odd
    }
    fn text(text: &str) -> Self {
        Self::Is(text.to_owned())
    }
}

impl<'de, T: Deserialize<'de> + Default> Kind<'de> for Object<T> {
    fn null() -> Self {
        Self::default()
    }
    fn odd() -> Self {
        Self::default()
    }
    fn map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Self)
    }
}

impl<'de, T: Deserialize<'de> + Default + PartialEq> Kind<'de> for List<T> {
    fn null() -> Self {
        Self::default()
    }
    fn odd() -> Self {
        Self { items: Vec::new(), odd: true }
    }
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut items = Vec::new();
        let nothing = T::default();
        while let Some(item) = list.next_element()? {
            if item != nothing {
                items.push(item);
            }
        }
        Ok(Self { items, odd: false })
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer)
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer)
    }
}

impl<'de, T: Deserialize<'de> + Default + PartialEq> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer)
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Many<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T, const MOST: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Items<T, MOST> {
            type Value = Many<T, MOST>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of {MOST} at most")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    if items.len() >= MOST {
                        return Err(A::Error::invalid_length(MOST + 1, &self));
                    }
                    items.push(item);
                }
                Ok(Many(items))
            }
        }
        deserializer.deserialize_seq(Items(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Default)]
    #[serde(default)]
    struct Thing {
        name: Text,
        inner: Object<Inner>,
        list: List<Text>,
    }

    #[derive(serde::Deserialize, Default)]
    #[serde(default)]
    struct Inner {
        name: Text,
    }

    #[test]
    fn what_is_odd_hides_nothing() {
        let read = |text: &str| {
            let Many(things) = serde_json::from_str::<Many<Object<Thing>, 9>>(text).unwrap();
            let shown = things.into_iter().map(|Object(thing)| {
                format!("{:?} {:?} {} {}", thing.name, thing.inner.0.name, thing.list.items.len(), thing.list.odd)
            });
            shown.collect::<Vec<_>>()
        };
        let nothing = "None None 0 false";
        assert_eq!(read("[null, 1, -1, 1.5, true, \"x\", [[], {\"a\": 1}], {}]"), [nothing; 8]);
        assert_eq!(
            read("[{\"name\": \"a\", \"other\": [1, {}], \"inner\": {\"name\": \"b\"}, \"list\": [\"x\", 3]}]"),
            ["Is(\"a\") Is(\"b\") 2 false"]
        );
        assert_eq!(read("[{\"name\": {\"x\": 1}, \"inner\": [1], \"list\": {\"x\": 1}}]"), ["Odd None 0 true"]);
        assert!(serde_json::from_str::<Many<Text, 2>>("[1, 2]").is_ok());
        for bad in ["[1, 2, 3]", "{}", "null", "[1"] {
            assert!(serde_json::from_str::<Many<Text, 2>>(bad).is_err(), "{bad}");
        }
    }
}
