"""A stand-in for the first AirSense's gateway: Flask that builds SQL from request parameters.

Only for the benchmark, on loopback. It allows SQL injection, because that is the design to measure.
"""

import os
from typing import Any

from flask import Flask, jsonify, request
from sqlalchemy import create_engine, text

app = Flask(__name__)
engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:", 1))


@app.get("/api/dynamic_query")
def dynamic_query() -> Any:
    params = request.args
    sql = f"SELECT {params.get('columns', '*')} FROM {params['table_name']}"
    if "where" in params:
        sql += f" WHERE {params['where']}"
    if "order_by" in params:
        sql += f" ORDER BY {params['order_by']} {params.get('order_direction', 'ASC')}"
    sql += f" LIMIT {params.get('limit', 10)}"
    with engine.connect() as connection:
        return jsonify([dict(row) for row in connection.execute(text(sql)).mappings()])
