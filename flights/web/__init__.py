"""What HTTP answers share: caching headers, formats, errors and their OpenAPI description."""
