"""The approval page as its reader has it: the real function behind a real run, in a browser without JavaScript."""

import json
import re

import pytest
from checks import PHONE, accessible, by_tab, fits, readable
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from world import Run

NAMED = {"approver": "Ada Approver", "reason": "us-east-1 is down, agreed with Bob"}


@pytest.fixture
def run(world):
    return Run(world)


def test_scripts_do_not_run_here(browser):
    browser.open("data:text/html,<title>quiet</title><script>document.title = 'loud'</script>")
    assert browser.driver.title == "quiet"


def test_the_page_tells_what_may_be_lost_and_loads_nothing_else(browser, run):
    browser.driver.get_log("performance")
    browser.open(run.link).shot("ask-desk")
    assert browser.heading() == "Approve ACTIVATE of orders-shop in us-west-2?"
    text = " ".join(browser.text().split())
    for told in ("unplanned: us-east-1 is taken for lost", "DATA-LOSS", "PromoteRDSReadReplica Orders database",
                 "What will happen, in this order", f"To press Approve, type: {run.typed}"):
        assert told in text, told
    entries = [json.loads(entry["message"])["message"] for entry in browser.driver.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in entries if e["method"] == "Network.requestWillBeSent"]
    # A browser may ask a site for its icon by itself.
    assert [url for url in asked if not url.endswith("/favicon.ico")] == [run.link]


def test_approve_with_the_words_that_it_asks_for(browser, run):
    browser.open(run.link).type(**NAMED, confirmation=run.typed).press("Approve").shot("approved-desk")
    assert browser.heading() == "You approved ACTIVATE of orders-shop in us-west-2"
    assert NAMED["reason"] in browser.text() and "The link is used up" in browser.text()
    assert run.ended() == "SUCCEEDED"


def test_reject_asks_for_no_words(browser, run):
    browser.open(run.link).type(**NAMED).press("Reject").shot("rejected-desk")
    assert browser.heading() == "You rejected ACTIVATE of orders-shop in us-west-2"
    assert run.ended() == "FAILED"


@pytest.mark.parametrize("words", ["", "orders-shop", "orders-shop us-east-1", "ORDERS-SHOP us-west-2"])
def test_wrong_words_answer_nothing_and_keep_what_was_typed(browser, run, words):
    browser.open(run.link).type(**NAMED, confirmation=words).press("Approve")
    browser.shot(f"wrong-words-{len(words)}")
    errors = browser.driver.find_element(By.CSS_SELECTOR, ".errors[role=alert]").text
    assert errors.startswith("Nothing was sent") and "exactly" in errors
    assert {name: browser.value(name) for name in (*NAMED, "confirmation")} == NAMED | {"confirmation": words}
    assert run.waits()
    browser.type(confirmation=run.typed).press("Approve")
    assert browser.heading().startswith("You approved")


def test_the_browser_itself_asks_for_name_and_reason(browser, run):
    browser.open(run.link).button("Reject").click()
    assert browser.heading().startswith("Approve ACTIVATE") and run.waits()
    invalid = browser.evaluate("document.querySelectorAll('input:invalid, textarea:invalid').length")
    assert invalid == 2


def test_the_enter_key_answers_nothing(browser, run):
    browser.open(run.link).type(**NAMED, confirmation=run.typed)
    browser.driver.find_element(By.NAME, "confirmation").send_keys(Keys.ENTER)
    browser.driver.find_element(By.NAME, "approver").send_keys(Keys.ENTER)
    assert browser.heading().startswith("Approve ACTIVATE") and run.waits()


def test_an_expired_link(browser, run):
    run.expire()
    browser.open(run.link).shot("expired-desk")
    assert browser.heading() == "This request has expired"
    assert browser.driver.find_elements(By.TAG_NAME, "form") == []


def test_a_form_that_was_open_when_its_time_ended(browser, run):
    browser.open(run.link).type(**NAMED, confirmation=run.typed)
    run.expire()
    assert browser.press("Approve").heading() == "This request has expired"
    assert run.waits()


def test_a_link_works_once(browser, run):
    browser.open(run.link).type(**NAMED).press("Reject")
    browser.open(run.link).shot("used-desk")
    assert browser.heading() == "Already answered"
    text = browser.text()
    assert "Nothing was changed now" in text and "rejected" in text and NAMED["approver"] in text
    assert browser.driver.find_elements(By.TAG_NAME, "form") == []


