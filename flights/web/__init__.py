"""Parts that all HTTP responses share: caching, formats, errors and their OpenAPI description."""
