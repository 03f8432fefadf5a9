"""How a view learns that its client has disconnected, so that it can stop its work."""

# The key of a `threading.Event` in the WSGI environment. The server sets it at the disconnect.
GONE = "airsense.gone"
