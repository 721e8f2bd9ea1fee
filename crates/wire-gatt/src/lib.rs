//! Bluetooth GATT health characteristics without I/O.
