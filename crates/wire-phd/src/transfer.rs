//! What a manager asks a device for once it is in operation, one thing after the other: its own
//! attributes, its clock to be set, its scanners to begin, its stores to be emptied into us.

use std::collections::VecDeque;

use crate::config::{Configuration, attr};
use crate::data::{Action, Message};
use crate::store::{self, Segment, Selection};

/// Most segments of one store that are asked for.
pub(crate) const SEGMENTS_MAX: usize = 4_096;

/// Something to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The device's own attributes.
    Device,
    /// Its clock to be set, in base-offset time or not.
    SetTime(bool),
    /// A scanner to begin.
    Begin(u16),
    /// A store's segments.
    Segments(u16),
    /// A segment of a store.
    Transfer(u16, Segment),
    /// A segment to be cleared.
    Clear(u16, u16),
}

impl Wish {
    /// The service that asks for it; `time` is what a clock is set to.
    pub(crate) fn message(&self, time: &dyn Fn(bool) -> Vec<u8>) -> Message {
        let action = |object, kind, info| Message::Action { confirmed: true, action: Action { object, kind, info } };
        match self {
            Self::Device => Message::Get { object: 0, attributes: Vec::new() },
            Self::SetTime(base_offset) => action(0, if *base_offset { 3101 } else { 3095 }, time(*base_offset)),
            Self::Begin(object) => {
                let changes = vec![(0, attr::OPERATIONAL, vec![0, 1])];
                Message::Set { confirmed: true, object: *object, changes }
            }
            Self::Segments(object) => action(*object, store::GET_INFO, Selection::All.encode()),
            Self::Transfer(object, segment) => {
                action(*object, store::TRANSFER, segment.number.to_be_bytes().to_vec())
            }
            Self::Clear(object, number) => {
                action(*object, store::CLEAR, Selection::These(vec![*number]).encode())
            }
        }
    }
}

/// What a configuration gives to ask for: scanners that wait to be switched on, stores.
pub(crate) fn wishes(configuration: &Configuration, collect: bool) -> VecDeque<Wish> {
    let mut wishes = VecDeque::new();
    for object in &configuration.objects {
        let disabled = object.attribute(attr::OPERATIONAL) == Some(&[0, 0]);
        if (16..=19).contains(&object.class) && disabled {
            wishes.push_back(Wish::Begin(object.handle));
        } else if object.class == store::CLASS && collect {
            wishes.push_back(Wish::Segments(object.handle));
        }
    }
    wishes
}

/// A transfer under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transfer {
    /// The store.
    pub(crate) object: u16,
    /// Its segment.
    pub(crate) segment: Segment,
    /// The index of the entry that is due.
    pub(crate) next: u32,
}
