"""What every page owes to everybody: a phone, a keyboard, eyes by day and by night."""

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

PHONE = (360, 740)

CONTROLS = """[...document.querySelectorAll('input, textarea, button')].filter(c => c.offsetParent).map(c => ({
  name: c.name || c.textContent, label: c.labels && c.labels.length ? c.labels[0].innerText : c.innerText,
  height: c.getBoundingClientRect().height, size: parseFloat(getComputedStyle(c).fontSize),
  described: (c.getAttribute('aria-describedby') || '').split(' ').every(id => !id || document.getElementById(id))}))"""
LEVELS = "[...document.querySelectorAll('h1, h2, h3, h4')].map(h => Number(h.tagName[1]))"
# Of every text: its words and the ratio of luminances between it and what it stands on, as WCAG 2 defines it.
CONTRASTS = """(() => {
  const parts = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = parts(c).map(v => v / 255).map(v =>
    v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (parts(c)[3] !== 0) return c; } return 'rgb(255, 255, 255)'; };
  const own = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  return [...document.querySelectorAll('main *')].filter(e => own(e) && e.offsetParent).map(e => {
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
    return [e.textContent.trim().slice(0, 40), (a + 0.05) / (b + 0.05)]; }); })()"""


def buttons(browser) -> list:
    """Those that can be seen."""
    return [b for b in browser.driver.find_elements(By.CSS_SELECTOR, "main button") if b.is_displayed()]


def words(browser) -> str:
    """The text of the page, as one line."""
    return " ".join(browser.text().split())


def fits(browser) -> bool:
    return browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def accessible(browser) -> None:
    """What can be told without a person."""
    assert browser.evaluate("document.documentElement.lang") == "en" and browser.driver.title
    levels = browser.evaluate(LEVELS)
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(below - above <= 1 for above, below in zip(levels, levels[1:])), levels
    assert browser.evaluate("document.querySelectorAll('main').length") == 1
    assert browser.evaluate("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size"
                            " == document.querySelectorAll('[id]').length")
    for control in browser.evaluate(CONTROLS):
        assert control["label"].strip() and control["described"], control
        # Big enough for a thumb, and no zooming in of phones that find the letters too small.
        assert control["height"] >= 40 and control["size"] >= 16, control


def readable(browser) -> int:
    """The contrast of every text; gives how many there are."""
    found = browser.evaluate(CONTRASTS)
    assert [one for one in found if one[1] < 4.5] == []
    return len(found)


def by_tab(browser, first: str, count: int) -> list[str]:
    """What the Tab key reaches, beginning with this field."""
    browser.driver.find_element(By.NAME, first).click()
    reached = []
    for _ in range(count):
        active = browser.driver.switch_to.active_element
        reached.append(active.get_attribute("name") + (active.text if active.tag_name == "button" else ""))
        active.send_keys(Keys.TAB)
    return reached
