"""Signing in to the admin: the second factor, and an OpenID Connect provider."""
