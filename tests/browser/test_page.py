"""The live page in a real browser: during a run, after it, of hostile names, narrow and wide, dark and light, by keyboard.

usage: test_page.py RASK [FOLDER]

Drives Chromium by the pipe of its DevTools, with nothing but Python's own library. Into FOLDER go the pictures that it takes.
Prints TAP.
"""
import base64
import json
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

PATIENCE = 60  # seconds for whatever has to come
HOSTILE = "<script>document.title=666</script>"


class Browser:
    """One page of a headless browser. Messages are JSON, each with a NUL behind it."""

    def __init__(self, program, folder):
        self.number, self.buffer, self.session, self.complaints = 0, b"", None, []
        hears, self.says = os.pipe()
        self.hears, says = os.pipe()
        code = ("import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); "
                "os.execv(sys.argv[3], sys.argv[3:])")
        # through numbers above 4, so that neither is in the way of the other
        hears, says = (self.moved(fd) for fd in (hears, says))
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, str(hears), str(says), program, "--headless", "--no-sandbox",
             "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
             "--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"],
            pass_fds=(hears, says), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(hears)
        os.close(says)
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(domain + ".enable")

    @staticmethod
    def moved(fd):
        import fcntl
        high = fcntl.fcntl(fd, fcntl.F_DUPFD, 20)
        os.close(fd)
        return high

    def message(self, until):
        while b"\0" not in self.buffer:
            if not select.select([self.hears], [], [], max(0, until - time.monotonic()))[0]:
                raise TimeoutError("the browser says nothing")
            more = os.read(self.hears, 1 << 20)
            if not more:
                raise EOFError("the browser has ended")
            self.buffer += more
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.says, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + PATIENCE
        while True:
            answer = self.message(until)
            if answer.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.complaints.append(json.dumps(answer["params"])[:300])
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            return None
        return result["result"].get("value")

    def comes(self, expression):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self.value(expression):
                return True
            time.sleep(0.05)
        return False

    def open(self, url):
        self.call("Page.navigate", url=url)

    def size(self, width, height, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=False)
        scheme = "dark" if dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def key(self, key, code):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code,
                      **({"text": key} if len(key) == 1 and kind == "keyDown" else {}))

    def picture(self, path):
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        if path:
            with open(path, "wb") as file:
                file.write(data)
        return data

    def close(self):
        self.process.kill()
        self.process.wait()


class Test:
    """What is asserted, as TAP."""

    count = failed = 0

    def tell(self, name, good, why=""):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
        if not good:
            print(f"# {why}"[:600], flush=True)


def flow(tasks, seconds):
    steps = {f"step-{i}": {"command": f"sleep {seconds}", "name": HOSTILE} for i in range(tasks)}
    steps["all"] = {"command": "true", "after": list(steps), "name": "merge"}
    steps["bad"] = {"command": "echo '<b>broken</b>' >&2; exit 3", "name": "check"}
    return {"tasks": steps}


