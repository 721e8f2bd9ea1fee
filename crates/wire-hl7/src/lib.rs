//! HL7 v2 over MLLP without I/O: frames, messages, acknowledgements.
