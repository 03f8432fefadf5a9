"""Tell a view that its client has disconnected, so that it can stop its work."""

# Key of a `threading.Event` in the WSGI environment. The server sets the event at the disconnect.
GONE = "airsense.gone"