def begin(rask, folder, tasks, seconds):
    """A run that goes on behind, and the address that it tells."""
    with open(os.path.join(folder, "flow.json"), "w", encoding="utf-8") as file:
        json.dump(flow(tasks, seconds), file)
    run = subprocess.Popen([rask, "run", "flow.json", "--again", "--keep-going", "--workers", "3", "--dashboard"],
                           cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    line = run.stderr.readline()
    return run, re.search(r"http://\S+", line).group(0)


def during(test, browser, url):
    browser.size(1280, 1400)
    browser.open(url)
    test.tell("the page says that the run goes on", browser.comes("$('phase').textContent === 'running'"))
    test.tell("and how far it is", browser.comes("/[1-9][0-9]* of [0-9]+/.test($('figures').textContent)"))
    test.tell("a task named like a script is text",
              browser.comes("$('names').textContent.includes('<script>document.title=666')")
              and browser.value("document.scripts.length") == 1 and "666" not in browser.value("document.title"))
    test.tell("it lists the workers", browser.comes("document.querySelectorAll('#workers tr').length >= 3"))
    test.tell("it draws the graph", browser.comes("document.querySelectorAll('#graph rect').length > 5"))
    test.tell("and tasks on their workers", browser.comes("slices.length > 3"))
    test.tell("updates come, and not more than ten a second", at_most_ten(browser))


def at_most_ten(browser):
    """By the page's own clock: on a machine with much to do two seconds are more by the time that it is asked."""
    browser.value("heard = 0; began = performance.now(); source.addEventListener('message', () => heard++)")
    time.sleep(2)
    heard = browser.value("heard")
    seconds = browser.value("(performance.now() - began) / 1000")
    return heard is not None and 1 <= heard <= 10 * seconds + 3


def looks(test, browser, pictures):
    for width, height in ((400, 2300), (1280, 1300), (3840, 1700)):
        for dark in (False, True):
            browser.size(width, height, dark)
            time.sleep(0.5)
            scheme = "dark" if dark else "light"
            data = browser.picture(pictures and os.path.join(pictures, f"during-{width}-{scheme}.png"))
            seen = struct.unpack(">II", data[16:24])
            fits = browser.value("document.documentElement.scrollWidth <= innerWidth")
            test.tell(f"it fits {width} pixels, {scheme}", seen == (width, height) and fits and len(data) > 20000,
                      f"{seen}, {len(data)} bytes, fits: {fits}")
    browser.size(1280, 1300)


def jumps(test, browser):
    where = "JSON.stringify([...document.querySelectorAll('section')].map(s => [s.offsetTop, s.offsetHeight]))"
    before = browser.value(where)
    time.sleep(1)
    after = browser.value(where)
    test.tell("nothing jumps while it is updated", before == after, f"{before} {after}")


def keys(test, browser):
    browser.value("document.activeElement.blur()")
    reached = set()
    for _ in range(14):
        browser.key("Tab", 9)
        reached.add(browser.value("document.activeElement.id || document.activeElement.className"))
    test.tell("the keyboard reaches whatever can be used", {"cancel", "stream", "pause", "less", "more", "graph"} <= reached,
              str(reached))
    browser.value("$('stream').focus()")
    browser.key(" ", 32)
    test.tell("space holds the stream", browser.comes("$('pause').getAttribute('aria-pressed') === 'true'"))
    before = browser.value("span")
    browser.key("+", 187)
    test.tell("plus shows less time", browser.value("span") < before)
    browser.key(" ", 32)


def after(test, browser, rask, folder, pictures):
    run, url = begin(rask, folder, 12, 0.2)
    browser.open(url)
    test.tell("a page that is open says that the run is over", browser.comes("$('phase').textContent === 'failed'"))
    run.wait()
    test.tell("and why a task failed, as text",
              "<b>broken</b>" in (browser.value("$('failures').textContent") or "")
              and browser.value("document.querySelectorAll('#failures li b').length") == 1,
              browser.value("document.body.textContent"))
    test.tell("it asks no more", browser.value("source.readyState") == 2)
    for width, height, dark in ((400, 2300, True), (1280, 1300, False), (3840, 1700, False)):
        browser.size(width, height, dark)
        time.sleep(0.4)
        browser.picture(pictures and os.path.join(pictures, f"after-{width}.png"))


def cancelling(test, browser, rask, folder):
    run, url = begin(rask, folder, 500, 0.2)
    browser.size(1280, 1300)
    browser.open(url)
    browser.comes("!$('cancel').hidden")
    browser.value("$('cancel').focus()")
    browser.key("Enter", 13)
    if not browser.value("$('cancel').classList.contains('sure')"):
        browser.value("$('cancel').click()")
    test.tell("the button asks first", browser.comes("$('cancel').textContent === 'Really cancel?'")
              and run.poll() is None)
    browser.value("$('cancel').click()")
    try:
        status = run.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        status = None
    test.tell("and cancels the run then", status == 130, f"exit status {status}")


def lost(test, browser, rask, folder):
    run, url = begin(rask, folder, 500, 0.2)
    browser.open(url)
    browser.comes("state && state.tasks.done > 0")
    run.send_signal(signal.SIGKILL)
    run.wait()
    test.tell("a program that dies is no longer reached, and the page says so",
              browser.comes("$('phase').textContent === 'no connection'"))


def main():
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not program:
        print("1..0 # SKIP no browser: there is neither chromium nor google-chrome")
        return 0
    rask, pictures = os.path.realpath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
    test, folder = Test(), tempfile.mkdtemp()
    browser = Browser(program, os.path.join(folder, "profile"))
    try:
        run, url = begin(rask, folder, 900, 0.15)
        during(test, browser, url)
        looks(test, browser, pictures)
        jumps(test, browser)
        keys(test, browser)
        test.tell("its own rules let all of it in, and no script fails", not browser.complaints, str(browser.complaints))
        run.send_signal(signal.SIGINT)
        run.wait()
        after(test, browser, rask, folder, pictures)
        cancelling(test, browser, rask, folder)
        lost(test, browser, rask, folder)
    finally:
        browser.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"1..{test.count}")
    return test.failed != 0


if __name__ == "__main__":
    sys.exit(main())
