"""The approver: reads the mails of the local AWS, opens the link in one and fills in its form."""

import json
import os
import re
import time
import urllib.parse
import urllib.request
from html.parser import HTMLParser

# A proxy of the user must not see calls to this machine.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def control(name: str, document: dict | None = None) -> dict:
    """One request of the control API: GET, or POST with a document."""
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + "/_localaws/" + name, body)
    with OPENER.open(request, timeout=60) as answer:
        return json.load(answer)


def mails_about(execution_name: str) -> list[dict]:
    """The mails that name the execution, in order."""
    return [mail for mail in control("mail")["mails"] if execution_name in mail["body"]]


def approval_link(mail: dict) -> str | None:
    """The link to the approval page; other mails have none."""
    links = re.findall(r"https?://[^\s<>\"]+", mail["body"])
    return next((link for link in links if "_lambda-url" in link or ".lambda-url." in link), None)


def wait_for(find, seconds: float):
    """The first answer of `find` that is not None; None after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        found = find()
        if found is not None or time.monotonic() > end:
            return found
        time.sleep(0.3)


def show(mail: dict, most: int = 80) -> None:
    """Prints a mail as a mail program would."""
    print(f"  ┌─ To: {mail['to']}   {mail['time']}")
    print(f"  │  Subject: {mail['subject']}")
    print("  ├" + "─" * 70)
    lines = mail["body"].rstrip().splitlines()
    for line in lines[:most]:
        print(f"  │ {line}".rstrip())
    if len(lines) > most:
        print(f"  │ ... and {len(lines) - most} more lines")
    print("  └" + "─" * 70, flush=True)


class Form(HTMLParser):
    """The first form of a page: where it goes, its fields, its buttons."""

    def __init__(self, page: str):
        super().__init__()
        self.action = self.method = ""
        self.fields: dict[str, str] = {}
        self.asked: list[str] = []
        self.typed = ""  # what the page wants typed before something may be lost
        self.choices: list[tuple[str, str]] = []
        self._forms, self._wanted = 0, False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        """Collects what belongs to the form."""
        a = dict(attrs)
        self._wanted = tag == "code" and self._forms == 1
        if tag == "form":
            self._forms += 1
            if self._forms == 1:
                self.action, self.method = a.get("action") or "", (a.get("method") or "get").lower()
        if self._forms != 1 or not a.get("name"):
            return
        kind = (a.get("type") or "text").lower()
        if tag == "button" or (tag == "input" and kind in ("submit", "radio")):
            self.choices.append((a["name"], a.get("value") or ""))
        elif tag == "input" and kind == "hidden":
            self.fields[a["name"]] = a.get("value") or ""
        elif tag in ("input", "textarea"):
            self.asked.append(a["name"])

    def handle_data(self, data: str) -> None:
        """The words in the form that are to be typed."""
        self.typed += data if self._wanted else ""

    def handle_endtag(self, tag: str) -> None:
        """Ends the words."""
        self._wanted = False


class Text(HTMLParser):
    """The words of a page, without style and script."""

    def __init__(self, page: str):
        super().__init__()
        self.words: list[str] = []
        self._skip = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        """Style and script are no words."""
        self._skip += tag in ("style", "script", "title")

    def handle_endtag(self, tag: str) -> None:
        """Ends what was skipped."""
        self._skip -= tag in ("style", "script", "title")

    def handle_data(self, data: str) -> None:
        """Collects."""
        if not self._skip and data.strip():
            self.words.append(" ".join(data.split()))


def approve(link: str, approver: str, reason: str) -> list[str]:
    """GET of the page, POST of its form with the button that approves; the words of the answer."""
    with OPENER.open(link, timeout=60) as answer:
        page, address = answer.read().decode(), answer.geturl()
    form = Form(page)
    choice = next((c for c in form.choices if "approve" in c[1].lower()), None)
    if form.method != "post" or choice is None:
        raise ValueError("the page has no form that approves: " + " ".join(Text(page).words)[:500])
    fields = dict(form.fields)
    for name in form.asked:
        fields[name] = approver if "name" in name or "who" in name or "approver" in name else reason
    if "confirmation" in form.asked:
        fields["confirmation"] = form.typed
    fields[choice[0]] = choice[1]
    target = urllib.parse.urljoin(address, form.action) if form.action else address
    body = urllib.parse.urlencode(fields).encode()
    with OPENER.open(urllib.request.Request(target, body), timeout=60) as answer:
        return Text(answer.read().decode()).words
