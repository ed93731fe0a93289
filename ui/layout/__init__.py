"""Where things lie on the screen, as plain data: only a model's structure, no widgets."""
