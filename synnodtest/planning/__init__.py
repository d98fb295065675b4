"""Planning: a behaviour -> the scenes that its expectations need."""
