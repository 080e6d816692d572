"""The page about a resource that has failed: the real question of a real run, in a browser without JavaScript."""

import pytest
from checks import PHONE, buttons, fits, words
from hold import BUTTONS, NAMED
from selenium.webdriver.common.by import By


# --- what it shows ---

def test_the_question_tells_what_failed_and_why(browser, hold):
    browser.open(hold.link).shot("hold-desk")
    assert browser.heading() == f"{hold.resource} failed: retry, skip or abort?"
    text = words(browser)
    for told in (f"Product {hold.product}", "Action ACTIVATE", "Region us-west-2", f"Resource {hold.resource}",
                 "Place app1, held-shop-app1, layer 1", "Failed with Dr.Failed",
                 "Why the test failed, as its parameter Outcome asked", f"Expires {hold.pending()['expiresAt']}",
                 f"Run {hold.name}"):
        assert told in text, told
    assert browser.driver.find_elements(By.NAME, "confirmation") == []


def test_before_a_retry_there_is_no_plan(browser, hold):
    text = words(browser.open(hold.link))
    assert "What Retry will do" not in text and "SHA-256" not in text
    assert browser.driver.find_elements(By.CLASS_NAME, "alarms") == []


def test_each_button_tells_what_it_does(browser, hold):
    browser.open(hold.link)
    assert [b.text for b in buttons(browser)] == BUTTONS
    told = ("Reads the manifest again", "as if this resource were done", "lets this resource fail", "Ends the whole run")
    for button, meaning in zip(buttons(browser), told):
        described = browser.driver.find_element(By.ID, button.get_attribute("aria-describedby"))
        assert meaning.lower() in described.text.lower()
    assert f"If nobody decides until {hold.pending()['expiresAt']}" in words(browser)


def test_a_new_plan_that_may_lose_data_is_shown_once(browser, asked_anew):
    browser.shot("hold-plan-desk")
    assert browser.heading() == f"Retry {asked_anew.resource} with this new plan?"
    text = words(browser)
    for told in ("The manifest says something else of this resource than before", "What Retry will do",
                 f"To press Retry, type: {asked_anew.typed}", "Manifests and their SHA-256"):
        assert told in text, told
    assert [m.text for m in browser.driver.find_elements(By.CLASS_NAME, "mark")] == ["DATA-LOSS"]
    assert len(browser.driver.find_elements(By.CLASS_NAME, "alarms")) == 1


# --- what each button does ---

def test_retry_of_an_unchanged_resource_leads_to_a_second_question(browser, hold):
    first = hold.link
    browser.open(first).type(**NAMED).press("Retry").shot("hold-retried-desk")
    assert browser.heading() == "Your decision: retry" and NAMED["reason"] in browser.text()
    assert hold.again() != first
    assert browser.open(hold.link).heading() == f"{hold.resource} failed: retry, skip or abort?"
    assert hold.waits()


def test_skip_lets_the_run_succeed(browser, hold):
    browser.open(hold.link).type(**NAMED).press("Skip")
    assert browser.heading() == "Your decision: skip" and "The link is used up" in browser.text()
    assert hold.ended() == "SUCCEEDED"


@pytest.mark.parametrize("button, heading", [
    ("Abort this", "Your decision: abort this resource"), ("Abort the run", "Your decision: abort the run")])
def test_an_abort_lets_the_run_fail(browser, hold, button, heading):
    assert browser.open(hold.link).type(**NAMED).press(button).heading() == heading
    assert hold.ended() == "FAILED"


@pytest.mark.parametrize("typed", ["", "held-shop", "held-shop us-east-1", "HELD-SHOP us-west-2"])
def test_wrong_words_retry_nothing(browser, asked_anew, typed):
    browser.type(**NAMED, confirmation=typed).press("Retry").shot(f"hold-wrong-words-{len(typed)}")
    errors = browser.driver.find_element(By.CSS_SELECTOR, ".errors[role=alert]").text
    assert errors.startswith("Nothing was sent") and "To press Retry" in errors
    assert {name: browser.value(name) for name in (*NAMED, "confirmation")} == NAMED | {"confirmation": typed}
    assert asked_anew.waits()


def test_the_right_words_retry(browser, asked_anew):
    browser.type(**NAMED, confirmation=asked_anew.typed).press("Retry")
    assert browser.heading() == "Your decision: retry"
    # The permission is missing still.
    assert asked_anew.again() and asked_anew.waits()


def test_what_ends_or_leaves_out_needs_no_words(browser, asked_anew):
    assert browser.type(**NAMED).press("Skip").heading() == "Your decision: skip"
    assert asked_anew.ended() == "SUCCEEDED"


@pytest.mark.parametrize("button", BUTTONS)
def test_the_browser_itself_asks_for_name_and_reason(browser, hold, button):
    browser.open(hold.link).button(button).click()
    assert "failed: retry" in browser.heading() and hold.waits()


def test_where_identities_are_asked_for_a_link_only_aborts(browser, hold):
    hold.amend(rule={"required": 2, "approvers": []})
    browser.size(*PHONE, phone=True)
    browser.open(hold.link).shot("hold-identities-phone")
    assert "A link can only abort here" in browser.text() and fits(browser)
    assert "RETRY <your reason>" in browser.driver.find_element(By.TAG_NAME, "pre").text
    assert [b.text for b in buttons(browser)] == BUTTONS[2:]
    assert [t.text for t in browser.driver.find_elements(By.CSS_SELECTOR, "#answer dt")] == BUTTONS[:2]


# --- a link that is no longer good ---

def test_an_expired_question(browser, hold):
    hold.expire()
    browser.open(hold.link).shot("hold-expired-desk")
    assert browser.heading() == "This request has expired" and "the resource has failed" in words(browser)
    assert browser.driver.find_elements(By.TAG_NAME, "form") == []


@pytest.mark.parametrize("button", BUTTONS)
def test_a_form_that_was_open_when_its_time_ended(browser, hold, button):
    browser.open(hold.link).type(**NAMED)
    hold.expire()
    assert browser.press(button).heading() == "This request has expired"
    assert hold.waits()


def test_a_question_is_answered_once(browser, hold):
    browser.open(hold.link).type(**NAMED)
    other = {"approver": "Bob", "reason": "not needed", "decision": "SKIP"}
    assert hold.world.request(hold.link, "POST", other) == 200
    browser.press("Abort the run").shot("hold-used-desk")
    assert browser.heading() == "Already answered"
    assert "Answer skip" in words(browser) and "Bob" in browser.text()
    assert browser.driver.find_elements(By.TAG_NAME, "form") == []
    assert hold.ended() == "SUCCEEDED"
