"""The wiring of the platform. This file imports nothing: the embedded servers start through it."""
