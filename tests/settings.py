"""The settings of AirSense, but with a fast password hash: tests check hundreds of passwords."""

from airsense.settings import *  # noqa: F403

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
