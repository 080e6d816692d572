"""Errors of APIs that we answer ourselves.

moto looks up the model of an error by the module of its class, and fails on its own core class.
"""

from moto.core.exceptions import ServiceException


class ApiError(ServiceException):
    """An error as the service names it: code, message."""
