"""Headless Chromium, and what it says of the pages that it has seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from support.require import missing, require

AXE = Path(__file__).parents[2] / ".tools/axe/node_modules/axe-core/axe.min.js"


class Browser:
    """A browser with a window of its own; its log and its requests are kept."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        """Load a page."""
        self.driver.get(url)

    def prefer(self, scheme: str) -> None:
        """Look at pages in the ``light`` or the ``dark``."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def resize(self, width: int, height: int = 900) -> None:
        """Show pages as wide as so many pixels, on a telephone for instance."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def messages(self) -> list[str]:
        """What the console said that is not good, since the last time."""
        lines = self._log("browser")
        return [f"{line['level']}: {line['message']}" for line in lines if line["level"] != "INFO"]

    def accessibility_problems(self) -> list[str]:
        """What axe-core finds wrong with the page, with where it is."""
        script = AXE.read_text() + "; return axe.run(document).then(found => found.violations)"
        found: list[dict[str, Any]] = self.driver.execute_script(script)
        return [
            f"{one['id']}: {one['help']}: {node['target']} {node['failureSummary']}"
            for one in found
            for node in one["nodes"]
        ]

    def hosts(self) -> set[str]:
        """Whom the pages asked for anything, since the last time."""
        found = set()
        for line in self._log("performance"):
            event = json.loads(line["message"])["message"]
            if event["method"] == "Network.requestWillBeSent":
                url = urlsplit(event["params"]["request"]["url"])
                if url.scheme in ("http", "https", "ws", "wss"):  # and nothing of the browser's own
                    found.add(url.netloc)
        return found

    def _log(self, kind: str) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = self.driver.get_log(kind)  # type: ignore[no-untyped-call]
        return lines


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser that keeps its files in the folder. Skips the test if there is none."""
    if not AXE.exists():
        missing("axe-core is not installed: run `make servers`")
    remedy = "run `make servers`, or install Chromium and its chromedriver"
    options = ChromeOptions()
    options.binary_location = str(require("chromium", remedy))
    for option in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{option}")
    # What it would ask its maker for is nobody's page.
    for option in ("disable-background-networking", "disable-sync", "no-first-run"):
        options.add_argument(f"--{option}")
    options.add_argument("--disable-features=OptimizationHints,MediaRouter,Translate")
    options.add_argument(f"--user-data-dir={folder / 'chromium'}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options, Service(str(require("chromedriver", remedy))))
    try:
        driver.set_page_load_timeout(30)
        yield Browser(driver)
    finally:
        driver.quit()
