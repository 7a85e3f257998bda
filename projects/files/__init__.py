"""Files that belong to records: kept in a storage, served from there, removed when no record has them."""
