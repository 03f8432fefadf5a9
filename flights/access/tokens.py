"""Authenticate users by a token in the `Authorization` header."""

from typing import Any

from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from . import throttles


class TokenAuthentication(authentication.TokenAuthentication):
    """Count failed tokens by address, to limit guesses.

    A valid token is accepted even above the limit: tokens are too long to be guessed, and many
    users can share an address.
    """

    def authenticate(self, request: Request) -> Any:
        try:
            return super().authenticate(request)
        except AuthenticationFailed:
            throttles.charge_address(request.META)
            raise


AUTHENTICATION = [TokenAuthentication, authentication.SessionAuthentication]
