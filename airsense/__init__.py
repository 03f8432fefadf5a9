"""The platform's wiring. Imports nothing here, because the embedded servers start through it."""
