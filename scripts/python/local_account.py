"""The approver of the local AWS: opens the confirmation links of the mails."""

import json
import os
import re
import sys
import urllib.request


def confirm() -> None:
    """Opens the link of every confirmation mail."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(os.environ["AWS_ENDPOINT_URL"] + "/_localaws/mail", timeout=30) as answer:
        mails = json.load(answer)["mails"]
    for mail in mails:
        link = re.search(r"http\S+ConfirmSubscription\S+", mail["body"])
        if link:
            opener.open(link.group(), timeout=30).close()
            print(f"{mail['to']} opened the link in the mail \"{mail['subject']}\" ({mail['topic']})")


if __name__ == "__main__":
    {"confirm": confirm}[sys.argv[1]]()
