"""Tokens of users, in the header `Authorization`."""

from typing import Any

from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from . import throttles


class TokenAuthentication(authentication.TokenAuthentication):
    """Who tries tokens is counted by address. A right one is never refused for others' wrong ones:
    it is too long to be guessed, and those who share an address are many.
    """

    def authenticate(self, request: Request) -> Any:
        try:
            return super().authenticate(request)
        except AuthenticationFailed:
            throttles.charge_address(request)
            raise


AUTHENTICATION = [TokenAuthentication, authentication.SessionAuthentication]
