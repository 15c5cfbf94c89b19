"""The log-in page of the web flow: `/services/oauth2/authorize` as a form, and the redirect with a code.

Refuses unknown clients, other response types than `code`, and redirects that do not lead to this machine. A state is
handed back as it came. Promise: a code works once, within the org of the user who logged in.
"""

from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from rehearse.practice.oauth import read_form
from rehearse.practice.oauth_grants import Refused, find_client, find_person
from rehearse.practice.person_secrets import is_password

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Log in to the practice org</title>
<h1>Log in to the practice org</h1><p>{note}</p>
<form method="post"><p><label>Username <input name="username" autofocus></label></p>
<p><label>Password <input name="password" type="password"></label></p><p><button>Log in and allow</button></p></form>"""
NOTE = "Usernames, and the file with everybody's password: <code>rehearse practice connect</code>."
WRONG = "Please check your username and password. "


def authorize(request: Request) -> Response:
    """GET or POST /services/oauth2/authorize: the form, or the redirect to the client with a code."""
    asked = {name: value for name, value in request.query_params.items()}
    form = read_form(request) if request.method == "POST" else asked
    try:
        client = find_client(request, form, with_secret=False)
    except Refused as refusal:
        return HTMLResponse(f"error={escape(refusal.code)}&error_description={escape(refusal.description)}", 400)
    target = form.get("redirect_uri", "")
    if form.get("response_type") != "code" or urlsplit(target).hostname not in ("127.0.0.1", "localhost", "::1"):
        return HTMLResponse("error=redirect_uri_mismatch&error_description=redirect_uri must match configuration", 400)
    if request.method == "GET":
        return HTMLResponse(PAGE.format(note=NOTE))
    found = find_person(request, form.get("username", ""), client)
    if found is None or not is_password(request.app.state.estate.folder, form.get("password", "")):
        return HTMLResponse(PAGE.format(note=WRONG + NOTE))
    org, user_id = found
    code = request.app.state.estate.tokens.issue_code(org.org_id[:15], user_id)
    sent = {"code": code, **({"state": form["state"]} if "state" in form else {})}
    return RedirectResponse(f"{target}{'&' if '?' in target else '?'}{urlencode(sent)}", status_code=302)


routes = [Route("/services/oauth2/authorize", authorize, methods=["GET", "POST"])]
