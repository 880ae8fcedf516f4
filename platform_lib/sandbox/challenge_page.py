"""The page on which a customer answers a 3-D Secure challenge by hand."""

from __future__ import annotations

from platform_lib.sandbox.ledger import Authorisation

_page = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sandbox challenge</title>
<style>
body {{ font: 1.1rem system-ui; margin: 4rem auto; max-width: 30rem }}
button {{ font: inherit }}
</style>
<h1>Is it you who pays {amount}?</h1>
<p>This is the sandbox: no money moves. The authorisation is <b id="status">{status}</b>.</p>
<p><button value="approve">Yes, approve</button> <button value="decline">No, decline</button></p>
<script>
for (const button of document.querySelectorAll("button"))
  button.onclick = async () => {{
    const answer = await fetch(location.pathname, {{
      method: "POST",
      headers: {{ "Content-Type": "application/json" }},
      body: JSON.stringify({{ outcome: button.value }}),
    }});
    const body = await answer.json();
    document.getElementById("status").textContent = body.detail ?? body.status;
  }};
</script>
</html>
"""


def challenge_page(authorisation: Authorisation) -> str:
    """Return the page; nothing on it comes from the caller but the amount."""
    return _page.format(amount=authorisation.amount, status=authorisation.status.replace("_", " "))
