//! Who subscribed to what: a tree of topic levels.
//!
//! `T` is whatever the owner needs to reach a subscriber; the tree only clones it. Looking up
//! costs one step a level and wildcard, independent of the number of other filters.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Qos;
use crate::topic::split_shared;

/// What a subscription asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Highest QoS.
    pub qos: Qos,
    /// Not what the subscriber published itself.
    pub no_local: bool,
    /// Keep the retain flag as published.
    pub retain_as_published: bool,
    /// Subscription identifier.
    pub identifier: Option<u32>,
}

/// One subscription as stored in the tree.
#[derive(Debug, Clone)]
pub struct Entry<T> {
    /// The subscriber's key, unique among subscribers.
    pub client: u64,
    /// How to reach the subscriber.
    pub handle: T,
    /// What it asked for.
    pub options: Options,
}

/// The members of a shared subscription at one moment, and whose turn it is.
#[derive(Debug, Clone)]
pub struct Group<T> {
    name: Box<str>,
    members: Vec<Entry<T>>,
    turn: Arc<AtomicUsize>,
}

impl<T> Group<T> {
    /// The members, beginning with the one whose turn it is; each call moves the turn on.
    pub fn in_turn(&self) -> impl Iterator<Item = &Entry<T>> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % self.members.len().max(1);
        self.members[first..].iter().chain(&self.members[..first])
    }
}

/// One subscriber that gets a publication: overlapping subscriptions are one delivery with the
/// highest QoS and every identifier (3.3.4).
#[derive(Debug, Clone)]
pub struct Route<T> {
    /// The subscriber's key.
    pub client: u64,
    /// How to reach it.
    pub handle: T,
    /// Highest QoS of the subscriptions that match.
    pub qos: Qos,
    /// Whether any of them wants the retain flag as published.
    pub retain_as_published: bool,
    /// Their identifiers.
    pub identifiers: Vec<u32>,
}

/// Everybody who gets a publication on one topic.
#[derive(Debug, Clone)]
pub struct Routes<T> {
    /// Subscribers of their own.
    pub direct: Vec<Route<T>>,
    /// Shared subscriptions: one member of each gets it.
    pub groups: Vec<Arc<Group<T>>>,
}

impl<T> Default for Routes<T> {
    fn default() -> Self {
        Self { direct: Vec::new(), groups: Vec::new() }
    }
}

impl<T> Routes<T> {
    /// Whether nobody gets it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.direct.is_empty() && self.groups.is_empty()
    }
}

#[derive(Debug)]
struct Node<T> {
    children: HashMap<Box<str>, Node<T>>,
    direct: Vec<Entry<T>>,
    groups: Vec<Arc<Group<T>>>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { children: HashMap::new(), direct: Vec::new(), groups: Vec::new() }
    }
}

/// The tree.
#[derive(Debug)]
pub struct Tree<T> {
    root: Node<T>,
    count: usize,
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Self { root: Node::default(), count: 0 }
    }
}

impl<T: Clone> Tree<T> {
    /// Number of subscriptions.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds or replaces a client's subscription to a valid filter. Returns whether it is new.
    pub fn insert(&mut self, filter: &str, entry: Entry<T>) -> bool {
        let (group, plain) = split_shared(filter);
        let mut node = &mut self.root;
        for level in plain.split('/') {
            if !node.children.contains_key(level) {
                node.children.insert(level.into(), Node::default());
            }
            node = node.children.get_mut(level).expect("inserted just above");
        }
        let new = match group {
            None => put(&mut node.direct, entry),
            Some(name) => match node.groups.iter_mut().find(|g| &*g.name == name) {
                Some(group) => put(&mut Arc::make_mut(group).members, entry),
                None => {
                    let (members, turn) = (vec![entry], Arc::default());
                    node.groups.push(Arc::new(Group { name: name.into(), members, turn }));
                    true
                }
            },
        };
        self.count += usize::from(new);
        new
    }

    /// Removes a client's subscription. Returns whether there was one.
    pub fn remove(&mut self, filter: &str, client: u64) -> bool {
        let (group, plain) = split_shared(filter);
        let levels: Vec<&str> = plain.split('/').collect();
        let removed = remove(&mut self.root, &levels, group, client);
        self.count -= usize::from(removed);
        removed
    }

    /// Who gets a publication on a valid topic name from the client with the key `publisher`.
    #[must_use]
    pub fn routes(&self, topic: &str, publisher: u64) -> Routes<T> {
        let mut routes = Routes::default();
        let levels: Vec<&str> = topic.split('/').collect();
        collect(&self.root, &levels, topic.starts_with('$'), publisher, &mut routes);
        routes
    }
}

fn put<T>(entries: &mut Vec<Entry<T>>, entry: Entry<T>) -> bool {
    match entries.iter_mut().find(|e| e.client == entry.client) {
        Some(old) => {
            *old = entry;
            false
        }
        None => {
            entries.push(entry);
            true
        }
    }
}

fn take<T>(entries: &mut Vec<Entry<T>>, client: u64) -> bool {
    let at = entries.iter().position(|e| e.client == client);
    at.map(|at| entries.swap_remove(at)).is_some()
}

fn remove<T: Clone>(
    node: &mut Node<T>,
    levels: &[&str],
    group: Option<&str>,
    client: u64,
) -> bool {
    let Some((level, rest)) = levels.split_first() else {
        let Some(name) = group else { return take(&mut node.direct, client) };
        let Some(group) = node.groups.iter_mut().find(|g| &*g.name == name) else { return false };
        let removed = take(&mut Arc::make_mut(group).members, client);
        node.groups.retain(|g| !g.members.is_empty());
        return removed;
    };
    let Some(child) = node.children.get_mut(*level) else { return false };
    let removed = remove(child, rest, group, client);
    if child.children.is_empty() && child.direct.is_empty() && child.groups.is_empty() {
        node.children.remove(*level);
    }
    removed
}

