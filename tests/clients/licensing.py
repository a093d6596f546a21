"""Applies, renews and removes a license as a token."""

from wire import expect, is_json, site

here = site()
MEMBERS = {
    "status": int, "jti": str, "iss": str, "sub": str, "iat": int, "exp": int, "nbf": int,
    "lexp": int, "lid": str, "limit_by": str, "included_users": int, "lic_exp_warn_days": int,
    "tok_exp_warn_days": int, "update_days": int, "prod": (list, type(None)), "company": str,
    "account": str, "slug": str, "usage_billing": bool, "max_concurrent_user_sessions": int,
    "details_url": str, "trial": bool, "trial_exp": int, "anonymousRatio": int,
}  # fmt: skip
TOKEN, RENEW = "/api/licensing/token", "/api/licensing/token/renew"


def ask(method, path, body=None, token=here.administrator):
    return here.ask(method, path, token=token, body=body)


def is_available(wanted):
    answer = ask("GET", "/api/licensing/check")
    expect("check answers", (answer.status, is_json(answer)), (200, True))
    expect("a license is available", answer.body.decode(), "true" if wanted else "false")


for method, path, body in [
    ("GET", "/api/licensing/check", None),
    ("POST", TOKEN, {"token": here.license}),
    ("POST", RENEW, {}),
    ("DELETE", TOKEN, {"instance": "https://play.acme.example/"}),
]:
    expect(f"{method} {path} of a stranger", ask(method, path, body, token=None).status, 401)
    expect(f"{method} {path} of a user", ask(method, path, body, token=here.user).status, 403)

is_available(False)
expect("nonsense", ask("POST", TOKEN, {"token": "nonsense"}).status, 400)
expect("nothing", ask("POST", TOKEN, {}).status, 400)
is_available(False)

added = ask("POST", TOKEN, {"token": here.license})
expect("a good one", (added.status, is_json(added)), (200, True))
claims = added.json()
expect("its members", set(claims) == set(MEMBERS), True)
for name, kind in MEMBERS.items():
    fits = isinstance(claims[name], kind) and (kind is bool or not isinstance(claims[name], bool))
    expect(f"{name} has its type", fits, True)
expect("it is valid", claims["status"], 0)
is_available(True)

renewed = ask("POST", RENEW, {})
expect("a renewal is made, or there is nobody to ask", renewed.status in (200, 502), True)
is_available(True)

expect("removing of elsewhere", ask("DELETE", TOKEN, {"instance": "http://a.example"}).status, 422)
expect("removing of nowhere", ask("DELETE", TOKEN, {}).status, 422)
is_available(True)
for what in ("removing", "removing what is not there"):
    gone = ask("DELETE", TOKEN, {"instance": "https://play.acme.example/"})
    expect(what, (gone.status, gone.json()), (202, {}))
    is_available(False)
expect("again", ask("POST", "/licensing/token", {"token": here.license}).status, 200)
is_available(True)
