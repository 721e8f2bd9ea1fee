//! MQTT listener.