/// Walks every path that matches; `hidden` is set while a first-level wildcard must not match.
fn collect<T: Clone>(
    node: &Node<T>,
    levels: &[&str],
    hidden: bool,
    publisher: u64,
    routes: &mut Routes<T>,
) {
    if !hidden && let Some(rest) = node.children.get("#") {
        gather(rest, publisher, routes);
    }
    let Some((level, deeper)) = levels.split_first() else {
        gather(node, publisher, routes);
        return;
    };
    if let Some(child) = node.children.get(*level) {
        collect(child, deeper, false, publisher, routes);
    }
    if !hidden && let Some(child) = node.children.get("+") {
        collect(child, deeper, false, publisher, routes);
    }
}

fn gather<T: Clone>(node: &Node<T>, publisher: u64, routes: &mut Routes<T>) {
    for entry in &node.direct {
        let options = &entry.options;
        if options.no_local && entry.client == publisher {
            continue;
        }
        match routes.direct.iter_mut().find(|r| r.client == entry.client) {
            Some(route) => {
                route.qos = route.qos.max(options.qos);
                route.retain_as_published |= options.retain_as_published;
                route.identifiers.extend(options.identifier);
            }
            None => routes.direct.push(Route {
                client: entry.client,
                handle: entry.handle.clone(),
                qos: options.qos,
                retain_as_published: options.retain_as_published,
                identifiers: options.identifier.into_iter().collect(),
            }),
        }
    }
    routes.groups.extend(node.groups.iter().cloned());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(client: u64, qos: Qos, no_local: bool, identifier: Option<u32>) -> Entry<u64> {
        let options = Options { qos, no_local, retain_as_published: false, identifier };
        Entry { client, handle: client, options }
    }

    fn check(filters: &[(&str, u64)], topic: &str, expected: &[u64]) {
        let mut tree = Tree::default();
        for (filter, client) in filters {
            tree.insert(filter, entry(*client, Qos::AtMostOnce, false, None));
        }
        let mut found: Vec<u64> = tree.routes(topic, 0).direct.iter().map(|r| r.client).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{filters:?} {topic}");
        for (filter, client) in filters {
            assert!(tree.remove(filter, *client), "{filter}");
            assert!(!tree.remove(filter, *client), "{filter}");
        }
        assert!(tree.is_empty() && tree.root.children.is_empty());
    }

    #[test]
    fn routes_follow_the_wildcards() {
        check(&[("a/b", 1), ("a/+", 2), ("a/#", 3), ("#", 4), ("b", 5)], "a/b", &[1, 2, 3, 4]);
        check(&[("a/#", 1), ("a/+", 2), ("+", 3)], "a", &[1, 3]);
        check(&[("#", 1), ("+/x", 2), ("$SYS/#", 3), ("$SYS/+", 4)], "$SYS/x", &[3, 4]);
        check(&[("/+", 1), ("+/+", 2), ("+", 3)], "/x", &[1, 2]);
        check(&[("a/b/c", 1)], "a/b", &[]);
    }

    #[test]
    fn the_tree_and_the_plain_matcher_agree() {
        let levels = ["a", "b", "$x", "+", "#", ""];
        let mut state = 7_u64;
        let mut pick = |count: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % count
        };
        for _ in 0..5_000 {
            let mut make = |choices: usize| {
                let depth = 1 + pick(4);
                let parts: Vec<&str> = (0..depth).map(|_| levels[pick(choices)]).collect();
                parts.join("/")
            };
            let (filter, name) = (make(6), make(3));
            if crate::topic::check_filter(&filter, Default::default()).is_err() {
                continue;
            }
            let mut tree = Tree::default();
            tree.insert(&filter, entry(1, Qos::AtMostOnce, false, None));
            let found = !tree.routes(&name, 0).is_empty();
            assert_eq!(found, crate::topic::matches(&filter, &name), "{filter} {name}");
        }
    }

    #[test]
    fn overlapping_subscriptions_are_one_delivery() {
        let mut tree = Tree::default();
        tree.insert("a/+", entry(1, Qos::ExactlyOnce, false, Some(7)));
        tree.insert("a/#", entry(1, Qos::AtMostOnce, false, Some(9)));
        let routes = tree.routes("a/b", 0);
        assert_eq!(routes.direct.len(), 1);
        assert_eq!(routes.direct[0].qos, Qos::ExactlyOnce);
        let mut ids = routes.direct[0].identifiers.clone();
        ids.sort_unstable();
        assert_eq!(ids, [7, 9]);
    }

    #[test]
    fn no_local_hides_own_publications() {
        let mut tree = Tree::default();
        tree.insert("a", entry(1, Qos::AtMostOnce, true, None));
        assert!(tree.routes("a", 1).is_empty());
        assert!(!tree.routes("a", 2).is_empty());
    }

    #[test]
    fn shared_subscriptions_take_turns() {
        let mut tree = Tree::default();
        for client in [1, 2, 3] {
            tree.insert("$share/g/a/+", entry(client, Qos::AtLeastOnce, false, None));
        }
        let routes = tree.routes("a/b", 0);
        let group = &routes.groups[0];
        let firsts: Vec<u64> =
            (0..6).filter_map(|_| group.in_turn().next().map(|e| e.client)).collect();
        assert_eq!(firsts, [1, 2, 3, 1, 2, 3]);
        assert!(tree.remove("$share/g/a/+", 2));
        assert_eq!(tree.routes("a/b", 0).groups[0].in_turn().count(), 2);
        assert_eq!(tree.len(), 2);
    }
}
