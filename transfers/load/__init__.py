"""Write versions of tables to PostgreSQL and publish them."""
