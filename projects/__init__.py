"""The backend of every hosted app: one folder a capability, floors checked by import-linter."""
