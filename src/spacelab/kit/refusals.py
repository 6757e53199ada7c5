"""What the platform says when it will not do something: one sentence on what is wrong and one on what to do."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818  a refusal is an answer, not an error of ours
    """Something asked for can't be done; `message` says why and `advice` what to do instead."""

    status = 400
    title = "That can't be done"

    def __init__(self, message: str, *, advice: str = "", field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.field = field


class Invalid(Refusal):
    """What was sent is not of the right form; `field` names the part at fault."""

    status = 422
    title = "Please check what you entered"


class Forbidden(Refusal):
    """The person may not do this."""

    status = 403
    title = "You may not do that"


class NotSignedIn(Refusal):
    """Nobody is signed in, and the request needs somebody."""

    status = 401
    title = "Please sign in"


class NotFound(Refusal):
    """There is no such thing, or none that this person may see: the answer is the same."""

    status = 404
    title = "There is nothing here"


class Conflict(Refusal):
    """The thing's present state does not allow this."""

    status = 409
    title = "That is not possible right now"


class OverQuota(Refusal):
    """The person's quota does not hold this as well."""

    status = 409
    title = "Your quota is used up"


class WrongMethod(Refusal):
    """The address is right, and what shall be done there is not."""

    status = 405
    title = "That is not done here"


class TooLarge(Refusal):
    """What was sent is larger than is read at all."""

    status = 413
    title = "That is too large"


class TooMany(Refusal):
    """The same was tried too often; wait."""

    status = 429
    title = "Too many attempts"


class Unavailable(Refusal):
    """The platform lacks something it needs, such as disk space."""

    status = 503
    title = "The platform can't do this at the moment"
