"""A stand-in for the first AirSense's gateway: SQL made of what a request says, by Flask.

For the benchmark on this machine alone. Whoever reaches it can run any SQL: it is that design which
is measured, so nothing is repaired.
"""

import os
from typing import Any

from flask import Flask, jsonify, request
from sqlalchemy import create_engine, text

app = Flask(__name__)
engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:", 1))


@app.get("/api/dynamic_query")
def dynamic_query() -> Any:
    asked = request.args
    sql = f"SELECT {asked.get('columns', '*')} FROM {asked['table_name']}"
    if "where" in asked:
        sql += f" WHERE {asked['where']}"
    if "order_by" in asked:
        sql += f" ORDER BY {asked['order_by']} {asked.get('order_direction', 'ASC')}"
    sql += f" LIMIT {asked.get('limit', 10)}"
    with engine.connect() as connection:
        return jsonify([dict(row) for row in connection.execute(text(sql)).mappings()])
