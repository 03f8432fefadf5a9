"""Pages about things: routes, airlines, airports, flights, days, connections, comparisons.

Each module of a kind reads rows by the queries of the API and makes a `Page` of them: one sentence
that answers, figures, and tables with the addresses of their queries.
"""
