"""Deploys AirSense to Amazon Web Services: `python -m deploy.aws --help`."""
