"""The imported network: reading the file, canonising it, the frozen Model that all else reads."""
