"""Who may query and how often: API keys, tokens of users and rate limits."""
