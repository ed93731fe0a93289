"""The imported network: reading the file, canonising it, and the frozen Model that all else reads."""
