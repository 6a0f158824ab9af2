"""Records: small mutable state in a SQL database, by SQLAlchemy Core on SQLite or PostgreSQL."""
