"""The versions of the record store, one module each, carried out by Alembic."""
