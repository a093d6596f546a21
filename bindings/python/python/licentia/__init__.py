"""Verify software licenses offline, and know what they allow.

A ``Product`` is what you ship: its code and your public keys. It opens an ``Installation``, which
knows what may be used here and now and counts what is used, and verifies licenses, which gives a
``License`` or raises an ``Error``::

    product = licentia.Product("myapp", keys)
    installation = product.open("/var/lib/myapp/license")
    if "reports" in installation:
        ...
"""

from . import errors as errors
from ._licentia import Caller as Caller
from ._licentia import Installation as Installation
from ._licentia import License as License
from ._licentia import Product as Product
from ._licentia import Seat as Seat
from ._licentia import __version__ as __version__
from .errors import *  # noqa: F403

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .answers import Access as Access
    from .answers import Refusal as Refusal
    from .answers import Response as Response
    from .answers import Rights as Rights
    from .answers import Usage as Usage
else:

    def __getattr__(name):
        """Loads the types of small answers when they are asked for: what they need takes longer
        to import than a license to verify."""
        if name in ("Access", "Refusal", "Response", "Rights", "Usage"):
            from . import answers

            return getattr(answers, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
