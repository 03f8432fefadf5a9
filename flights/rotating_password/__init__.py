"""A backend of Django for a role whose password is about to change."""
