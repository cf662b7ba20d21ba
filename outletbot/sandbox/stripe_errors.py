"""What Stripe says when it refuses: its error object and its known texts.

The form is that of https://docs.stripe.com/api/errors. The texts were seen in public
issue threads of stores that log them; where only the sense is known, the wording is
ours. So a client may switch on the status and the code, and never on the text.
"""

from typing import Any

DOCS = "https://stripe.com/docs"
HELP = "https://support.stripe.com/"


class StripeRefusal(Exception):
    """A request was understood and refused; the answer is kept for its key."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.retry: str | None = None

    @property
    def body(self) -> dict[str, Any]:
        told = {"message": str(self), "type": self.kind}
        if self.code:
            told["code"] = self.code
            told["doc_url"] = f"{DOCS}/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            told["param"] = self.param
        return {"error": told}


class NotStarted(StripeRefusal):
    """A request was refused before anything was done; no answer is kept for its key."""


class Invalid(NotStarted):
    """A parameter is wrong."""

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message, code=code, param=param)


def unknown_parameters(names: list[str]) -> Invalid:
    many = "s" if len(names) > 1 else ""
    message = f"Received unknown parameter{many}: {', '.join(names)}"
    return Invalid(message, param=names[0], code="parameter_unknown")


def missing(param: str) -> Invalid:
    message = f"Missing required param: {param}."
    return Invalid(message, param=param, code="parameter_missing")


def no_such(kind: str, object_id: str, *, param: str = "id") -> StripeRefusal:
    """Refuse an id that this account does not have, whoever else may have it."""
    message = f"No such {kind}: '{object_id}'"
    return StripeRefusal(message, status=404, code="resource_missing", param=param)


def no_such_url(method: str, path: str) -> NotStarted:
    message = (
        f"Unrecognized request URL ({method}: {path}). Please see {DOCS} or we can "
        f"help at {HELP}."
    )
    return NotStarted(message, status=404)


def no_key() -> NotStarted:
    message = (
        "You did not provide an API key. You need to provide your API key in the "
        "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
        f"YOUR_SECRET_KEY'). See {DOCS}/api#authentication for details, or we can "
        f"help at {HELP}."
    )
    return NotStarted(message, status=401)


def wrong_key(key: str) -> NotStarted:
    hidden = f"{key[:8]}{'*' * max(len(key) - 12, 4)}{key[-4:]}"
    return NotStarted(f"Invalid API Key provided: {hidden}", status=401)


def expired_key(key: str) -> NotStarted:
    hidden = f"{key[:8]}{'*' * max(len(key) - 12, 4)}{key[-4:]}"
    message = f"Expired API Key provided: {hidden}"
    return NotStarted(message, status=401, code="api_key_expired")


def lacks_permission(key: str, account_id: str, right: str) -> NotStarted:
    message = (
        f"The provided key '{key[:8]}***{key[-4:]}' does not have the required "
        f"permissions for this endpoint on account '{account_id}'. Having the "
        f"'{right}' permission would allow this request to continue."
    )
    return NotStarted(message, status=403)


def no_access(key: str, account_id: str) -> NotStarted:
    message = (
        f"The provided key '{key[:8]}***{key[-4:]}' does not have access to account "
        f"'{account_id}' (or that account does not exist). Application access may "
        "have been revoked."
    )
    return NotStarted(message, status=403, code="account_invalid")


def other_parameters(key: str) -> NotStarted:
    message = (
        "Keys for idempotent requests can only be used with the same parameters they "
        f"were first used with. Try using a key other than '{key}' if you meant to "
        "execute a different request."
    )
    return NotStarted(message, kind="idempotency_error")


def other_endpoint(key: str, first: str, now: str) -> NotStarted:
    message = (
        "Keys for idempotent requests can only be used for the same endpoint they "
        f"were first used for ('{now}' vs '{first}'). Try using a key other than "
        f"'{key}' if you meant to execute a different request."
    )
    return NotStarted(message, kind="idempotency_error")


def key_in_use(key: str) -> NotStarted:
    message = (
        "There is currently another in-progress request using this Idempotent Key "
        "(that probably means you submitted twice, and the other request is still "
        f"going through): {key}. Try again in a moment."
    )
    return NotStarted(
        message, status=409, kind="idempotency_error", code="idempotency_key_in_use"
    )


def too_many() -> NotStarted:
    """Refuse for the rate; the library does not repeat such a request by itself."""
    message = (
        "Request rate limit exceeded. Learn more about rate limits here "
        f"{DOCS}/rate-limits."
    )
    return NotStarted(message, status=429, code="rate_limit")


def locked() -> NotStarted:
    """Refuse for a lock; the library repeats such a request, as the header says."""
    message = (
        "This object cannot be accessed right now because another API request or "
        "Stripe process is currently accessing it. If you see this error "
        "intermittently, retry the request. If you see this error frequently and are "
        "making multiple concurrent requests to a single object, make your requests "
        f"serially or at a lower rate. For more details, see {DOCS}/rate-limits"
        "#object-lock-timeouts."
    )
    refusal = NotStarted(message, status=429, code="lock_timeout")
    refusal.retry = "true"
    return refusal


def broken() -> StripeRefusal:
    message = f"An unknown error occurred. Contact us at {HELP} if it persists."
    return StripeRefusal(message, status=500, kind="api_error")
