"""Django's PostgreSQL backend with one pool per placement; a project is a schema and a role in it."""
