"""Write versions of tables to PostgreSQL: load, verify, publish and drop them.

No other code writes them, and no statement changes a relation that readers are using.
"""
