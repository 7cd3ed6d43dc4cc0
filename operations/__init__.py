"""Tools for operators: they know every service, which no service and nothing in ``shared`` does."""
