//! Listeners: sockets, TLS, sessions, who is this device.
