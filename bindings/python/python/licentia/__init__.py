"""Verify software licenses offline, and know what they allow.

A ``Product`` is what you ship: its code and your public keys. It verifies licenses, and gives a
``License`` or raises an ``Error``::

    product = licentia.Product("myapp", keys)
    license = product.verify(data)
    if "reports" in license:
        ...
"""

from . import errors as errors
from ._licentia import License as License
from ._licentia import Product as Product
from ._licentia import __version__ as __version__
from .errors import *  # noqa: F403
