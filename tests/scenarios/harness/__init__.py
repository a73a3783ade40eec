"""What the scenarios share: real servers, the gate, clients, and a way to look at bytes."""
