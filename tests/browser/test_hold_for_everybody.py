"""The page about a resource that has failed, on a phone, by keyboard, by day and by night."""

import pytest
from checks import PHONE, accessible, buttons, by_tab, fits, readable
from hold import BUTTONS, NAMED, Hold
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys


def test_a_phone_shows_every_page_without_scrolling_sideways(browser, world):
    hold = Hold(world, product="a-product-with-quite-a-long-name-that-nobody-would-type-by-heart")
    browser.size(*PHONE, phone=True)
    browser.open(hold.link).shot("hold-phone")
    assert browser.evaluate("window.innerWidth") == PHONE[0] and fits(browser)
    browser.driver.find_element(By.CSS_SELECTOR, "#answer summary").click()
    assert fits(browser)
    assert fits(browser.type(approver="x" * 200, reason="y" * 300).press("Retry"))
    assert fits(browser.open(hold.link)) and fits(browser.open(hold.again()))


def test_a_phone_shows_a_new_plan(browser, asked_anew):
    browser.size(*PHONE, phone=True)
    browser.open(asked_anew.link).shot("hold-plan-phone")
    assert fits(browser)
    assert fits(browser.type(**NAMED, confirmation="no").press("Retry"))


@pytest.mark.parametrize("size", [PHONE, (1000, 900)], ids=["phone", "desk"])
def test_no_thumb_hits_the_end_of_the_run_by_accident(browser, hold, size):
    browser.size(*size, phone=size == PHONE)
    boxes = [b.rect for b in buttons(browser.open(hold.link))]
    tops, ends = [b["y"] for b in boxes], [b["y"] + b["height"] for b in boxes]
    gaps = [below - above for above, below in zip(ends, tops[1:])]
    assert min(gaps) > 0, "each on a line of its own"
    assert gaps[-1] >= 48 and gaps[-1] == max(gaps), gaps


def test_colours_tell_the_buttons_apart(browser, hold):
    shown = buttons(browser.open(hold.link))
    grounds = [b.value_of_css_property("background-color") for b in shown]
    assert grounds[0] not in grounds[1:] and len(set(grounds[1:])) == 1, "only Retry is filled"
    borders = [b.value_of_css_property("border-top-color") for b in shown]
    assert len(set(borders[:3])) == 3 and borders[2] == borders[3]


def test_every_page_is_accessible(browser, asked_anew):
    browser.size(*PHONE, phone=True)
    accessible(browser)
    accessible(browser.type(**NAMED, confirmation="no").press("Retry"))
    wrong = browser.driver.find_elements(By.CSS_SELECTOR, "[aria-invalid=true]")
    assert [field.get_attribute("name") for field in wrong] == ["confirmation"]
    accessible(browser.press("Abort this"))
    accessible(browser.open(asked_anew.link))


@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
def test_every_text_can_be_read_by_day_and_by_night(browser, asked_anew, dark):
    browser.size(*PHONE, phone=True)
    browser.night(dark)
    browser.type(**NAMED, confirmation="no").press("Retry").shot(f"hold-contrast-{'night' if dark else 'day'}")
    assert readable(browser) > 30
    readable(browser.press("Skip"))


def test_the_keyboard_reaches_everything_in_its_order(browser, asked_anew):
    expected = ["approver", "reason", "confirmation", *(f"decision{label}" for label in BUTTONS)]
    assert by_tab(browser, "approver", 7) == expected


def test_the_enter_key_decides_nothing(browser, asked_anew):
    browser.type(**NAMED, confirmation=asked_anew.typed)
    for field in ("confirmation", "approver"):
        browser.driver.find_element(By.NAME, field).send_keys(Keys.ENTER)
    assert browser.heading().startswith("Retry ") and asked_anew.waits()
