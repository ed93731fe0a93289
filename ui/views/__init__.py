"""The designer's views, one a file: they show the state and call its methods."""
