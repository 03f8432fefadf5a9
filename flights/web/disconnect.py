"""Tell a view that its client has disconnected, so that it can stop its work."""

# The key of a `threading.Event` in the WSGI environment, which our web server sets.
GONE = "airsense.gone"
