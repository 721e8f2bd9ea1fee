//! Clients by id: one session each, at most one connection at a time.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use vitals::DeviceId;
use wire_mqtt::session::Session;

/// A client's session with the way to wake its connection.
pub(super) struct Client {
    /// Unique among all sessions that ever were.
    pub(super) key: u64,
    /// Client id.
    pub(super) id: Box<str>,
    /// Everything that changes.
    pub(super) state: Mutex<State>,
}

/// What changes in a client's life.
pub(super) struct State {
    pub(super) session: Session,
    /// Number of the connection, or of the time after one, that owns the session now.
    pub(super) epoch: u64,
    /// Whether that is a connection.
    pub(super) connected: bool,
    /// Whether the session is over: nothing may be added any more.
    pub(super) ended: bool,
    /// How long it outlives its connection, seconds.
    pub(super) expiry_s: u32,
    /// Wakes the owner.
    pub(super) wake: Arc<Notify>,
    /// Devices heard on this client's connections and reported online.
    pub(super) devices: HashSet<DeviceId>,
}

/// What a connecting client gets.
pub(super) struct Opened {
    pub(super) client: Arc<Client>,
    pub(super) epoch: u64,
    pub(super) wake: Arc<Notify>,
    pub(super) present: bool,
    /// The session that had to end, whose subscriptions must be removed.
    pub(super) replaced: Option<Arc<Client>>,
}

/// What the devices page shows of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientInfo {
    /// Client id.
    pub client_id: String,
    /// Whether it is connected now.
    pub connected: bool,
    /// Subscriptions.
    pub subscriptions: usize,
    /// Messages that wait for it.
    pub waiting: usize,
    /// Devices heard on its connection.
    pub devices: Vec<DeviceId>,
}

/// Every session.
#[derive(Default)]
pub(super) struct Registry {
    clients: Mutex<Clients>,
}

#[derive(Default)]
struct Clients {
    by_id: HashMap<Box<str>, Arc<Client>>,
    next_key: u64,
}

impl Registry {
    /// Opens the session of a connecting client, ending another connection with its id; none
    /// when there are `max` sessions already.
    pub(super) fn open(&self, id: &str, clean: bool, expiry_s: u32, max: usize) -> Option<Opened> {
        let mut clients = self.clients.lock();
        let mut devices = HashSet::new();
        let mut replaced = None;
        if let Some(client) = clients.by_id.get(id).cloned() {
            let mut state = client.state.lock();
            state.wake.notify_one();
            // One that was to end with its connection ends by being replaced, too (3.1.2.11.2).
            if !clean && !state.ended && state.expiry_s > 0 {
                state.epoch += 1;
                state.connected = true;
                state.expiry_s = expiry_s;
                state.wake = Arc::default();
                let (epoch, wake) = (state.epoch, Arc::clone(&state.wake));
                drop(state);
                return Some(Opened { client, epoch, wake, present: true, replaced: None });
            }
            devices = std::mem::take(&mut state.devices);
            state.end();
            drop(state);
            replaced = Some(client);
        } else if clients.by_id.len() >= max {
            return None;
        }
        clients.next_key += 1;
        let wake = Arc::<Notify>::default();
        let state = State {
            session: Session::default(),
            epoch: 1,
            connected: true,
            ended: false,
            expiry_s,
            wake: Arc::clone(&wake),
            devices,
        };
        let client =
            Arc::new(Client { key: clients.next_key, id: id.into(), state: Mutex::new(state) });
        clients.by_id.insert(id.into(), Arc::clone(&client));
        Some(Opened { client, epoch: 1, wake, present: false, replaced })
    }

    /// Whether a connection with this id is open, as far as has been read from it.
    pub(super) fn is_connected(&self, id: &str) -> bool {
        let client = self.clients.lock().by_id.get(id).cloned();
        client.is_some_and(|client| client.state.lock().connected)
    }

    /// Forgets a session that has ended, unless its id has another one by now.
    pub(super) fn forget(&self, client: &Client) {
        let mut clients = self.clients.lock();
        if clients.by_id.get(&client.id).is_some_and(|c| c.key == client.key) {
            clients.by_id.remove(&client.id);
        }
    }

    /// Wakes every connection, so that each sees that the program stops.
    pub(super) fn wake_all(&self) {
        for client in self.clients.lock().by_id.values() {
            client.state.lock().wake.notify_one();
        }
    }

    /// Every client, for people.
    pub(super) fn list(&self) -> Vec<ClientInfo> {
        let clients: Vec<_> = self.clients.lock().by_id.values().cloned().collect();
        let info = |client: &Arc<Client>| {
            let state = client.state.lock();
            ClientInfo {
                client_id: client.id.to_string(),
                connected: state.connected,
                subscriptions: state.session.subscriptions.len(),
                waiting: state.session.waiting(),
                devices: state.devices.iter().cloned().collect(),
            }
        };
        clients.iter().map(info).collect()
    }
}

impl State {
    /// Ends the session: whoever still holds it finds it over.
    pub(super) fn end(&mut self) {
        self.ended = true;
        self.connected = false;
        self.epoch += 1;
    }
}
