"""A whole PocketBase, moved into an empty project: its data folder or a backup of it."""
