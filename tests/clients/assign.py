"""Reads when a license ends, asks for one, and assigns it."""

import base64
import datetime
import json
import zlib

from wire import expect, is_json, site

here = site()
manager = f"Please contact your {here.vendor} account manager for assistance"


def ask(method, path, body=None, token=here.administrator):
    return here.ask(method, path, token=token, body=body)


def information():
    answer = ask("GET", "/api/license/expiration")
    expect("expiration answers", (answer.status, is_json(answer)), (200, True))
    found = answer.json()
    names = {"license_expiration", "is_saas_deployment", "days_since_first_db_creation"}
    expect("expiration has its members", set(found) == names, True)
    return found


def assign(text, what, status, detail=None):
    answer = ask("POST", "/api/license/assign", {"signed_license": text})
    expect(f"assigning {what}", answer.status, status)
    if detail is not None:
        expect(f"the reason for {what}", answer.json()["detail"], detail)
    return answer


for method, path, body in [
    ("GET", "/api/license/expiration", None),
    ("GET", "/api/license/request", None),
    ("POST", "/api/license/assign", {"signed_license": here.license}),
]:
    stranger = ask(method, path, body, token=None)
    expect(f"{method} {path} of a stranger", stranger.status, 401)
    wrong = ask(method, path, body, token="no-such-token-anywhere")
    expect(f"{method} {path} with a wrong token", wrong.status, 401)
    user = ask(method, path, body, token=here.user)
    expect(f"{method} {path} of a user", user.status, 403)
    expect("the reason", user.json()["detail"], "Not enough permissions")

before = information()
expect("no license", before["license_expiration"], None)
expect("not managed", before["is_saas_deployment"], False)
days = before["days_since_first_db_creation"]
expect("days since the first use", days is None or type(days) is int, True)

request = ask("GET", "/api/license/request")
expect("a request", (request.status, is_json(request)), (200, True))
code = request.json()["license_request"]
expect("a request code", code.startswith("eJ"), True)
unpacked, _, signature = zlib.decompress(base64.b64decode(code)).partition(b"\n")
expect("it is packed JSON", isinstance(json.loads(unpacked), dict), True)
expect("and a signature", len(signature), 86)

assign("not a license", "nonsense", 400)
refused = ask("POST", "/api/license/assign", {"signed_license": "x"}).json()["detail"]
expect("nonsense has a bad format", refused.startswith("Invalid license format: "), True)
none = ask("POST", "/api/license/assign", {})
expect("assigning nothing", none.status, 400)
refused = none.json()["detail"]
expect("nothing has a bad format", refused.startswith("Invalid license format: "), True)
assign(here.forged, "a forged one", 400, f"Invalid license signature. {manager}.")
assign(here.expired, "one that has ended", 400, f"License has expired. {manager}")
expect("still no license", information()["license_expiration"], None)

good = assign(here.license, "a good one", 204)
expect("an empty body", len(good.body), 0)
end = information()["license_expiration"]
expect("it ends", end.endswith("Z"), True)
when = datetime.datetime.fromisoformat(end.replace("Z", "+00:00"))
expect("in UTC", when.utcoffset() == datetime.timedelta(), True)
assign(here.forged, "a forged one over it", 400, f"Invalid license signature. {manager}.")
expect("it stays", information()["license_expiration"], end)
