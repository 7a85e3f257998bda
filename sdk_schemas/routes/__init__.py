"""The API's operations, one file per group of routes."""