def test_two_people_have_the_page_open(browser, run):
    browser.open(run.link)
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.open(run.link).type(approver="Bob", reason="not today").press("Reject")
    browser.driver.close()
    browser.driver.switch_to.window(first)
    browser.type(**NAMED, confirmation=run.typed).press("Approve")
    assert browser.heading() == "Already answered" and "Bob" in browser.text()
    assert run.ended() == "FAILED"


@pytest.mark.parametrize("change, heading", [
    (lambda link: link[:-1], "This link is not complete"),
    (lambda link: link[:-1] + ("0" if link[-1] != "0" else "1"), "Unknown request"),
    (lambda link: link.split("?")[0], "This link is not complete"),
    (lambda link: link + "%3Cscript%3E", "This link is not complete"),
])
def test_a_tampered_link_leads_to_a_clear_page_without_a_form(browser, run, change, heading):
    browser.open(change(run.link)).shot(re.sub(r"\W+", "-", heading.lower()))
    assert browser.heading() == heading and "mail" in browser.text()
    assert browser.driver.find_elements(By.TAG_NAME, "form") == []
    assert run.waits()


def test_a_scanner_that_opens_links_changes_nothing(browser, run):
    before = run.pending()
    for method in ("GET", "HEAD") * 20:
        assert run.world.request(run.link, method) == 200
    assert run.pending() == before and run.waits()
    browser.open(run.link).type(**NAMED, confirmation=run.typed).press("Approve")
    assert browser.heading().startswith("You approved")


def test_where_identities_are_asked_for_the_page_shows_the_command_and_only_rejects(browser, world):
    run = Run(world, not_starter=True)
    browser.size(*PHONE, phone=True)
    browser.open(run.link).shot("identities-phone")
    assert "A link cannot approve this run" in browser.text()
    command = browser.driver.find_element(By.TAG_NAME, "pre").text
    assert command.startswith("aws ssm put-parameter") and f"/orders-shop/{run.name}" in command
    assert [b.text for b in browser.driver.find_elements(By.TAG_NAME, "button") if b.text] == ["Reject"]
    assert fits(browser)


# --- on a phone, and for everybody ---

def test_a_phone_shows_every_page_without_scrolling_sideways(browser, world):
    run = Run(world, product="a-product-with-quite-a-long-name-that-nobody-would-type-by-heart")
    browser.size(*PHONE, phone=True)
    browser.open(run.link).shot("ask-phone")
    assert browser.evaluate("window.innerWidth") == PHONE[0] and fits(browser)
    browser.type(**NAMED, confirmation="no").press("Approve").shot("wrong-words-phone")
    assert fits(browser)
    summary = browser.driver.find_element(By.CSS_SELECTOR, "#answer summary")
    summary.click()
    assert fits(browser)
    browser.shot("command-phone")
    browser.type(approver="x" * 200, reason="y" * 300).press("Reject").shot("rejected-phone")
    assert fits(browser)
    assert fits(browser.open(run.link)) and fits(browser.open(run.link[:-1]))


def test_every_page_is_accessible(browser, run):
    browser.size(*PHONE, phone=True)
    accessible(browser.open(run.link))
    accessible(browser.type(**NAMED, confirmation="no").press("Approve"))
    wrong = browser.driver.find_elements(By.CSS_SELECTOR, "[aria-invalid=true]")
    assert [field.get_attribute("name") for field in wrong] == ["confirmation"]
    accessible(browser.type(**NAMED).press("Reject"))
    accessible(browser.open(run.link))


@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
def test_every_text_can_be_read_by_day_and_by_night(browser, run, dark):
    browser.size(*PHONE, phone=True)
    browser.night(dark)
    browser.open(run.link).type(**NAMED, confirmation="no").press("Approve")
    browser.shot(f"contrast-{'night' if dark else 'day'}")
    assert readable(browser) > 30
    readable(browser.type(**NAMED).press("Reject"))


def test_the_keyboard_reaches_everything_in_its_order(browser, run):
    browser.open(run.link)
    assert by_tab(browser, "approver", 5) == ["approver", "reason", "confirmation", "decisionApprove", "decisionReject"]
