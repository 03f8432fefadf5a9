"""Who may send requests and how many: API keys, user tokens and rate limits."""
