"""Chromium without a window and without JavaScript, as the page's reader may have it."""

import base64
import os
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait

SWITCHES = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--no-proxy-server", "--no-default-browser-check")


class Browser:
    """A fresh profile; sizes are those of the page, not of a window."""

    def __init__(self, profile: Path):
        options = webdriver.ChromeOptions()
        options.binary_location = os.environ["CHROMIUM"]
        for switch in (*SWITCHES, f"--user-data-dir={profile}"):
            options.add_argument(switch)
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
        # With its path given, selenium looks for no driver and downloads none.
        self.driver = webdriver.Chrome(options, Service(os.environ["CHROMEDRIVER"]))
        self.size(1000, 900)

    def size(self, width: int, height: int, phone: bool = False) -> None:
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 2 if phone else 1, "mobile": phone})

    def night(self, dark: bool) -> None:
        """Whether the reader's device asks for dark colours."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def open(self, link: str) -> "Browser":
        self.driver.get(link)
        return self

    def evaluate(self, expression: str):
        """Asks the page from outside: this works although its own scripts do not."""
        answer = self.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": expression, "returnByValue": True})
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "main").text

    def heading(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "h1").text

    def value(self, name: str) -> str:
        return self.driver.find_element(By.NAME, name).get_property("value")

    def type(self, **fields: str) -> "Browser":
        for name, text in fields.items():
            field = self.driver.find_element(By.NAME, name)
            field.clear()
            field.send_keys(text)
        return self

    def press(self, label: str) -> "Browser":
        """Presses a button and waits for the page that answers."""
        before = self.driver.find_element(By.TAG_NAME, "html")
        self.button(label).click()
        self.wait_until_gone(before)
        return self

    def button(self, label: str):
        return self.driver.find_element(By.XPATH, f"//button[normalize-space()='{label}']")

    def wait_until_gone(self, element) -> None:
        # While one page makes way for the next, the driver knows further errors than that of a stale element.
        wait = WebDriverWait(self.driver, 20, ignored_exceptions=[WebDriverException])
        wait.until(staleness_of(element))
        wait.until(lambda _: self.evaluate("document.readyState") == "complete")

    def shot(self, name: str) -> None:
        """The whole page as a picture, where `DR_SCREENSHOTS` names a folder."""
        folder = os.environ.get("DR_SCREENSHOTS")
        if not folder:
            return
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        picture = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": size["width"],
                                                    "height": size["height"], "scale": 1}})
        Path(folder, f"{name}.png").write_bytes(base64.b64decode(picture["data"]))

    def quit(self) -> None:
        self.driver.quit()
